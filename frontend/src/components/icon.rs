//! The few icons of the app: 1.5 px strokes in a box of 20 × 20, in the colour of the text around them.

use crate::dom::{El, drawing};

/// Which icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// The fleet.
    Fleet,
    /// Light theme.
    Sun,
    /// Dark theme.
    Moon,
    /// The theme of the system.
    System,
    /// Search or filter.
    Search,
    /// Rows.
    Table,
    /// Tiles.
    Grid,
    /// Take away.
    Close,
    /// All is well.
    Check,
    /// The connection is broken.
    Unplugged,
    /// Small before large.
    Up,
    /// Large before small.
    Down,
    /// Towards an earlier page.
    Back,
    /// The alerts.
    Bell,
    /// Nobody is told.
    BellOff,
    /// The rules.
    Rules,
    /// The timeline.
    Timeline,
    /// Settings.
    Settings,
    /// The slash risks.
    Risks,
    /// Who may see and do what.
    People,
    /// Further pages.
    More,
    /// Share links.
    Share,
    /// Status pages.
    Status,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Fleet => "M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z",
            Self::Sun => {
                "M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7zM10 1.8v1.7M10 16.5v1.7M1.8 10h1.7M16.5 10h1.7\
                 M4.2 4.2l1.2 1.2M14.6 14.6l1.2 1.2M4.2 15.8l1.2-1.2M14.6 5.4l1.2-1.2"
            }
            Self::Moon => "M16.8 12.2A7 7 0 0 1 7.8 3.2a7 7 0 1 0 9 9z",
            Self::System => "M2.8 4h14.4v9.5H2.8zM7.5 17h5M10 13.5V17",
            Self::Search => "M9 3.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM13 13l4 4",
            Self::Table => "M3 5h14M3 10h14M3 15h14",
            Self::Grid => {
                "M3.5 3.5h3v3h-3zM8.5 3.5h3v3h-3zM13.5 3.5h3v3h-3zM3.5 8.5h3v3h-3zM8.5 8.5h3v3h-3z\
                           M13.5 8.5h3v3h-3zM3.5 13.5h3v3h-3zM8.5 13.5h3v3h-3zM13.5 13.5h3v3h-3z"
            }
            Self::Close => "M5 5l10 10M15 5L5 15",
            Self::Check => "M4 10.5l4 4 8-9",
            Self::Unplugged => "M3 3l14 14M7.5 4.5v3M12.5 4.5v3M5.5 8h9v2.5a4.5 4.5 0 0 1-6.8 3.9M10 15v3",
            Self::Up => "M10 16V4M5.5 8.5L10 4l4.5 4.5",
            Self::Down => "M10 4v12M5.5 11.5L10 16l4.5-4.5",
            Self::Back => "M12 4.5L6.5 10l5.5 5.5",
            Self::Bell => "M4.5 14.5h11M6 14.5V9a4 4 0 0 1 8 0v5.5M8.5 17a1.6 1.6 0 0 0 3 0M10 5V3",
            Self::BellOff => {
                "M4.5 14.5h10M6 14.5V9a4 4 0 0 1 .6-2.1M8.3 5.4A4 4 0 0 1 14 9v3M8.5 17a1.6 1.6 0 0 0 3 0M3 3l14 14"
            }
            Self::Rules => "M3.5 5.5l1.5 1.5 2.5-3M3.5 13.5l1.5 1.5 2.5-3M10.5 6h6.5M10.5 14h6.5",
            Self::Timeline => {
                "M5.5 3v14M5.5 5.5h3M5.5 10h3M5.5 14.5h3M11.5 5.5h5.5M11.5 10h3.5M11.5 14.5h5.5"
            }
            Self::Risks => {
                "M4.5 15.5a7.5 7.5 0 1 1 11 0M10 11l3.5-4.5M10 9.6a1.4 1.4 0 1 0 0 2.8a1.4 1.4 0 1 0 0-2.8z"
            }
            Self::People => {
                "M7.5 4a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6zM2.5 16.5c0-3 2.2-4.6 5-4.6s5 1.6 5 4.6\
                 M13 4.4a2.8 2.8 0 0 1 0 5M14.6 12.3c1.8.6 2.9 2 2.9 4.2"
            }
            Self::More => "M4.5 9.9h.2M9.9 9.9h.2M15.3 9.9h.2",
            Self::Status => {
                "M3.5 8.5v3h2.5l5.5 4v-11l-5.5 4zM14 7.5a3.5 3.5 0 0 1 0 5M16 5.5a6.5 6.5 0 0 1 0 9"
            }
            Self::Share => {
                "M15 3a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM5 8a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM15 13a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM6.8 9.1l6.4-3.2M6.8 10.9l6.4 3.2"
            }
            Self::Settings => {
                "M3 6h8M15 6h2M3 14h2M9 14h8M13 4.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6zM7 12.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6z"
            }
        }
    }
}

/// Draws an icon; the words belong to the button around it.
pub fn icon(icon: Icon) -> El {
    drawing("icon", "0 0 20 20", icon.path())
}

/// Draws an icon that changes.
pub fn live_icon(icon: impl Fn() -> Icon + 'static) -> El {
    drawing("icon", "0 0 20 20", move || icon().path())
}
