//! Two fleets that differ only in what a link keeps back, and requests byte by byte.

use fleetglass_tests::{
    command::run,
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    raw::Raw,
    wait::eventually,
};
use serde_json::{Value, json};

pub(crate) const ADMIN: &str = "admin";
pub(crate) const OPERATOR: &str = "limited-operator";
pub(crate) const VIEWER: &str = "limited-viewer";
pub(crate) const NOBODY: &str = "";

const RULES: &str = "
groups:
  - name: own
    rules:
      - alert: OwnPeers
        expr: paraloom_peer_count > 0
        labels: {page: '{{ $labels.customer }}', severity: warning}
        annotations:
          summary: '{{ $labels.instance }} of {{ $labels.customer }} waits for {{ $labels.depends_on }}'
      - alert: BondLow
        expr: stake_bond < 10
        labels: {severity: critical, left: '{{ $value }}'}
        annotations: {summary: 'only {{ $value }} left'}
      - alert: AmongMany
        expr: topk by (instance) (scalar(count(peers_outside)), paraloom_peer_count) > 0
";

/// What a viewer must not find out of a fleet.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// A label that is dropped.
    pub(crate) customer: &'static str,
    /// A metric that is hidden.
    pub(crate) bond: u32,
    /// A node outside that those inside depend on.
    pub(crate) gate: &'static str,
    /// Whether there is anything outside.
    pub(crate) has_others: bool,
}

pub(crate) const ONE: Kept = Kept { customer: "acme-corp", bond: 3, gate: "out-secret-1", has_others: true };
pub(crate) const OTHER: Kept =
    Kept { customer: "beta-bank", bond: 30, gate: "out-gate-77", has_others: false };

/// Whatever a viewer of a link is answered holds none of these.
pub(crate) const SECRET: [&str; 10] = [
    "acme-corp",
    "beta-bank",
    "stake_bond",
    "BondLow",
    "AmongMany",
    "out-secret",
    "out-gate",
    "box-of",
    "127.0.0.1",
    "other-team",
];

/// A proxy, its nodes, and who asks it.
pub(crate) struct World {
    pub(crate) fleetglass: Fleetglass,
    tokens: Vec<(&'static str, String)>,
    nodes: Vec<Node>,
}

/// A link, and the slug of its status page.
pub(crate) struct Link {
    pub(crate) token: String,
    pub(crate) id: String,
}

impl World {
    pub(crate) async fn begin(kept: Kept) -> Self {
        Self::with(kept, "").await
    }

    /// The same with more in its config.
    pub(crate) async fn with(kept: Kept, more: &str) -> Self {
        let mut config = format!(
            "{QUICK}\n{more}\n[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\n\
             [share]\nrequests_per_second = 1000\nlink_requests_per_second = 1000\n"
        );
        let mut nodes = Vec::new();
        let all = [("in-1", "acme", 3), ("in-2", "acme", 4), ("out-secret-1", "other-team", 9)];
        for (id, team, peers) in all.into_iter().take(if kept.has_others { 3 } else { 2 }) {
            let others = if team == "acme" { "" } else { "# TYPE peers_outside gauge\npeers_outside 7\n" };
            let Kept { customer, bond, gate, .. } = kept;
            let metrics = Page::metrics(&format!(
                "# TYPE paraloom_peer_count gauge\nparaloom_peer_count {peers}\n\
                 # TYPE stake_bond gauge\nstake_bond {bond}\n\
                 # TYPE stake_bond_seconds histogram\nstake_bond_seconds_bucket{{le=\"1\"}} {bond}\n\
                 stake_bond_seconds_bucket{{le=\"+Inf\"}} {bond}\nstake_bond_seconds_sum {bond}\nstake_bond_seconds_count {bond}\n\
                 # TYPE billed gauge\nbilled{{to=\"{customer}\",by=\"127.0.0.1:80\"}} 1\n{others}"
            ));
            let health = Page::json(200, r#"{"status":"ok","version":"1.2.3","uptime_seconds":5}"#);
            let node = Node::start([("/health", health), ("/metrics", metrics)]).await;
            config += &format!(
                "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\", \
                 customer = \"{customer}\", depends_on = \"{gate}\", host = \"box-of-{customer}\" }}\n",
                node.url()
            );
            nodes.push(node);
        }
        let mut tokens = Vec::new();
        for (name, role, select) in [
            (ADMIN, "admin", ""),
            (OPERATOR, "operator", "'{team=\"acme\"}'"),
            (VIEWER, "viewer", "'{team=\"acme\"}'"),
        ] {
            let made = run(&["token", "new", "--name", name]);
            let (text, lines) = made.out.split_once("[[auth.token]]").unwrap();
            let token = text.split_whitespace().find(|word| word.starts_with("fg_")).unwrap();
            tokens.push((name, token.to_owned()));
            config +=
                &format!("\n[[auth.token]]{}\nrole = \"{role}\"\nselect = [{select}]\n", lines.trim_end());
        }
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
        let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
        fleetglass.ready().await;
        let world = Self { fleetglass, tokens, nodes };
        let count = world.nodes.len();
        eventually("the rules have spoken", async || {
            let fleet = world.ask(ADMIN, "GET", "/api/v1/fleet", "").await.body;
            let is = |name: &str| fleet.matches(&format!("\"name\":\"{name}\"")).count();
            let low = if kept.bond < 10 { count } else { 0 };
            if is("OwnPeers") == count && is("BondLow") == low { Ok(()) } else { Err(fleet) }
        })
        .await;
        world
    }

    /// Makes a link that keeps all of [`Kept`] back, with more of what is wished.
    pub(crate) async fn link(&self, more: Value) -> Link {
        let mut wish = json!({
            "title": "For Acme", "by": "Ada", "origins": ["https://portal.example"],
            "scope": {
                "select": ["{team=\"acme\"}"],
                "views": ["fleet", "node", "charts", "alerts", "risks"],
                "drop_labels": ["customer"],
                "hide_metrics": ["stake_bond", "stake_bond_seconds"],
            },
        });
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        let made = self.ask(ADMIN, "POST", "/api/v1/shares", &wish.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Link { token: text(&made["token"]), id: text(&made["share"]["id"]) }
    }

    pub(crate) async fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Raw {
        self.ask_with(who, method, path, &[], body).await
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
        let token = self.tokens.iter().find(|(own, _)| *own == who).map(|(_, token)| token.as_str());
        Raw::asked(self.fleetglass.address(), token, method, path, headers, body).await
    }
}

/// An answer without what differs from one moment and one proxy to the next: times, measured values, random names, and the
/// order that follows from these.
pub(crate) fn likeness(world: &World, link: &Link, answer: &Raw) -> (u16, String) {
    let own = world.fleetglass.address().to_string();
    let text = answer
        .body
        .replace(&link.token, "TOKEN")
        .replace(&link.id, "ID")
        .replace(&own, "HERE")
        .replace(&own.replace(':', "%3A"), "HERE");
    let text = match serde_json::from_str::<Value>(&text) {
        Ok(mut value) => {
            still(&mut value);
            value.to_string()
        }
        Err(_) => {
            // On a page numbers are times and ages; how many there are of what is in the JSON beside it.
            let plain = numberless(&plain(&text));
            let mut parts: Vec<&str> = plain.split('<').collect();
            parts.sort_unstable();
            parts.join("<")
        }
    };
    (answer.status, text)
}

/// Each number, however long, is one sign.
fn numberless(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' | '#' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            letter => out.push(letter),
        }
    }
    out
}

fn still(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // How often something changed until now is chance.
            for name in ["seq", "etag"] {
                members.remove(name);
            }
            // How many samples were looked at grows; whether any were does not.
            for name in ["peakSamples", "totalQueryableSamples"] {
                if let Some(count) = members.get_mut(name) {
                    *count = Value::from(count != &Value::from(0));
                }
            }
            members.values_mut().for_each(still);
        }
        Value::Array(all) => {
            all.iter_mut().for_each(still);
            all.sort_by_key(Value::to_string);
            // How many points there are of a line is a matter of when it was looked.
            if all.len() > 3 && all.iter().all(|one| one.is_number() || one.is_null() || one.is_array()) {
                all.truncate(1);
            }
        }
        Value::String(text) if text.len() >= 20 && text.starts_with("20") && text.ends_with('Z') => {
            "a time".clone_into(text);
        }
        Value::String(text) => *text = plain(text),
        Value::Number(_) => *value = Value::from(plain(&value.to_string())),
        Value::Bool(_) | Value::Null => {}
    }
}

/// Long numbers, fractions and random words are all one.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_alphanumeric() || letter == '.' {
            word.push(letter);
            continue;
        }
        let is_number = word.parse::<f64>().is_ok() && (word.len() >= 4 || word.contains('.'));
        let is_random = word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        out.push_str(if is_number || is_random { "#" } else { &word });
        out.push(letter);
        word.clear();
    }
    out
}

pub(crate) fn clean(what: &str, answer: &Raw, own: &str) {
    // Where the proxy itself is stands in what chats and other pages read.
    let text = format!("{}\n{}", answer.head, answer.body);
    let text = text.replace(own, "HERE").replace(&own.replace(':', "%3A"), "HERE");
    for secret in SECRET {
        assert!(!text.contains(secret), "{what} holds `{secret}`: {answer:?}");
    }
}
