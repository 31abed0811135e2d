//! Reads formats. A mistake in one is no error: its description becomes part of the output, as in Go.

use super::super::value::Value;
use super::{Flags, Printer};

/// Widths and precisions beyond this are refused.
const MAX_SIZE: usize = 1_000_000;

/// Go's `Sprintf`; `None` where the output has more than `limit` bytes.
pub(in super::super) fn printf(format: &str, arguments: &[Value], limit: usize) -> Option<String> {
    let mut reader = Reader { rest: format, arguments, next: 0, reordered: false, good_index: true };
    let mut printer = Printer::new(limit);
    while !printer.full {
        let Some((literal, rest)) = reader.rest.split_once('%') else {
            printer.push(reader.rest);
            break;
        };
        printer.push(literal);
        reader.rest = rest;
        reader.directive(&mut printer);
    }
    if !reader.reordered && reader.next < arguments.len() {
        printer.flags = Flags::default();
        printer.push("%!(EXTRA ");
        for (at, argument) in arguments[reader.next..].iter().enumerate() {
            if at > 0 {
                printer.push(", ");
            }
            printer.named(argument);
        }
        printer.push(")");
    }
    printer.done()
}

struct Reader<'a> {
    /// What of the format is still to be read.
    rest: &'a str,
    arguments: &'a [Value],
    /// The place of the next argument.
    next: usize,
    /// An index such as `%[1]d` was met.
    reordered: bool,
    /// The indexes of this directive name arguments.
    good_index: bool,
}

impl Reader<'_> {
    /// What follows a `%`, up to and with the verb.
    fn directive(&mut self, printer: &mut Printer) {
        printer.flags = Flags::default();
        self.good_index = true;
        self.flags(&mut printer.flags);
        let mut after_index = self.index();
        if self.take('*') {
            match self.size_argument() {
                Some(width) => {
                    printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
                    printer.flags.minus |= width < 0;
                    printer.flags.zero &= width >= 0;
                }
                None => printer.push("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            printer.flags.width = self.number();
            self.good_index &= !(after_index && printer.flags.width.is_some());
        }
        // A point that stands last is taken for the verb.
        if self.rest.len() > 1 && self.take('.') {
            self.good_index &= !after_index;
            after_index = self.index();
            if self.take('*') {
                printer.flags.precision = match self.size_argument() {
                    Some(precision) if precision >= 0 => usize::try_from(precision).ok(),
                    _ => {
                        printer.push("%!(BADPREC)");
                        None
                    }
                };
                after_index = false;
            } else {
                printer.flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        let Some(verb) = self.rest.chars().next() else {
            printer.push("%!(NOVERB)");
            return;
        };
        self.rest = &self.rest[verb.len_utf8()..];
        let flags = &mut printer.flags;
        match (verb, self.arguments.get(self.next)) {
            ('%', _) => printer.push("%"),
            (_, _) if !self.good_index => printer.push(&format!("%!{verb}(BADINDEX)")),
            (_, None) => printer.push(&format!("%!{verb}(MISSING)")),
            (_, Some(argument)) => {
                if verb == 'v' {
                    flags.syntax = std::mem::take(&mut flags.sharp);
                    flags.names = std::mem::take(&mut flags.plus);
                }
                printer.argument(argument, verb);
                self.next += 1;
            }
        }
    }

    fn flags(&mut self, flags: &mut Flags) {
        loop {
            match self.rest.as_bytes().first() {
                Some(b'#') => flags.sharp = true,
                Some(b'0') => flags.zero = !flags.minus,
                Some(b'+') => flags.plus = true,
                Some(b'-') => {
                    flags.minus = true;
                    flags.zero = false;
                }
                Some(b' ') => flags.space = true,
                _ => return,
            }
            self.rest = &self.rest[1..];
        }
    }

    fn take(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A number; one that is too large swallows the rest of the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if digits.is_empty() {
            return None;
        }
        let number = digits.parse().ok().filter(|number| *number <= MAX_SIZE);
        self.rest = if number.is_some() { rest } else { "" };
        number
    }

    /// The argument that a `*` stands for.
    fn size_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match argument {
            Value::Int(size) => Some(*size).filter(|size| size.unsigned_abs() <= MAX_SIZE as u64),
            _ => None,
        }
    }

    /// `[3]`, which makes the third argument the next; whether there was one.
    fn index(&mut self) -> bool {
        let Some(inner) = self.rest.strip_prefix('[') else { return false };
        self.reordered = true;
        let Some((digits, rest)) = inner.split_once(']') else {
            self.good_index = false;
            self.rest = inner;
            return false;
        };
        self.rest = rest;
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let index =
            digits.parse::<usize>().ok().filter(|_| is_number).and_then(|number| number.checked_sub(1));
        match index.filter(|index| *index < self.arguments.len()) {
            Some(index) => self.next = index,
            None => self.good_index = false,
        }
        is_number
    }
}
