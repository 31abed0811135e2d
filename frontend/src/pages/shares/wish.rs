//! Pure: what the form of a link begins with, and what stands in it as a request.

use std::collections::BTreeSet;

use fleetglass_shared::wire::{ScopeSpec, Share, ShareChange, View};

use super::words::{entries, lines, views_of};
use crate::charts::length;

const DAY_MS: i64 = 86_400_000;

/// What the address asks a new link to show: what was on the screen where somebody pressed "Share".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The page.
    pub(super) page: String,
    /// The fleet page's words, or another page's in the same form.
    pub(super) filter: String,
    /// One node.
    pub(super) node: String,
}

impl Asked {
    pub(super) fn read(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let text = |name: &str| get(name).unwrap_or_default();
        Some(Self { page: get("new")?, filter: text("filter"), node: text("node") })
    }
}

/// When a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// As it is.
    Kept,
    /// After so many days.
    In(i64),
    /// On a day that is chosen.
    On,
    /// Not by itself.
    Never,
}

impl Ends {
    pub(super) fn title(self) -> String {
        match self {
            Self::Kept => "As it is".to_owned(),
            Self::In(1) => "1 day".to_owned(),
            Self::In(days) => format!("{days} days"),
            Self::On => "A date".to_owned(),
            Self::Never => "No end".to_owned(),
        }
    }
}

/// What is done about the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Logo {
    /// It stays, or there is none.
    Kept,
    /// It goes.
    Gone,
    /// Another one: its name, and it in base64.
    New(String, String),
}

/// What stands in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) title: String,
    pub(super) select: String,
    pub(super) views: BTreeSet<View>,
    pub(super) ends: Ends,
    /// By the proxy's clock, where a day is chosen.
    pub(super) ends_at: Option<i64>,
    pub(super) addresses: bool,
    pub(super) aliases: bool,
    pub(super) drop_labels: String,
    pub(super) hide_metrics: String,
    pub(super) oldest: String,
    pub(super) password: String,
    /// The password that there is goes.
    pub(super) unlocked: bool,
    pub(super) max_views: String,
    pub(super) origins: String,
    pub(super) by: String,
    pub(super) note: String,
    pub(super) logo: Logo,
    /// Where its public status page is.
    pub(super) slug: String,
    /// The label whose values are that page's groups.
    pub(super) group_by: String,
}

impl Written {
    /// A form for a new link.
    pub(super) fn new(selector: String, page: &str) -> Self {
        Self {
            title: String::new(),
            select: selector,
            views: views_of(page),
            ends: Ends::In(30),
            ends_at: None,
            addresses: false,
            aliases: false,
            drop_labels: String::new(),
            hide_metrics: String::new(),
            oldest: String::new(),
            password: String::new(),
            unlocked: false,
            max_views: String::new(),
            origins: String::new(),
            by: String::new(),
            note: String::new(),
            logo: Logo::Kept,
            slug: String::new(),
            group_by: String::new(),
        }
    }

    /// A form for a link that is there.
    pub(super) fn of(share: &Share) -> Self {
        let scope = &share.scope;
        Self {
            title: share.title.clone(),
            select: scope.select.join("\n"),
            views: scope.views.clone(),
            ends: Ends::Kept,
            addresses: scope.addresses,
            aliases: scope.aliases,
            drop_labels: scope.drop_labels.join(", "),
            hide_metrics: scope.hide_metrics.join(", "),
            oldest: scope.oldest_seconds.map(duration).unwrap_or_default(),
            max_views: share.max_views.map(|most| most.to_string()).unwrap_or_default(),
            origins: share.origins.join("\n"),
            by: share.by.clone(),
            note: share.note.clone(),
            slug: share.slug.clone().unwrap_or_default(),
            group_by: share.group_by.clone().unwrap_or_default(),
            ..Self::new(String::new(), "")
        }
    }

    /// What the proxy is asked for; what is wrong with it, in words. `is_new`: there is nothing that could stay.
    pub(super) fn wish(&self, is_new: bool, now: i64) -> Result<ShareChange, String> {
        let oldest_seconds = match self.oldest.trim() {
            "" => None,
            text => Some(length(text).ok_or("Write the oldest data like 12h, 7d or 4w.")? as u64 / 1000),
        };
        let most = match self.max_views.trim() {
            "" => 0,
            text => text.parse().map_err(|_| "Write how often it may be opened as a number.")?,
        };
        let scope = ScopeSpec {
            select: lines(&self.select),
            views: self.views.clone(),
            oldest_seconds,
            addresses: self.addresses,
            drop_labels: entries(&self.drop_labels),
            aliases: self.aliases,
            hide_metrics: entries(&self.hide_metrics),
        };
        let by = self.by.trim();
        Ok(ShareChange {
            title: Some(self.title.clone()),
            scope: Some(scope),
            expires_at: match self.ends {
                Ends::Kept => None,
                Ends::Never => (!is_new).then_some(0),
                Ends::In(days) => Some(now + days * DAY_MS),
                Ends::On => Some(self.ends_at.ok_or("Choose the day on which it ends.")?),
            },
            password: match self.password.as_str() {
                "" => self.unlocked.then(String::new),
                password => Some(password.to_owned()),
            },
            max_views: (!is_new || most > 0).then_some(most),
            origins: Some(entries(&self.origins)),
            by: (!by.is_empty()).then(|| by.to_owned()),
            note: Some(self.note.clone()),
            logo: match &self.logo {
                Logo::Kept => None,
                Logo::Gone => Some(String::new()),
                Logo::New(_, bytes) => Some(bytes.clone()),
            },
            // An empty one takes away what there is.
            slug: Some(self.slug.trim().to_owned()),
            group_by: Some(self.group_by.trim().to_owned()),
            groups_only: None,
        })
    }
}

/// A duration as the form reads it.
fn duration(seconds: u64) -> String {
    let units = [(604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m")];
    let whole = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{seconds}s"), |(unit, word)| format!("{}{word}", seconds / unit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn share() -> Share {
        serde_json::from_str(
            r#"{"id": "s", "title": "Acme", "by": "Ada", "note": "Hi", "password": true, "created_at": 1, "views": 3,
                "viewers": 0, "max_views": 5, "expires_at": 99, "origins": ["https://a.example"],
                "scope": {"select": ["{a=\"b\"}", "{c=\"d\"}"], "views": ["fleet", "risks"], "oldest_seconds": 604800,
                          "drop_labels": ["team", "owner"], "hide_metrics": ["bond_*"], "aliases": true}}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_form_that_nobody_touched_changes_nothing() {
        let share = share();
        let wish = Written::of(&share).wish(false, 0).unwrap();
        assert_eq!(wish.scope, Some(share.scope));
        assert_eq!((wish.expires_at, wish.password, wish.logo), (None, None, None));
        assert_eq!((wish.max_views, wish.origins), (Some(5), Some(share.origins)));
        assert_eq!((wish.title, wish.by, wish.note), (Some(share.title), Some(share.by), Some(share.note)));
    }

    #[test]
    fn what_is_written_is_asked_for_and_what_cannot_be_read_is_said() {
        let mut form = Written::new("{a=\"b\"}".into(), "risks");
        assert_eq!(form.wish(true, 5).unwrap().expires_at, Some(30 * DAY_MS + 5));
        assert_eq!(form.wish(true, 5).unwrap().max_views, None);
        form.ends = Ends::Never;
        assert_eq!(
            (form.wish(true, 5).unwrap().expires_at, form.wish(false, 5).unwrap().expires_at),
            (None, Some(0))
        );
        form.unlocked = true;
        assert_eq!(form.wish(false, 0).unwrap().password, Some(String::new()));
        form.password = "correct horse".into();
        assert_eq!(form.wish(false, 0).unwrap().password, Some("correct horse".into()));
        form.oldest = "soon".into();
        assert!(form.wish(true, 0).unwrap_err().contains("7d"));
        form.oldest = "36h".into();
        assert_eq!(form.wish(true, 0).unwrap().scope.unwrap().oldest_seconds, Some(129_600));
        form.max_views = "many".into();
        assert!(form.wish(true, 0).unwrap_err().contains("number"));
        (form.max_views, form.ends) = (String::new(), Ends::On);
        assert!(form.wish(true, 0).unwrap_err().contains("day"));
    }

    #[test]
    fn a_duration_is_read_as_it_was_written() {
        for (seconds, text) in [(604_800, "1w"), (129_600, "36h"), (90, "90s"), (120, "2m"), (172_800, "2d")]
        {
            assert_eq!(duration(seconds), text);
            assert_eq!(length(text), Some(seconds as i64 * 1000));
        }
    }

    #[test]
    fn the_address_says_what_was_on_the_screen() {
        let get = |name: &str| match name {
            "new" => Some("fleet".to_owned()),
            "filter" => Some("region:eu".to_owned()),
            _ => None,
        };
        let asked = Asked { page: "fleet".into(), filter: "region:eu".into(), node: String::new() };
        assert_eq!(Asked::read(get), Some(asked));
        assert_eq!(Asked::read(|_| None), None);
    }
}
