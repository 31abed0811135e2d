//! The SPEC of `--faults`: a small language that says which node has which fault, from when, for how
//! long. `docs/simulator.md` is its manual.

use super::super::family::Family;
use super::Fault;

/// One item of a SPEC.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `all`: the incidents of the demo, that come and go.
    All,
    /// `KIND` or `KIND=COUNT`: so many incidents of the kind at any time of its turn.
    Count {
        /// What goes wrong.
        fault: Fault,
        /// With how many nodes.
        count: usize,
    },
    /// `WHO:KIND[@FROM[+FOR]]`: this one, then.
    Exact {
        /// Which nodes.
        who: Who,
        /// What goes wrong.
        fault: Fault,
        /// From when, in seconds since the start.
        from: f64,
        /// For how long; infinite: until the end.
        length: f64,
    },
}

/// Which nodes an item means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// `*`: every node that can have the fault.
    Every,
    /// `decdn`: the family's nodes.
    Family(Family),
    /// `decdn-03`: the family's third node.
    Nth(Family, u32),
    /// A node's id, in full.
    Id(String),
}

/// A SPEC that cannot be read: what, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault spec: {what} in \"{item}\" (item {position}); {hint}")]
pub struct SpecError {
    what: String,
    item: String,
    position: usize,
    hint: String,
}

/// Reads a SPEC. Items are separated by commas; blanks around them do not matter; `none` and the
/// empty SPEC have no items.
///
/// # Errors
/// The first item that cannot be read, with its position.
pub fn parse(spec: &str) -> Result<Vec<Item>, SpecError> {
    let mut items = Vec::new();
    for (index, item) in spec.split(',').map(str::trim).enumerate() {
        if item.is_empty() || item == "none" {
            continue;
        }
        items.push(parse_item(item).map_err(|(what, hint)| SpecError {
            what,
            item: item.to_owned(),
            position: index + 1,
            hint,
        })?);
    }
    Ok(items)
}

type Fail = (String, String);

fn parse_item(item: &str) -> Result<Item, Fail> {
    if item == "all" {
        return Ok(Item::All);
    }
    // A node's id may hold a colon itself (host:port), a fault's name never does.
    if let Some((who, rest)) = item.rsplit_once(':') {
        return parse_exact(who, rest);
    }
    let (name, count) = match item.split_once('=') {
        None => (item, 1),
        Some((name, count)) => {
            let count = count.parse().map_err(|_| {
                (format!("\"{count}\" is not a count"), "write a whole number, as in crash-loop=2".to_owned())
            })?;
            (name, count)
        }
    };
    Ok(Item::Count { fault: parse_fault(name)?, count })
}

fn parse_exact(who: &str, rest: &str) -> Result<Item, Fail> {
    let (name, times) = rest.split_once('@').map_or((rest, None), |(name, times)| (name, Some(times)));
    let fault = parse_fault(name)?;
    let (from, length) = match times {
        None => (0.0, f64::INFINITY),
        Some(times) => match times.split_once('+') {
            None => (parse_time(times)?, f64::INFINITY),
            Some((from, length)) => (parse_time(from)?, parse_time(length)?),
        },
    };
    let who = parse_who(who)?;
    let family = match &who {
        Who::Family(family) | Who::Nth(family, _) => Some(*family),
        Who::Every | Who::Id(_) => None,
    };
    if let Some(family) = family.filter(|&family| !fault.applies_to(family)) {
        return Err((
            format!("{} nodes cannot have \"{name}\"", family.name()),
            format!("it is for {}", families_of(fault)),
        ));
    }
    Ok(Item::Exact { who, fault, from, length })
}

fn parse_who(who: &str) -> Result<Who, Fail> {
    if who == "*" {
        return Ok(Who::Every);
    }
    if let Some(family) = Family::parse(who) {
        return Ok(Who::Family(family));
    }
    if who.is_empty() {
        return Err(("no node".to_owned(), "write a node before the colon, as in decdn-03:stall".to_owned()));
    }
    let nth = who.rsplit_once('-').and_then(|(family, n)| Some((Family::parse(family)?, n.parse().ok()?)));
    Ok(nth.map_or_else(|| Who::Id(who.to_owned()), |(family, n)| Who::Nth(family, n)))
}

fn parse_time(text: &str) -> Result<f64, Fail> {
    humantime::parse_duration(text).map(|time| time.as_secs_f64()).map_err(|error| {
        (format!("\"{text}\" is not a time ({error})"), "write times as in @10s+2m".to_owned())
    })
}

fn parse_fault(name: &str) -> Result<Fault, Fail> {
    Fault::parse(name).ok_or_else(|| {
        let known = super::FAULTS.map(|(_, name, _)| name).join(", ");
        (format!("\"{name}\" is not a fault"), format!("the faults are {known}, or all, or none"))
    })
}

/// The families that can have a fault, in words.
pub fn families_of(fault: Fault) -> String {
    let names: Vec<_> =
        Family::ALL.into_iter().filter(|&family| fault.applies_to(family)).map(Family::name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_form_is_read() {
        let exact = |who, fault, from, length| Item::Exact { who, fault, from, length };
        let table = [
            ("", vec![]),
            ("none", vec![]),
            ("all", vec![Item::All]),
            ("stall", vec![Item::Count { fault: Fault::Stall, count: 1 }]),
            (
                "crash-loop=2, stall=1",
                vec![
                    Item::Count { fault: Fault::CrashLoop, count: 2 },
                    Item::Count { fault: Fault::Stall, count: 1 },
                ],
            ),
            (
                "decdn-03:blacklist-lag@10s+120s",
                vec![exact(Who::Nth(Family::Decdn, 3), Fault::BlacklistLag, 10.0, 120.0)],
            ),
            (
                "the-block:down@1m",
                vec![exact(Who::Family(Family::TheBlock), Fault::Down, 60.0, f64::INFINITY)],
            ),
            ("the-block-2:down", vec![exact(Who::Nth(Family::TheBlock, 2), Fault::Down, 0.0, f64::INFINITY)]),
            ("*:slow@0s+1m 30s", vec![exact(Who::Every, Fault::Slow, 0.0, 90.0)]),
            (
                "decdn-fra-03:stall",
                vec![exact(Who::Id("decdn-fra-03".to_owned()), Fault::Stall, 0.0, f64::INFINITY)],
            ),
            ("all,none,", vec![Item::All]),
        ];
        for (spec, items) in table {
            assert_eq!(parse(spec).unwrap(), items, "{spec}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_a_hint() {
        let table = [
            (
                "stal",
                "fault spec: \"stal\" is not a fault in \"stal\" (item 1); the faults are down, crash-loop,",
            ),
            ("all,stall=x", "\"x\" is not a count in \"stall=x\" (item 2); write a whole number"),
            ("decdn-03:stall@soon", "\"soon\" is not a time"),
            ("decdn-03:stall@1s+", "\"\" is not a time"),
            (":stall", "no node in \":stall\""),
            ("paraloom-01:blacklist-lag", "paraloom nodes cannot have \"blacklist-lag\""),
        ];
        for (spec, message) in table {
            let error = parse(spec).unwrap_err().to_string();
            assert!(error.contains(message), "{spec}: {error}");
        }
    }
}
