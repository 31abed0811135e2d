//! Badges in the style of shields: a label and a word on a strip 20 pixels high, as SVG.

use fleetglass_shared::health::Status;
use maud::{Markup, PreEscaped, html};

use super::verdana;

/// More letters than fit beside others on a page.
const MOST_LETTERS: usize = 60;
/// Room beside each text.
const ROOM: f64 = 5.0;

/// What a badge tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// How the nodes are.
    Status,
    /// How much of the last 30 days they were up.
    Uptime,
    /// How many alerts fire.
    Alerts,
    /// How many risks are near their bound.
    Risk,
}

impl Of {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Status, Self::Uptime, Self::Alerts, Self::Risk];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Uptime => "uptime-30d",
            Self::Alerts => "alerts",
            Self::Risk => "risk",
        }
    }

    /// What a word means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == word)
    }

    /// What stands on its left.
    pub fn label(self) -> &'static str {
        match self {
            Self::Status => "fleet",
            Self::Uptime => "uptime 30d",
            Self::Alerts => "alerts",
            Self::Risk => "slash risk",
        }
    }
}

/// How the corners are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Round, and a little shaded.
    #[default]
    Flat,
    /// Neither.
    FlatSquare,
}

impl Style {
    /// The style of a word.
    ///
    /// # Errors
    /// The words there are.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word {
            "flat" => Ok(Self::Flat),
            "flat-square" => Ok(Self::FlatSquare),
            _ => Err("`style` is flat or flat-square".to_owned()),
        }
    }
}

/// A badge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// What stands on the left.
    pub label: String,
    /// What stands on the right.
    pub message: String,
    /// How bad that is; its colour.
    pub state: Status,
    /// How it looks.
    pub style: Style,
    /// For a dark page.
    pub dark: bool,
}

impl Badge {
    /// The picture.
    pub fn svg(&self) -> String {
        let (label, message) = (shown(&self.label), shown(&self.message));
        let (left_text, right_text) = (odd(verdana::width(&label)), odd(verdana::width(&message)));
        let left = if label.is_empty() { 0.0 } else { left_text + 2.0 * ROOM };
        let right = right_text + 2.0 * ROOM;
        let width = left + right;
        let words = match label.is_empty() {
            true => message.clone(),
            false => format!("{label}: {message}"),
        };
        let (ground, state) = (if self.dark { "#2b3039" } else { "#555" }, colour(self.state));
        let strips = html! {
            rect width=(left) height="20" fill=(ground) {}
            rect x=(left) width=(right) height="20" fill=(state) {}
        };
        let nudge = if left > 0.0 { 1.0 } else { 0.0 };
        let letters = html! {
            @if left > 0.0 { (text(&label, 10.0 * (1.0 + left_text / 2.0 + ROOM), left_text, self.style)) }
            (text(&message, 10.0 * (left - nudge + right_text / 2.0 + ROOM), right_text, self.style))
        };
        let body = html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(width) height="20" role="img" aria-label=(words) {
                title { (words) }
                @match self.style {
                    Style::Flat => {
                        (PreEscaped(SHADE))
                        clipPath id="r" { rect width=(width) height="20" rx="3" fill="#fff" {} }
                        g clip-path="url(#r)" { (strips) rect width=(width) height="20" fill="url(#s)" {} }
                    }
                    Style::FlatSquare => g shape-rendering="crispEdges" { (strips) }
                }
                g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif"
                    text-rendering="geometricPrecision" font-size="110" { (letters) }
            }
        };
        body.into_string()
    }
}

const SHADE: &str = "<linearGradient id=\"s\" x2=\"0\" y2=\"100%\"><stop offset=\"0\" stop-color=\"#bbb\" stop-opacity=\".1\"/>\
                     <stop offset=\"1\" stop-opacity=\".1\"/></linearGradient>";

fn text(words: &str, x: f64, width: f64, style: Style) -> Markup {
    // Letters that hold on to each other are not to be pulled apart to a length that is a guess.
    let length = verdana::is_known(words).then_some(width * 10.0);
    html! {
        @if style == Style::Flat {
            text aria-hidden="true" x=(x) y="150" fill="#010101" fill-opacity=".3" transform="scale(.1)"
                textLength=[length] { (words) }
        }
        text x=(x) y="140" transform="scale(.1)" textLength=[length] { (words) }
    }
}

/// Each has at least 4.5:1 with white.
fn colour(state: Status) -> &'static str {
    match state {
        Status::Healthy => "#1b7a4b",
        Status::Degraded => "#8f5f00",
        Status::Unhealthy => "#c23a12",
        Status::Unreachable => "#b4123f",
        Status::Unknown => "#636b78",
    }
}

/// What fits, on one line, and nothing that turns the direction of what stands around it.
fn shown(text: &str) -> String {
    let plain = |letter: &char| {
        !letter.is_control()
            && !matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut letters = text.trim().chars().filter(plain);
    let mut kept: String = letters.by_ref().take(MOST_LETTERS).collect();
    if letters.next().is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

/// Shields rounds up to odd pixels, so that the letters stand sharp.
fn odd(width: f64) -> f64 {
    let whole = width.floor();
    if whole % 2.0 == 0.0 { whole + 1.0 } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge(label: &str, message: &str) -> Badge {
        let (style, dark) = (Style::Flat, false);
        Badge { label: label.to_owned(), message: message.to_owned(), state: Status::Healthy, style, dark }
    }

    #[test]
    fn a_badge_has_the_shape_of_shields() {
        let svg = badge("fleet", "all 60 well").svg();
        let has = |words: &str| assert!(svg.contains(words), "{words}: {svg}");
        has("height=\"20\" role=\"img\" aria-label=\"fleet: all 60 well\"");
        has("<title>fleet: all 60 well</title>");
        // The best known badge of all has 27 and 41 pixels of text.
        let known = badge("build", "passing").svg();
        assert!(known.contains("width=\"88\"") && known.contains("textLength=\"270\">build"), "{known}");
        assert!(known.contains("textLength=\"410\">passing"), "{known}");
        has("font-size=\"110\"");
        has("rx=\"3\"");
        let square = Badge { style: Style::FlatSquare, ..badge("fleet", "all 60 well") }.svg();
        assert!(!square.contains("rx=") && !square.contains("url(#s)") && square.contains("crispEdges"));
    }

    #[test]
    fn words_are_escaped_cut_and_stay_on_their_line() {
        let svg = badge("<script>\"&", &"x".repeat(99)).svg();
        assert!(
            svg.contains("aria-label=\"&lt;script&gt;&quot;&amp;: xxx") && !svg.contains("<script"),
            "{svg}"
        );
        assert!(svg.contains(&format!(">{}…<", "x".repeat(59))));
        let turned = badge("a\u{202e}b\nc", "").svg();
        assert!(turned.contains(">abc<"), "{turned}");
        assert!(badge("", "well").svg().contains("aria-label=\"well\""));
    }
}
