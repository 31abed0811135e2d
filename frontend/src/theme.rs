//! Light, dark, or as the system says. `static/theme.js` applies the stored choice before the first
//! paint; this module changes it.

use leptos::prelude::*;

use crate::kept::{keep, kept};

const KEY: &str = "fleetglass-theme";

/// What the viewer chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The word kept in the browser.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The one a press of the toggle goes to.
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// The choice kept from an earlier visit.
    pub fn stored() -> Self {
        kept(KEY).map_or(Self::System, |word| Self::parse(&word))
    }

    /// Shows it, and keeps it for the next visit.
    pub fn apply(self) {
        let Some(root) = document().document_element() else { return };
        // Without the attribute the style sheet follows the system.
        let _ = match self {
            Self::System => root.remove_attribute("data-theme"),
            Self::Light | Self::Dark => root.set_attribute("data-theme", self.as_str()),
        };
        keep(KEY, self.as_str());
    }
}
