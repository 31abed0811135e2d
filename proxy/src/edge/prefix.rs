//! The path under which a reverse proxy has us.

/// The longest that is taken.
const LONGEST: usize = 200;

/// The first parts of this server's own addresses. A path that begins with one may be meant as it stands, so none of
/// them is ever taken away as a prefix.
const OWN: [&str; 23] = [
    "alerts",
    "api",
    "embed",
    "federate",
    "glance",
    "healthz",
    "icons",
    "login",
    "logout",
    "metrics",
    "more",
    "n",
    "nodes",
    "notifications",
    "people",
    "preview",
    "readyz",
    "risks",
    "rules",
    "s",
    "shares",
    "status",
    "timeline",
];

/// A prefix as it is kept: empty, or such as `/fleet`, without an end slash. `None` for what is no such path.
pub fn read(text: &str) -> Option<String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    if path.is_empty() {
        return (!text.is_empty()).then(String::new);
    }
    let is_part = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-'))
    };
    let good = path.len() <= LONGEST && path.strip_prefix('/')?.split('/').all(is_part);
    good.then(|| path.to_owned())
}

/// Whether a prefix begins like an address of this server.
pub fn is_own(prefix: &str) -> bool {
    prefix.split('/').nth(1).is_some_and(|first| OWN.contains(&first))
}

/// What a path is to us that comes with a prefix or without.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// It came with the prefix, and this is the rest.
    Stripped(&'a str),
    /// It came without.
    AsItIs,
    /// It is the prefix without its slash, where relative links would lead astray.
    NoSlash,
}

/// Takes a prefix from a path, where it is there.
pub(super) fn strip<'a>(path: &'a str, prefix: &str) -> Path<'a> {
    if prefix.is_empty() || is_own(prefix) {
        return Path::AsItIs;
    }
    match path.strip_prefix(prefix) {
        Some("") => Path::NoSlash,
        Some(rest) if rest.starts_with('/') => Path::Stripped(rest),
        _ => Path::AsItIs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_plain_path_and_nothing_else() {
        for (text, kept) in [
            ("/", Some("")),
            ("/fleet", Some("/fleet")),
            ("/fleet/", Some("/fleet")),
            ("/a/b-c_d.e~f/", Some("/a/b-c_d.e~f")),
            ("", None),
            ("fleet", None),
            ("//", None),
            ("//evil.example", None),
            ("/a//b", None),
            ("/a//", None),
            ("/a/../b", None),
            ("/.", None),
            ("/a b", None),
            ("/a\"><script>", None),
            ("/a\r\nX: y", None),
            ("/%2e%2e", None),
            ("/a?b", None),
            ("/caf\u{e9}", None),
            ("https://evil.example/", None),
        ] {
            assert_eq!(read(text).as_deref(), kept, "{text:?}");
        }
        assert_eq!(read(&format!("/{}", "a".repeat(200))), None);
    }

    #[test]
    fn a_path_is_taken_with_the_prefix_and_without() {
        for (path, prefix, expected) in [
            ("/fleet/api/v1/fleet", "/fleet", Path::Stripped("/api/v1/fleet")),
            ("/fleet/", "/fleet", Path::Stripped("/")),
            ("/fleet", "/fleet", Path::NoSlash),
            ("/fleets", "/fleet", Path::AsItIs),
            ("/api/v1/fleet", "/fleet", Path::AsItIs),
            ("/fleet/x", "", Path::AsItIs),
            ("/a/b/c", "/a/b", Path::Stripped("/c")),
            // Somebody's `X-Forwarded-Prefix: /nodes` of a proxy that took it away.
            ("/nodes/a", "/nodes", Path::AsItIs),
        ] {
            assert_eq!(strip(path, prefix), expected, "{path} under {prefix}");
        }
    }
}
