//! JSON Pointers (RFC 6901), with `*` as a reference token that means "each member".

use std::borrow::Cow;

use serde_json::Value;

/// A place a pointer led to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place<'a> {
    /// The pointer without `*`: where exactly.
    pub(crate) at: String,
    /// The member (or index) the first `*` stood for.
    pub(crate) member: Option<String>,
    /// What is there.
    pub(crate) value: &'a Value,
}

/// The places a pointer leads to: at most one without a `*`. A `null` is nowhere.
pub(crate) fn resolve<'a>(document: &'a Value, pointer: &str) -> Vec<Place<'a>> {
    let mut places = vec![Place { at: String::new(), member: None, value: document }];
    for token in tokens(pointer) {
        places = places.into_iter().flat_map(|place| step(place, token)).collect();
        if places.is_empty() {
            break;
        }
    }
    places.retain(|place| !place.value.is_null());
    places
}

/// Whether `pointer` (without `*`) is at, or below, what `pattern` names.
pub(crate) fn covers(pattern: &str, pointer: &str) -> bool {
    let mut theirs = tokens(pointer);
    tokens(pattern).all(|own| theirs.next().is_some_and(|token| own == "*" || own == token))
}

/// Why a text is no pointer, if it is none.
pub(crate) fn fault(pointer: &str) -> Option<&'static str> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Some("a JSON Pointer starts with `/`");
    }
    let mut rest = pointer;
    while let Some(at) = rest.find('~') {
        if !matches!(rest.as_bytes().get(at + 1), Some(b'0' | b'1')) {
            return Some("in a JSON Pointer `~` is written `~0` and `/` in a name `~1`");
        }
        rest = &rest[at + 2..];
    }
    None
}

fn tokens(pointer: &str) -> impl Iterator<Item = &str> {
    // The part before the first `/` is empty.
    pointer.split('/').skip(1)
}

fn step<'a>(place: Place<'a>, token: &str) -> Vec<Place<'a>> {
    let below = |name: &str, value: &'a Value, starred: bool| Place {
        at: format!("{}/{}", place.at, escape(name)),
        member: place.member.clone().or_else(|| starred.then(|| name.to_owned())),
        value,
    };
    match (place.value, token) {
        (Value::Object(members), "*") => {
            members.iter().map(|(name, value)| below(name, value, true)).collect()
        }
        (Value::Array(items), "*") => {
            items.iter().enumerate().map(|(index, item)| below(&index.to_string(), item, true)).collect()
        }
        (Value::Object(members), token) => {
            let name = unescape(token);
            members.get(name.as_ref()).map(|value| below(&name, value, false)).into_iter().collect()
        }
        (Value::Array(items), token) => token
            .parse::<usize>()
            .ok()
            .and_then(|index| items.get(index))
            .map(|item| below(token, item, false))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// A member's name as a reference token.
pub(crate) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{covers, fault, resolve};

    #[test]
    fn the_examples_of_rfc_6901_section_5() {
        let document = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
            "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8});
        for (pointer, expected) in [
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/c%d", json!(2)),
            ("/e^f", json!(3)),
            ("/g|h", json!(4)),
            ("/i\\j", json!(5)),
            ("/k\"l", json!(6)),
            ("/ ", json!(7)),
            ("/m~0n", json!(8)),
        ] {
            let places = resolve(&document, pointer);
            assert_eq!(places.len(), 1, "{pointer}");
            assert_eq!(places[0].value, &expected, "{pointer}");
            assert_eq!(places[0].at, pointer);
        }
        assert_eq!(resolve(&document, "")[0].value, &document);
        assert!(resolve(&document, "/foo/2").is_empty());
    }

    #[test]
    fn a_star_names_each_member_and_null_is_nowhere() {
        let document = json!({"checks": {"a/b": {"status": "up"}, "c": {"status": null}, "d": 1}});
        let places = resolve(&document, "/checks/*/status");
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].member.as_deref(), Some("a/b"));
        assert_eq!(places[0].at, "/checks/a~1b/status");
    }

    #[test]
    fn a_pattern_covers_what_is_at_or_below_it() {
        assert!(covers("/checks/*", "/checks/zksync/status"));
        assert!(covers("/a", "/a"));
        assert!(!covers("/a/b", "/a"));
        assert!(!covers("/a", "/ab"));
    }

    #[test]
    fn what_is_no_pointer_is_told_why() {
        assert!(fault("").is_none() && fault("/a~0b~1c").is_none());
        assert!(fault("status").is_some_and(|why| why.contains("starts with `/`")));
        assert!(fault("/a~b").is_some());
    }
}
