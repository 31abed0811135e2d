//! A panel as HTML. The page has the panel in it as it is; its script fetches only the panel anew.

mod parts;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    ask::{Ask, Kind, Theme},
    files::address,
    model::Panel,
};

/// Where a panel's page is, and what its script asks.
pub struct Place<'a> {
    /// What stands before every path.
    pub base: &'a str,
    /// The link's token.
    pub token: &'a str,
    /// The link has a live stream.
    pub is_live: bool,
    /// What its head says to those who look for oEmbed, as HTML.
    pub found: &'a str,
}

/// A page with a panel in it.
pub fn page(place: &Place<'_>, ask: &Ask, panel: &Panel) -> String {
    let own = format!("{}/embed/{}", place.base, place.token);
    let title = format!("{}: {}", panel.title, panel.headline);
    let inside = html! {
        main id="panel" data-panel=(ask.view.as_str())
            data-fragment=(format!("{own}/panel?{}", ask.in_address()))
            data-stream=[place.is_live.then(|| format!("{own}/live"))]
            data-relay=(address(place.base, "panel.js")) {
            (body(ask, panel))
        }
        footer class="foot" {
            p class="state" {
                span class="dot" aria-hidden="true" {}
                // Said only when it changes: the time beside it goes on.
                span id="state" role="status" {}
                span class="as-of" { span class="as" { "as of " } time id="as-of" class="num" data-at=(panel.at) { (clock(panel.at)) } }
            }
            @if !ask.compact { p class="by" { "Shared by " bdi { (panel.by) } } }
        }
        script src=(address(place.base, "panel.js")) defer {}
    };
    let head = html! {
        meta property="og:site_name" content="Fleetglass";
        meta property="og:title" content=(title);
        (PreEscaped(place.found))
    };
    whole(place.base, ask, &title, &head, &inside)
}

/// Only the panel, for the script of its page.
pub fn fragment(ask: &Ask, panel: &Panel) -> String {
    body(ask, panel).into_string()
}

/// A page that says something instead of a panel. Its script looks again where that may pass.
pub fn said(base: &str, ask: &Ask, title: &str, words: &str, may_pass: bool) -> String {
    let inside = html! {
        main id="panel" class="said" data-again[may_pass] {
            h1 { (title) }
            p {
                // What is between backquotes is written so in an address.
                @for (at, part) in words.split('`').enumerate() {
                    @if at % 2 == 1 { code { (part) } } @else { (part) }
                }
            }
        }
        script src=(address(base, "panel.js")) defer {}
    };
    whole(base, ask, title, &html! {}, &inside)
}

fn whole(base: &str, ask: &Ask, title: &str, head: &Markup, inside: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" class=(if ask.compact { "embed compact" } else { "embed" }) data-theme=(ask.theme.as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="robots" content="noindex";
                meta name="color-scheme" content=(scheme(ask.theme));
                title { (title) }
                (head)
                link rel="stylesheet" href=(address(base, "panel.css"));
            }
            body { (inside) }
        }
    };
    page.into_string()
}

/// The ground stays transparent where this is also the scheme of the frame's element.
fn scheme(theme: Theme) -> &'static str {
    match theme {
        Theme::Auto => "light dark",
        theme => theme.as_str(),
    }
}

/// Not more often than this, in milliseconds, is the panel fetched anew. What has nothing to show yet is looked at soon.
fn every(ask: &Ask, panel: &Panel) -> i64 {
    match (ask.view, &panel.chart) {
        (Kind::Chart, Some(chart)) if !chart.series.is_empty() => chart.step_ms.clamp(5_000, 60_000),
        (Kind::Uptime, _) if panel.status.is_some() => 30_000,
        _ => 3_000,
    }
}

fn body(ask: &Ask, panel: &Panel) -> Markup {
    // Its node alone moves a panel of one node.
    let watched = ask.node.as_deref().filter(|_| !matches!(ask.view, Kind::Alerts));
    html! {
        article class=(format!("view view-{}", panel.view)) data-at=(panel.at) data-every=(every(ask, panel))
            data-watch=[watched] {
            @if !ask.compact { header class="head" { h1 { bdi { (panel.title) } } } }
            @match panel {
                Panel { fleet: Some(part), .. } => (parts::fleet(panel, part)),
                Panel { node: Some(part), .. } => (parts::node(panel, part)),
                Panel { chart: Some(part), .. } => (parts::chart(panel, part)),
                Panel { alerts: Some(part), .. } => (parts::alerts(panel, part)),
                Panel { risk: Some(part), .. } => (parts::risks(panel, part)),
                Panel { uptime: Some(part), .. } => (parts::uptime(panel, part)),
                _ => {}
            }
        }
    }
}

/// A time of day in UTC; the script writes that of the viewer's zone.
fn clock(at: i64) -> String {
    let utc = fleetglass_shared::format::utc(at.div_euclid(1000));
    format!("{} UTC", utc.get(11..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::model::{ChartLine, ChartPart};

    #[test]
    fn what_has_nothing_to_show_is_looked_at_again_soon() {
        let of = |view: Kind| Ask { view, ..Ask::default() };
        let chart = |series: Vec<ChartLine>| Panel {
            chart: Some(ChartPart { step_ms: 30_000, series, ..ChartPart::default() }),
            ..Panel::default()
        };
        assert_eq!(every(&of(Kind::Chart), &chart(Vec::new())), 3_000);
        assert_eq!(every(&of(Kind::Chart), &chart(vec![ChartLine::default()])), 30_000);
        assert_eq!(every(&of(Kind::Uptime), &Panel::default()), 3_000);
        let known = Panel { status: Some(fleetglass_shared::health::Status::Healthy), ..Panel::default() };
        assert_eq!(every(&of(Kind::Uptime), &known), 30_000);
        // The panel says it itself, so that it is another once there is something.
        assert!(fragment(&of(Kind::Chart), &chart(Vec::new())).contains("data-every=\"3000\""));
    }
}
