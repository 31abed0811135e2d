//! Targets from Prometheus `file_sd` documents, in JSON or YAML: which files a pattern names, and what they say.
//!
//! A document is a list of `{"targets": ["host:port", …], "labels": {…}}`. Besides ordinary labels it
//! may say `instance` (the node's id, else the address), `family` (or `job`, where that names a
//! family), `__scheme__`, `__probe_tcp__`, and `__endpoint_NAME__` for an endpoint that is elsewhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    config::{DiscoveryConfig, LoadedConfig, ScrapeConfig, http_url, is_label_name},
    target::Target,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// A document that cannot be used; its targets stay as they were.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct DocumentError {
    path: PathBuf,
    message: String,
}

/// The files that a `[[discovery]]` names now, in order.
pub fn files(discovery: &DiscoveryConfig, loaded: &LoadedConfig) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        discovery.file_sd.iter().flat_map(|pattern| matching(&loaded.resolve(Path::new(pattern)))).collect();
    found.sort();
    found.dedup();
    found
}

/// The files that a path with `*` in its last part names, in order.
pub fn matching(path: &Path) -> Vec<PathBuf> {
    let folder =
        path.parent().filter(|folder| *folder != Path::new("")).map_or(PathBuf::from("."), Path::to_owned);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|own| matches(name, own)))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

/// The targets of one document.
///
/// # Errors
/// It cannot be read, or is not a `file_sd` document: where, and what was expected.
pub fn read(
    path: &Path,
    discovery: &DiscoveryConfig,
    scrape: &ScrapeConfig,
    known_families: &[String],
) -> Result<Vec<Target>, DocumentError> {
    let fail = |message: String| DocumentError { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    let yaml = path.extension().is_some_and(|end| end == "yml" || end == "yaml");
    let (kind, groups): (_, Result<Vec<Group>, String>) = if yaml {
        ("YAML", serde_saphyr::from_str(&text).map_err(|error| error.to_string()))
    } else {
        ("JSON", serde_json::from_str(&text).map_err(|error| error.to_string()))
    };
    let groups = groups.map_err(|error| {
        fail(format!("{error}; expected a {kind} list of {{\"targets\": [\"host:port\"], \"labels\": {{}}}}"))
    })?;
    let mut targets = Vec::new();
    for group in groups {
        for address in &group.targets {
            targets.push(target(address, &group.labels, discovery, scrape, known_families).map_err(fail)?);
        }
    }
    Ok(targets)
}

fn target(
    address: &str,
    labels: &BTreeMap<String, String>,
    discovery: &DiscoveryConfig,
    scrape: &ScrapeConfig,
    known_families: &[String],
) -> Result<Target, String> {
    let label = |name: &str| labels.get(name).filter(|value| !value.is_empty());
    let scheme = label("__scheme__").map_or("http", String::as_str);
    let url = if address.contains("://") { address.to_owned() } else { format!("{scheme}://{address}") };
    http_url(&url)?;
    let family = match (label("family"), label("job"), &discovery.family) {
        (Some(family), ..) => family.clone(),
        (None, Some(job), _) if known_families.contains(job) => job.clone(),
        (None, _, Some(family)) => family.clone(),
        _ => "auto".to_owned(),
    };
    let id = label("instance").cloned().unwrap_or_else(|| address.to_owned());
    let mut target = Target::new(id, family, url, scrape);
    for (name, value) in labels {
        if let Some(endpoint) = name.strip_prefix("__endpoint_").and_then(|rest| rest.strip_suffix("__")) {
            http_url(value)?;
            target.endpoints.insert(endpoint.to_owned(), value.clone());
        } else if name == "__probe_tcp__" {
            let port =
                value.parse().map_err(|_| format!("__probe_tcp__ of {address} is not a port: `{value}`"))?;
            target.probe_tcp = Some(port);
        } else if is_label_name(name) && !matches!(name.as_str(), "instance" | "family" | "job") {
            target.labels.insert(name.clone(), value.clone());
        }
    }
    Ok(target)
}

/// Whether a file name fits a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, seen)) => {
                    star = Some((at, seen + 1));
                    p = at + 1;
                    n = seen + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_document_may_be_yaml_and_says_where_it_is_wrong() {
        let folder = std::env::temp_dir().join(format!("fleetglass-discovery-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let read = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            read(&path, &DiscoveryConfig::default(), &ScrapeConfig::default(), &["decdn".to_owned()])
        };
        let document = "# by hand\n- targets: [10.0.0.5:9090, '10.0.0.6:9090']\n  labels:\n    job: decdn\n    rack: \"12\"\n";
        let targets = read("a.yml", document).unwrap();
        let seen: Vec<_> =
            targets.iter().map(|target| (target.id.as_str(), target.family.as_str())).collect();
        assert_eq!(seen, [("10.0.0.5:9090", "decdn"), ("10.0.0.6:9090", "decdn")]);
        assert_eq!(targets[0].labels["rack"], "12");
        let error = read("b.yaml", "- targets: 3\n").unwrap_err().to_string();
        assert!(error.contains("b.yaml") && error.contains("line 1"), "{error}");
        assert!(read("c.json", document).unwrap_err().to_string().contains("line 1"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, fits) in [
            ("*.json", "a.json", true),
            ("*.json", "a.yml", false),
            ("t?.json", "t1.json", true),
            ("t?.json", "t12.json", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_document_names_targets_with_their_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.json");
        std::fs::write(
            &path,
            r#"[{"targets":["10.0.0.5:9090"],"labels":{"instance":"eu-1","family":"x","region":"eu","__probe_tcp__":"9300",
                "__endpoint_health__":"http://10.0.0.5:8080/health"}},
               {"targets":["b:1","c:2"],"labels":{"__scheme__":"https","job":"known","__meta_x":"dropped"}}]"#,
        )
        .unwrap();
        let scrape = ScrapeConfig::default();
        let read = read(&path, &DiscoveryConfig::default(), &scrape, &["known".to_owned()]).unwrap();
        let short: Vec<_> = read.iter().map(|t| (t.id.as_str(), t.family.as_str(), t.url.as_str())).collect();
        assert_eq!(
            short,
            [
                ("eu-1", "x", "http://10.0.0.5:9090"),
                ("b:1", "known", "https://b:1"),
                ("c:2", "known", "https://c:2")
            ]
        );
        assert_eq!(read[0].probe_tcp, Some(9300));
        assert_eq!(read[0].endpoints["health"], "http://10.0.0.5:8080/health");
        assert_eq!(read[0].labels, BTreeMap::from([("region".to_owned(), "eu".to_owned())]));
        assert!(read[1].labels.is_empty());
    }

    #[test]
    fn a_document_that_is_none_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.json");
        let error = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path, &DiscoveryConfig::default(), &ScrapeConfig::default(), &[]).unwrap_err().to_string()
        };
        assert!(
            error("[{\"targets\":\n 3}]")
                .contains("bad.json: invalid type: integer `3`, expected a sequence at line 2")
        );
        assert!(error("[{\"targets\":[\"http://\"]}]").contains("is not a URL"));
    }
}
