//! deCDN's exposition, by subsystem.

use super::super::super::exposition::{Exposition, Style};
use super::super::super::faults::Fault;
use super::super::super::node::{Shape, Spread, View};
use super::super::{pad, rounded};
use super::{balance_micro_usdc, blacklist_lag, blacklist_version, channels_open, peers};

const GB: f64 = 1e9;
const PROBE_BUCKETS: [f64; 8] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

pub(super) fn write(view: &View<'_>, style: Style) -> Exposition {
    let mut expo = Exposition::new(style);
    let mut page = Page { view, expo: &mut expo };
    page.delivery();
    page.cache();
    page.channels();
    page.gossip();
    page.probe();
    page.slash_safety();
    page.stake();
    pad(view, &mut expo);
    expo
}

struct Page<'v, 'e> {
    view: &'e View<'v>,
    expo: &'e mut Exposition,
}

impl Page<'_, '_> {
    fn counter(&mut self, name: &str, help: &str, rate: f64) {
        let value = self.view.count(name, rate);
        self.expo.single(name, "counter", help, value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.expo.single(name, "gauge", help, value);
    }

    /// One counter with a sample for each label value and its rate.
    fn by(&mut self, name: &str, help: &str, label: &str, rates: &[(&str, f64)]) {
        self.expo.family(name, "counter", help);
        for (value, rate) in rates {
            let count = self.view.count(&format!("{name}{value}"), *rate);
            self.expo.sample(name, &[(label, value)], count);
        }
    }

    fn delivery(&mut self) {
        let view = self.view;
        let traffic = view.fixed("traffic", 0.5, 1.8);
        let name = "decdn_streams_active";
        self.expo.family(name, "gauge", "Streams open now");
        for (direction, base) in [("inbound", 5.0), ("outbound", 34.0)] {
            let value = (view.gauge(direction, base * traffic, 0.6) * view.load).round().max(0.0);
            self.expo.sample(name, &[("direction", direction)], value);
        }
        self.by(
            "decdn_streams_completed_total",
            "Streams that ended well",
            "direction",
            &[("inbound", 0.7 * traffic), ("outbound", 4.4 * traffic)],
        );
        let name = "decdn_streams_failed_total";
        self.expo.family(name, "counter", "Streams that failed, by reason");
        let lost = 2.0 * view.suffered(Fault::PeerLoss);
        for direction in ["inbound", "outbound"] {
            for (reason, rate) in [
                ("timeout", 0.012),
                ("channel_insufficient", 0.004),
                ("rate_mismatch", 0.001),
                ("evicted", 0.002),
                ("hash_mismatch", 0.000_02),
                ("protocol_error", 0.000_6),
                ("other", 0.000_3),
            ] {
                let more = if reason == "timeout" { lost.floor() } else { 0.0 };
                let value = view.count(&format!("{direction}{reason}"), rate * traffic) + more;
                self.expo.sample(name, &[("direction", direction), ("reason", reason)], value);
            }
        }
        self.counter("decdn_bytes_served_total", "Bytes delivered", 9.4e6 * traffic);
        self.counter("decdn_bytes_received_total", "Bytes fetched", 1.1e6 * traffic);
    }

    fn cache(&mut self) {
        let limit = (self.view.fixed("cache", 2.0, 8.99).floor()) * 100.0 * GB;
        let filled = self.view.gauge("filled", 0.81, 0.06).min(0.995);
        self.gauge("decdn_cache_bytes", "Bytes in the cache", (limit * filled).floor());
        self.gauge("decdn_cache_size_limit_bytes", "Size limit of the cache", limit);
        self.counter("decdn_cache_hits_total", "Blobs found in the cache", 4.1);
        self.counter("decdn_cache_misses_total", "Blobs not found in the cache", 0.62);
        self.counter("decdn_cache_evictions_total", "Blobs evicted", 0.21);
        self.counter("decdn_cache_bytes_returned_total", "Bytes read from the cache", 8.6e6);
        self.counter("decdn_cache_pull_through_bytes_total", "Bytes pulled through the cache", 9.8e5);
        let pinned = self.view.fixed("pinned", 12.0, 80.0).round();
        self.gauge("decdn_cache_pinned_count", "Blobs pinned by the operator", pinned);
    }

    fn channels(&mut self) {
        self.gauge("decdn_channels_open", "Payment channels open", channels_open(self.view) as f64);
        self.counter("decdn_channels_settled_total", "Payment channels settled", 0.003);
        // The gauge carries the raw token units: beyond 2^53 it is no longer exact, as on real nodes.
        let deposit = balance_micro_usdc(self.view) as f64;
        self.gauge("decdn_channel_deposit_usdc", "Deposits in token units", deposit);
        self.counter("decdn_vouchers_signed_total", "Vouchers signed", 1.9);
        self.counter("decdn_vouchers_received_total", "Vouchers received", 2.4);
        self.counter("decdn_channel_disputes_total", "Channel disputes", 0.000_004);
    }

    fn gossip(&mut self) {
        self.by(
            "decdn_gossip_messages_rejected_total",
            "Gossip messages rejected",
            "reason",
            &[
                ("clock_skew", 0.002),
                ("invalid_signature", 0.000_2),
                ("not_registered", 0.004),
                ("stale_timestamp", 0.009),
                ("invalid_region", 0.000_05),
                ("duplicate_hashes", 0.001),
                ("table_full", 0.0),
            ],
        );
        self.gauge("decdn_peer_table_size", "Peers in the table", peers(self.view) as f64);
        self.counter("decdn_peer_table_evicted_ttl_total", "Peers evicted by age", 0.06);
        self.counter("decdn_gossip_announces_sent_total", "Announcements sent", 0.1);
        self.counter("decdn_gossip_announces_received_total", "Announcements received", 7.5);
        self.counter("decdn_gossip_subscriber_reconnections_total", "Subscriber reconnections", 0.000_3);
    }

    fn probe(&mut self) {
        let view = self.view;
        self.by(
            "decdn_probe_responses_total",
            "Answers to probes",
            "result",
            &[("has_blob", 1.7), ("no_blob", 2.9), ("timeout", 0.03)],
        );
        let name = "decdn_probe_collection_latency_seconds";
        self.expo.family(name, "histogram", "Time to collect the answers to a probe");
        let far = view.node.place.latency;
        for (outcome, rate, median) in
            [("0rtt_warm", 0.4, 0.018 + far / 2.0), ("1rtt_cold", 0.12, 0.06 + far)]
        {
            let slow = Spread::seen(view.suffered(Fault::PeerLoss) * rate, 1.4);
            let seen = view.histogram(outcome, &PROBE_BUCKETS, Spread::new(rate, median), slow);
            let labels = [("outcome", outcome)];
            self.expo.histogram(name, &labels, &seen.cumulative, rounded(seen.sum, 6), seen.count);
        }
    }

    fn slash_safety(&mut self) {
        let view = self.view;
        let max = if view.node.ordinal.is_multiple_of(2) { 256.0 } else { 128.0 };
        let usual = max * (0.34 * view.gauge("holds", 1.0, 0.5)).clamp(0.05, 0.7);
        let full = 0.985 * max;
        let used = usual + (full - usual) * view.severity(Fault::ProbeSaturation, 0.6);
        self.gauge("decdn_probe_hold_slots_used", "Probe holds in flight", used.round());
        self.gauge("decdn_probe_hold_slots_max", "Probe holds there is room for", max);
        let exhausted = (view.suffered(Fault::ProbeSaturation) * 0.02).floor();
        let clamps = if view.hit(Fault::RateClamp).is_some() { 1.0 } else { 0.0 };
        self.gauge("decdn_node_uptime_seconds", "Seconds since the node was started", view.uptime().floor());
        let name = "decdn_rate_bounds_clamp_events_total";
        self.expo.single(name, "counter", "Times the advertised rate was clamped", clamps);
        match view.node.shape {
            Shape::Document => {
                let (_, behind) = blacklist_version(view);
                let name = "decdn_probe_hold_violations_total";
                self.expo.single(name, "counter", "Blobs evicted after a promise", 0.0);
                let lag = blacklist_lag(view);
                self.gauge("decdn_blacklist_sync_lag_seconds", "Seconds since the last poll", lag);
                self.gauge("decdn_blacklist_version_behind", "Blacklist versions behind", behind as f64);
                let evidence = if view.hit(Fault::SlashEvidence).is_some() { 1.0 } else { 0.0 };
                let name = "decdn_slash_evidence_exposure_total";
                self.expo.single(
                    name,
                    "counter",
                    "Contradictions found in the node's own behaviour",
                    evidence,
                );
            }
            Shape::Code => {
                let name = "decdn_probe_hold_unavailable_total";
                self.expo.family(name, "counter", "Probe holds refused, by reason");
                for reason in ["exhausted", "disabled", "stake_lane_reserved"] {
                    let value = if reason == "exhausted" { exhausted } else { 0.0 };
                    self.expo.sample(name, &[("reason", reason)], value);
                }
            }
        }
    }

    fn stake(&mut self) {
        let view = self.view;
        let score = rounded(view.gauge("score", 0.93, 0.05).min(1.0), 4);
        self.gauge("decdn_reputation_score", "Reputation, 0 to 1", score);
        self.gauge("decdn_staker_set_watcher_down_seconds", "Seconds without the watcher", 0.0);
        self.counter("decdn_staker_set_watcher_restarts_total", "Restarts of the watcher", 0.000_01);
        self.gauge("decdn_staker_set_active_count", "Active stakers", 214.0);
        self.gauge("decdn_capacity_bond_slashed_at_epoch", "Epoch of the last slash, 0 for none", 0.0);
        let bond = view.fixed("bond", 20.0, 99.0).floor() * 1e21;
        self.gauge("decdn_capacity_bond_amount_token", "Bond, in token units", bond);
        self.gauge("decdn_slash_escrow_total_token", "Slashed stake in escrow, in token units", 0.0);
        let name = "decdn_slash_appeals";
        self.expo.family(name, "gauge", "Appeals by state");
        for (state, count) in [("open", 0.0), ("fastTracked", 0.0), ("resolved", 3.0)] {
            self.expo.sample(name, &[("state", state)], count);
        }
    }
}
