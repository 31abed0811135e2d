//! Whether this page came through a share link, and what that shows. The proxy writes it into the page's head; the link
//! is the beginning of the page's address, and of the address of everything that is asked or led to.

use leptos::prelude::{document, window};

/// A share link that the page came through.
#[derive(Debug)]
pub struct Shared {
    /// `/s/` and the token.
    base: String,
    /// What it is called.
    pub title: String,
    /// Who shares it.
    pub by: String,
    views: String,
}

thread_local! {
    /// It stays as it is for as long as the page.
    static SHARED: Option<&'static Shared> = read().map(|shared| &*Box::leak(Box::new(shared)));
}

/// The share link, if the page came through one.
pub fn shared() -> Option<&'static Shared> {
    SHARED.with(|shared| *shared)
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
    let token = path.strip_prefix("/s/")?.split('/').next()?;
    let text = |name: &str| mark.get_attribute(name).unwrap_or_default();
    Some(Shared {
        base: format!("/s/{token}"),
        title: text("data-title"),
        by: text("data-by"),
        views: text("data-views"),
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
