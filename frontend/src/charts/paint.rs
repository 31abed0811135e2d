//! The colours of charts: CSS custom properties, read from the page whenever the theme changes.

use fleetglass_shared::health::Status;
use leptos::prelude::*;
use plotters::style::RGBColor;
use wasm_bindgen::prelude::*;

use super::observe::at_end;
use super::palette::COLOURS;

/// What a chart is painted with.
#[derive(Clone, Debug, PartialEq)]
pub struct Paint {
    /// Labels of axes.
    pub label: String,
    /// Text on the crosshair's label.
    pub on_cross: String,
    /// The crosshair and its label.
    pub cross: String,
    /// What lies behind a chart; rings its dots.
    pub surface: String,
    /// Grid lines.
    pub grid: RGBColor,
    /// The dashed line of a bound, and its name.
    pub bound: RGBColor,
    /// What is being selected.
    pub accent: String,
    /// States, in the order of `Status::WORST_FIRST`.
    pub states: Vec<String>,
    /// The lines, in order.
    pub series: Vec<RGBColor>,
    /// The page's font family.
    pub font: String,
}

impl Paint {
    /// Reads the custom properties of the page; what is missing is a mid grey, readable in both themes.
    pub fn read() -> Self {
        let style =
            document().document_element().and_then(|root| window().get_computed_style(&root).ok().flatten());
        let property = |name: &str| {
            let value = style.as_ref().and_then(|style| style.get_property_value(name).ok());
            value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let colour = |name: &str| property(name).unwrap_or_else(|| "#808080".to_owned());
        Self {
            label: colour("--muted"),
            on_cross: colour("--surface"),
            cross: colour("--text"),
            surface: colour("--surface"),
            grid: rgb(&colour("--hairline")),
            bound: rgb(&colour("--text")),
            accent: colour("--accent"),
            states: Status::WORST_FIRST.map(|status| colour(&format!("--{}", status.as_str()))).into(),
            series: (1..=COLOURS).map(|index| rgb(&colour(&format!("--series-{index}")))).collect(),
            font: property("--font").unwrap_or_else(|| "system-ui, sans-serif".to_owned()),
        }
    }
}

/// A colour as a canvas and a style sheet write it.
pub fn css(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

/// Reads `#rgb` and `#rrggbb`: the tokens of charts are written in no other way.
fn rgb(text: &str) -> RGBColor {
    let digits: Vec<u8> = text
        .strip_prefix('#')
        .unwrap_or_default()
        .chars()
        .filter_map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect();
    match digits[..] {
        [r, g, b] => RGBColor(r * 17, g * 17, b * 17),
        [r, rr, g, gg, b, bb, ..] => RGBColor(r * 16 + rr, g * 16 + gg, b * 16 + bb),
        _ => RGBColor(128, 128, 128),
    }
}

/// Reads the paint of the page again when the system's or the viewer's theme changes, and tells of it.
pub fn watch_theme(paint: StoredValue<Paint>, repaint: RwSignal<u64>) {
    let read = Closure::<dyn FnMut()>::new(move || {
        let newer = Paint::read();
        if paint.try_with_value(|held| *held != newer) == Some(true) {
            paint.set_value(newer);
            repaint.update(|count| *count += 1);
        }
    });
    let callback: &js_sys::Function = read.as_ref().unchecked_ref();
    let query = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    if let Some(query) = &query {
        query.set_onchange(Some(callback));
    }
    // The viewer's choice is an attribute of the root element.
    let observer = web_sys::MutationObserver::new(callback).ok();
    if let (Some(observer), Some(root)) = (&observer, document().document_element()) {
        let options = web_sys::MutationObserverInit::new();
        options.set_attributes(true);
        // Fails only for options that watch nothing.
        let _ = observer.observe_with_options(&root, &options);
    }
    at_end(Box::new(move || {
        if let Some(query) = query {
            query.set_onchange(None);
        }
        if let Some(observer) = observer {
            observer.disconnect();
        }
        drop(read);
    }));
}
