//! Whether a request that changes something comes from a page of ours: a browser sends its cookies along from any page.

use axum::http::{HeaderMap, header};

use crate::edge::Visit;

/// The names under which our own pages are, besides the one that the request was sent to.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// Host names, with their ports where these are not the usual ones.
    pub(super) hosts: Vec<String>,
    /// Origins that may act for whoever is logged in: of `[cors]` with `credentials`.
    pub(super) origins: Vec<String>,
    /// Origins that may ask, with what they carry themselves: of `[cors]`.
    pub(super) guests: Vec<String>,
}

impl Own {
    /// Whether the page is ours. Without a word of the browser's it is not.
    pub(super) fn is_page(&self, headers: &HeaderMap, visit: &Visit) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let origin = text(header::ORIGIN).unwrap_or_default();
        if self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin)) {
            return true;
        }
        match text(header::HeaderName::from_static("sec-fetch-site")) {
            // No page can set it; browsers send it over TLS and on this machine.
            Some(site) => site == "same-origin",
            None => self.is_host(origin, text(header::HOST), visit),
        }
    }

    /// Whether a page elsewhere sent it that nobody listed. What no browser sent is from no page.
    pub(super) fn is_foreign_page(&self, headers: &HeaderMap, visit: &Visit) -> bool {
        let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let is_guest = self.guests.iter().any(|own| own == "*" || own.eq_ignore_ascii_case(origin));
        !is_guest && !self.is_page(headers, visit)
    }

    fn is_host(&self, origin: &str, host: Option<&str>, visit: &Visit) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        if visit.is_https && scheme != "https" {
            return false;
        }
        let usual = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return false,
        };
        let bare = |name: &str| name.strip_suffix(usual).unwrap_or(name).to_ascii_lowercase();
        let asked = bare(authority);
        !asked.is_empty()
            && host.into_iter().chain(self.hosts.iter().map(String::as_str)).any(|own| bare(own) == asked)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn only_a_page_of_ours_is_one() {
        let own = Own {
            hosts: vec!["fleet.example".into(), "fleet.lan:8080".into()],
            origins: vec!["https://portal.example".into()],
            guests: vec!["https://guest.example".into()],
        };
        let visit = |is_https| Visit { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), is_https, base: String::new() };
        for (origin, site, is_https, is_ours) in [
            ("http://127.0.0.1:8080", "", false, true),
            ("http://127.0.0.1:9090", "", false, false),
            ("http://127.0.0.1", "", false, false),
            ("https://fleet.example", "", false, true),
            ("https://FLEET.example:443", "", true, true),
            ("http://fleet.example", "", true, false),
            ("https://fleet.example.evil", "", false, false),
            ("https://evil/fleet.example", "", false, false),
            ("http://fleet.lan:8080", "", false, true),
            ("ftp://fleet.example", "", false, false),
            ("null", "", false, false),
            ("", "", false, false),
            ("https://", "", false, false),
            ("null", "same-origin", false, true),
            ("", "same-origin", false, true),
            ("http://127.0.0.1:8080", "cross-site", false, false),
            ("http://127.0.0.1:8080", "same-site", false, false),
            ("", "none", false, false),
            ("https://portal.example", "cross-site", true, true),
            ("https://portal.example.evil", "cross-site", true, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:8080".parse().unwrap());
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                if !value.is_empty() {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(own.is_page(&headers, &visit(is_https)), is_ours, "{origin} {site} {is_https}");
            let is_foreign = !origin.is_empty() && !is_ours;
            assert_eq!(own.is_foreign_page(&headers, &visit(is_https)), is_foreign, "{origin} {site}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("origin", "https://guest.example".parse().unwrap());
        assert!(!own.is_page(&headers, &visit(false)) && !own.is_foreign_page(&headers, &visit(false)));
    }
}
