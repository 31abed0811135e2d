//! Who exists: the nodes of a fleet of a given size, the same for the same seed.

use super::family::Family;
use super::node::{NodeModel, Place, Shape, Traits};
use super::value::{between, mix, unit};

/// The families by turns, so that every fleet of five or more has them all and a fleet of sixty has
/// 16 deCDN and Paraloom nodes each, 12 of GenLayer, 8 of The-Block and of DataMgmt.
const TURNS: [Family; 15] = {
    use Family::{DataMgmt as M, Decdn as D, GenLayer as G, Paraloom as P, TheBlock as B};
    [D, P, G, B, M, D, P, G, D, P, B, G, D, P, M]
};

const PLACES: [Place; 10] = [
    Place { city: "fra", region: "eu-central", latency: 0.012 },
    Place { city: "ams", region: "eu-west", latency: 0.009 },
    Place { city: "lon", region: "eu-west", latency: 0.016 },
    Place { city: "iad", region: "us-east", latency: 0.048 },
    Place { city: "nyc", region: "us-east", latency: 0.044 },
    Place { city: "sjc", region: "us-west", latency: 0.081 },
    Place { city: "sgp", region: "ap-southeast", latency: 0.094 },
    Place { city: "nrt", region: "ap-northeast", latency: 0.102 },
    Place { city: "syd", region: "ap-southeast", latency: 0.131 },
    Place { city: "gru", region: "sa-east", latency: 0.112 },
];

const PROVIDERS: [&str; 7] = ["hetzner", "ovh", "aws", "gcp", "latitude", "vultr", "bare-metal"];

/// A hostname that no layout may break on.
const LONG_ID: &str =
    "the-block-archive-and-settlement-node-eu-central-frankfurt-datacenter-04-rack-17-slot-09-blade";

/// The fleet: `size` nodes with no faults yet.
pub fn build(size: usize, seed: u64, pad: u32) -> Vec<NodeModel> {
    let mut ordinals = [0u32; 5];
    let digits = size.max(1).ilog10() as usize;
    (0..size)
        .map(|index| {
            let family = TURNS[index % TURNS.len()];
            let ordinal = &mut ordinals[family as usize];
            *ordinal += 1;
            node(family, *ordinal, mix(seed, index as u64), digits.max(2), pad)
        })
        .collect()
}

fn node(family: Family, ordinal: u32, key: u64, digits: usize, pad: u32) -> NodeModel {
    let pick = |salt: u64, length: usize| (unit(mix(key, salt)) * length as f64) as usize;
    let place = &PLACES[pick(1, PLACES.len())];
    let (shape, traits) = character(family, ordinal);
    let city = place.city;
    let id = match family {
        Family::Paraloom => format!("paraloom-validator-{ordinal:0digits$}"),
        Family::Decdn => format!("decdn-{city}-{ordinal:0digits$}"),
        Family::DataMgmt => format!("datamgmt-{city}-{ordinal:0digits$}"),
        Family::GenLayer => format!("genlayer-asimov-{ordinal:0digits$}"),
        Family::TheBlock if ordinal == 3 => format!("{LONG_ID}-{ordinal:0digits$}"),
        Family::TheBlock => format!("the-block-{city}-{ordinal:0digits$}"),
    };
    let straggler = (family == Family::Paraloom && ordinal % 16 == 11) || unit(mix(key, 5)) < 0.04;
    NodeModel {
        id,
        family,
        ordinal,
        key,
        shape,
        traits,
        place,
        provider: PROVIDERS[pick(2, PROVIDERS.len())],
        env: if family == Family::GenLayer || unit(mix(key, 3)) < 0.18 { "testnet" } else { "mainnet" },
        // From two hours to six weeks, the shorter the more likely.
        ran_for: 7_200.0 * 500f64.powf(between(mix(key, 4), 0.0, 1.0)),
        first_version: u32::from(!straggler),
        windows: Vec::new(),
        pad,
    }
}

/// Which answers the family's `ordinal`th node gives. Fixed by the ordinal and not by the seed, so
/// that every fleet of some size has every shape, and a test knows where it is.
fn character(family: Family, ordinal: u32) -> (Shape, Traits) {
    let document = match family {
        Family::Paraloom => ordinal % 3 == 2,
        Family::Decdn => !matches!(ordinal % 8, 0 | 4 | 6),
        Family::DataMgmt => ordinal % 2 == 1,
        Family::GenLayer => true,
        Family::TheBlock => ordinal % 4 == 2,
    };
    let traits = Traits {
        health: family != Family::TheBlock && !(family == Family::Decdn && ordinal % 8 == 4),
        metrics: family != Family::DataMgmt || ordinal.is_multiple_of(3),
        split: family == Family::Decdn && ordinal % 8 == 5,
        staking: family == Family::GenLayer && !ordinal.is_multiple_of(3),
        rich: family == Family::GenLayer && !ordinal.is_multiple_of(4),
    };
    (if document { Shape::Document } else { Shape::Code }, traits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sixty_nodes_are_of_all_families_with_unique_ids() {
        let fleet = build(60, 1, 0);
        let count = |family| fleet.iter().filter(|node| node.family == family).count();
        assert_eq!(Family::ALL.map(count), [16, 16, 8, 12, 8]);
        let ids: BTreeSet<_> = fleet.iter().map(|node| &node.id).collect();
        assert_eq!(ids.len(), 60);
        assert!(ids.iter().any(|id| id.len() > 80), "one has a very long name");
    }

    #[test]
    fn five_nodes_are_one_of_each_family() {
        let families: BTreeSet<_> = build(5, 9, 0).iter().map(|node| node.family).collect();
        assert_eq!(families.len(), 5);
    }

    #[test]
    fn a_seed_tells_the_same_fleet_and_another_seed_another() {
        let ids = |seed| build(60, seed, 0).into_iter().map(|node| node.id).collect::<Vec<_>>();
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }
}
