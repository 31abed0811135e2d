//! The address of the page: read, followed and written. Links within the app are plain `<a href>`; a press
//! on one changes the address without loading the page anew.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, MouseEvent, UrlSearchParams};

use crate::dom::on_window;
use crate::shared::{placed, shared, shows, within};

/// Where the app is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Address {
    path: String,
    /// With its `?`, or empty.
    query: String,
    /// How many steps of [`Route::step`] lead here.
    steps: u32,
}

/// The pages there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/`
    Fleet,
    /// `/nodes/{id}`
    Node(String),
    /// `/risks`
    Risks,
    /// `/alerts`
    Alerts,
    /// `/alerts/{id}`
    Alert(String),
    /// `/more`
    More,
    /// `/glance`
    Glance,
    /// `/notifications`
    Notifications,
    /// `/people`
    People,
    /// `/rules`
    Rules,
    /// `/status`
    Status,
    /// `/timeline`
    Timeline,
    /// `/shares`
    Shares,
    /// `/embed`
    Embed,
    /// Any other path.
    Unknown,
}

/// The address, as a signal; a handle that may be copied into every closure.
#[derive(Clone, Copy)]
pub struct Route(RwSignal<Address>);

/// The route of this app; [`Route::provide`] put it there.
pub fn use_route() -> Route {
    expect_context()
}

impl Route {
    /// Reads the address, hands it down, and follows links and the browser's back and forward.
    pub fn provide() -> Self {
        let route = Self(RwSignal::new(here()));
        provide_context(route);
        on_window("popstate", move |_: Event| route.0.set(here()));
        on_window("click", move |event: MouseEvent| {
            if let Some(address) = followed(&event) {
                event.prevent_default();
                route.go(&address);
            }
        });
        route
    }

    /// The page that the path names.
    pub fn page(self) -> Page {
        let page = self.0.with(|address| page_of(&address.path, decoded));
        if is_there(&page) { page } else { Page::Unknown }
    }

    /// A member of the query.
    pub fn query(self, name: &str) -> Option<String> {
        let query = self.0.with(|address| address.query.clone());
        UrlSearchParams::new_with_str(&query).ok()?.get(name)
    }

    /// Goes to another address, which the browser remembers as a step.
    pub fn go(self, address: &str) {
        self.push(address, 0);
    }

    /// Goes to another address of the same page, from which [`Self::back`] leads here again.
    pub fn step(self, address: &str) {
        self.push(address, self.0.with_untracked(|here| here.steps) + 1);
    }

    /// How many times [`Self::back`] stays on this page. The browser keeps the number with the address: a
    /// reload, Back and Forward change nothing about it.
    pub fn steps(self) -> u32 {
        self.0.with(|address| address.steps)
    }

    /// As the browser's own Back.
    pub fn back(self) {
        let _ = window().history().and_then(|history| history.back());
    }

    /// Changes the address of the same step.
    pub fn replace(self, address: &str) {
        if let Ok(history) = window().history() {
            let state = history.state().unwrap_or(JsValue::NULL);
            let _ = history.replace_state_with_url(&state, "", Some(&placed(address)));
            self.0.set(here());
        }
    }

    fn push(self, address: &str, steps: u32) {
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::from(steps), "", Some(&placed(address)));
            self.0.set(here());
        }
    }
}

/// Whether a share link has a page; without one every page is there.
fn is_there(page: &Page) -> bool {
    match page {
        Page::Fleet | Page::Glance | Page::Node(_) | Page::Unknown => true,
        Page::Risks => shows("risks"),
        Page::Alerts | Page::Alert(_) => shows("alerts"),
        Page::More
        | Page::Embed
        | Page::Notifications
        | Page::People
        | Page::Rules
        | Page::Shares
        | Page::Status
        | Page::Timeline => shared().is_none(),
    }
}

fn page_of(path: &str, decode: impl Fn(&str) -> String) -> Page {
    let id_of = |prefix: &str| path.strip_prefix(prefix).filter(|id| !id.is_empty() && !id.contains('/'));
    match path {
        "/" => Page::Fleet,
        "/risks" => Page::Risks,
        "/alerts" => Page::Alerts,
        "/glance" => Page::Glance,
        "/more" => Page::More,
        "/notifications" => Page::Notifications,
        "/people" => Page::People,
        "/rules" => Page::Rules,
        "/status" => Page::Status,
        "/timeline" => Page::Timeline,
        "/shares" => Page::Shares,
        "/embed" => Page::Embed,
        _ => match (id_of("/nodes/"), id_of("/alerts/")) {
            (Some(id), _) => Page::Node(decode(id)),
            (_, Some(id)) => Page::Alert(decode(id)),
            _ => Page::Unknown,
        },
    }
}

fn decoded(part: &str) -> String {
    js_sys::decode_uri_component(part).map_or_else(|_| part.to_owned(), String::from)
}

fn here() -> Address {
    let location = window().location();
    let steps = window().history().and_then(|history| history.state()).ok().and_then(|state| state.as_f64());
    Address {
        path: within(&location.pathname().unwrap_or_default()).to_owned(),
        query: location.search().unwrap_or_default(),
        steps: steps.unwrap_or_default() as u32,
    }
}

/// The address that a press leads to, if it is one that the app follows by itself: a plain press on a link
/// of this origin that is not to be opened elsewhere.
pub fn followed(event: &MouseEvent) -> Option<String> {
    let plain = event.button() == 0
        && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
        && !event.default_prevented();
    let link = event.target().filter(|_| plain)?.dyn_into::<Element>().ok()?.closest("a[href]").ok()??;
    let elsewhere = link.has_attribute("download")
        || link.has_attribute("target")
        || link.get_attribute("rel").is_some_and(|rel| rel == "external");
    // A link with a host of its own leads out of the app.
    let leads_within =
        |href: &String| href.starts_with('?') || (href.starts_with('/') && !href.starts_with("//"));
    link.get_attribute("href").filter(|href| !elsewhere && leads_within(href))
}

#[cfg(test)]
mod tests {
    use super::{Page, page_of};

    #[test]
    fn paths_name_pages() {
        for (path, page) in [
            ("/", Page::Fleet),
            ("/nodes/a%20b", Page::Node("a%20b".into())),
            ("/risks", Page::Risks),
            ("/risks/a", Page::Unknown),
            ("/alerts", Page::Alerts),
            ("/alerts/0f", Page::Alert("0f".into())),
            ("/alerts/", Page::Unknown),
            ("/more", Page::More),
            ("/notifications", Page::Notifications),
            ("/people", Page::People),
            ("/rules", Page::Rules),
            ("/status", Page::Status),
            ("/status/acme", Page::Unknown),
            ("/timeline", Page::Timeline),
            ("/shares", Page::Shares),
            ("/embed", Page::Embed),
            ("/nodes/", Page::Unknown),
            ("/nodes/a/b", Page::Unknown),
            ("/nodes", Page::Unknown),
            ("/else", Page::Unknown),
        ] {
            assert_eq!(page_of(path, str::to_owned), page, "{path}");
        }
    }
}
