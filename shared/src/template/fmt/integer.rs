//! Whole numbers and characters.

use super::Printer;
use super::quote::{is_printable, quoted};

/// A character for a number that is none.
fn character_of(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

impl Printer {
    /// `%d`, `%b`, `%o`, `%O`, `%x`, `%X`.
    pub(super) fn integer(&mut self, number: i64, verb: char) {
        let size = number.unsigned_abs();
        let flags = self.flags;
        let sign = match () {
            () if number < 0 => "-",
            () if flags.plus => "+",
            () if flags.space => " ",
            () => "",
        };
        let least = match (flags.precision, flags.width) {
            // No digits for zero, when none are asked for.
            (Some(0), _) if number == 0 => {
                self.pad_with_spaces("");
                return;
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let digits = match verb {
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            _ => size.to_string(),
        };
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let prefix = match (verb, flags.sharp) {
            ('O', true) if zeros.is_empty() && !digits.starts_with('0') => "0o0",
            ('O', _) => "0o",
            ('b', true) => "0b",
            ('o', true) if zeros.is_empty() && !digits.starts_with('0') => "0",
            ('x', true) => "0x",
            ('X', true) => "0X",
            _ => "",
        };
        self.pad_with_spaces(&format!("{sign}{prefix}{zeros}{digits}"));
    }

    /// `%c`
    pub(super) fn character(&mut self, number: i64) {
        self.pad(character_of(number).encode_utf8(&mut [0; 4]));
    }

    /// `%q`
    pub(super) fn quoted_character(&mut self, number: i64) {
        let c = character_of(number);
        self.pad(&quoted(c.encode_utf8(&mut [0; 4]), '\'', self.flags.plus));
    }

    /// `%U`
    pub(super) fn code_point(&mut self, number: i64) {
        // Negative numbers read as Go's conversion to an unsigned one.
        let digits = format!("{:X}", number as u64);
        let least = self.flags.precision.unwrap_or(4).max(4);
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let shown = match u32::try_from(number).ok().and_then(char::from_u32) {
            Some(c) if self.flags.sharp && (c == ' ' || is_printable(c)) => format!(" '{c}'"),
            _ => String::new(),
        };
        self.pad_with_spaces(&format!("U+{zeros}{digits}{shown}"));
    }
}
