//! Writes values as Go's `fmt` does: what an action prints, `print`, `println` and `printf`.
//!
//! | module | gives |
//! |---|---|
//! | `verb` | a value by a verb and its flags |
//! | `printf` | the reading of formats, and what stands for their mistakes |
//! | `integer`, `float`, `quote` | the texts of scalars |

mod float;
mod integer;
mod printf;
mod quote;
mod verb;

use super::value::Value;

pub(super) use printf::printf;
pub(super) use quote::is_printable;

/// What an action prints for nothing.
const NO_VALUE: &str = "<no value>";
/// What `print` writes for nothing.
const NIL: &str = "<nil>";

/// What an action prints for a value; `None` where it has more than `limit` bytes.
pub(super) fn printed(value: &Value, limit: usize) -> Option<String> {
    match value {
        Value::Nil => Some(NO_VALUE.to_owned()),
        Value::String(text) => (text.len() <= limit).then(|| text.to_string()),
        value => {
            let mut printer = Printer::new(limit);
            printer.shown(value);
            printer.done()
        }
    }
}

/// Go's `Sprint`: a space between two that are both no text.
pub(super) fn print(values: &[Value], limit: usize) -> Option<String> {
    print_each(values, limit, |printer, value| printer.argument(value, 'v'))
}

/// The same of values as actions print them: what `html` and its like escape.
pub(super) fn print_shown(values: &[Value], limit: usize) -> Option<String> {
    let shown = |value: &Value| if *value == Value::Nil { NO_VALUE.into() } else { value.clone() };
    let values: Vec<Value> = values.iter().map(shown).collect();
    print_each(&values, limit, Printer::shown)
}

fn print_each(values: &[Value], limit: usize, print: fn(&mut Printer, &Value)) -> Option<String> {
    let mut printer = Printer::new(limit);
    for (at, value) in values.iter().enumerate() {
        let is_text = |value: &Value| value.as_str().is_some();
        if at > 0 && !is_text(value) && !is_text(&values[at - 1]) {
            printer.push(" ");
        }
        print(&mut printer, value);
    }
    printer.done()
}

/// Go's `Sprintln`: a space between any two, and a line break.
pub(super) fn println(values: &[Value], limit: usize) -> Option<String> {
    let mut printer = Printer::new(limit);
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            printer.push(" ");
        }
        printer.argument(value, 'v');
    }
    printer.push("\n");
    printer.done()
}

/// `%.4g`: how Prometheus's functions for people write a number.
pub(super) fn four_digits(value: f64) -> String {
    printed_as(value, 'g', Some(4))
}

/// `%v`: the fewest digits that mean this very number.
pub(super) fn shortest(value: f64) -> String {
    printed_as(value, 'g', None)
}

fn printed_as(value: f64, verb: char, precision: Option<usize>) -> String {
    let mut printer = Printer::new(usize::MAX);
    printer.flags.precision = precision;
    printer.float(value, verb);
    printer.out
}

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// `%+v`
    names: bool,
    /// `%#v`
    syntax: bool,
}

/// A text in the making.
struct Printer {
    out: String,
    limit: usize,
    /// Something did not fit.
    full: bool,
    flags: Flags,
}

impl Printer {
    fn new(limit: usize) -> Self {
        Self { out: String::new(), limit, full: false, flags: Flags::default() }
    }

    fn done(self) -> Option<String> {
        (!self.full).then_some(self.out)
    }

    /// A value as an action prints it, which follows pointers where `print` does not.
    fn shown(&mut self, value: &Value) {
        self.value(value, 'v', usize::from(matches!(value, Value::Record(_))));
    }

    fn push(&mut self, text: &str) {
        if self.full || self.out.len() + text.len() > self.limit {
            self.full = true;
        } else {
            self.out.push_str(text);
        }
    }

    /// Writes a text, filled up to the width.
    fn pad(&mut self, text: &str) {
        let missing = self.flags.width.map_or(0, |width| width.saturating_sub(text.chars().count()));
        if self.flags.minus {
            self.push(text);
            self.fill(missing, false);
        } else {
            self.fill(missing, self.flags.zero);
            self.push(text);
        }
    }

    fn fill(&mut self, count: usize, zeros: bool) {
        if self.full || self.out.len() + count > self.limit {
            self.full |= count > 0;
        } else {
            self.out.extend(std::iter::repeat_n(if zeros { '0' } else { ' ' }, count));
        }
    }

    /// The same, with spaces whatever the flags say.
    fn pad_with_spaces(&mut self, text: &str) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }
}
