//! What an embedded panel is asked to show: the parameters of its address, each fault in words.

use std::fmt::Write as _;

use crate::letters::in_address;

const KNOWN: [&str; 8] = ["view", "node", "panel", "query", "theme", "range", "compact", "label"];
/// What a panel's own script adds.
const OWN: [&str; 2] = ["have", "last_event_id"];
/// What others add to addresses to learn who came from where.
const TRACKING: [&str; 12] = [
    "_ga", "_gl", "dclid", "fbclid", "gbraid", "gclid", "igshid", "mc_cid", "mc_eid", "msclkid", "ttclid",
    "wbraid",
];
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const SPANS: std::ops::RangeInclusive<i64> = 5 * MINUTE..=365 * DAY;
const MOST_LABEL: usize = 100;
const MOST_TEXT: usize = 2_000;

/// What a panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// How many nodes are how, and those that are not well.
    #[default]
    Fleet,
    /// One node.
    Node,
    /// Series over time.
    Chart,
    /// What fires.
    Alerts,
    /// What is nearest to its bound.
    Risk,
    /// How much of the time the nodes were up.
    Uptime,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Fleet, Self::Node, Self::Chart, Self::Alerts, Self::Risk, Self::Uptime];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Node => "node",
            Self::Chart => "chart",
            Self::Alerts => "alerts",
            Self::Risk => "risk",
            Self::Uptime => "uptime",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How large a frame for it is, where nobody says.
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Fleet | Self::Alerts | Self::Risk | Self::Uptime => (640, 360),
            Self::Node => (480, 320),
            Self::Chart => (640, 300),
        }
    }
}

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Those of the page around it.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a word.
    ///
    /// # Errors
    /// The words there are.
    pub fn parse(word: &str) -> Result<Self, String> {
        [Self::Auto, Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.as_str() == word)
            .ok_or_else(|| format!("`theme={word}` is none of auto, light and dark."))
    }
}

/// What one panel is asked to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// What.
    pub view: Kind,
    /// Of which node, by the name that the link's viewers know.
    pub node: Option<String>,
    /// Which of the node's charts.
    pub panel: Option<String>,
    /// An expression of one's own.
    pub query: Option<String>,
    /// In which colours.
    pub theme: Theme,
    /// How far back, in milliseconds; `None` where nothing was said.
    pub range: Option<i64>,
    /// Without a title, and with narrower rows.
    pub compact: bool,
    /// Stands where the link's title would.
    pub label: Option<String>,
}

impl Ask {
    /// Reads the parameters of an address. What reads well of wrong ones is kept, so that also an error has its theme.
    ///
    /// # Errors
    /// What is wrong, in a sentence, and what to write.
    pub fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> (Self, Result<(), String>) {
        let mut ask = Self::default();
        let mut fault = None;
        for (at, (name, value)) in pairs.clone().enumerate() {
            let twice = pairs.clone().take(at).any(|(before, _)| before == name);
            let taken = match twice {
                true => Err(format!("`{name}` is given twice.")),
                false => ask.take(name, value),
            };
            fault = fault.or(taken.err());
        }
        let fault = fault.map_or_else(|| ask.fits(), Err);
        (ask, fault)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let is_odd = value.chars().any(char::is_control) || value.chars().count() > MOST_TEXT;
        if is_odd {
            return Err(format!("`{name}` is too long, or has characters that cannot be shown."));
        }
        let text = || Some(value.to_owned()).filter(|text| !text.is_empty());
        match name {
            // Left empty by a template, it is as if it were left out.
            "view" | "theme" | "range" if value.is_empty() => {}
            "view" => {
                let words = || Kind::ALL.map(Kind::as_str).join(", ");
                self.view = Kind::parse(value)
                    .ok_or_else(|| format!("There is no `view={value}`; there are {}.", words()))?;
            }
            "node" => self.node = text(),
            "panel" => self.panel = text(),
            "query" => self.query = text(),
            "theme" => self.theme = Theme::parse(value)?,
            "range" => self.range = Some(span(value)?),
            "compact" => {
                self.compact = match value {
                    "1" | "true" | "" => true,
                    "0" | "false" => false,
                    _ => return Err(format!("`compact={value}` is neither 1 nor 0.")),
                };
            }
            "label" if value.chars().count() > MOST_LABEL => {
                return Err(format!("`label` has more than {MOST_LABEL} characters."));
            }
            "label" => self.label = text(),
            name if OWN.contains(&name) || TRACKING.contains(&name) || name.starts_with("utm_") => {}
            name => return Err(format!("`{name}` is not a parameter; known are {}.", KNOWN.join(", "))),
        }
        Ok(())
    }

    fn fits(&self) -> Result<(), String> {
        let words = match (self.view, &self.node, &self.panel, &self.query) {
            (Kind::Node, None, ..) => "`view=node` needs `node=`, the name of a node.",
            (Kind::Chart, _, Some(_), Some(_)) => "`panel` and `query` exclude each other.",
            (Kind::Chart, None, Some(_), None) => "`panel` needs `node=`: whose chart?",
            (Kind::Chart, _, None, None) => "`view=chart` needs `node=` and `panel=`, or `query=`.",
            (Kind::Fleet, Some(_), ..) => {
                "`view=fleet` is about all nodes; for one of them write `view=node`."
            }
            (kind, _, Some(_), _) | (kind, _, _, Some(_)) if kind != Kind::Chart => {
                "`panel` and `query` are for `view=chart`."
            }
            _ => return Ok(()),
        };
        Err(words.to_owned())
    }

    /// How far back a chart goes.
    pub fn span(&self) -> i64 {
        self.range.unwrap_or(HOUR)
    }

    /// As the parameters of an address: the same panel the same words.
    pub fn in_address(&self) -> String {
        let mut words = format!("view={}", self.view.as_str());
        let mut put = |name: &str, value: &str| {
            // Writing to a String never fails.
            let _ = write!(words, "&{name}={}", in_address(value));
        };
        for (name, value) in
            [("node", &self.node), ("panel", &self.panel), ("query", &self.query), ("label", &self.label)]
        {
            if let Some(value) = value {
                put(name, value);
            }
        }
        if self.theme != Theme::Auto {
            put("theme", self.theme.as_str());
        }
        if let Some(range) = self.range {
            put("range", &in_a_word(range));
        }
        if self.compact {
            put("compact", "1");
        }
        words
    }
}

/// `90s`, `15m`, `6h` or `30d` as milliseconds.
fn span(text: &str) -> Result<i64, String> {
    let wrong = || format!("`range={text}` is no span of time from 5m to 365d; write 15m, 6h or 30d.");
    let at = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let (digits, unit) = text.split_at(at);
    let unit = match unit {
        "s" => 1_000,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return Err(wrong()),
    };
    let span = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(unit));
    span.filter(|span| SPANS.contains(span)).ok_or_else(wrong)
}

/// A span as it is written.
pub(super) fn in_a_word(span: i64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")];
    match units.iter().find(|(unit, _)| span % unit == 0) {
        Some((unit, word)) => format!("{}{word}", span / unit),
        None => format!("{}s", span / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Ask, Result<(), String>) {
        Ask::read(pairs.iter().copied())
    }

    #[test]
    fn an_address_reads_back() {
        let (ask, fault) = read(&[
            ("view", "chart"),
            ("node", "eu 1/ä"),
            ("panel", "Peers & more"),
            ("theme", "dark"),
            ("range", "48h"),
            ("compact", "1"),
            ("utm_source", "portal"),
            ("fbclid", "IwAR0"),
        ]);
        assert_eq!(fault, Ok(()));
        assert_eq!(ask.span(), 2 * DAY);
        assert_eq!(
            ask.in_address(),
            "view=chart&node=eu%201%2F%C3%A4&panel=Peers%20%26%20more&theme=dark&range=2d&compact=1"
        );
        assert_eq!(read(&[]), (Ask::default(), Ok(())));
        let empty = ["view", "node", "theme", "range", "label"].map(|name| (name, ""));
        assert_eq!(read(&empty), (Ask::default(), Ok(())), "what a template left empty was not given");
    }

    #[test]
    fn what_is_wrong_is_said_and_the_theme_stays() {
        for (pairs, word) in [
            (&[("view", "fleets")][..], "there are fleet, node"),
            (&[("views", "fleet")], "`views` is not a parameter"),
            (&[("view", "node")], "needs `node="),
            (&[("view", "chart")], "or `query="),
            (&[("view", "chart"), ("panel", "x")], "whose chart"),
            (&[("view", "chart"), ("panel", "x"), ("node", "n"), ("query", "up")], "exclude"),
            (&[("view", "fleet"), ("node", "n")], "view=node"),
            (&[("view", "alerts"), ("query", "up")], "are for `view=chart`"),
            (&[("range", "1")], "15m, 6h or 30d"),
            (&[("range", "99999999999999999999d")], "15m, 6h or 30d"),
            (&[("range", "4m")], "from 5m to 365d"),
            (&[("range", "é")], "15m"),
            (&[("theme", "blue")], "auto, light and dark"),
            (&[("compact", "yes")], "neither 1 nor 0"),
            (&[("label", "a"), ("label", "b")], "given twice"),
            (&[("label", "a\nb")], "cannot be shown"),
        ] {
            let (ask, fault) = read(&[pairs, &[("theme", "dark")]].concat());
            let words = fault.expect_err("it is wrong");
            assert!(words.contains(word), "{pairs:?}: {words}");
            assert!(ask.theme == Theme::Dark || pairs[0].0 == "theme", "{pairs:?}");
        }
    }
}
