//! Public status pages: slugs, the state of a post by its times, and days in words. Percentages are cut and never
//! rounded up: 99.99 is not 100, and a time that nobody knows of is not counted.

use crate::{
    calendar::civil,
    format::{UNKNOWN, duration_ms},
    health::UnixMillis,
    wire::{PostKind, PostState, StatusPost},
};

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
/// So many days have a bar.
pub const DAYS: usize = 90;
/// A day of which less than this was up has lost more than a moment.
const POOR: f64 = 0.95;

/// Whether a text can be the last part of a status page's address: 3 to 40 of `a-z`, `0-9` and `-`.
pub fn is_slug(text: &str) -> bool {
    (3..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// How far a post is. A maintenance begins and ends by itself at its times; what its operator said last counts where
/// that is further.
pub fn state_at(post: &StatusPost, now: UnixMillis) -> PostState {
    let said = post.updates.first().map_or(post.state, |update| update.state);
    if post.kind == PostKind::Incident || said == PostState::Completed {
        return said;
    }
    match (post.starts_at, post.ends_at) {
        (_, Some(end)) if end <= now => PostState::Completed,
        (Some(start), _) if start <= now => PostState::InProgress,
        _ => said,
    }
}

/// What a day, or several together, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayTally {
    /// How long it was up, in milliseconds; of a group, all its nodes together.
    pub up_ms: u64,
    /// How long it was down.
    pub down_ms: u64,
    /// How long all of it is, what nobody knows of too.
    pub all_ms: u64,
}

/// How a day looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayLook {
    /// Nobody knows anything of it.
    Unknown,
    /// It was up all the time that is known.
    Up,
    /// It was down for a little.
    Partly,
    /// It was down for long.
    Down,
}

impl DayTally {
    /// The time that is known.
    pub fn known_ms(self) -> u64 {
        self.up_ms + self.down_ms
    }

    /// How it looks.
    pub fn look(self) -> DayLook {
        match self {
            day if day.known_ms() == 0 => DayLook::Unknown,
            day if day.down_ms == 0 => DayLook::Up,
            day if day.up_ms as f64 >= POOR * day.known_ms() as f64 => DayLook::Partly,
            _ => DayLook::Down,
        }
    }

    /// Its sum with another.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            up_ms: self.up_ms + other.up_ms,
            down_ms: self.down_ms + other.down_ms,
            all_ms: self.all_ms + other.all_ms,
        }
    }

    /// `99.98 %`; 100 only where it was never down.
    pub fn percent(self) -> String {
        let known = self.known_ms();
        if known == 0 {
            return UNKNOWN.to_owned();
        }
        // Hundredths of a percent, cut off: whole numbers do not round.
        match u128::from(self.up_ms) * 10_000 / u128::from(known) {
            10_000 => "100 %".to_owned(),
            0 if self.up_ms > 0 => "under 0.01 %".to_owned(),
            cut => {
                let text = format!("{}.{:02}", cut / 100, cut % 100);
                format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }

    /// `up 99.2 %, 11 min down`, of a single node or of several.
    pub fn words(self, nodes: usize) -> String {
        let mut words = match self.look() {
            DayLook::Unknown => return "no data".to_owned(),
            DayLook::Up => "up".to_owned(),
            DayLook::Partly | DayLook::Down => {
                let down = duration_ms(i64::try_from(self.down_ms).unwrap_or(i64::MAX));
                let of = if nodes > 1 { " in all" } else { "" };
                format!("up {}, {down} down{of}", self.percent())
            }
        };
        let unknown = self.all_ms.saturating_sub(self.known_ms());
        // A restart of the monitoring is not worth a word.
        if unknown > self.all_ms / 100 {
            words += &format!(", {} not known", whole_percent(unknown, self.all_ms));
        }
        words
    }
}

fn whole_percent(part: u64, all: u64) -> String {
    format!("{} % of the time", (u128::from(part) * 100 / u128::from(all.max(1))).max(1))
}

/// The day, counted from 1970, that a time lies in.
pub fn day_of(at: UnixMillis) -> i64 {
    at.div_euclid(DAY_MS)
}

/// `12 Nov`, by the calendar of UTC.
pub fn day_name(day: i64) -> String {
    let (_, month, day) = civil(day);
    format!("{day} {}", month_name(month))
}

/// `12 Nov 2026`.
pub fn date_name(day: i64) -> String {
    format!("{} {}", day_name(day), civil(day).0)
}

/// `12 Nov 2026, 09:05 UTC`.
pub fn moment_name(at: UnixMillis) -> String {
    let minute = at.div_euclid(60_000).rem_euclid(1440);
    format!("{}, {:02}:{:02} UTC", date_name(day_of(at)), minute / 60, minute % 60)
}

fn month_name(month: i64) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(month - 1).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or("?")
}

/// Every day in words, with days in a row that read alike told as one: `1 Sep – 20 Oct` and `up`.
pub fn in_words(first_day: i64, days: &[DayTally], nodes: usize) -> Vec<(String, String)> {
    let mut told: Vec<(i64, i64, String)> = Vec::new();
    for (day, tally) in (first_day..).zip(days) {
        let words = tally.words(nodes);
        match told.last_mut() {
            Some((_, until, last)) if *last == words => *until = day,
            _ => told.push((day, day, words)),
        }
    }
    let span = |(from, until, words): (i64, i64, String)| {
        let days = if from == until {
            day_name(from)
        } else {
            format!("{} – {}", day_name(from), day_name(until))
        };
        (days, words)
    };
    told.into_iter().rev().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Impact, StatusUpdate};

    fn tally(up_ms: u64, down_ms: u64, all_ms: u64) -> DayTally {
        DayTally { up_ms, down_ms, all_ms }
    }

    #[test]
    fn slugs_are_short_words_of_an_address() {
        for slug in ["acme", "a-1", "my-fleet-2026"] {
            assert!(is_slug(slug), "{slug}");
        }
        let long = "a".repeat(41);
        for slug in ["ab", "Acme", "-acme", "acme-", "a/b", "a b", "acm\u{e9}", "..", "", &long] {
            assert!(!is_slug(slug), "{slug}");
        }
    }

    #[test]
    fn percentages_are_cut_and_a_hundred_means_never_down() {
        let day = 86_400_000;
        assert_eq!(tally(day, 0, day).percent(), "100 %");
        assert_eq!(tally(day - 1, 1, day).percent(), "99.99 %");
        assert_eq!(tally(day - 660_000, 660_000, day).percent(), "99.23 %");
        assert_eq!(tally(day / 2, day / 2, day).percent(), "50 %");
        assert_eq!(tally(1, day, day).percent(), "under 0.01 %");
        assert_eq!(tally(0, day, day).percent(), "0 %");
        assert_eq!(tally(0, 0, day).percent(), "–");
    }

    #[test]
    fn a_day_is_told_in_words_and_what_nobody_knows_is_said() {
        let day = 86_400_000;
        assert_eq!(tally(day, 0, day).words(1), "up");
        assert_eq!(tally(day - 660_000, 660_000, day).words(1), "up 99.23 %, 11 min down");
        assert_eq!(tally(2 * day - 660_000, 660_000, 2 * day).words(2), "up 99.61 %, 11 min down in all");
        assert_eq!(tally(0, 0, day).words(1), "no data");
        assert_eq!(tally(day / 4, 0, day).words(1), "up, 75 % of the time not known");
        assert_eq!(tally(day / 4, 0, day).look(), DayLook::Up);
        assert_eq!(tally(day / 4, day / 4, day).look(), DayLook::Down);
        assert_eq!(tally(day - 60_000, 60_000, day).look(), DayLook::Partly);
    }

    #[test]
    fn days_that_read_alike_are_told_together_the_newest_first() {
        let up = tally(DAY_MS as u64, 0, DAY_MS as u64);
        let days = [tally(0, 0, 1), tally(0, 0, 1), up, tally(1, 1, 2), up];
        let first = crate::calendar::days(2026, 11, 28);
        let told = in_words(first, &days, 1);
        let told: Vec<(&str, &str)> =
            told.iter().map(|(days, words)| (days.as_str(), words.as_str())).collect();
        assert_eq!(
            told,
            [
                ("2 Dec", "up"),
                ("1 Dec", "up 50 %, 0 s down"),
                ("30 Nov", "up"),
                ("28 Nov – 29 Nov", "no data")
            ]
        );
        assert_eq!(moment_name(first * DAY_MS + 545 * 60_000), "28 Nov 2026, 09:05 UTC");
    }

    #[test]
    fn a_maintenance_begins_and_ends_by_itself_but_never_goes_back() {
        let update =
            |state| StatusUpdate { id: "u".into(), at: 0, state, text: String::new(), by: "Ada".into() };
        let mut post = StatusPost {
            id: "p".into(),
            kind: PostKind::Maintenance,
            title: "T".into(),
            impact: Impact::None,
            affects: Vec::new(),
            state: PostState::Scheduled,
            starts_at: Some(10),
            ends_at: Some(20),
            created_at: 0,
            updates: vec![update(PostState::Scheduled)],
        };
        for (now, state) in
            [(9, PostState::Scheduled), (10, PostState::InProgress), (20, PostState::Completed)]
        {
            assert_eq!(state_at(&post, now), state, "{now}");
        }
        post.updates.insert(0, update(PostState::InProgress));
        assert_eq!(state_at(&post, 5), PostState::InProgress, "begun early");
        post.updates.insert(0, update(PostState::Completed));
        assert_eq!(state_at(&post, 15), PostState::Completed, "ended early");
        post.kind = PostKind::Incident;
        post.updates = vec![update(PostState::Monitoring)];
        assert_eq!(state_at(&post, 99), PostState::Monitoring);
    }
}
