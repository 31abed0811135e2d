//! Where the app is: under the path that a reverse proxy has Fleetglass under, and perhaps through a share link, and what
//! that shows. The proxy writes both into the page's head; they are the beginning of the page's address, and of the
//! address of everything that is asked or led to. The preview of a link is the same below another beginning, for
//! whoever is logged in.

use std::cell::Cell;

use leptos::prelude::{document, window};

use crate::client;
use crate::json::Json;

/// A share link that the page came through.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// What it is called.
    pub title: String,
    /// Who shares it.
    pub by: String,
    /// A few words from them.
    pub note: String,
    /// Where their picture is; empty: there is none.
    pub logo: String,
    views: String,
    /// Whoever makes the link looks at it as its viewers will.
    pub is_preview: bool,
}

thread_local! {
    /// It stays as it is for as long as the page.
    static SHARED: Cell<Option<&'static Shared>> = Cell::new(read().map(kept));
    static UNDER: &'static str = Box::leak(read_under().into_boxed_str());
    static BASE: &'static str = Box::leak(read_base().into_boxed_str());
}

fn kept(shared: Shared) -> &'static Shared {
    Box::leak(Box::new(shared))
}

/// The share link, if the page came through one.
pub fn shared() -> Option<&'static Shared> {
    SHARED.get()
}

/// Asks what a preview shows, before anything is shown: its page holds the id alone.
pub async fn prepare() {
    let Some(preview) = shared().filter(|shared| shared.is_preview) else { return };
    if let Ok(told) = client::get_value("/api/v1/share").await {
        let text = |name: &str| told.get(name).text().unwrap_or_default();
        let views = told.get("views").items().unwrap_or_default();
        let views: Vec<String> = views.iter().filter_map(Json::text).collect();
        SHARED.set(Some(kept(Shared {
            title: text("title"),
            by: text("by"),
            note: text("note"),
            logo: text("logo"),
            views: views.join(" "),
            ..preview.clone()
        })));
    }
}

/// What stands before every path of this app: the path that Fleetglass is under, and the share link; mostly nothing.
pub fn base() -> &'static str {
    BASE.with(|base| *base)
}

/// A file of the app, such as `/icons/favicon.svg`: a share link has none of its own.
pub fn file(path: &str) -> String {
    format!("{}{path}", UNDER.with(|under| *under))
}

/// Whether a part of the app is shown: all are, but for a share link that leaves it out.
pub fn shows(view: &str) -> bool {
    shared().is_none_or(|shared| shared.views.split(' ').any(|own| own == view))
}

/// A path of the app as the browser knows it.
pub fn placed(path: &str) -> String {
    based(base(), path)
}

fn based(base: &str, path: &str) -> String {
    if path.starts_with('/') && (base.is_empty() || inside(base, path).is_none()) {
        format!("{base}{path}")
    } else {
        path.to_owned()
    }
}

/// A path as the app knows it.
pub fn within(path: &str) -> &str {
    match inside(base(), path) {
        Some("") => "/",
        Some(rest) => rest,
        None => path,
    }
}

/// What comes after the base, which ends where a part of the path does.
fn inside<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

fn read_under() -> String {
    let page = document().query_selector("meta[name=fleetglass-app]").ok().flatten();
    page.and_then(|page| page.get_attribute("data-base")).unwrap_or_default()
}

fn read_base() -> String {
    let under = UNDER.with(|under| *under);
    match link().filter(|_| shared().is_some()) {
        Some((kind, key)) => format!("{under}/{kind}/{key}"),
        None => under.to_owned(),
    }
}

/// `s` and the token, or `preview` and the id, if the page's address has them.
fn link() -> Option<(String, String)> {
    let path = window().location().pathname().ok()?;
    let mut parts = path.strip_prefix(UNDER.with(|under| *under))?.split('/').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn read() -> Option<Shared> {
    let mark = document().query_selector("meta[name=fleetglass-share]").ok()??;
    let text = |name: &str| mark.get_attribute(name).unwrap_or_default();
    Some(Shared {
        title: text("data-title"),
        by: text("data-by"),
        note: text("data-note"),
        logo: text("data-logo"),
        views: text("data-views"),
        is_preview: link().is_some_and(|(kind, _)| kind == "preview"),
    })
}

#[cfg(test)]
mod tests {
    use super::based;

    #[test]
    fn a_path_gets_the_link_before_it_once() {
        for (base, path, placed) in [
            ("", "/nodes/a", "/nodes/a"),
            ("/s/t", "/nodes/a", "/s/t/nodes/a"),
            ("/s/t", "/s/t/nodes/a", "/s/t/nodes/a"),
            ("/s/t", "?range=1h", "?range=1h"),
            ("/s/t", "#main", "#main"),
            ("/fleet", "/fleets", "/fleet/fleets"),
            ("/fleet/s/t", "/", "/fleet/s/t/"),
        ] {
            assert_eq!(based(base, path), placed);
        }
    }
}
