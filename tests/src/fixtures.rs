//! The recorded answers of the families (`shared/families/*/fixtures/*`), and what a reviewer has agreed
//! they mean (`shared/tests/snapshots`).

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use crate::{
    node::{Node, Page},
    proxy::free_port,
};

/// One scenario of one family: how each endpoint of a node answers.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The family's name.
    pub family: String,
    /// The scenario's name.
    pub name: String,
    answers: Vec<Recorded>,
}

/// How one endpoint answers.
#[derive(Clone, Debug)]
struct Recorded {
    endpoint: String,
    /// `None`: nothing listens.
    answer: Option<Served>,
    /// Nothing listens, but the node itself lives.
    only_gossip: bool,
}

#[derive(Clone, Debug)]
struct Served {
    status: i64,
    content_type: String,
    headers: Vec<(String, String)>,
    file: PathBuf,
}

/// What a fixture comes to, as its snapshot has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// `healthy`, `degraded`, …
    pub status: String,
    /// It asks to be drained.
    pub draining: bool,
    /// Status, code and text of each reason.
    pub reasons: Vec<(String, String, String)>,
    /// Connected peers.
    pub peers: Option<u64>,
    /// The version it reports.
    pub version: Option<String>,
}

/// Every scenario of every family.
///
/// # Panics
/// When a folder or a manifest cannot be read.
pub fn all() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for family in folders(&root().join("families")) {
        for scenario in folders(&family.join("fixtures")) {
            fixtures.push(Fixture::read(name(&family), name(&scenario), &scenario));
        }
    }
    fixtures
}

/// How a family gets into trouble (`shared/families/*/incident.toml`).
#[derive(Clone, Debug)]
pub struct Incident {
    /// The family's name.
    pub family: String,
    /// How its node answers while it is well.
    pub well: Fixture,
    /// How it answers in trouble.
    pub ill: Fixture,
    /// What is told then.
    pub alerts: Vec<String>,
}

/// The incident of each family that has one.
///
/// # Panics
/// When one cannot be read, or names a scenario that is not there.
pub fn incidents() -> Vec<Incident> {
    let fixtures = all();
    let mut incidents = Vec::new();
    for folder in folders(&root().join("families")) {
        let Ok(text) = fs::read_to_string(folder.join("incident.toml")) else { continue };
        let told: Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let family = name(&folder);
        let scenario = |key: &str| {
            let wanted = told[key].as_str().expect("a scenario's name");
            let found = fixtures.iter().find(|fixture| fixture.family == family && fixture.name == wanted);
            found.cloned().unwrap_or_else(|| panic!("{}: no scenario {wanted}", folder.display()))
        };
        let alerts = told["alerts"].as_array().expect("a list of alerts").iter();
        incidents.push(Incident {
            well: scenario("well"),
            ill: scenario("ill"),
            alerts: alerts.map(|alert| alert.as_str().expect("an alert's name").to_owned()).collect(),
            family,
        });
    }
    incidents
}

impl Fixture {
    /// Lets a node answer as this scenario.
    ///
    /// # Panics
    /// When a recorded answer cannot be read.
    pub fn served_by(&self, node: &Node) {
        self.served_by_as(node, self);
    }

    /// As [`Self::served_by`], at the paths of another scenario of the family.
    ///
    /// # Panics
    /// When a recorded answer cannot be read.
    pub fn served_by_as(&self, node: &Node, other: &Self) {
        for Recorded { endpoint, answer, .. } in &self.answers {
            let Some(served) = answer else { continue };
            let body = fs::read(&served.file).unwrap_or_else(|e| panic!("{}: {e}", served.file.display()));
            let status = u16::try_from(served.status).expect("an HTTP status");
            let page = Page::of(status, &served.content_type, &body);
            let page = served.headers.iter().fold(page, |page, (name, value)| page.with(name, value));
            node.says(&other.path(endpoint), page);
        }
    }

    /// The node as a target at `base`, every endpoint of it there.
    pub fn target_at(&self, base: &str) -> String {
        self.target(base, free_port())
    }

    fn read(family: String, scenario: String, folder: &Path) -> Self {
        let path = folder.join("response.toml");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let manifest: Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let endpoints = manifest["endpoint"].as_table().expect("a manifest lists endpoints");
        let answers =
            endpoints.iter().map(|(endpoint, recorded)| Recorded::read(endpoint, recorded, folder)).collect();
        Self { family, name: scenario, answers }
    }

    /// `family-scenario`: the id of the node that answers so.
    pub fn id(&self) -> String {
        format!("{}-{}", self.family, self.name)
    }

    /// The node as a target, its endpoints served at `base`.
    pub fn target(&self, base: &str, gossip: u16) -> String {
        let nowhere = format!("http://127.0.0.1:{}", free_port());
        let mut text = format!(
            "\n[[target]]\nid = \"{}\"\nfamily = \"{}\"\nurl = \"{base}/{1}/{}\"\n",
            self.id(),
            self.family,
            self.name
        );
        if self.answers.iter().any(|recorded| recorded.only_gossip) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "probe = {{ tcp = {gossip} }}");
        }
        text += "[target.endpoints]\n";
        for Recorded { endpoint, answer, .. } in &self.answers {
            let at = if answer.is_some() { base } else { &nowhere };
            let _ = writeln!(text, "{endpoint} = \"{at}{}\"", self.path(endpoint));
        }
        text
    }

    /// The inside of nginx's `server` block that serves it.
    pub fn locations(&self) -> String {
        let mut text = String::new();
        for recorded in &self.answers {
            let Some(served) = &recorded.answer else { continue };
            let path = self.path(&recorded.endpoint);
            let headers: String = served
                .headers
                .iter()
                .map(|(name, value)| format!("add_header {name} \"{value}\" always; "))
                .collect();
            let file = format!(
                "alias {}; types {{ }} default_type \"{}\"; {headers}",
                served.file.display(),
                served.content_type
            );
            let _ = if served.status == 200 {
                writeln!(text, "  location = {path} {{ {file}}}")
            } else {
                let status = served.status;
                writeln!(
                    text,
                    "  location = /file{path} {{ internal; {file}}}\n  \
                     location = {path} {{ error_page {status} /file{path}; return {status}; }}"
                )
            };
        }
        text
    }

    /// What its snapshot says it means.
    ///
    /// # Panics
    /// When it has none.
    pub fn meaning(&self) -> Meaning {
        let path = root().join(format!("tests/snapshots/{}__{}.snap", self.family, self.name));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Meaning::read(&text).unwrap_or_else(|| panic!("{}: not a snapshot of a fixture", path.display()))
    }

    fn path(&self, endpoint: &str) -> String {
        format!("/{}/{}/{endpoint}", self.family, self.name)
    }
}

impl Recorded {
    fn read(endpoint: &str, recorded: &Value, folder: &Path) -> Self {
        let text = |key: &str| recorded.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let failure = text("failure");
        assert!(
            ["", "connection-refused", "monitoring-not-enabled"].contains(&failure.as_str()),
            "{}: no server fails with {failure}",
            folder.display()
        );
        let headers = recorded.get("headers").and_then(Value::as_table).cloned().unwrap_or_default();
        let answer = failure.is_empty().then(|| Served {
            status: recorded.get("status").and_then(Value::as_integer).expect("an answer has a status"),
            content_type: text("content_type"),
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            file: folder.join(text("file")),
        });
        Self { endpoint: endpoint.to_owned(), answer, only_gossip: failure == "monitoring-not-enabled" }
    }
}

impl Meaning {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip_while(|line| !line.starts_with("status: "));
        let mut status = lines.next()?.strip_prefix("status: ")?.split(", ");
        let word = status.next()?.to_owned();
        let draining = status.any(|flag| flag == "draining");
        let mut reasons = Vec::new();
        for line in lines {
            if let Some(reason) = line.strip_prefix("  because [") {
                let (status, rest) = reason.split_once("] ")?;
                let (code, text) = rest.split_once(": ")?;
                reasons.push((status.to_owned(), code.to_owned(), text.to_owned()));
            } else if let Some(rest) = line.strip_prefix("peers ") {
                let (peers, rest) = rest.split_once(", version ")?;
                let (version, _) = rest.split_once(", uptime ")?;
                let version = Some(version.to_owned()).filter(|version| version != "-");
                return Some(Self { status: word, draining, reasons, peers: peers.parse().ok(), version });
            }
        }
        None
    }
}

fn root() -> PathBuf {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    shared.canonicalize().expect("the tests stand beside the shared crate")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
