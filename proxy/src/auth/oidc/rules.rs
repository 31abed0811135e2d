//! What somebody may do, by the claims that a provider makes about them. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    auth::{Identity, Via},
    config::{OidcConfig, OidcRoleConfig},
};

/// Characters of a name that are kept.
const NAME: usize = 64;

/// Whose claims these are; `None` where no rule is for them.
pub(super) fn identity(config: &OidcConfig, claims: &Map<String, Value>) -> Option<Identity> {
    let subject = text(claims, "sub")?;
    let name =
        [config.name_claim.as_str(), "email", "sub"].into_iter().find_map(|name| text(claims, name))?;
    let groups = groups(claims, &config.groups_claim);
    let is_for =
        |rule: &&OidcRoleConfig| rule.group.as_ref().is_none_or(|group| groups.contains(group.as_str()));
    let meant: Vec<&OidcRoleConfig> = config.roles.iter().filter(is_for).collect();
    let role = meant.iter().map(|rule| rule.role).max()?;
    let strongest: Vec<&&OidcRoleConfig> = meant.iter().filter(|rule| rule.role == role).collect();
    // One that is for the whole fleet is not narrowed by another.
    let select = match strongest.iter().any(|rule| rule.select.is_empty()) {
        true => Vec::new(),
        false => {
            let all: BTreeSet<&String> = strongest.iter().flat_map(|rule| &rule.select).collect();
            all.into_iter().cloned().collect()
        }
    };
    Some(Identity { name, role, select, via: Via::Oidc, subject: Some(subject) })
}

/// A claim that is a text, on one line and not too long.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(NAME).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Groups: a list of texts, or one text.
fn groups<'a>(claims: &'a Map<String, Value>, name: &str) -> BTreeSet<&'a str> {
    match claims.get(name) {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::auth::Role;

    fn found(claims: Value) -> Option<(String, Role, Vec<String>)> {
        let config: OidcConfig = toml::from_str(
            r#"
            issuer = "https://id.example"
            client_id = "f"
            role = [
                { group = "a", role = "operator", select = ['{team="a"}'] },
                { group = "b", role = "operator", select = ['{team="b"}'] },
                { group = "look", role = "viewer" },
                { group = "all", role = "operator" },
                { group = "root", role = "admin" },
            ]
            "#,
        )
        .unwrap();
        let Value::Object(claims) = claims else { panic!() };
        identity(&config, &claims).map(|own| (own.name, own.role, own.select))
    }

    #[test]
    fn the_strongest_role_counts_and_its_selectors_are_united() {
        let of =
            |groups: &[&str]| found(json!({ "sub": "1", "preferred_username": "ada", "groups": groups }));
        let operator = |select: &[&str]| {
            Some(("ada".into(), Role::Operator, select.iter().map(|text| (*text).into()).collect()))
        };
        assert_eq!(of(&["a"]), operator(&["{team=\"a\"}"]));
        assert_eq!(of(&["b", "a", "look"]), operator(&["{team=\"a\"}", "{team=\"b\"}"]));
        assert_eq!(of(&["a", "all"]), operator(&[]), "the whole fleet");
        assert_eq!(of(&["look"]), Some(("ada".into(), Role::Viewer, Vec::new())));
        assert_eq!(of(&["a", "root"]), Some(("ada".into(), Role::Admin, Vec::new())));
        assert_eq!(of(&["A", "none"]), None, "groups are compared to the letter");
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn names_and_groups_are_taken_as_they_come_or_not_at_all() {
        assert_eq!(found(json!({ "sub": "1", "groups": "look" })).unwrap().0, "1");
        let named = json!({ "sub": "1", "email": "a@b", "preferred_username": " \n", "groups": "look" });
        assert_eq!(found(named).unwrap().0, "a@b");
        let long = json!({ "sub": "1", "preferred_username": "x\u{7}".repeat(99), "groups": ["look"] });
        assert_eq!(found(long).unwrap().0, "x".repeat(64));
        for none in [
            json!({ "preferred_username": "ada", "groups": ["look"] }),
            json!({ "sub": 7, "groups": ["look"] }),
            json!({ "sub": "1", "groups": { "look": true } }),
            json!({ "sub": "1", "groups": [["look"]] }),
            json!({ "sub": "1" }),
        ] {
            assert_eq!(found(none.clone()), None, "{none}");
        }
    }
}
