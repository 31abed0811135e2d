//! What the timeline shows, its words in the address, and its days. Pure.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::Event;

use crate::charts::{DAY, date_label};

/// How far the viewer's zone is ahead of UTC at a time.
type Zone = fn(UnixMillis) -> i64;

/// Which kinds of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All.
    #[default]
    Everything,
    /// Alerts that fire or are over.
    Alerts,
    /// How nodes are: states, draining.
    States,
    /// Versions and restarts.
    Releases,
    /// Scrapes that fail, nodes that come and go.
    Scrapes,
    /// What was told to us.
    Marks,
    /// Fleetglass itself.
    Own,
}

impl Part {
    /// Every one, in the order of the page.
    pub const ALL: [Self; 7] =
        [Self::Everything, Self::Alerts, Self::States, Self::Releases, Self::Scrapes, Self::Marks, Self::Own];

    /// The kinds as the API names them; none for all.
    pub fn kinds(self) -> Option<&'static str> {
        match self {
            Self::Everything => None,
            Self::Alerts => Some("alert"),
            Self::States => Some("state,draining"),
            Self::Releases => Some("version,restart"),
            Self::Scrapes => Some("scrape_failure,scrape_recovery,added,removed"),
            Self::Marks => Some("mark"),
            Self::Own => Some("start,stop,reload"),
        }
    }

    /// Its word in the address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Alerts => "alerts",
            Self::States => "states",
            Self::Releases => "releases",
            Self::Scrapes => "scrapes",
            Self::Marks => "marks",
            Self::Own => "fleetglass",
        }
    }

    /// What a person reads.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everything => "Everything",
            Self::Alerts => "Alerts",
            Self::States => "States",
            Self::Releases => "Versions, restarts",
            Self::Scrapes => "Scrapes",
            Self::Marks => "Marks",
            Self::Own => "Fleetglass",
        }
    }
}

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Which kinds.
    pub part: Part,
    /// Of this node alone; empty for all.
    pub node: String,
    /// Words that an event must hold.
    pub filter: String,
}

impl View {
    /// Reads the query member by member.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let part = get("show").unwrap_or_default();
        Self {
            part: Part::ALL.into_iter().find(|other| other.word() == part).unwrap_or_default(),
            node: get("node").unwrap_or_default(),
            filter: get("q").unwrap_or_default(),
        }
    }

    /// The members of the query.
    pub fn to_query(&self) -> Vec<(&'static str, String)> {
        let all = [("show", self.part.word()), ("node", self.node.trim()), ("q", self.filter.trim())];
        all.into_iter()
            .filter(|(_, word)| !word.is_empty())
            .map(|(key, word)| (key, word.to_owned()))
            .collect()
    }
}

/// The events of a day where the viewer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// `Today`, `Yesterday`, `21 Nov`.
    pub title: String,
    /// The newest first.
    pub events: Vec<Event>,
}

/// Filters events, which come in order of time, and cuts them into days, the newest first.
pub fn by_day(events: &[Event], view: &View, now: UnixMillis, zone: Zone) -> Vec<Day> {
    let filter = view.filter.to_lowercase();
    let day_of = |at: UnixMillis| (at + zone(at)).div_euclid(DAY);
    let mut days: Vec<Day> = Vec::new();
    let mut last = None;
    for event in events.iter().rev().filter(|event| holds(event, &filter)) {
        let day = day_of(event.at);
        if last != Some(day) {
            last = Some(day);
            let title = match day_of(now) - day {
                0 => "Today".to_owned(),
                1 => "Yesterday".to_owned(),
                _ => date_label(event.at, zone),
            };
            days.push(Day { title, events: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.events.push(event.clone());
        }
    }
    days
}

fn holds(event: &Event, words: &str) -> bool {
    words.split_whitespace().all(|word| {
        let holds = |text: &str| text.to_lowercase().contains(word);
        holds(&event.text) || holds(event.kind.as_str()) || event.node.as_deref().is_some_and(holds)
    })
}

#[cfg(test)]
mod tests {
    use fleetglass_shared::wire::EventKind;

    use super::*;

    fn event(at: UnixMillis, node: Option<&str>, text: &str) -> Event {
        Event {
            id: at as u64,
            at,
            node: node.map(str::to_owned),
            kind: EventKind::Alert,
            from: String::new(),
            to: String::new(),
            text: text.into(),
        }
    }

    #[test]
    fn days_are_the_viewers_and_the_newest_first() {
        let events =
            [event(0, None, "old"), event(2 * DAY - 1, None, "eve"), event(2 * DAY + 5, Some("eu-1"), "new")];
        let titles = |view: &View, zone: Zone| {
            let days = by_day(&events, view, 2 * DAY + 9, zone);
            days.into_iter().map(|day| format!("{} {}", day.title, day.events.len())).collect::<Vec<_>>()
        };
        assert_eq!(titles(&View::default(), |_| 0), ["Today 1", "Yesterday 1", "1 Jan 1"]);
        assert_eq!(titles(&View::default(), |_| 3_600_000), ["Today 2", "1 Jan 1"]);
        let view = View { filter: "EU alert".into(), ..View::default() };
        assert_eq!(titles(&view, |_| 0), ["Today 1"]);
        assert!(by_day(&[], &view, 0, |_| 0).is_empty());
    }

    #[test]
    fn a_link_shows_the_same() {
        for part in Part::ALL {
            let view = View { part, node: "eu 1".into(), filter: "x".into() };
            let query = view.to_query();
            let get = |key: &str| query.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
            assert_eq!(View::from_query(get), view);
        }
        assert!(View::default().to_query().is_empty());
    }
}
