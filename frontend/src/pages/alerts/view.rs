//! How the alerts are looked at: which of them, by what they are grouped, what they must say. Kept in the
//! address. Pure.

use fleetglass_shared::wire::{Alert, AlertState};

/// Which alerts are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// They fire and nobody has taken them.
    #[default]
    Firing,
    /// True, but not for long enough.
    Pending,
    /// Somebody has taken them.
    Acknowledged,
    /// A silence or another alert keeps them quiet.
    Silenced,
    /// What happened.
    History,
}

impl Tab {
    /// Every one, in the order of the page.
    pub const ALL: [Self; 5] =
        [Self::Firing, Self::Pending, Self::Acknowledged, Self::Silenced, Self::History];

    /// Its word in the address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::Acknowledged => "acknowledged",
            Self::Silenced => "silenced",
            Self::History => "history",
        }
    }

    /// What a person reads.
    pub fn title(self) -> &'static str {
        match self {
            Self::Firing => "Firing",
            Self::Pending => "Pending",
            Self::Acknowledged => "Acknowledged",
            Self::Silenced => "Silenced",
            Self::History => "History",
        }
    }

    /// Where an alert is shown; one that is over, in the history alone.
    pub fn of(alert: &Alert) -> Option<Self> {
        let by = [&alert.silenced_by, &alert.inhibited_by, &alert.muted_by];
        let quiet = by.into_iter().any(|by| !by.is_empty());
        match alert.state {
            AlertState::Resolved => None,
            _ if quiet => Some(Self::Silenced),
            _ if alert.acknowledged.is_some() => Some(Self::Acknowledged),
            AlertState::Firing => Some(Self::Firing),
            AlertState::Pending => Some(Self::Pending),
        }
    }
}

/// What alerts are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// What caused them: those of an incident together.
    #[default]
    Cause,
    /// Not at all.
    None,
    /// Their name.
    Name,
    /// Their node.
    Node,
    /// Their node's family.
    Family,
    /// How bad they are.
    Severity,
}

impl GroupBy {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Cause, Self::None, Self::Name, Self::Node, Self::Family, Self::Severity];

    /// Its word in the address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::None => "none",
            Self::Name => "name",
            Self::Node => "node",
            Self::Family => "family",
            Self::Severity => "severity",
        }
    }

    /// What a person reads.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cause => "Cause",
            Self::None => "None",
            Self::Name => "Alert",
            Self::Node => "Node",
            Self::Family => "Family",
            Self::Severity => "Severity",
        }
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Which alerts.
    pub tab: Tab,
    /// By what they are grouped.
    pub group: GroupBy,
    /// Words that they must hold.
    pub filter: String,
}

impl View {
    /// Reads the query member by member; what it does not say or says wrong is the default.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let (tab, group) = (get("show").unwrap_or_default(), get("group").unwrap_or_default());
        Self {
            tab: Tab::ALL.into_iter().find(|other| other.word() == tab).unwrap_or_default(),
            group: GroupBy::ALL.into_iter().find(|other| other.word() == group).unwrap_or_default(),
            filter: get("q").unwrap_or_default(),
        }
    }

    /// The members of the query; nothing for what is the default.
    pub fn to_query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if self.tab != Tab::default() {
            query.push(("show", self.tab.word().to_owned()));
        }
        if self.group != GroupBy::default() {
            query.push(("group", self.group.word().to_owned()));
        }
        if !self.filter.trim().is_empty() {
            query.push(("q", self.filter.trim().to_owned()));
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::alerts::tests::sample;

    #[test]
    fn a_link_shows_the_same_and_nonsense_the_default() {
        for tab in Tab::ALL {
            for group in GroupBy::ALL {
                let view = View { tab, group, filter: "eu lag".into() };
                let query = view.to_query();
                let get =
                    |key: &str| query.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
                assert_eq!(View::from_query(get), view);
            }
        }
        assert!(View::default().to_query().is_empty());
        assert_eq!(View::from_query(|_| Some("?".into())), View { filter: "?".into(), ..View::default() });
    }

    #[test]
    fn every_alert_has_one_place() {
        for (own, tab) in [
            (json!({}), Some(Tab::Firing)),
            (json!({"state": "pending"}), Some(Tab::Pending)),
            (json!({"acknowledged": {"by": "a", "at": 1}}), Some(Tab::Acknowledged)),
            (json!({"acknowledged": {"by": "a", "at": 1}, "silenced_by": ["s"]}), Some(Tab::Silenced)),
            (json!({"muted_by": ["patches"]}), Some(Tab::Silenced)),
            (json!({"state": "pending", "inhibited_by": ["i"]}), Some(Tab::Silenced)),
            (json!({"state": "resolved"}), None),
        ] {
            assert_eq!(Tab::of(&sample(own.clone())), tab, "{own}");
        }
    }
}
