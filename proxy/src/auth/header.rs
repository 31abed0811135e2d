//! Log-in by a reverse proxy's word: it checked who asks, and names them in a header.
//!
//! The word counts from the listed addresses alone, by the connection itself and by nothing that a request says.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

use super::{GroupRole, Via, Who, role_of};
use crate::config::{Networks, TrustedHeaderConfig};

/// The longest name that is taken.
const LONGEST: usize = 200;

/// Which headers name who asks, and whose word it is.
#[derive(Debug)]
pub struct HeaderLogin {
    user: HeaderName,
    groups: Option<HeaderName>,
    from: Networks,
    rules: Vec<GroupRole>,
}

/// What the headers of a request come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Vouched {
    /// Nobody is named by anybody whose word counts, or not in a way that can be believed.
    Nobody,
    /// Somebody is named, whom no rule gives a role.
    NoRole,
    /// Somebody who may do something.
    Who(Who),
}

impl HeaderLogin {
    /// That of a config; `None` where its header names are none, which the config's validation refused.
    pub fn of(config: &TrustedHeaderConfig) -> Option<Self> {
        let named = |name: &String| HeaderName::from_bytes(name.as_bytes()).ok();
        Some(Self {
            user: named(&config.user)?,
            groups: config.groups.as_ref().map(|name| named(name).ok_or(())).transpose().ok()?,
            from: config.from.clone(),
            rules: config.roles.clone(),
        })
    }

    /// Takes the headers away, unless their sender's word counts.
    pub fn remove_unless_trusted(&self, peer: IpAddr, headers: &mut HeaderMap) {
        if !self.from.contains(peer) {
            headers.remove(&self.user);
            if let Some(groups) = &self.groups {
                headers.remove(groups);
            }
        }
    }

    /// Who a request comes from, by the word of `peer`.
    pub(super) fn vouched(&self, peer: IpAddr, headers: &HeaderMap) -> Vouched {
        if !self.from.contains(peer) {
            return Vouched::Nobody;
        }
        // A header that is there twice was sent by somebody else too, and nobody knows which is whose.
        let Some(name) = only(headers, &self.user).filter(|name| !name.is_empty() && name.len() <= LONGEST)
        else {
            return Vouched::Nobody;
        };
        let groups = match &self.groups {
            Some(header) if headers.contains_key(header) => match only(headers, header) {
                Some(groups) => groups,
                None => return Vouched::Nobody,
            },
            _ => String::new(),
        };
        let groups: Vec<&str> = groups.split(',').map(str::trim).filter(|group| !group.is_empty()).collect();
        match role_of(&self.rules, &groups) {
            None => Vouched::NoRole,
            Some((role, select)) => Vouched::Who(Who { name, role, select, via: Via::Header }),
        }
    }
}

/// The text of a header that is there exactly once and can be read.
fn only(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut lines = headers.get_all(name).iter();
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let text = std::str::from_utf8(line.as_bytes()).ok()?.trim();
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::HeaderValue;

    use super::*;
    use crate::auth::Role;

    fn login() -> HeaderLogin {
        let config: TrustedHeaderConfig = toml::from_str(
            r#"
            groups = "X-Forwarded-Groups"
            from = ["10.0.0.1"]
            role = [
                { group = "ops", role = "operator" },
                { group = "team a", role = "viewer", select = ['{team="a"}'] },
            ]"#,
        )
        .unwrap();
        HeaderLogin::of(&config).unwrap()
    }

    fn vouched(peer: &str, lines: &[(&'static str, &str)]) -> Vouched {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        login().vouched(peer.parse().unwrap(), &headers)
    }

    #[test]
    fn somebody_who_is_named_once_by_a_listed_proxy_is_in() {
        let who = |name: &str, role, select: &[&str]| {
            let select = select.iter().map(|&text| text.to_owned()).collect();
            Vouched::Who(Who { name: name.to_owned(), role, select, via: Via::Header })
        };
        let (user, groups) = ("x-forwarded-user", "x-forwarded-groups");
        for (lines, expected) in [
            (&[(user, "ada"), (groups, "dev, ops")][..], who("ada", Role::Operator, &[])),
            (
                &[(user, " L\u{f6}ve "), (groups, "team a")],
                who("L\u{f6}ve", Role::Viewer, &[r#"{team="a"}"#]),
            ),
            (&[(user, "ada"), (groups, "dev")], Vouched::NoRole),
            (&[(user, "ada")], Vouched::NoRole),
            (&[(groups, "ops")], Vouched::Nobody),
            (&[(user, ""), (groups, "ops")], Vouched::Nobody),
            (&[(user, "ada"), (user, "eve"), (groups, "ops")], Vouched::Nobody),
            (&[(user, "ada"), (groups, "dev"), (groups, "ops")], Vouched::Nobody),
            (&[(user, "a\tb"), (groups, "ops")], Vouched::Nobody),
            (&[], Vouched::Nobody),
        ] {
            assert_eq!(vouched("10.0.0.1", lines), expected, "{lines:?}");
            assert_eq!(vouched("10.0.0.2", lines), Vouched::Nobody, "{lines:?} of another");
        }
        let mut broken = HeaderMap::new();
        broken.insert(user, HeaderValue::from_bytes(b"\xff\xfe").unwrap());
        assert_eq!(login().vouched("10.0.0.1".parse().unwrap(), &broken), Vouched::Nobody);
        let long = "a".repeat(201);
        assert_eq!(vouched("10.0.0.1", &[(user, &long), (groups, "ops")]), Vouched::Nobody);
    }
}
