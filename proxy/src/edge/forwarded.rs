//! What a listed reverse proxy says of the request that it passes on: `X-Forwarded-*`, or RFC 7239's `Forwarded`.
//!
//! Each proxy adds itself at the end, so the end is what a listed one wrote, and the beginning is what anybody may have
//! sent. The walk goes from the end and stops at the first address that is not listed: that is who asks.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::prefix;
use crate::config::Networks;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What says where a request comes from. None of it is there any more when anything else looks at the request.
const ALL: [HeaderName; 10] = [
    FOR,
    PROTO,
    HOST,
    PREFIX,
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-scheme"),
    HeaderName::from_static("x-forwarded-ssl"),
    HeaderName::from_static("x-real-ip"),
];

/// What the proxy says, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Who asks; the nearest address that is known where that is not.
    pub(super) ip: IpAddr,
    /// Over TLS.
    pub(super) is_https: Option<bool>,
    /// Under which name, perhaps with a port.
    pub(super) host: Option<String>,
    /// Under which path.
    pub(super) prefix: Option<String>,
}

/// What the headers say that a listed proxy at `peer` sent; `None` where they say nothing.
///
/// Where there is any `X-Forwarded-For`, `-Proto` or `-Host`, `Forwarded` is not read: proxies that write the first
/// let the second through as the client sent it.
pub(super) fn told(peer: IpAddr, listed: &Networks, headers: &HeaderMap) -> Option<Told> {
    let prefix = items(headers, &PREFIX).last().and_then(|text| prefix::read(text));
    let told = if [FOR, PROTO, HOST].iter().any(|name| headers.contains_key(name)) {
        let hops = items(headers, &FOR);
        let (ip, at) = walked(peer, listed, &hops.iter().map(|hop| address(hop)).collect::<Vec<_>>());
        // One for each hop, or what the nearest proxy wrote.
        let of = |name: &HeaderName| {
            let mut all = items(headers, name);
            let matching = at.filter(|at| all.len() == hops.len() && *at < all.len());
            match matching {
                Some(at) => Some(all.swap_remove(at)),
                None => all.pop(),
            }
        };
        Some(Told {
            ip,
            is_https: of(&PROTO).and_then(is_https),
            host: of(&HOST).and_then(host),
            prefix: None,
        })
    } else if headers.contains_key(header::FORWARDED) {
        let mut hops = forwarded(headers);
        let (ip, at) =
            walked(peer, listed, &hops.iter().map(|hop| address(hop.node.as_deref()?)).collect::<Vec<_>>());
        let hop = match at {
            Some(at) => hops.swap_remove(at),
            None => hops.pop().unwrap_or_default(),
        };
        Some(Told { ip, is_https: hop.proto.and_then(is_https), host: hop.host.and_then(host), prefix: None })
    } else {
        None
    };
    match (told, prefix) {
        (Some(told), prefix) => Some(Told { prefix, ..told }),
        (None, Some(prefix)) => Some(Told { ip: peer, is_https: None, host: None, prefix: Some(prefix) }),
        (None, None) => None,
    }
}

/// Takes all of it away.
pub(super) fn remove(headers: &mut HeaderMap) {
    ALL.iter().for_each(|name| {
        headers.remove(name);
    });
}

/// A name that a client may ask for: letters, digits and what addresses and ports are made of.
pub(super) fn host(text: String) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    (!text.is_empty() && text.len() <= 255 && text.bytes().all(good)).then_some(text)
}

/// Who asks, and which hop says so.
fn walked(peer: IpAddr, listed: &Networks, hops: &[Option<IpAddr>]) -> (IpAddr, Option<usize>) {
    let (mut ip, mut at) = (peer, None);
    for (index, hop) in hops.iter().enumerate().rev() {
        at = Some(index);
        // `unknown`, a hidden name or nonsense: who is beyond it cannot be told.
        let Some(hop) = hop else { break };
        ip = *hop;
        if !listed.contains(ip) {
            break;
        }
    }
    (ip, at)
}

/// The items of a list, over all its lines.
fn items(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(|item| item.trim().to_owned()).collect()
}

fn is_https(text: String) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// An address as proxies write it: bare, with a port, IPv6 in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let ip = text.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    let ip = ip.or_else(|| match text.strip_prefix('[') {
        // The port may be a hidden one: `_8080`.
        Some(rest) => rest.split_once(']')?.0.parse().ok(),
        None => text.split_once(':')?.0.parse().ok(),
    });
    ip.map(|ip: IpAddr| ip.to_canonical())
}

/// An element of `Forwarded`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hop {
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

/// The elements of all lines. A line that is malformed anywhere is one hop that says nothing: where its quotes are
/// wrong, nobody knows which part a proxy wrote.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(header::FORWARDED).iter();
    lines.flat_map(|line| hops(line).unwrap_or_else(|| vec![Hop::default()])).collect()
}

fn hops(line: &HeaderValue) -> Option<Vec<Hop>> {
    let mut rest = line.to_str().ok()?.trim();
    let mut hops = vec![Hop::default()];
    while !rest.is_empty() {
        let (name, after) = match rest.find([',', ';', '=']) {
            Some(at) if rest.as_bytes()[at] == b'=' => (rest[..at].trim(), &rest[at + 1..]),
            // Empty elements and pairs are allowed, and mean nothing.
            Some(at) if rest[..at].trim().is_empty() => {
                if rest.as_bytes()[at] == b',' {
                    hops.push(Hop::default());
                }
                rest = &rest[at + 1..];
                continue;
            }
            _ => return None,
        };
        let (value, after) = value(after)?;
        let hop = hops.last_mut()?;
        let place = match name.to_ascii_lowercase().as_str() {
            "for" => Some(&mut hop.node),
            "proto" => Some(&mut hop.proto),
            "host" => Some(&mut hop.host),
            _ => None,
        };
        // No parameter may be there twice.
        if place.is_some_and(|place| place.replace(value).is_some()) {
            return None;
        }
        let after = after.trim_start();
        rest = match after.as_bytes().first() {
            None => "",
            Some(b';') => &after[1..],
            Some(b',') => {
                hops.push(Hop::default());
                &after[1..]
            }
            Some(_) => return None,
        };
    }
    Some(hops)
}

/// A token or a quoted string, and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';']).unwrap_or(text.len());
        let token = text[..end].trim();
        return (!token.contains(['"', ' ', '='])).then(|| (token.to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    const PEER: &str = "10.0.0.1";

    fn listed() -> Networks {
        #[derive(Deserialize)]
        struct Listed {
            of: Networks,
        }
        toml::from_str::<Listed>(r#"of = ["10.0.0.0/8", "::1", "2001:db8:1::/48"]"#).unwrap().of
    }

    fn read(lines: &[(&'static str, &str)]) -> Option<Told> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        told(PEER.parse().unwrap(), &listed(), &headers)
    }

    fn ip_of(lines: &[(&'static str, &str)]) -> String {
        read(lines).unwrap().ip.to_string()
    }

    #[test]
    fn who_asks_is_the_rightmost_address_that_is_not_listed() {
        for (chain, ip) in [
            ("203.0.113.7", "203.0.113.7"),
            // What the client made up stands to the left.
            ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
            ("127.0.0.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"),
            ("10.0.0.3, 203.0.113.7", "203.0.113.7"),
            // Everybody is listed: the farthest.
            ("10.0.0.3, 10.0.0.9", "10.0.0.3"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("203.0.113.7 , 2001:db8:1::5", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, ::ffff:10.0.0.9", "203.0.113.7"),
            // Who is beyond what cannot be read is not known: the nearest that is.
            ("203.0.113.7, unknown, 10.0.0.9", "10.0.0.9"),
            ("unknown", PEER),
            ("_hidden", PEER),
            ("203.0.113.7, ", PEER),
            ("", PEER),
            ("203.0.113.7.1", PEER),
            ("999.0.0.1", PEER),
            ("<script>", PEER),
        ] {
            assert_eq!(ip_of(&[("x-forwarded-for", chain)]), ip, "{chain}");
        }
        let two = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.7, 10.0.0.9")];
        assert_eq!(ip_of(&two), "203.0.113.7", "lines are one list, in their order");
        assert_eq!(ip_of(&[("x-forwarded-for", "203.0.113.7, \u{e9}")]), PEER);
    }

    #[test]
    fn rfc_7239_says_the_same() {
        for (line, ip, https, host) in [
            (
                r#"for=203.0.113.7;proto=https;host=fleet.example"#,
                "203.0.113.7",
                Some(true),
                Some("fleet.example"),
            ),
            (r#"For="[2001:db8::7]:4711";Proto=HTTP"#, "2001:db8::7", Some(false), None),
            (r#"for="[2001:db8::7]""#, "2001:db8::7", None, None),
            (r#"for=1.1.1.1;proto=https, for=203.0.113.7;proto=http"#, "203.0.113.7", Some(false), None),
            (
                r#"for=203.0.113.7;proto=https;host=a, for=10.0.0.9;proto=http;host=b"#,
                "203.0.113.7",
                Some(true),
                Some("a"),
            ),
            (r#"for=unknown;proto=https"#, PEER, Some(true), None),
            (r#"for="_gazonk:_p";by=10.0.0.9;secret=x"#, PEER, None, None),
            (r#"for=203.0.113.7, for=_hidden"#, PEER, None, None),
            (r#" , for=203.0.113.7;;proto=https , "#, PEER, None, None),
            (r#", for=203.0.113.7;;proto=https"#, "203.0.113.7", Some(true), None),
            (r#"for="203.0.113.7\";proto=https"#, PEER, None, None),
            // An open quote would swallow what the proxy wrote behind it.
            (r#"for="1.1.1.1, for=203.0.113.7"#, PEER, None, None),
            (r#"for="1.1.1.1, for="[2001:db8::7]""#, PEER, None, None),
            (r#"for=203.0.113.7;for=1.1.1.1"#, PEER, None, None),
            ("nonsense", PEER, None, None),
            ("", PEER, None, None),
            (r#"proto=https;host="a b""#, PEER, Some(true), None),
            (r#"proto=gopher;host="fleet.example:8443""#, PEER, None, Some("fleet.example:8443")),
        ] {
            let told = read(&[("forwarded", line)]).unwrap();
            assert_eq!(
                (told.ip.to_string().as_str(), told.is_https, told.host.as_deref()),
                (ip, https, host),
                "{line}"
            );
        }
        let two = [("forwarded", r#"for="1.1.1.1"#), ("forwarded", "for=203.0.113.7")];
        assert_eq!(ip_of(&two), "203.0.113.7", "a malformed line spoils no other");
    }

    #[test]
    fn forwarded_is_not_read_beside_the_others() {
        let both =
            [("forwarded", "for=1.1.1.1;host=evil.example;proto=https"), ("x-forwarded-for", "203.0.113.7")];
        let told = read(&both).unwrap();
        assert_eq!((told.ip.to_string().as_str(), told.is_https, told.host), ("203.0.113.7", None, None));
    }

    #[test]
    fn of_several_protocols_and_names_that_of_the_same_hop_counts() {
        for (proto, hosts, https, host) in [
            ("https", "fleet.example", Some(true), Some("fleet.example")),
            ("HTTPS", "fleet.example:8443", Some(true), Some("fleet.example:8443")),
            // One for each hop.
            ("http, https, http", "evil, fleet.example, inner", Some(true), Some("fleet.example")),
            // Not so: the nearest proxy's.
            ("https, http", "evil, fleet.example", Some(false), Some("fleet.example")),
            ("", "", None, None),
            ("ftp", "a/b", None, None),
            ("https", "[2001:db8::7]:443", Some(true), Some("[2001:db8::7]:443")),
            ("https", "a\"><b>", Some(true), None),
        ] {
            let lines = [
                ("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.9"),
                ("x-forwarded-proto", proto),
                ("x-forwarded-host", hosts),
            ];
            let told = read(&lines).unwrap();
            assert_eq!((told.is_https, told.host.as_deref()), (https, host), "{proto} {hosts}");
        }
    }

    #[test]
    fn a_prefix_that_is_none_is_not_taken() {
        for (prefix, kept) in [
            ("/fleet", Some("/fleet")),
            ("/evil, /fleet/", Some("/fleet")),
            ("//evil.example", None),
            ("/a/../b", None),
            ("/<b>", None),
        ] {
            let told = read(&[("x-forwarded-prefix", prefix)]);
            assert_eq!(told.and_then(|told| told.prefix).as_deref(), kept, "{prefix}");
        }
        assert_eq!(read(&[]), None);
    }
}
