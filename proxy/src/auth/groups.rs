//! What the groups that somebody else vouches for (a reverse proxy's header, an OpenID provider's claim) are worth here.

use serde::Deserialize;

use super::Role;

/// A rule: who is in the group has the role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// The group; with none, the rule is for everybody who is vouched for.
    #[serde(default)]
    pub group: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Which nodes there are for them, by selectors; all, with none.
    #[serde(default)]
    pub select: Vec<String>,
}

/// The strongest role among the rules that match, and what it is limited to: the selectors of all matching rules of that
/// role together, or nothing where one of them has none. `None`: no rule matches, and nobody without a rule gets in.
pub fn role_of(rules: &[GroupRole], groups: &[&str]) -> Option<(Role, Vec<String>)> {
    let matching =
        || rules.iter().filter(|rule| rule.group.as_deref().is_none_or(|group| groups.contains(&group)));
    let role = matching().map(|rule| rule.role).max()?;
    let mut select: Vec<String> = Vec::new();
    for rule in matching().filter(|rule| rule.role == role) {
        if rule.select.is_empty() {
            return Some((role, Vec::new()));
        }
        for text in &rule.select {
            if !select.contains(text) {
                select.push(text.clone());
            }
        }
    }
    Some((role, select))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(group: Option<&str>, role: Role, select: &[&str]) -> GroupRole {
        GroupRole {
            group: group.map(str::to_owned),
            role,
            select: select.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn the_strongest_role_wins_with_all_that_it_is_limited_to() {
        let a = r#"{team="a"}"#;
        let b = r#"{team="b"}"#;
        let rules = [
            rule(Some("ops"), Role::Operator, &[]),
            rule(Some("team-a"), Role::Viewer, &[a]),
            rule(Some("team-b"), Role::Viewer, &[b, a]),
            rule(Some("all"), Role::Viewer, &[]),
            rule(Some("half-ops"), Role::Operator, &[b]),
        ];
        for (groups, expected) in [
            (&["nobody"][..], None),
            (&[], None),
            (&["Team-A"], None),
            (&["team-a"], Some((Role::Viewer, vec![a]))),
            (&["team-b", "team-a"], Some((Role::Viewer, vec![a, b]))),
            (&["team-a", "all"], Some((Role::Viewer, vec![]))),
            // A viewer of everything stays limited as an operator.
            (&["all", "half-ops"], Some((Role::Operator, vec![b]))),
            (&["ops", "half-ops"], Some((Role::Operator, vec![]))),
            (&["team-a", "ops"], Some((Role::Operator, vec![]))),
        ] {
            let expected =
                expected.map(|(role, select)| (role, select.iter().map(|&s: &&str| s.to_owned()).collect()));
            assert_eq!(role_of(&rules, groups), expected, "{groups:?}");
        }
    }

    #[test]
    fn a_rule_without_a_group_is_for_everybody() {
        let rules = [rule(None, Role::Viewer, &[]), rule(Some("adm"), Role::Admin, &[])];
        assert_eq!(role_of(&rules, &[]), Some((Role::Viewer, vec![])));
        assert_eq!(role_of(&rules, &["adm"]), Some((Role::Admin, vec![])));
        assert_eq!(role_of(&[], &["adm"]), None);
    }
}
