//! `[target.stake]`: what a node has staked, where it does not tell.

use std::fmt;

use serde::{
    Deserialize,
    de::{self, Deserializer, Visitor},
};

/// `[target.stake]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakeConfig {
    /// How much: a number, or a text where it has more digits than a number keeps.
    #[serde(deserialize_with = "digits")]
    pub amount: String,
    /// Its unit, such as `GEN`; `micro-usdc`, `usdc` and `wei` are known.
    #[serde(default)]
    pub unit: String,
    /// The part of it that a breach costs, from 0 to 1; where it is absent, what the family says.
    #[serde(default)]
    pub penalty: Option<f64>,
}

/// A number as it was written.
fn digits<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    struct Digits;
    impl Visitor<'_> for Digits {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, or a text of digits such as \"5000.25\"")
        }

        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_f64<E>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            let plain = text.trim().replace(['_', ','], "");
            let is_number = plain.bytes().any(|b| b.is_ascii_digit())
                && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                && plain.matches('.').count() <= 1;
            if is_number { Ok(plain) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
        }
    }
    from.deserialize_any(Digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use crate::config::{LoadedConfig, StakeConfig};

    fn parse(stake: &str) -> Result<StakeConfig, String> {
        let text = format!("[[target]]\nid = \"a\"\nurl = \"http://a\"\n[target.stake]\n{stake}");
        let loaded =
            LoadedConfig::parse(Path::new("fg.toml"), &text, []).map_err(|error| error.to_string())?;
        Ok(loaded.config.targets[0].stake.clone().unwrap())
    }

    #[test]
    fn an_amount_keeps_its_digits() {
        for (written, amount) in [
            ("5000", "5000"),
            ("5000.25", "5000.25"),
            ("\"123456789012345678901234567890\"", "123456789012345678901234567890"),
            ("\"5_000.10\"", "5000.10"),
        ] {
            let stake = parse(&format!("amount = {written}\nunit = \"GEN\"\npenalty = 0.1\n")).unwrap();
            assert_eq!(
                (stake.amount.as_str(), stake.unit.as_str(), stake.penalty),
                (amount, "GEN", Some(0.1))
            );
        }
    }

    #[test]
    fn what_is_no_stake_is_refused_with_its_place() {
        for (written, line, says) in [
            ("amount = \"much\"", 5, "a number, or a text of digits"),
            ("unit = \"GEN\"", 4, "missing field `amount`"),
            ("amount = 1\npenalty = 1.5", 6, "no part of a stake"),
            ("amount = 1\nshare = 0.1", 6, "unknown field"),
        ] {
            let fault = parse(written).unwrap_err();
            assert!(fault.contains(&format!("fg.toml:{line}")) && fault.contains(says), "{written}: {fault}");
        }
    }
}
