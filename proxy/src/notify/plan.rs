//! The config of notifications, set up: the tree, the times, the receivers and their ways.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use anyhow::Context;
use fleetglass_shared::{
    health::UnixMillis,
    maintenance::TimeInterval,
    route::{Route, Tree},
    template::Template,
    wire::Severity,
};

use super::{
    client::Client,
    push::Device,
    receiver::{Email, Service},
};
use crate::config::{HeartbeatConfig, LoadedConfig, SecretSource, Span, SummaryConfig};

/// Who is told of what.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) tree: Option<Tree>,
    times: BTreeMap<String, Vec<TimeInterval>>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) external_url: String,
    pub(super) max_age_ms: i64,
    pub(super) link_ms: i64,
    pub(super) heartbeat: Option<(HeartbeatConfig, SecretSource)>,
    pub(super) summary: Option<SummaryConfig>,
    pub(super) client: Client,
    /// Browsers, told by Web Push.
    pub(super) devices: Arc<Vec<Device>>,
    pub(super) push_client: Client,
    pub(super) push_contact: String,
    pub(super) push_allow_private: bool,
    /// Whoever somebody else vouches for is told by a browser for so long after that.
    pub(super) vouched_for_ms: i64,
}

/// Somebody who can be told.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub(super) name: String,
    pub(super) send_resolved: bool,
    pub(super) chart: bool,
    pub(super) title: Option<Template>,
    pub(super) body: Option<Template>,
    pub(super) ways: Vec<Arc<Way>>,
}

/// A way to reach somebody.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Receiver, service, and which of them.
    pub(super) id: String,
    pub(super) receiver: String,
    pub(super) service: Service,
}

impl Way {
    pub(super) fn is_alertmanager(&self) -> bool {
        matches!(self.service, Service::Alertmanager(_))
    }
}

impl Plan {
    /// The plan of a config; `own` is where we listen.
    ///
    /// # Errors
    /// The HTTP client cannot start.
    pub fn new(loaded: &LoadedConfig, own: SocketAddr) -> anyhow::Result<Self> {
        let notify = &loaded.config.notify;
        let receivers = loaded.config.receivers.iter().map(|config| {
            let ways = Service::of(config, loaded).into_iter().map(|(index, service)| {
                let id = format!("{}/{}/{index}", config.name, service.name());
                Arc::new(Way { id, receiver: config.name.clone(), service })
            });
            // They were read when the config was validated.
            let template = |name: &str, text: &Option<String>| {
                text.as_ref().and_then(|text| Template::parse(name, text).ok())
            };
            Receiver {
                name: config.name.clone(),
                send_resolved: config.send_resolved,
                chart: config.chart,
                title: template("title", &config.title),
                body: template("body", &config.body),
                ways: ways.collect(),
            }
        });
        let named = notify.time_intervals.iter();
        let external_url = match loaded.config.external_url() {
            // Where the port was the system's to choose it is known only now.
            url if url == loaded.config.own_url(loaded.config.server.listen) => loaded.config.own_url(own),
            url => url,
        };
        let heartbeat = notify.heartbeat.clone().and_then(|config| {
            let source = SecretSource::of(config.url.as_ref(), config.url_file.as_ref(), loaded)?;
            Some((config, source))
        });
        let push = &loaded.config.push;
        let timeout = notify.timeout.0;
        let push_client = if push.allow_private { Client::new(timeout) } else { Client::outwards(timeout) };
        let own_site = Some(&external_url).filter(|url| url.starts_with("https://"));
        let contact = push.contact.as_ref().or(own_site);
        Ok(Self {
            devices: Arc::default(),
            push_client: push_client.context("the HTTP client cannot start")?,
            push_contact: contact.map_or("mailto:nobody@fleetglass.invalid", String::as_str).to_owned(),
            push_allow_private: push.allow_private,
            vouched_for_ms: loaded.config.auth.session_max.as_time(),
            tree: notify.route.as_ref().map(|route| Tree::new(&route.spec())),
            times: named.map(|own| (own.name.clone(), own.intervals().unwrap_or_default())).collect(),
            receivers: receivers.collect(),
            external_url,
            max_age_ms: Span::as_time(notify.max_age),
            link_ms: Span::as_time(notify.link_lifetime),
            heartbeat,
            summary: notify.summary.clone(),
            client: Client::new(notify.timeout.0).context("the HTTP client cannot start")?,
        })
    }

    /// It with these browsers.
    pub(super) fn with(self, devices: Arc<Vec<Device>>) -> Self {
        Self { devices, ..self }
    }

    pub(super) fn ways(&self) -> impl Iterator<Item = &Arc<Way>> {
        let devices = self.devices.iter().map(|device| &device.receiver);
        self.receivers.iter().chain(devices).flat_map(|receiver| &receiver.ways)
    }

    /// Every route: of the tree, and of the browsers.
    pub(super) fn routes(&self) -> Vec<&Route> {
        let own = self.tree.iter().flat_map(Tree::routes);
        own.chain(self.devices.iter().flat_map(Device::routes)).collect()
    }

    pub(super) fn way(&self, id: &str) -> Option<Arc<Way>> {
        self.ways().find(|way| way.id == id).cloned()
    }

    pub(super) fn receiver(&self, name: &str) -> Option<&Receiver> {
        let devices = self.devices.iter().map(|device| &device.receiver);
        self.receivers.iter().chain(devices).find(|receiver| receiver.name == name)
    }

    /// Where people reach this server, without a slash at the end.
    pub(crate) fn external_url(&self) -> &str {
        &self.external_url
    }

    /// The first mail server of a receiver.
    pub(crate) fn email(&self, receiver: &str) -> Option<&Email> {
        self.receiver(receiver)?.ways.iter().find_map(|way| match &way.service {
            Service::Email(email) => Some(email.as_ref()),
            _ => None,
        })
    }

    /// The names of all receivers.
    pub fn receivers(&self) -> Vec<&str> {
        self.receivers.iter().map(|receiver| receiver.name.as_str()).collect()
    }

    /// The receivers that alerts of these labels go to, in order.
    pub fn receivers_of(&self, labels: &BTreeMap<String, String>) -> Vec<&str> {
        let severity = Severity::of(labels.get("severity").map(String::as_str).unwrap_or_default());
        let labels = &super::gather::with_severity(labels, severity);
        let routes = self.tree.as_ref().map(|tree| tree.find(labels)).unwrap_or_default();
        routes.into_iter().map(|route| route.receiver.as_str()).collect()
    }

    /// Whether a route tells nothing now.
    pub(super) fn is_muted(&self, route: &Route, now: UnixMillis) -> bool {
        let is = |name: &String| {
            self.times.get(name).is_some_and(|times| times.iter().any(|time| time.contains(now)))
        };
        route.mute.iter().any(is) || (!route.active.is_empty() && !route.active.iter().any(is))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    const CONFIG: &str = r#"
        [[notify.time_interval]]
        name = "nights"
        time_intervals = [{ times = [{ start_time = "22:00", end_time = "24:00" }] }]
        [[notify.time_interval]]
        name = "december"
        time_intervals = [{ months = ["december"] }]
        [notify.route]
        receiver = "team"
        [[notify.route.routes]]
        matchers = ['fleetglass_severity="critical"']
        receiver = "pager"
        mute_time_intervals = ["nights"]
        active_time_intervals = ["december"]
        [[receiver]]
        name = "team"
        [[receiver.ntfy]]
        topic = "t"
        [[receiver.ntfy]]
        topic = "u"
        [[receiver]]
        name = "pager"
        [[receiver.pagerduty]]
        routing_key = "k"
    "#;

    fn plan() -> Plan {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let loaded = LoadedConfig::parse(Path::new("fg.toml"), CONFIG, []).unwrap();
        Plan::new(&loaded, ([127, 0, 0, 1], 4711).into()).unwrap()
    }

    fn labels(severity: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("severity".to_owned(), severity.to_owned())])
    }

    #[test]
    fn every_way_has_a_name_of_its_own_and_links_lead_to_where_we_listen() {
        let plan = plan();
        let ids: Vec<&str> = plan.ways().map(|way| way.id.as_str()).collect();
        assert_eq!(ids, ["team/ntfy/0", "team/ntfy/1", "pager/pagerduty/0"]);
        assert_eq!(plan.external_url, "http://127.0.0.1:4711", "no other address is named");
    }

    #[test]
    fn routes_can_go_by_our_severities_whatever_word_the_rule_has() {
        let plan = plan();
        for (word, receiver) in [("P1", "pager"), ("page", "pager"), ("P2", "team"), ("", "team")] {
            assert_eq!(plan.receivers_of(&labels(word)), [receiver], "{word}");
        }
    }

    #[test]
    fn a_route_is_muted_in_its_mute_times_and_outside_of_its_active_ones() {
        let plan = plan();
        let labels = crate::notify::gather::with_severity(&labels("P1"), Severity::Critical);
        let pager = plan.tree.as_ref().unwrap().find(&labels)[0].clone();
        let at = |text: &str| fleetglass_shared::maintenance::moment(text).unwrap();
        for (time, muted) in
            [("2026-12-01T12:00:00Z", false), ("2026-12-01T22:30:00Z", true), ("2026-11-30T12:00:00Z", true)]
        {
            assert_eq!(plan.is_muted(&pager, at(time)), muted, "{time}");
        }
        let root = plan.tree.as_ref().unwrap().routes()[0].clone();
        assert!(!plan.is_muted(&root, at("2026-12-01T22:30:00Z")));
    }
}
