//! The selectors of a limited role as a fence: what stays within them, and what is left of others' selectors there.

use super::{ScopeError, node_selector};
use crate::labels::{MatchOp, Matcher, Selector};

/// What somebody is limited to: nodes that any of these selectors selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence(Vec<Vec<Matcher>>);

impl Fence {
    /// The fence of some selectors over nodes.
    ///
    /// # Errors
    /// One of them is none.
    pub fn new(select: &[String]) -> Result<Self, ScopeError> {
        Ok(Self(select.iter().map(|text| node_selector(text)).collect::<Result<_, _>>()?))
    }

    /// The same over alerts: their labels have a node's family as `job`.
    #[must_use]
    pub fn over_alerts(&self) -> Self {
        let renamed = |matcher: &Matcher| match matcher.name() {
            // It was compiled under its other name.
            "family" => {
                Matcher::new("job", matcher.op(), matcher.value()).unwrap_or_else(|_| matcher.clone())
            }
            _ => matcher.clone(),
        };
        Self(self.0.iter().map(|own| own.iter().map(renamed).collect()).collect())
    }

    /// Whether whatever these matchers select is inside, by the matchers alone.
    pub fn holds(&self, matchers: &[Matcher]) -> bool {
        let implied = |own: &Matcher| matchers.iter().any(|given| implies(given, own));
        self.0.iter().any(|own| own.iter().all(implied))
    }

    /// What must be added to matchers so that they stay inside; `None` where there is more than one way.
    pub fn missing(&self, matchers: &[Matcher]) -> Option<Vec<Matcher>> {
        if self.holds(matchers) {
            return Some(Vec::new());
        }
        match self.0.as_slice() {
            [own] => {
                let lacks = |own: &&Matcher| !matchers.iter().any(|given| implies(given, own));
                Some(own.iter().filter(lacks).cloned().collect())
            }
            _ => None,
        }
    }

    /// Selectors that select what `asked` selects inside: each with each.
    ///
    /// # Errors
    /// One of `asked` is no selector.
    pub fn cross(&self, asked: &[String]) -> Result<Vec<String>, ScopeError> {
        let mut all = Vec::new();
        for text in asked {
            let asked = node_selector(text)?;
            for own in &self.0 {
                let mut matchers = asked.clone();
                for matcher in own {
                    if !matchers.contains(matcher) {
                        matchers.push(matcher.clone());
                    }
                }
                let text = Selector { matchers }.to_string();
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
        Ok(all)
    }

    /// Whether every selector of a list stays inside.
    pub fn holds_all(&self, select: &[String]) -> bool {
        let inside = |text: &String| node_selector(text).is_ok_and(|matchers| self.holds(&matchers));
        select.iter().all(inside)
    }

    /// Each way of being inside.
    pub fn ways(&self) -> &[Vec<Matcher>] {
        &self.0
    }

    /// The labels that it looks at.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(Matcher::name)
    }
}

/// Whether what passes `given` passes `own`.
fn implies(given: &Matcher, own: &Matcher) -> bool {
    given.name() == own.name() && (given == own || given.op() == MatchOp::Equal && own.matches(given.value()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn fence(select: &[&str]) -> Fence {
        Fence::new(&owned(select)).unwrap()
    }

    fn owned(select: &[&str]) -> Vec<String> {
        select.iter().map(|text| (*text).to_owned()).collect()
    }

    fn matchers(text: &str) -> Vec<Matcher> {
        Selector::parse(text).unwrap().matchers
    }

    #[test]
    fn only_what_cannot_reach_further_is_held() {
        let one = fence(&["{team=\"a\"}"]);
        for held in ["{team=\"a\"}", "{x=\"y\",team=\"a\"}"] {
            assert!(one.holds(&matchers(held)), "{held}");
        }
        for reaches in [
            "{x=\"y\"}",
            "{team=\"b\"}",
            "{team=~\"a\"}",
            "{team=~\"a|b\"}",
            "{team!=\"b\",x=\"y\"}",
            "{team=\"\",x=\"y\"}",
            "{Team=\"a\"}",
            "{instance=\"in-1\"}",
        ] {
            assert!(!one.holds(&matchers(reaches)), "{reaches}");
        }
        let two = fence(&["{team=~\"a|b\",tier!=\"x\"}", "{instance=\"eu-1\"}"]);
        assert!(
            two.holds(&matchers("{team=\"b\",tier=\"y\"}")) && two.holds(&matchers("{instance=\"eu-1\"}"))
        );
        assert!(!two.holds(&matchers("{team=\"b\"}")), "where there is no tier, it must be said");
        assert!(!two.holds(&matchers("{team=\"b\",tier=\"x\"}")));
    }

    #[test]
    fn what_is_missing_is_added_or_must_be_chosen() {
        let one = fence(&["{team=\"a\",tier!=\"x\"}"]);
        let text = |added: Option<Vec<Matcher>>| added.map(|matchers| Selector { matchers }.to_string());
        assert_eq!(text(one.missing(&matchers("{n=\"1\"}"))).as_deref(), Some("{team=\"a\",tier!=\"x\"}"));
        assert_eq!(text(one.missing(&matchers("{team=\"a\"}"))).as_deref(), Some("{tier!=\"x\"}"));
        assert_eq!(text(one.missing(&matchers("{team=\"a\",tier=\"y\"}"))).as_deref(), Some("{}"));
        assert_eq!(one.missing(&matchers("{team=\"b\"}")).unwrap().len(), 2, "it selects nothing then");
        assert_eq!(fence(&["{a=\"1\"}", "{b=\"2\"}"]).missing(&matchers("{n=\"1\"}")), None);
    }

    #[test]
    fn selectors_are_crossed_each_with_each() {
        let fence = fence(&["{team=\"a\"}", "{team=\"b\"}"]);
        let crossed = fence.cross(&owned(&["{instance!=\"\"}", "{team=\"a\"}"])).unwrap();
        assert_eq!(
            crossed,
            [
                "{instance!=\"\",team=\"a\"}",
                "{instance!=\"\",team=\"b\"}",
                "{team=\"a\"}",
                "{team=\"a\",team=\"b\"}"
            ]
        );
        assert!(fence.holds_all(&crossed) && !fence.holds_all(&owned(&["{team=\"a\"}", "{x=\"\"}"])));
        assert!(fence.cross(&owned(&["up"])).is_err());
    }

    #[test]
    fn a_family_is_the_job_of_an_alert() {
        let fence = fence(&["{family=~\"a|b\"}"]).over_alerts();
        assert!(fence.holds(&matchers("{job=\"a\"}")) && !fence.holds(&matchers("{family=\"a\"}")));
    }
}
