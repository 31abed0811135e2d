//! The answer of `GET /api/v1/rules`. Pure.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::Severity;

use crate::json::Json;

/// All that is known of the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// What of the files cannot be used.
    pub faults: Vec<Fault>,
    /// The groups, in the order of the files.
    pub groups: Vec<Group>,
}

/// A rule that cannot be used, and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// `file:line:column`.
    pub place: String,
    /// Its group and name, as far as they can be read.
    pub what: String,
    /// Why.
    pub message: String,
}

/// Rules that are evaluated together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// From one evaluation to the next, in seconds.
    pub interval: f64,
    /// How long the last one took, in seconds.
    pub took: f64,
    /// When it was; absent before the first.
    pub last: Option<UnixMillis>,
    /// How many were left out.
    pub missed: u64,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// How a rule stands, the worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// It cannot be evaluated.
    Error,
    /// An alert of it fires.
    Firing,
    /// One pends.
    Pending,
    /// Nothing is wrong; a recording rule that records.
    Quiet,
    /// Not evaluated yet.
    #[default]
    Unknown,
}

impl Stand {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::Quiet => "quiet",
            Self::Unknown => "not yet",
        }
    }
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// The alert's name, or the series it records.
    pub name: String,
    /// The expression.
    pub query: String,
    /// Whether it alerts.
    pub alerting: bool,
    /// How it stands.
    pub stand: Stand,
    /// Why it cannot be evaluated.
    pub error: String,
    /// What may be wrong with it.
    pub warnings: Vec<String>,
    /// How long before it fires, in seconds.
    pub for_seconds: f64,
    /// How long it goes on, in seconds.
    pub keep_seconds: f64,
    /// How bad, and the word of the file.
    pub severity: Option<(Severity, String)>,
    /// Its labels, in order.
    pub labels: Vec<(String, String)>,
    /// Summary, description and the like.
    pub annotations: Vec<(String, String)>,
    /// How many of its alerts fire or pend.
    pub alerts: usize,
    /// The line in the file.
    pub line: u64,
    /// How long its last evaluation took, in seconds.
    pub took: f64,
}

impl Rules {
    /// Reads `data` of the answer. `time` reads a time of it.
    pub fn read(json: &Json, time: impl Fn(&str) -> Option<UnixMillis>) -> Self {
        let data = json.get("data");
        Self {
            faults: data.get("faults").items().unwrap_or_default().iter().map(fault).collect(),
            groups: data
                .get("groups")
                .items()
                .unwrap_or_default()
                .iter()
                .map(|json| group(json, &time))
                .collect(),
        }
    }

    /// How many rules stand so.
    pub fn count(&self, stand: Stand) -> usize {
        self.groups.iter().flat_map(|group| &group.rules).filter(|rule| rule.stand == stand).count()
    }

    /// How many rules there are.
    pub fn total(&self) -> usize {
        self.groups.iter().map(|group| group.rules.len()).sum()
    }
}

impl Rule {
    /// Whether it holds all of the words (lower case, separated by blanks).
    pub fn holds(&self, words: &str) -> bool {
        words.split_whitespace().all(|word| {
            let holds = |text: &str| text.to_lowercase().contains(word);
            holds(&self.name)
                || holds(&self.query)
                || self.stand.word() == word
                || self
                    .severity
                    .as_ref()
                    .is_some_and(|(severity, own)| holds(severity.as_str()) || holds(own))
        })
    }
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).text().unwrap_or_default()
}

fn number(json: &Json, name: &str) -> f64 {
    json.get(name).number().unwrap_or_default()
}

fn texts(json: &Json) -> Vec<(String, String)> {
    let members = json.members().unwrap_or_default().into_iter();
    members.filter_map(|(name, value)| Some((name, value.text()?))).collect()
}

fn fault(json: &Json) -> Fault {
    let what = [text(json, "group"), text(json, "name")];
    let what: Vec<String> = what.into_iter().filter(|part| !part.is_empty()).collect();
    Fault {
        place: format!("{}:{}:{}", text(json, "file"), number(json, "line"), number(json, "column")),
        what: what.join(" › "),
        message: text(json, "message"),
    }
}

fn group(json: &Json, time: &impl Fn(&str) -> Option<UnixMillis>) -> Group {
    Group {
        name: text(json, "name"),
        file: text(json, "file"),
        interval: number(json, "interval"),
        took: number(json, "evaluationTime"),
        // Prometheus's zero time stands for never.
        last: time(&text(json, "lastEvaluation")).filter(|at| *at > 0),
        missed: number(json, "missedEvaluations") as u64,
        rules: json.get("rules").items().unwrap_or_default().iter().map(rule).collect(),
    }
}

fn rule(json: &Json) -> Rule {
    let labels = texts(&json.get("labels"));
    let alerting = text(json, "type") == "alerting";
    let own = labels.iter().find(|(name, _)| name == "severity").map(|(_, value)| value.clone());
    let stand = match (text(json, "health").as_str(), text(json, "state").as_str()) {
        ("err", _) => Stand::Error,
        (_, "firing") => Stand::Firing,
        (_, "pending") => Stand::Pending,
        ("ok", _) => Stand::Quiet,
        _ => Stand::Unknown,
    };
    Rule {
        name: text(json, "name"),
        query: text(json, "query"),
        alerting,
        stand,
        error: text(json, "lastError"),
        warnings: json.get("warnings").items().unwrap_or_default().iter().filter_map(Json::text).collect(),
        for_seconds: number(json, "duration"),
        keep_seconds: number(json, "keepFiringFor"),
        severity: alerting.then(|| {
            let own = own.unwrap_or_default();
            (Severity::of(&own), own)
        }),
        labels,
        annotations: texts(&json.get("annotations")),
        alerts: json.get("alerts").items().map_or(0, |alerts| alerts.len()),
        line: number(json, "line") as u64,
        took: number(json, "evaluationTime"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn groups_rules_and_faults_are_read() {
        let body = r#"{"data":{"faults":[{"file":"a.yml","line":3,"column":11,"group":"g","rule":0,"name":"Bad",
            "message":"unexpected end"}],"groups":[{"name":"g","file":"a.yml","interval":15,"evaluationTime":0.01,
            "lastEvaluation":"7","missedEvaluations":2,"rules":[
            {"name":"Lag","query":"lag > 5","type":"alerting","health":"ok","state":"firing","duration":60,
             "labels":{"severity":"P1"},"annotations":{"summary":"s"},"alerts":[{},{}],"line":7},
            {"name":"a:b","query":"sum(x)","type":"recording","health":"err","lastError":"boom"},
            {"name":"New","query":"y","type":"alerting","health":"unknown","state":"inactive"}]}]}}"#;
        let rules = Rules::read(&Json::parse(body).unwrap(), |text| text.parse().ok());
        assert_eq!(
            (rules.faults[0].place.as_str(), rules.faults[0].what.as_str()),
            ("a.yml:3:11", "g › Bad")
        );
        let group = &rules.groups[0];
        assert_eq!((group.last, group.missed, rules.total()), (Some(7), 2, 3));
        let stands: Vec<_> = group.rules.iter().map(|rule| rule.stand).collect();
        assert_eq!(stands, [Stand::Firing, Stand::Error, Stand::Unknown]);
        assert_eq!(group.rules[0].severity, Some((Severity::Critical, "P1".to_owned())));
        assert_eq!((group.rules[0].alerts, rules.count(Stand::Error)), (2, 1));
        for (words, found) in [("lag", true), ("firing p1", true), ("error", false), ("critical > 5", true)] {
            assert_eq!(group.rules[0].holds(words), found, "{words}");
        }
    }
}
