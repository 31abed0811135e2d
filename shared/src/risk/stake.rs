//! What a breach costs: a part of a stake, digit for digit. Nothing here goes through a float.

use crate::format;
use crate::wire::Stake;

/// What is staked, and what of it a breach costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staked {
    /// What it is, e.g. `Bond`.
    pub title: String,
    /// How much: a decimal number, as the node or the configuration wrote it.
    pub amount: String,
    /// Its unit: a word of `docs/family.md`, or any other such as `GEN`.
    pub unit: String,
    /// Where the amount comes from, in words.
    pub source: String,
    /// The part of it that a breach costs, a decimal number from 0 to 1; `None` where nobody says.
    pub share: Option<String>,
}

/// What is at stake; `None` where the amount is no number, or the share none from 0 to 1.
pub fn at_stake(staked: &Staked) -> Option<Stake> {
    let Staked { title, amount, unit, source, share } = staked;
    let amount = Decimal::parse(amount)?;
    let shown = |amount: &Decimal| in_unit(&amount.to_string(), unit);
    let mut calculation = vec![format!("{title}: {} ({source})", shown(&amount))];
    let lost = match share {
        None => {
            calculation.push("what part of it a breach costs is not told: all of it at most".to_owned());
            amount
        }
        Some(share) => {
            let part = Decimal::parse(share).filter(Decimal::is_part)?;
            let lost = amount.times(&part);
            calculation.push(format!("a breach costs {} % of it", part.times(&Decimal::whole(100))));
            calculation.push(format!("{} × {part} = {}", shown(&amount), shown(&lost)));
            lost
        }
    };
    Some(Stake { amount: lost.to_string(), unit: unit.clone(), calculation })
}

/// An amount with its unit, for a person.
fn in_unit(amount: &str, unit: &str) -> String {
    match unit {
        // An amount of tokens keeps its digits.
        "micro-usdc" | "usdc" | "wei" => format::value(amount, unit),
        _ => format!("{} {unit}", format::value(&spaced(amount), "text")).trim_end().to_owned(),
    }
}

/// The whole part in groups of three.
fn spaced(amount: &str) -> String {
    let (whole, part) = amount.split_once('.').map_or((amount, None), |(whole, part)| (whole, Some(part)));
    let whole = format::grouped(whole).unwrap_or_else(|| whole.to_owned());
    part.map_or(whole.clone(), |part| format!("{whole}.{part}"))
}

/// A decimal number that is not negative, exact: its digits, the last `places` of them behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    digits: Vec<u8>,
    places: usize,
}

/// More digits than any token has; what is longer is no amount.
const MOST_DIGITS: usize = 200;

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('+').unwrap_or(text);
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(part.bytes());
        let size = exponent.unsigned_abs() as usize;
        if all().next().is_none() || !all().all(|digit| digit.is_ascii_digit()) || size > MOST_DIGITS {
            return None;
        }
        let mut digits: Vec<u8> = all().map(|digit| digit - b'0').collect();
        let mut places = part.len();
        if exponent < 0 {
            places += size;
        } else {
            let zeros = size.saturating_sub(places);
            digits.extend(std::iter::repeat_n(0, zeros));
            places = places.saturating_sub(size);
        }
        (digits.len() <= MOST_DIGITS).then(|| Self { digits, places }.trimmed())
    }

    fn whole(number: u8) -> Self {
        Self { digits: number.to_string().bytes().map(|digit| digit - b'0').collect(), places: 0 }
    }

    /// Without zeros that say nothing.
    fn trimmed(mut self) -> Self {
        while self.places > 0 && self.digits.last() == Some(&0) {
            self.digits.pop();
            self.places -= 1;
        }
        while self.digits.len() < self.places + 1 {
            self.digits.insert(0, 0);
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros.min(self.digits.len() - self.places - 1));
        self
    }

    /// Whether it is from 0 to 1.
    fn is_part(&self) -> bool {
        let (whole, part) = self.digits.split_at(self.digits.len() - self.places);
        matches!(whole, [0]) || (matches!(whole, [1]) && part.is_empty())
    }

    fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0_u32; self.digits.len() + other.digits.len()];
        for (i, a) in self.digits.iter().rev().enumerate() {
            for (j, b) in other.digits.iter().rev().enumerate() {
                digits[i + j] += u32::from(*a) * u32::from(*b);
            }
        }
        for at in 0..digits.len() {
            let carried = digits[at] / 10;
            digits[at] %= 10;
            if let Some(next) = digits.get_mut(at + 1) {
                *next += carried;
            }
        }
        let digits = digits.iter().rev().map(|digit| *digit as u8).collect();
        Self { digits, places: self.places + other.places }.trimmed()
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, digit) in self.digits.iter().enumerate() {
            if self.places > 0 && at == self.digits.len() - self.places {
                f.write_str(".")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}
