//! Reads the live stream's events into the wire's types, and lays a merge patch (RFC 7396) over a node: the
//! same walk over members does both. Pure.

use fleetglass_shared::health::{Reason, Status, UnixMillis};
use fleetglass_shared::wire::{
    Alert, FamilyInfo, FleetSnapshot, NodeSummary, Outlook, Risk, ServerInfo, Spark, Stake, Trend,
};

use super::alerts::alert;
use crate::json::{Json, Malformed};

/// The `delta` event: what changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// One more than the delta before it.
    pub seq: u64,
    /// The number that it follows on, where that is not the one before its own.
    pub since: Option<u64>,
    /// When it was made, by the proxy's clock.
    pub at: UnixMillis,
    /// Per node a patch: see `fleetglass_shared::wire::LiveDelta`.
    pub nodes: Vec<(String, Json)>,
    /// Whole alerts that changed; `None` when one is gone.
    pub alerts: Vec<(String, Option<Alert>)>,
    /// Present when the families changed.
    pub families: Option<Vec<FamilyInfo>>,
}

/// The `snapshot` event: the whole fleet.
pub fn snapshot(json: &Json) -> Result<FleetSnapshot, Malformed> {
    let mut snapshot = bare_snapshot(json)?;
    snapshot.nodes = json.items_of("nodes")?.iter().map(node).collect::<Result<_, _>>()?;
    snapshot.alerts = snapshot_alerts(json).iter().map(alert).collect::<Result<_, _>>()?;
    Ok(snapshot)
}

/// The alerts of a snapshot, unread; an older proxy has none.
pub fn snapshot_alerts(json: &Json) -> Vec<Json> {
    json.get("alerts").items().unwrap_or_default()
}

/// The `snapshot` event without its nodes and alerts, for those who read them a few at a time.
pub fn bare_snapshot(json: &Json) -> Result<FleetSnapshot, Malformed> {
    let server = json.get("server");
    Ok(FleetSnapshot {
        seq: json.number_of("seq")? as u64,
        at: json.number_of("at")? as i64,
        server: ServerInfo {
            version: server.text_of("version")?,
            epoch: server.text_of("epoch")?,
            started_at: server.number_of("started_at")? as i64,
        },
        families: families(&json.get("families"))?,
        nodes: Vec::new(),
        alerts: Vec::new(),
    })
}

/// The `delta` event.
pub fn delta(json: &Json) -> Result<Delta, Malformed> {
    let held = json.get("families");
    Ok(Delta {
        seq: json.number_of("seq")? as u64,
        since: json.get("since").number().map(|since| since as u64),
        at: json.number_of("at")? as i64,
        nodes: json.get("nodes").members().ok_or(Malformed("nodes"))?,
        alerts: alerts(&json.get("alerts"))?,
        families: if held.is_null() { None } else { Some(families(&held)?) },
    })
}

fn alerts(json: &Json) -> Result<Vec<(String, Option<Alert>)>, Malformed> {
    let one = |(id, json): (String, Json)| Ok((id, if json.is_null() { None } else { Some(alert(&json)?) }));
    json.members().unwrap_or_default().into_iter().map(one).collect()
}

fn families(json: &Json) -> Result<Vec<FamilyInfo>, Malformed> {
    let family = |family: &Json| {
        Ok(FamilyInfo {
            name: family.text_of("name")?,
            title: family.text_of("title")?,
            spark_title: family.get("spark_title").text().unwrap_or_default(),
            spark_unit: family.get("spark_unit").text().unwrap_or_default(),
        })
    };
    json.items().ok_or(Malformed("families"))?.iter().map(family).collect()
}

/// A whole node.
pub fn node(json: &Json) -> Result<NodeSummary, Malformed> {
    let mut node = NodeSummary::new(
        json.text_of("id")?,
        json.text_of("family")?,
        status(&json.get("status"))?,
        json.number_of("since")? as i64,
        json.number_of("interval_ms")? as u64,
    );
    patch(&mut node, json)?;
    Ok(node)
}

/// Lays a merge patch over a node. On an error the node may be half changed.
pub fn patch(node: &mut NodeSummary, patch: &Json) -> Result<(), Malformed> {
    for (name, value) in patch.members().ok_or(Malformed("node"))? {
        let text = |name| value.text().ok_or(Malformed(name));
        let number = |name| value.number().ok_or(Malformed(name));
        // What a patch takes away is not known any more.
        let known = |name| match value.is_null() {
            true => Ok(None),
            false => number(name).map(Some),
        };
        match name.as_str() {
            "id" if value.text().as_ref() != Some(&node.id) => return Err(Malformed("id")),
            "family" => node.family = text("family")?,
            "labels" => labels(node, &value)?,
            "status" => node.status = status(&value)?,
            "draining" => node.draining = value.flag().unwrap_or_default(),
            "reasons" => node.reasons = reasons(&value)?,
            "since" => node.since = number("since")? as i64,
            "fact_at" => node.fact_at = known("fact_at")?.map(|at| at as i64),
            "asked_at" => node.asked_at = known("asked_at")?.map(|at| at as i64),
            "interval_ms" => node.interval_ms = number("interval_ms")? as u64,
            "peers" => node.peers = known("peers")?.map(|peers| peers as u64),
            "version" => node.version = value.text(),
            "version_majority" => node.version_majority = value.text(),
            "uptime_seconds" => node.uptime_seconds = known("uptime_seconds")?,
            "restarts" => node.restarts = known("restarts")?.unwrap_or_default() as u32,
            "restarted_at" => node.restarted_at = known("restarted_at")?.map(|at| at as i64),
            "spark" if !value.is_null() => node.spark.advance(&spark(&value)?),
            "worst_risk" => node.worst_risk = risk(node.worst_risk.take(), &value)?,
            // A later proxy may say more.
            _ => {}
        }
    }
    Ok(())
}

fn labels(node: &mut NodeSummary, patch: &Json) -> Result<(), Malformed> {
    if patch.is_null() {
        node.labels.clear();
        return Ok(());
    }
    for (name, value) in patch.members().ok_or(Malformed("labels"))? {
        match value.text() {
            Some(text) => drop(node.labels.insert(name, text)),
            None => drop(node.labels.remove(&name)),
        }
    }
    Ok(())
}

fn status(json: &Json) -> Result<Status, Malformed> {
    let word = json.text().ok_or(Malformed("status"))?;
    Status::WORST_FIRST.into_iter().find(|status| status.as_str() == word).ok_or(Malformed("status"))
}

fn reasons(json: &Json) -> Result<Vec<Reason>, Malformed> {
    let reason = |reason: &Json| {
        Ok(Reason {
            code: reason.text_of("code")?,
            text: reason.text_of("text")?,
            status: status(&reason.get("status"))?,
        })
    };
    json.items().unwrap_or_default().iter().map(reason).collect()
}

fn spark(json: &Json) -> Result<Spark, Malformed> {
    let value = |value: Json| value.number().map(|value| value as f32);
    Ok(Spark {
        minute: json.number_of("minute")? as i64,
        values: json.items_of("values")?.into_iter().map(value).collect(),
    })
}

/// The risk with a patch over it; a first one must be whole.
fn risk(held: Option<Risk>, patch: &Json) -> Result<Option<Risk>, Malformed> {
    if patch.is_null() {
        return Ok(None);
    }
    let mut risk = match held {
        Some(risk) => risk,
        None => Risk {
            name: patch.text_of("name")?,
            title: patch.text_of("title")?,
            severity: patch.text_of("severity")?,
            value: None,
            bound: patch.number_of("bound")?,
            unit: String::new(),
            meaning: patch.text_of("meaning")?,
            action: patch.text_of("action")?,
            firing: patch.get("firing").flag().ok_or(Malformed("firing"))?,
            headroom: None,
            outlook: None,
            stake: None,
        },
    };
    for (name, value) in patch.members().ok_or(Malformed("worst_risk"))? {
        let text = || value.text().ok_or(Malformed("worst_risk"));
        match name.as_str() {
            "name" => risk.name = text()?,
            "title" => risk.title = text()?,
            "severity" => risk.severity = text()?,
            "value" => risk.value = value.number(),
            "bound" => risk.bound = value.number().ok_or(Malformed("bound"))?,
            "unit" => risk.unit = value.text().unwrap_or_default(),
            "meaning" => risk.meaning = text()?,
            "action" => risk.action = text()?,
            "firing" => risk.firing = value.flag().ok_or(Malformed("firing"))?,
            "headroom" => risk.headroom = value.number(),
            "outlook" => risk.outlook = outlook(risk.outlook.take(), &value),
            "stake" => risk.stake = stake(risk.stake.take(), &value),
            _ => {}
        }
    }
    Ok(Some(risk))
}

/// The outlook with a patch over it.
fn outlook(held: Option<Outlook>, patch: &Json) -> Option<Outlook> {
    let mut outlook = held.unwrap_or(Outlook {
        trend: Trend::TooLittleData,
        slope: None,
        breach_at: None,
        earliest: None,
        latest: None,
        exact: false,
    });
    for (name, value) in patch.members()? {
        let number = value.number();
        let time = number.map(|at| at as i64);
        match name.as_str() {
            "trend" => outlook.trend = trend(&value),
            "slope" => outlook.slope = number,
            "breach_at" => outlook.breach_at = time,
            "earliest" => outlook.earliest = time,
            "latest" => outlook.latest = time,
            "exact" => outlook.exact = value.flag().unwrap_or_default(),
            _ => {}
        }
    }
    Some(outlook)
}

/// A trend that a later proxy may know is none that we can tell.
fn trend(word: &Json) -> Trend {
    match word.text().as_deref() {
        Some("breached") => Trend::Breached,
        Some("approaching") => Trend::Approaching,
        Some("steady") => Trend::Steady,
        Some("recovering") => Trend::Recovering,
        _ => Trend::TooLittleData,
    }
}

/// The stake with a patch over it.
fn stake(held: Option<Stake>, patch: &Json) -> Option<Stake> {
    let mut stake =
        held.unwrap_or(Stake { amount: String::new(), unit: String::new(), calculation: Vec::new() });
    for (name, value) in patch.members()? {
        match name.as_str() {
            "amount" => stake.amount = value.text()?,
            "unit" => stake.unit = value.text()?,
            "calculation" => stake.calculation = value.items()?.iter().filter_map(Json::text).collect(),
            _ => {}
        }
    }
    Some(stake)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::patch::{diff, merge};
    use fleetglass_shared::wire::NodeSummary;
    use serde_json::{Value, json};

    use super::{node, patch};
    use crate::json::Json;

    fn whole() -> Value {
        json!({
            "id": "a", "family": "decdn", "labels": {"region": "eu", "rack": "1"}, "status": "degraded",
            "draining": true, "reasons": [{"code": "peers-low", "text": "3 peers", "status": "degraded"}],
            "since": 1_700_000_000_123_i64, "fact_at": 5, "asked_at": 6, "interval_ms": 15000, "peers": 3,
            "version": "1.2", "version_majority": "1.3", "uptime_seconds": 12.5, "restarts": 2,
            "restarted_at": 4, "spark": {"minute": 10, "values": [1.0, null, 2.5]},
            "worst_risk": {"name": "lag", "title": "Lag", "severity": "critical", "value": 312.0,
                "bound": 600.0, "unit": "seconds", "meaning": "m", "action": "a", "firing": false, "headroom": 0.48,
                "outlook": {"trend": "approaching", "slope": 1.0, "breach_at": 288_000, "earliest": 250_000,
                    "latest": 300_000, "exact": true},
                "stake": {"amount": "500000000", "unit": "micro-usdc", "calculation": ["bond", "half"]}},
        })
    }

    /// Every member that the proxy can send is read as serde reads it: none is forgotten here.
    #[test]
    fn a_whole_node_is_read_as_the_proxy_wrote_it() {
        let least = json!({
            "id": "b", "family": "generic", "status": "unknown", "since": 0, "interval_ms": 1,
            "spark": {"minute": 0, "values": []},
        });
        for json in [whole(), least] {
            let expected: NodeSummary = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&expected).unwrap(), json, "the example says all members");
            assert_eq!(node(&Json(json)).unwrap(), expected);
        }
    }

    #[test]
    fn a_patch_gives_what_a_merge_gives_whatever_member_it_changes() {
        let before = whole();
        let mut changes: Vec<Value> = Vec::new();
        for name in [
            "labels",
            "draining",
            "reasons",
            "fact_at",
            "asked_at",
            "peers",
            "version",
            "version_majority",
            "uptime_seconds",
            "restarts",
            "restarted_at",
            "worst_risk",
        ] {
            let mut after = before.clone();
            after.as_object_mut().unwrap().remove(name);
            changes.push(diff(&before, &after).unwrap());
        }
        changes.extend([
            json!({"labels": {"rack": null, "zone": "z"}}),
            json!({"worst_risk": {"value": null, "firing": true}}),
            json!({"worst_risk": {"name": "other", "bound": 2.0, "unit": null}}),
            json!({"worst_risk": {"headroom": null, "outlook": null, "stake": null}}),
            json!({"worst_risk": {"headroom": -0.5, "outlook": {"trend": "breached", "breach_at": null,
                "earliest": null, "latest": null, "slope": null, "exact": null}}}),
            json!({"worst_risk": {"outlook": {"trend": "steady"}, "stake": {"calculation": ["bond"], "amount": "7"}}}),
            json!({"worst_risk": {"outlook": {"trend": "recovering"}, "stake": {"unit": "GEN"}}}),
            json!({"worst_risk": {"outlook": {"trend": "too_little_data", "slope": -2.5}}}),
            json!({"status": "healthy", "since": 9, "interval_ms": 3, "family": "x", "peers": 4}),
        ]);
        for change in changes {
            let mut merged = before.clone();
            merge(&mut merged, &change);
            let expected: NodeSummary = serde_json::from_value(merged).unwrap();
            let mut patched = node(&Json(before.clone())).unwrap();
            patch(&mut patched, &Json(change.clone())).unwrap();
            assert_eq!(patched, expected, "{change}");
        }
    }

    #[test]
    fn what_is_not_a_node_is_refused_by_the_name_of_the_member() {
        for (name, wrong) in [
            ("status", json!("?")),
            ("since", json!("x")),
            ("labels", json!(3)),
            ("spark", json!(1)),
            ("worst_risk", json!({"name": "n"})),
            ("peers", json!("many")),
        ] {
            let mut json = whole();
            json[name] = wrong.clone();
            assert!(node(&Json(json)).is_err(), "{name}: {wrong}");
        }
        assert!(node(&Json(json!([]))).is_err());
    }
}
