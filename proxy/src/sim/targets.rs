//! The fleet as a list of targets: for the demo, for a Prometheus `file_sd` document, for the eye.

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use super::family::Family;
use super::node::{NodeModel, Port};

/// A simulated node, as something to scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimTarget {
    /// Unique in the fleet.
    pub id: String,
    /// Its family's id.
    pub family: String,
    /// Its base URL.
    pub url: String,
    /// Full URLs of endpoints that are not under the base URL.
    pub endpoints: BTreeMap<String, String>,
    /// `region`, `provider` and `env`.
    pub labels: BTreeMap<String, String>,
    /// The gossip port, which answers while monitoring does not.
    pub probe_tcp: Option<u16>,
}

impl SimTarget {
    /// The target of a node with its listeners.
    pub(super) fn new(node: &NodeModel, ports: &[(Port, SocketAddr)]) -> Self {
        let address = |port| ports.iter().find(|(known, _)| *known == port).map(|(_, address)| *address);
        let elsewhere: &[(&str, Port, &str)] = match node.family {
            Family::DataMgmt => &[
                ("external", Port::External, "/health"),
                ("network", Port::External, "/network/stats"),
                ("metrics", Port::Metrics, "/metrics"),
            ],
            Family::GenLayer => &[("staking", Port::Staking, "/metrics")],
            _ => &[("metrics", Port::Metrics, "/metrics")],
        };
        let endpoints = elsewhere.iter().filter_map(|&(name, port, path)| {
            Some((name.to_owned(), format!("http://{}{path}", address(port)?)))
        });
        let labels = [("region", node.place.region), ("provider", node.provider), ("env", node.env)];
        Self {
            id: node.id.clone(),
            family: node.family.name().to_owned(),
            url: ports.first().map_or_else(String::new, |(_, address)| format!("http://{address}")),
            endpoints: endpoints.collect(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            probe_tcp: address(Port::Gossip).map(|address| address.port()),
        }
    }

    /// One group of a `file_sd` document; what Prometheus has no word for stands in `__…__` labels.
    fn document(&self) -> Value {
        let mut labels = self.labels.clone();
        labels.insert("instance".to_owned(), self.id.clone());
        labels.insert("family".to_owned(), self.family.clone());
        for (name, url) in &self.endpoints {
            labels.insert(format!("__endpoint_{name}__"), url.clone());
        }
        if let Some(port) = self.probe_tcp {
            labels.insert("__probe_tcp__".to_owned(), port.to_string());
        }
        json!({"targets": [self.url.trim_start_matches("http://")], "labels": labels})
    }
}

/// Writes the targets as a `file_sd` document; a watcher never sees half of it.
pub(super) fn write_file(path: &Path, targets: &[SimTarget]) -> io::Result<()> {
    let document: Vec<_> = targets.iter().map(SimTarget::document).collect();
    let text = serde_json::to_string_pretty(&document)?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, text)?;
    std::fs::rename(&partial, path)
}

/// Prints the targets as a table.
pub(super) fn print(targets: &[SimTarget]) {
    let width = targets.iter().map(|target| target.id.len().min(40)).max().unwrap_or(0);
    for target in targets {
        let mut line = format!("{:width$}  {:9}  {}", target.id, target.family, target.url);
        for (name, url) in &target.endpoints {
            line.push_str(&format!("  {name} {url}"));
        }
        if let Some(port) = target.probe_tcp {
            line.push_str(&format!("  gossip :{port}"));
        }
        println!("{line}");
    }
}
