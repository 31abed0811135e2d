//! Whether this page came through a share link, and what that shows. The proxy writes it into the page's head; the link
//! is the beginning of the page's address, and of the address of everything that is asked or led to. The preview of a
//! link is the same below another beginning, for whoever is logged in.

use std::cell::Cell;

use leptos::prelude::{document, window};

use crate::client;
use crate::json::Json;

/// A share link that the page came through.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// `/s/` and the token, or `/preview/` and the id.
    base: String,
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

/// What stands before every path of this app: nothing, or the share link.
pub fn base() -> &'static str {
    shared().map_or("", |shared| &shared.base)
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
    if path.starts_with('/') && (base.is_empty() || !path.starts_with(base)) {
        format!("{base}{path}")
    } else {
        path.to_owned()
    }
}

/// A path as the app knows it.
pub fn within(path: &str) -> &str {
    match path.strip_prefix(base()) {
        Some("") => "/",
        Some(rest) => rest,
        None => path,
    }
}

fn read() -> Option<Shared> {
    let mark = document().query_selector("meta[name=fleetglass-share]").ok()??;
    let path = window().location().pathname().ok()?;
    let mut parts = path.split('/').skip(1);
    let (kind, key) = (parts.next()?, parts.next()?);
    let text = |name: &str| mark.get_attribute(name).unwrap_or_default();
    Some(Shared {
        base: format!("/{kind}/{key}"),
        title: text("data-title"),
        by: text("data-by"),
        note: text("data-note"),
        logo: text("data-logo"),
        views: text("data-views"),
        is_preview: kind == "preview",
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
        ] {
            assert_eq!(based(base, path), placed);
        }
    }
}
