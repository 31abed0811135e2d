//! Names, labels and texts as the viewer of a link may read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
// Only the type that reads addresses: it opens nothing.
use core::net::IpAddr;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Inside, Scope};
use crate::labels::{EXPORTED_PREFIX, LabelSet, METRIC_NAME};

/// What stands where an address stood.
const GONE: &str = "[address]";
/// What stands where the value of a label stood that is not shown.
const HIDDEN: &str = "[hidden]";
/// A value of fewer letters is a word of any text.
const LEAST_HIDDEN: usize = 3;
/// Labels that tell where something is, whatever they look like.
const PLACES: [&str; 12] = [
    "host",
    "hostname",
    "node_host",
    "exported_instance",
    "ip",
    "addr",
    "address",
    "url",
    "uri",
    "remote",
    "listen",
    "peer_addr",
];
/// Labels that name other nodes, whether these are inside or not.
const OTHERS: [&str; 3] = ["depends_on", "upstream", "stands_for"];
const PLACE_ENDS: [&str; 6] = ["_host", "_hostname", "_ip", "_addr", "_address", "_url"];
/// A name of so many letters is taken out of the middle of words too.
const LONG_NAME: usize = 4;

impl Scope {
    /// What the viewer knows a node by: its id, or an alias that only the key leads to.
    pub fn name(&self, id: &str) -> String {
        if self.spec.aliases || (!self.spec.addresses && has_address(id)) {
            format!("node-{}", self.digest("node", id))
        } else {
            id.to_owned()
        }
    }

    /// The same value of a link is always the same word, and nobody gets back to it.
    pub(super) fn masked(&self, value: &str) -> String {
        format!("hidden-{}", self.digest("value", value))
    }

    /// An id that tells nothing of what it was made of.
    pub(super) fn opaque(&self, id: &str) -> String {
        self.digest("id", id)
    }

    /// 64 bits of an HMAC, in hex.
    fn digest(&self, what: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(what.as_bytes());
        mac.update(b":");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
            // Writing to a String never fails.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The labels of one of a node's series. Series that differ stay different: a label of a series that may not be
    /// read has another value, one of the node is gone.
    pub fn labels(&self, node: &Inside, labels: &LabelSet) -> LabelSet {
        LabelSet::from_pairs(labels.iter().filter_map(|(name, value)| {
            let value = match name {
                METRIC_NAME => value.to_owned(),
                "instance" => node.shown.clone(),
                _ if node.labels.contains(name) => self.node_label(node, name, value)?,
                _ if self.is_dropped(name) => self.masked(value),
                _ => self.value(node, value),
            };
            Some((name, value))
        }))
    }

    /// A label of a node; `None` where it is not shown.
    pub(super) fn node_label(&self, node: &Inside, name: &str, value: &str) -> Option<String> {
        (!self.is_dropped(name)).then(|| self.value(node, value))
    }

    /// The words of the labels of a node that are not shown. A number is none: it stands anywhere.
    pub(super) fn hidden_words(&self, labels: &BTreeMap<String, String>) -> BTreeSet<String> {
        let whole = labels.iter().filter(|(name, _)| self.is_dropped(name)).map(|(_, value)| value.trim());
        let words = whole.flat_map(|value| std::iter::once(value).chain(value.split([',', ' ', ';'])));
        let is_word =
            |word: &&str| word.chars().count() >= LEAST_HIDDEN && word.chars().any(char::is_alphabetic);
        words.filter(is_word).map(str::to_owned).collect()
    }

    fn is_dropped(&self, name: &str) -> bool {
        // What a node says of itself under the name of a label of ours has this before it.
        let name = name.strip_prefix(EXPORTED_PREFIX).filter(|name| *name != "instance").unwrap_or(name);
        self.spec.drop_labels.iter().any(|dropped| dropped == name)
            || OTHERS.contains(&name)
            || self.is_place(name)
    }

    /// Whether something of this name tells where a node is, and that is not shown.
    pub(super) fn is_place(&self, name: &str) -> bool {
        !self.spec.addresses && (PLACES.contains(&name) || PLACE_ENDS.iter().any(|end| name.ends_with(end)))
    }

    /// A value that is one word. One that may not be read becomes another, and not the same as others'.
    fn value(&self, node: &Inside, value: &str) -> String {
        if value == node.id {
            return node.shown.clone();
        }
        if self.text(node, value) == value { value.to_owned() } else { self.masked(value) }
    }

    /// A text about a node, with its name as the viewer knows it and without addresses.
    pub fn text(&self, node: &Inside, text: &str) -> String {
        let mut out = text.to_owned();
        if !self.spec.addresses {
            if let Some(host) = &node.host {
                out = replaced(&out, host, GONE);
            }
            if has_address(&out) {
                out = without_addresses(&out);
            }
        }
        if node.shown != node.id {
            out = replaced(&out, &node.id, &node.shown);
        }
        // The longest first: another may be a part of it.
        let mut hidden: Vec<&String> = node.hidden.iter().filter(|word| **word != node.shown).collect();
        hidden.sort_by_key(|word| std::cmp::Reverse(word.len()));
        for word in hidden {
            out = replaced_words(&out, word, HIDDEN);
        }
        out
    }
}

/// `text` with each `word` in it replaced, in whatever case: a short one only where it is a word of its own.
fn replaced(text: &str, word: &str, with: &str) -> String {
    replaced_where(text, word, with, |is_alone| is_alone || word.len() >= LONG_NAME)
}

/// The same, only where it is a word of its own.
fn replaced_words(text: &str, word: &str, with: &str) -> String {
    replaced_where(text, word, with, |is_alone| is_alone)
}

fn replaced_where(text: &str, word: &str, with: &str, goes: impl Fn(bool) -> bool) -> String {
    if text.len() < word.len() {
        return text.to_owned();
    }
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    if word.is_empty() || !lower.contains(&word) {
        return text.to_owned();
    }
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    // ASCII lower case keeps every byte where it was.
    for (at, _) in lower.match_indices(&word) {
        let end = at + word.len();
        let alone = !joins(text[..at].chars().next_back()) && !joins(text[end..].chars().next());
        if goes(alone) {
            out.push_str(&text[from..at]);
            out.push_str(with);
            from = end;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// What separates words in which an address may hide. Colons, dots and brackets are parts of addresses.
fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | ';' | '"' | '\'' | '`' | '(' | ')' | '{' | '}' | '<' | '>' | '=' | '|' | '@')
}

fn has_address(text: &str) -> bool {
    text.split(separates).any(is_address)
}

fn without_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(separates).unwrap_or(rest.len());
        let word = &rest[..end];
        out.push_str(if is_address(word) { GONE } else { word });
        let next = rest[end..].chars().next().map_or(0, char::len_utf8);
        out.push_str(&rest[end..end + next]);
        rest = &rest[end + next..];
    }
    out
}

/// Whether a word tells where something is: an address, a URL, a name with dots, or any of them with a port.
fn is_address(word: &str) -> bool {
    if word.contains("://") {
        return true;
    }
    word.split('/').any(|part| {
        let part =
            part.trim_matches(|c: char| matches!(c, '.' | ':' | '!' | '?' | '#' | '*')).trim_end_matches('%');
        let bare = part.trim_start_matches('[');
        let bare = bare.split(']').next().unwrap_or(bare);
        let bare = bare.split('%').next().unwrap_or(bare);
        is_ip(bare) || is_ip_with_port(bare) || is_host_with_port(bare) || is_dotted_name(bare)
    })
}

fn is_ip(text: &str) -> bool {
    // A single colon or none is no IPv6 address that anybody writes; `::` alone stands in expressions.
    text.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4() || text.len() > 2)
}

fn is_ip_with_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| is_port(port) && is_ip(host))
}

fn is_host_with_port(text: &str) -> bool {
    let name = |host: &str| {
        host.contains(|c: char| c.is_alphabetic())
            && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
    };
    text.rsplit_once(':').is_some_and(|(host, port)| is_port(port) && name(host))
}

fn is_port(text: &str) -> bool {
    text.len() >= 2 && text.parse::<u16>().is_ok()
}

/// `db.internal.lan`, but not `1.2.3` or `v0.4.2-rc.1`.
fn is_dotted_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let named =
        |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    // A version is none, however it ends.
    let is_version = parts.len() > 2 && parts[..2].iter().all(|part| part.parse::<u32>().is_ok());
    parts.len() >= 2
        && !is_version
        && parts.iter().all(named)
        && parts.last().is_some_and(|last| last.len() >= 2 && last.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_words() {
        for address in [
            "10.0.0.5",
            "10.0.0.5:9100",
            "http://validator7:9090/metrics",
            "[2001:db8::1]:9100",
            "2001:db8::1",
            "validator7:9090",
            "db.internal.lan",
            "/ip4/192.0.2.7/tcp/4001",
            "eu-1.example.com.",
            "fe80::1%eth0",
            "wss://rpc.example",
            "localhost:8545",
        ] {
            assert!(is_address(address), "{address}");
            assert!(has_address(&format!("No answer from {address}, again")), "{address}");
            assert_eq!(
                without_addresses(&format!("see ({address}).")),
                format!("see ({GONE})."),
                "{address}"
            );
        }
        for word in [
            "healthy",
            "1.2.3",
            "1.2.3-beta.rc",
            "v0.4.2-rc.1",
            "0.25",
            "12:30",
            "job:up:rate5m",
            "a",
            "",
            "::",
            "connection-refused",
            "3.5%",
            "blacklist_lag",
            "node/v1",
            "16:9",
            "2026-01-02T03:04:05Z",
            "e.g.",
        ] {
            assert!(!is_address(word), "{word}");
        }
    }

    #[test]
    fn a_name_is_replaced_wherever_it_stands() {
        assert_eq!(replaced("eu-1 is down; see EU-1", "eu-1", "X"), "X is down; see X");
        assert_eq!(replaced("log of eu-1x", "eu-1", "X"), "log of Xx");
        assert_eq!(replaced("a cat, a: A", "a", "X"), "X cat, X: X");
        assert_eq!(replaced("n\u{f6}t a", "a", "X"), "n\u{f6}t X");
    }
}
