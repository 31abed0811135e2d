//! Which risks are looked at. Kept in the address. Pure.

use super::standing::Standing;

/// How bad a breach may be, the worst first.
pub const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

/// Which risks are shown, by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// All; those that need nobody folded.
    #[default]
    All,
    /// Beyond their bounds.
    Over,
    /// On their way there.
    Approaching,
    /// Near them, and standing still.
    Near,
    /// Not exposed by their nodes.
    Blind,
    /// Those that need nobody.
    Quiet,
}

impl Show {
    /// Every one, in the order of the page.
    pub const ALL: [Self; 6] =
        [Self::All, Self::Over, Self::Approaching, Self::Near, Self::Blind, Self::Quiet];

    /// Its word in the address.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Over => "over",
            Self::Approaching => "approaching",
            Self::Near => "near",
            Self::Blind => "not-exposed",
            Self::Quiet => "quiet",
        }
    }

    /// What a person reads.
    pub fn title(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Over => "Over the bound",
            Self::Approaching => "Approaching",
            Self::Near => "Near",
            Self::Blind => "Not exposed",
            Self::Quiet => "Quiet",
        }
    }

    /// The one that shows what stands so.
    pub fn of(standing: Standing) -> Self {
        match standing {
            Standing::Over => Self::Over,
            Standing::Approaching => Self::Approaching,
            Standing::Near => Self::Near,
            Standing::Blind => Self::Blind,
            Standing::Unclear | Standing::Recovering | Standing::Steady => Self::Quiet,
        }
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// By how they stand.
    pub show: Show,
    /// Of one family.
    pub family: String,
    /// Of one severity.
    pub severity: String,
    /// Of one node.
    pub node: String,
    /// Of one name, e.g. `blacklist-lag`.
    pub risk: String,
    /// Words that they must hold.
    pub filter: String,
}

impl View {
    /// Reads the query member by member; what it does not say or says wrong is the default.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).unwrap_or_default().trim().to_owned();
        let show = text("show");
        Self {
            show: Show::ALL.into_iter().find(|other| other.word() == show).unwrap_or_default(),
            family: text("family"),
            severity: SEVERITIES
                .into_iter()
                .find(|word| *word == text("severity"))
                .unwrap_or_default()
                .to_owned(),
            node: text("node"),
            risk: text("risk"),
            filter: text("q"),
        }
    }

    /// The members of the query; nothing for what is the default.
    pub fn to_query(&self) -> Vec<(&'static str, String)> {
        let show = if self.show == Show::All { "" } else { self.show.word() };
        let members = [
            ("show", show),
            ("family", &self.family),
            ("severity", &self.severity),
            ("node", &self.node),
            ("risk", &self.risk),
            ("q", self.filter.trim()),
        ];
        members
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }

    /// The part of it that the proxy is asked for, as the members of a query.
    pub fn asked(&self) -> Vec<(&'static str, String)> {
        self.to_query()
            .into_iter()
            .filter(|(name, _)| matches!(*name, "family" | "severity" | "node"))
            .collect()
    }

    /// Whether it leaves anything out.
    pub fn is_narrow(&self) -> bool {
        *self != Self::default()
    }

    /// Whether it can show one risk only, which is then read.
    pub fn is_of_one(&self) -> bool {
        !self.node.is_empty() && !self.risk.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_shows_the_same_and_nonsense_the_default() {
        for show in Show::ALL {
            let view = View {
                show,
                family: "f".into(),
                severity: "critical".into(),
                node: "eu 1".into(),
                risk: "lag".into(),
                filter: "late poll".into(),
            };
            let query = view.to_query();
            let get = |key: &str| query.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
            assert_eq!(View::from_query(get), view);
            assert!(view.is_narrow() && view.is_of_one());
        }
        let all = View::from_query(|name| matches!(name, "show" | "severity").then(|| "?".to_owned()));
        assert_eq!(all, View::default());
        assert!(all.to_query().is_empty() && !all.is_narrow());
    }

    #[test]
    fn the_proxy_is_asked_for_what_it_knows() {
        let view = View {
            show: Show::Over,
            family: "f".into(),
            node: "n".into(),
            filter: "x".into(),
            ..View::default()
        };
        assert_eq!(view.asked(), [("family", "f".to_owned()), ("node", "n".to_owned())]);
    }
}
