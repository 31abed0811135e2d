//! A fleet of two nodes inside and some outside, people of every role, and requests byte by byte.

use std::sync::Arc;

use fleetglass_tests::{
    command::run,
    node::{Node, Page},
    proxy::{Fleetglass, QUICK, http_client},
    raw::Raw,
    wait::eventually,
};
use serde_json::Value;

pub(crate) const INSIDE: [&str; 2] = ["in-real-1", "in-real-2"];
pub(crate) const OUTSIDE: [&str; 2] = ["out-secret-1", "out-secret-2"];
/// Whatever somebody is answered whose role is limited holds none of these.
pub(crate) const SECRET: [&str; 6] =
    ["out-secret", "box-of-out", "other-team", "peers_outside", "fleet:peers", "OutsideOnly"];

pub(crate) const VIEWER: &str = "viewer";
pub(crate) const OPERATOR: &str = "operator";
pub(crate) const ADMIN: &str = "admin";
pub(crate) const LIMITED: &str = "limited";
pub(crate) const LIMITED_OPERATOR: &str = "limited-operator";
pub(crate) const LIMITED_ADMIN: &str = "limited-admin";
/// Limited by two selectors.
pub(crate) const PAIR: &str = "pair";

const PEOPLE: [(&str, &str, &str); 7] = [
    (VIEWER, "viewer", ""),
    (OPERATOR, "operator", ""),
    (ADMIN, "admin", ""),
    (LIMITED, "viewer", "'{team=\"acme\"}'"),
    (LIMITED_OPERATOR, "operator", "'{team=\"acme\"}'"),
    (LIMITED_ADMIN, "admin", "'{team=\"acme\"}'"),
    (PAIR, "operator", "'{instance=\"in-real-1\"}', '{instance=\"in-real-2\"}'"),
];

const RULES: &str = "
groups:
  - name: own
    rules:
      - {record: 'fleet:peers:sum', expr: 'sum(paraloom_peer_count)'}
      - alert: OwnPeers
        expr: paraloom_peer_count > 0
        annotations: {summary: '{{ $labels.instance }} has peers'}
      - alert: MoreThanOthers
        expr: paraloom_peer_count >= on() group_left() min(paraloom_peer_count)
";

/// A proxy, its nodes, and who asks it.
pub(crate) struct Story {
    pub(crate) fleetglass: Fleetglass,
    nodes: Vec<(String, Arc<Node>)>,
    tokens: Vec<(&'static str, String)>,
}

fn metrics(peers: u32, is_outside: bool) -> Page {
    let more = if is_outside { "# TYPE peers_outside gauge\npeers_outside 7\n" } else { "" };
    Page::metrics(&format!("# TYPE paraloom_peer_count gauge\nparaloom_peer_count {peers}\n{more}"))
}

async fn node(peers: u32, is_outside: bool) -> Arc<Node> {
    let health = Page::json(200, r#"{"status":"ok","version":"1.2.3","uptime_seconds":5}"#);
    Arc::new(Node::start([("/health", health), ("/metrics", metrics(peers, is_outside))]).await)
}

impl Story {
    /// A fleet with these nodes outside.
    pub(crate) async fn begin(outside: &[&str]) -> Self {
        let mut nodes = Vec::new();
        for (at, id) in INSIDE.iter().enumerate() {
            nodes.push(((*id).to_owned(), node(3 + at as u32, false).await));
        }
        Self::with(nodes, outside).await
    }

    /// Another proxy over the same nodes inside.
    pub(crate) async fn beside(&self, outside: &[&str]) -> Self {
        let inside = self.nodes.iter().filter(|(id, _)| INSIDE.contains(&id.as_str())).cloned();
        Self::with(inside.collect(), outside).await
    }

    async fn with(mut nodes: Vec<(String, Arc<Node>)>, outside: &[&str]) -> Self {
        let mut config =
            format!("{QUICK}\n[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\n");
        for (at, id) in outside.iter().enumerate() {
            nodes.push(((*id).to_owned(), node(5 + at as u32, true).await));
        }
        for (id, node) in &nodes {
            let team = if INSIDE.contains(&id.as_str()) { "acme" } else { "other-team" };
            config += &format!(
                "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\", host = \"box-of-{id}\" }}\n",
                node.url()
            );
        }
        let mut rules = RULES.to_owned();
        for id in outside {
            rules += &format!("      - {{alert: OutsideOnly, expr: 'up{{instance=\"{id}\"}} > 0'}}\n");
        }
        // It says that it is about a node inside, and follows from those outside.
        if !outside.is_empty() {
            rules += "      - {alert: OutsideOnlyForged, expr: peers_outside > 0, labels: {instance: in-real-1}}\n";
        }
        let mut tokens = Vec::new();
        for (name, role, select) in PEOPLE {
            let made = run(&["token", "new", "--name", name]);
            let (text, lines) = made.out.split_once("[[auth.token]]").unwrap();
            let token = text.split_whitespace().find(|word| word.starts_with("fg_")).unwrap();
            tokens.push((name, token.to_owned()));
            config +=
                &format!("\n[[auth.token]]{}\nrole = \"{role}\"\nselect = [{select}]\n", lines.trim_end());
        }
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
        fleetglass.ready().await;
        Self { fleetglass, nodes, tokens }
    }

    /// Waits until every alert fires, of those outside too.
    pub(crate) async fn has_alerts(&self, outside: &[&str]) {
        let all = INSIDE.len() + outside.len();
        eventually("the rules have spoken", async || {
            let fleet = self.json(ADMIN, "/api/v1/fleet").await["alerts"].to_string();
            let count = |name: &str| fleet.matches(&format!("\"name\":\"{name}\"")).count();
            let counts = ["OwnPeers", "MoreThanOthers", "OutsideOnly"].map(count);
            if counts == [all, all, outside.len()] { Ok(()) } else { Err(format!("{counts:?}: {fleet}")) }
        })
        .await;
    }

    /// A node has so many peers from now on.
    pub(crate) fn says(&self, id: &str, peers: u32) {
        let (_, node) = self.nodes.iter().find(|(own, _)| own == id).unwrap();
        node.says("/metrics", metrics(peers, !INSIDE.contains(&id)));
    }

    pub(crate) fn token(&self, who: &str) -> &str {
        &self.tokens.iter().find(|(own, _)| *own == who).unwrap().1
    }

    /// A request as it is written, with no client in between that tidies paths up.
    pub(crate) async fn ask_with(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Raw {
        Raw::asked(self.fleetglass.address(), Some(self.token(who)), method, path, headers, body).await
    }

    pub(crate) async fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Raw {
        self.ask_with(who, method, path, &[], body).await
    }

    pub(crate) async fn json(&self, who: &str, path: &str) -> Value {
        let answer = self.ask(who, "GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// The live stream.
    pub(crate) async fn stream(&self, who: &str, seen: Option<&str>) -> reqwest::Response {
        let request = http_client().get(self.fleetglass.url("/api/v1/live")).bearer_auth(self.token(who));
        let request = seen.into_iter().fold(request, |request, seen| request.header("last-event-id", seen));
        request.send().await.unwrap()
    }
}

pub(crate) fn clean(what: &str, text: &str) {
    for secret in SECRET {
        assert!(!text.contains(secret), "{what} holds `{secret}`: {text}");
    }
}

/// An answer without what differs from one moment to the next: times, durations, and an id that was asked for.
pub(crate) fn likeness(answer: &Raw, id: &str) -> (u16, String, String) {
    let head: Vec<&str> = answer
        .head
        .lines()
        .filter(|line| !line.starts_with("content-length:") && !line.starts_with("x-node-duration"))
        .collect();
    let body = match serde_json::from_str::<Value>(&answer.body) {
        Ok(mut value) => {
            still("", &mut value);
            value.to_string()
        }
        // An exposition: which series there are.
        Err(_) => {
            let series = |line: &str| {
                line.rsplit_once('}')
                    .map_or(line.split(' ').next().unwrap_or_default(), |(series, _)| series)
                    .to_owned()
            };
            let lines: std::collections::BTreeSet<String> = answer.body.lines().map(series).collect();
            lines.into_iter().collect::<Vec<_>>().join("\n")
        }
    };
    let decoded = id.replace("%2e", ".").replace("%2f", "/").replace("%20", " ").replace("%00", "\\u0000");
    let body = if id.is_empty() { body } else { body.replace(id, "ID").replace(&decoded, "ID") };
    (answer.status, head.join("\n"), body)
}

/// Counts stay, and so does every word; times and values do not.
fn still(key: &str, value: &mut Value) {
    const COUNTS: [&str; 6] = ["total", "nodes", "numSeries", "numLabelPairs", "muted", "samples"];
    match value {
        Value::Number(_) if !COUNTS.contains(&key) => *value = Value::from("N"),
        Value::String(text)
            if key == "epoch"
                || text.parse::<f64>().is_ok() && !text.is_empty() && text.len() > 2
                || text.len() >= 20 && text.starts_with("20") && text.ends_with('Z') =>
        {
            *value = Value::from("T");
        }
        Value::Array(all) => {
            // Points of a line: how many there are is a matter of when it was looked.
            if all.len() > 1 && all.iter().all(|one| one.is_number() || one.is_null() || one.is_array()) {
                all.truncate(1);
            }
            all.iter_mut().for_each(|one| still(key, one));
            // Which of two nodes was asked first is chance.
            if ["changes", "events", "incidents"].contains(&key) {
                all.sort_by_key(Value::to_string);
            }
        }
        // An incident's id, and how long its alerts took to begin, come from the moment.
        Value::Object(members) if members.contains_key("evidence") => {
            members.insert("id".to_owned(), Value::Null);
            members.insert("evidence".to_owned(), Value::Null);
            members.iter_mut().for_each(|(key, one)| still(key, one));
        }
        Value::Object(members) => members.iter_mut().for_each(|(key, one)| still(key, one)),
        _ => {}
    }
}
