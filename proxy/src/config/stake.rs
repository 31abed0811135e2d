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
