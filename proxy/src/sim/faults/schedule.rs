//! Who gets which fault and when: the incidents of the demo, and what a SPEC asks for.

use std::collections::BTreeSet;

use super::super::family::Family;
use super::super::node::NodeModel;
use super::super::value::{between, mix, unit};
use super::spec::{Item, Who, families_of};
use super::{Fault, Window};

/// The demo's incidents begin again after so many seconds, with other nodes.
const CYCLE: f64 = 600.0;
/// So many sets of nodes take turns.
const TURNS: usize = 3;
/// So many nodes bear one set of incidents; a larger fleet gets as many sets more.
const NODES_PER_SET: usize = 60;
/// A family installs a new version again after so many cycles, one family a cycle.
const ROLLOUT_CYCLES: f64 = 4.0;
/// From the first node of a roll-out to the last, in seconds.
const ROLLOUT_SPAN: f64 = 420.0;

/// The incidents of one cycle: what, at which second, for how long.
#[rustfmt::skip]
const INCIDENTS: [(Fault, f64, f64); 24] = [
    (Fault::CrashLoop,         3.0, 150.0),
    (Fault::WatchtowerLoss,    8.0, 120.0),
    (Fault::BlacklistLag,     12.0, 205.0),
    (Fault::Malformed,        70.0,  85.0),
    (Fault::RateLimit,       115.0, 100.0),
    (Fault::Stall,           140.0,  80.0),
    (Fault::PeerLoss,        165.0, 115.0),
    (Fault::StaleCheck,      190.0, 130.0),
    (Fault::Disagree,        212.0, 115.0),
    (Fault::ProbeSaturation, 245.0, 110.0),
    (Fault::Cut,             285.0,  45.0),
    (Fault::CheckDown,       315.0,  75.0),
    (Fault::ConvergenceLag,  328.0, 135.0),
    (Fault::Slow,            340.0, 100.0),
    (Fault::SlashEvidence,   372.0,  75.0),
    (Fault::Down,            395.0,  65.0),
    (Fault::BlocksBehind,    432.0, 120.0),
    (Fault::NotLive,         446.0, 120.0),
    (Fault::LoopStalled,     458.0,  70.0),
    (Fault::ErrorPage,       490.0,  60.0),
    (Fault::ReadDenied,      535.0,  80.0),
    (Fault::Unhealthy,       548.0,  60.0),
    (Fault::PermitsZero,     560.0,  60.0),
    (Fault::RateClamp,       572.0,  45.0),
];

/// A SPEC that does not fit the fleet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault spec: {0}")]
pub struct PlanError(String);

/// Gives the nodes their windows.
///
/// # Errors
/// When an item names a node that does not exist or cannot have the fault.
pub fn plan(items: &[Item], nodes: &mut [NodeModel], seed: u64) -> Result<(), PlanError> {
    for item in items {
        match item {
            Item::All => demo(nodes, seed),
            Item::Count { fault: Fault::Rollout, .. } => rollouts(nodes),
            Item::Count { fault, count } => some(nodes, seed, *fault, *count),
            Item::Exact { who, fault, from, length } => exact(nodes, who, *fault, *from, *length)?,
        }
    }
    Ok(())
}

/// The demo: always three to six incidents for sixty nodes, a roll-out in progress, one slow leak, and
/// a few validators whose monitoring is not enabled.
fn demo(nodes: &mut [NodeModel], seed: u64) {
    let forever = |fault| Window { fault, start: 0.0, length: f64::INFINITY, period: f64::INFINITY };
    for node in nodes.iter_mut() {
        if node.family == Family::Paraloom && node.ordinal % 16 == 6 {
            node.windows.push(forever(Fault::NoOps));
        }
        if node.family == Family::GenLayer && node.ordinal % 24 == 5 {
            let length = 2_400.0;
            node.windows.push(Window { fault: Fault::Leak, start: 0.0, length, period: length + 30.0 });
        }
    }
    rollouts(nodes);
    let sets = nodes.len().div_ceil(NODES_PER_SET);
    let small = nodes.len().min(NODES_PER_SET);
    for set in 0..sets {
        // Each turn, a node has one incident at most: stories that mix are hard to read.
        for turn in 0..TURNS {
            let mut taken = BTreeSet::new();
            for (index, &(fault, start, length)) in INCIDENTS.iter().enumerate() {
                // A small fleet has fewer of them; the first it always has.
                let kept = (index + 1) * small / NODES_PER_SET > index * small / NODES_PER_SET;
                if !(kept || index == 0) {
                    continue;
                }
                let salt = mix(seed, (set * TURNS + turn) as u64);
                // The sets after the first do not all start in the same second.
                let shift = if set == 0 { 0.0 } else { between(mix(salt, 3), 0.0, CYCLE) };
                let start = start + shift + turn as f64 * CYCLE;
                let window = Window { fault, start, length, period: TURNS as f64 * CYCLE };
                if let Some(chosen) = choose(nodes, mix(salt, index as u64), fault, &mut taken) {
                    nodes[chosen].windows.push(window);
                }
            }
        }
    }
}

/// A family a cycle installs a new version, node by node. The first is half done when the fleet starts.
fn rollouts(nodes: &mut [NodeModel]) {
    const ORDER: [Family; 4] = [Family::Decdn, Family::Paraloom, Family::GenLayer, Family::DataMgmt];
    let period = ROLLOUT_CYCLES * CYCLE;
    for node in nodes {
        let Some(place) = ORDER.iter().position(|&family| family == node.family) else { continue };
        let rank = unit(mix(node.key, 0x2011));
        // Stragglers install it when the next one comes.
        let late = if node.first_version == 0 { period } else { 0.0 };
        let start = place as f64 * CYCLE - ROLLOUT_SPAN / 2.0 + rank * ROLLOUT_SPAN + late;
        // A restart before the start of the fleet is one the node has behind it.
        node.windows.push(Window { fault: Fault::Rollout, start, length: 0.0, period });
    }
}

/// So many nodes with one fault, from five seconds on, for its length in the demo, every cycle.
fn some(nodes: &mut [NodeModel], seed: u64, fault: Fault, count: usize) {
    let usual = INCIDENTS.iter().find(|(known, ..)| *known == fault).map(|&(_, _, length)| length);
    let mut taken = BTreeSet::new();
    for n in 0..count {
        let Some(chosen) = choose(nodes, mix(seed, n as u64), fault, &mut taken) else { return };
        let (length, period) = match fault {
            Fault::NoOps => (f64::INFINITY, f64::INFINITY),
            Fault::Leak => (2_400.0, 2_430.0),
            _ => (usual.unwrap_or(120.0), CYCLE),
        };
        let start = if length.is_finite() { 5.0 + 3.0 * n as f64 } else { 0.0 };
        nodes[chosen].windows.push(Window { fault, start, length, period });
    }
}

/// A node that can have the fault, that is not taken, and whose monitoring is enabled.
fn choose(nodes: &[NodeModel], key: u64, fault: Fault, taken: &mut BTreeSet<usize>) -> Option<usize> {
    let first = (unit(key) * nodes.len() as f64) as usize;
    let free = |&index: &usize| {
        let node = &nodes[index];
        let busy = |window: &Window| matches!(window.fault, Fault::NoOps | Fault::Leak);
        node.can_have(fault) && !taken.contains(&index) && !node.windows.iter().any(busy)
    };
    let chosen = (first..nodes.len()).chain(0..first).find(free)?;
    taken.insert(chosen);
    Some(chosen)
}

fn exact(nodes: &mut [NodeModel], who: &Who, fault: Fault, from: f64, length: f64) -> Result<(), PlanError> {
    let matches = |node: &NodeModel| match who {
        Who::Every => true,
        Who::Family(family) => node.family == *family,
        Who::Nth(family, ordinal) => node.family == *family && node.ordinal == *ordinal,
        Who::Id(id) => node.id == *id,
    };
    let mut found = None;
    let mut placed = false;
    for node in nodes.iter_mut().filter(|node| matches(node)) {
        found = Some(node.id.clone());
        if !node.can_have(fault) {
            continue;
        }
        placed = true;
        let (start, length) = match fault {
            // A roll-out takes its turns within the time it is given.
            Fault::Rollout if length.is_finite() => (from + length * unit(mix(node.key, 0x2011)), 0.0),
            Fault::Rollout => (from, 0.0),
            _ => (from, length),
        };
        node.windows.push(Window { fault, start, length, period: f64::INFINITY });
    }
    match (found, placed) {
        (_, true) => Ok(()),
        (None, _) => Err(PlanError(format!(
            "no node is {}; name one by its id, as family-number (decdn-03), as a family, or *",
            described(who)
        ))),
        (Some(id), false) => {
            let able = nodes.iter().find(|node| node.can_have(fault)).map(|node| node.id.as_str());
            Err(PlanError(format!(
                "{id} cannot have \"{}\" (it is for releases of {} that show it); {}",
                fault.name(),
                families_of(fault),
                able.map_or("the fleet is too small for it".to_owned(), |id| format!("{id} can"))
            )))
        }
    }
}

fn described(who: &Who) -> String {
    match who {
        Who::Every => "there".to_owned(),
        Who::Family(family) => format!("of family {}", family.name()),
        Who::Nth(family, ordinal) => format!("{}'s number {ordinal}", family.name()),
        Who::Id(id) => format!("called \"{id}\""),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::fleet;
    use super::super::{power, spec};
    use super::*;

    fn fleet_with(size: usize, spec: &str) -> Vec<NodeModel> {
        seeded(size, spec, 1)
    }

    fn seeded(size: usize, spec: &str, seed: u64) -> Vec<NodeModel> {
        let mut nodes = fleet::build(size, seed, 0);
        plan(&spec::parse(spec).unwrap(), &mut nodes, seed).unwrap();
        nodes
    }

    fn incidents(nodes: &[NodeModel], t: f64) -> usize {
        let lasting = |fault| matches!(fault, Fault::NoOps | Fault::Leak | Fault::Rollout);
        let on = |node: &&NodeModel| node.windows.iter().any(|w| !lasting(w.fault) && w.hit(t).is_some());
        nodes.iter().filter(on).count()
    }

    #[test]
    fn the_demo_always_has_three_to_six_incidents() {
        for seed in [1, 2, 3, 7] {
            let nodes = seeded(60, "all", seed);
            for second in (20..7_200).step_by(5) {
                let count = incidents(&nodes, f64::from(second));
                assert!((3..=6).contains(&count), "seed {seed}: {count} incidents at {second} s");
            }
            assert!(incidents(&nodes, 15.0) >= 3, "something is visible within 20 s");
        }
    }

    #[test]
    fn a_larger_fleet_has_more_and_a_smaller_one_fewer() {
        let share = |size| incidents(&fleet_with(size, "all"), 2_000.0) as f64 / size as f64;
        assert!((0.02..0.15).contains(&share(1_200)), "{}", share(1_200));
        let ten = fleet_with(10, "all");
        let most = (20..2_000).map(|t| incidents(&ten, f64::from(t))).max();
        assert!(most.unwrap() <= 4, "{most:?}");
    }

    #[test]
    fn nothing_goes_wrong_without_faults() {
        assert!(fleet_with(60, "none").iter().all(|node| node.windows.is_empty()));
    }

    #[test]
    fn an_item_reaches_the_node_it_names() {
        let nodes = fleet_with(60, "decdn-03:blacklist-lag@10s+120s");
        let hit: Vec<_> = nodes.iter().filter(|node| !node.windows.is_empty()).collect();
        assert_eq!(hit.len(), 1);
        assert_eq!((hit[0].family, hit[0].ordinal), (Family::Decdn, 3));
        assert_eq!(hit[0].windows[0].start, 10.0);
        let nodes = fleet_with(60, "the-block:down");
        assert_eq!(nodes.iter().filter(|node| !power(&node.windows, 1.0).up).count(), 8);
    }

    #[test]
    fn a_roll_out_is_half_done_at_the_start_and_completes() {
        let nodes = fleet_with(60, "rollout");
        let begun = |t: f64| {
            let decdn = nodes.iter().filter(|node| node.family == Family::Decdn);
            decdn.map(|node| node.windows[0].begun(t)).filter(|&n| n > 0).count()
        };
        assert!((3..14).contains(&begun(0.0)), "{}", begun(0.0));
        assert!(begun(300.0) >= 14);
    }

    #[test]
    fn what_does_not_fit_the_fleet_is_refused_with_a_way_out() {
        let refused = |spec: &str| {
            let mut nodes = fleet::build(60, 1, 0);
            plan(&spec::parse(spec).unwrap(), &mut nodes, 1).unwrap_err().to_string()
        };
        assert!(refused("decdn-99:stall").contains("no node is decdn's number 99"));
        assert!(refused("nobody:stall").contains("no node is called \"nobody\""));
        let message = refused("decdn-04:blacklist-lag");
        assert!(message.contains("cannot have \"blacklist-lag\"") && message.ends_with(" can"), "{message}");
    }
}
