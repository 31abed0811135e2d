//! Uptime day by day, by the calendar of UTC.

use fleetglass_shared::{
    health::UnixMillis,
    status::{DAY_MS, DayTally, day_of},
};

use super::{Change, Condition, History, Observed, disjoint, length};

impl History {
    /// Each day of a node from the one of `floor` to today; of the time before `floor` nothing is told.
    pub fn days(&self, node: &str, floor: UnixMillis) -> Vec<DayTally> {
        days(self.nodes.get(node).map_or(&[], Vec::as_slice), &self.observed, floor, self.now)
    }
}

fn days(changes: &[Change], observed: &[Observed], floor: UnixMillis, now: UnixMillis) -> Vec<DayTally> {
    let first = day_of(floor);
    let mut all: Vec<DayTally> = (first..=day_of(now))
        .map(|day| {
            let (from, until) = ((day * DAY_MS).max(floor), ((day + 1) * DAY_MS).min(now));
            DayTally { all_ms: length(from, until), ..DayTally::default() }
        })
        .collect();
    let states = disjoint(changes.iter().map(|&(from, how)| (from, UnixMillis::MAX, how)), floor, now);
    let seen = disjoint(observed.iter().map(|&(from, until)| (from, until, ())), floor, now);
    let mut seen = seen.iter().peekable();
    for (from, until, how) in states {
        while let Some(&&(since, end, ())) = seen.peek() {
            add(&mut all, first, from.max(since), until.min(end), how);
            if end > until {
                break; // it reaches into the next state
            }
            seen.next();
        }
    }
    all
}

/// Counts a span in each of its days.
fn add(all: &mut [DayTally], first: i64, mut from: UnixMillis, until: UnixMillis, how: Condition) {
    while from < until {
        let day = day_of(from);
        let end = until.min((day + 1) * DAY_MS);
        let Some(tally) = usize::try_from(day - first).ok().and_then(|at| all.get_mut(at)) else { return };
        match how {
            Condition::Up => tally.up_ms += length(from, end),
            Condition::Down => tally.down_ms += length(from, end),
            Condition::Unknown => {}
        }
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn an_outage_over_midnight_is_a_part_of_both_days_and_what_nobody_saw_is_of_none() {
        let now = 3 * DAY_MS + 6 * HOUR;
        // Up from noon of the first day, down for the two hours around the second midnight.
        let changes = [
            (2 * DAY_MS + HOUR, Condition::Up),
            (2 * DAY_MS - HOUR, Condition::Down),
            (12 * HOUR, Condition::Up),
        ];
        // Nobody looked for the last two hours of the third day.
        let observed = [(3 * DAY_MS, now), (0, 3 * DAY_MS - 2 * HOUR)];
        let days = days(&changes, &observed, 0, now);
        let hours: Vec<(u64, u64, u64)> = days
            .iter()
            .map(|day| (day.up_ms / HOUR as u64, day.down_ms / HOUR as u64, day.all_ms / HOUR as u64))
            .collect();
        assert_eq!(hours, [(12, 0, 24), (23, 1, 24), (21, 1, 24), (6, 0, 6)]);
    }

    #[test]
    fn nothing_is_told_of_the_time_before_the_floor() {
        let now = 2 * DAY_MS;
        let floor = DAY_MS + 6 * HOUR;
        let days = days(&[(0, Condition::Up)], &[(0, now)], floor, now - 1);
        assert_eq!(days.len(), 1);
        assert_eq!((days[0].up_ms + 1, days[0].all_ms + 1), (18 * HOUR as u64, 18 * HOUR as u64));
    }

    #[test]
    fn a_node_that_was_never_seen_has_days_without_data() {
        assert!(days(&[], &[(0, DAY_MS)], 0, DAY_MS).iter().all(|day| day.known_ms() == 0));
    }
}
