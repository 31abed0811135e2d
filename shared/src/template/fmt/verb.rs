//! A value by a verb: `%v`, `%d`, `%q` and so on.

use super::super::value::{Map, Record, Value};
use super::quote::{can_be_raw, quoted};
use super::{NIL, Printer};

impl Printer {
    /// An argument of a format or of `print`.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(NIL),
            (value, 'T') => self.string(&value.type_name(), 's'),
            (value, verb) => self.value(value, verb, 0),
        }
    }

    /// A value; `depth` is how many lists, maps and records are around it.
    pub(super) fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if self.full {
            return;
        }
        if verb == 'w' {
            // Only for errors, and none are values here.
            self.bad_verb(value, verb);
            return;
        }
        match value {
            Value::Nil if depth > 0 && self.flags.syntax && verb == 'v' => self.push("interface {}(nil)"),
            Value::Nil if depth > 0 => self.push(NIL),
            Value::Nil => self.bad_verb(value, verb),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { "true" } else { "false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(number) => match verb {
                'v' => self.integer(*number, 'd'),
                'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.integer(*number, verb),
                'c' => self.character(*number),
                'q' => self.quoted_character(*number),
                'U' => self.code_point(*number),
                _ => self.bad_verb(value, verb),
            },
            Value::Float(number) => match verb {
                'v' => self.float(*number, 'g'),
                'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E' => self.float(*number, verb),
                _ => self.bad_verb(value, verb),
            },
            Value::String(text) => match verb {
                'v' if self.flags.syntax => self.string(text, 'q'),
                'v' | 's' | 'x' | 'X' | 'q' => self.string(text, verb),
                _ => self.bad_verb(value, verb),
            },
            Value::Time(time) => match verb {
                'v' | 's' | 'x' | 'X' | 'q' => self.string(&time.to_string(), verb),
                _ => self.bad_verb(value, verb),
            },
            Value::Duration(duration) => match verb {
                'v' | 's' | 'x' | 'X' | 'q' if !self.flags.syntax => self.string(&duration.to_string(), verb),
                _ => self.value(&Value::Int(duration.nanoseconds()), verb, depth),
            },
            Value::List(list) => self.list(list.type_name, &list.items, verb, depth),
            Value::Map(map) => self.map(value, map, verb, depth),
            Value::Record(record) => self.record(record, verb, depth),
        }
    }

    fn list(&mut self, type_name: &str, items: &[Value], verb: char, depth: usize) {
        let syntax = self.flags.syntax && verb == 'v';
        if syntax {
            self.push(type_name);
        }
        self.push(if syntax { "{" } else { "[" });
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(if syntax { ", " } else { " " });
            }
            self.value(item, verb, depth + 1);
        }
        self.push(if syntax { "}" } else { "]" });
    }

    fn map(&mut self, value: &Value, map: &Map, verb: char, depth: usize) {
        let syntax = self.flags.syntax && verb == 'v';
        if syntax {
            self.push(&value.type_name());
        }
        self.push(if syntax { "{" } else { "map[" });
        for (at, (key, item)) in map.entries.iter().enumerate() {
            if at > 0 {
                self.push(if syntax { ", " } else { " " });
            }
            self.value(&key.as_str().into(), verb, depth + 1);
            self.push(":");
            self.value(item, verb, depth + 1);
        }
        self.push(if syntax { "}" } else { "]" });
    }

    fn record(&mut self, record: &Record, verb: char, depth: usize) {
        let syntax = self.flags.syntax && verb == 'v';
        if record.is_pointer() && depth == 0 {
            self.push("&");
        }
        if syntax {
            self.push(&record.bare_type_name());
        }
        self.push("{");
        for (at, (name, item)) in record.fields.iter().enumerate() {
            if at > 0 {
                self.push(if syntax { ", " } else { " " });
            }
            if self.flags.names || syntax {
                self.push(name);
                self.push(":");
            }
            self.value(item, verb, depth + 1);
        }
        self.push("}");
    }

    /// `%!d(string=hi)`: the value is of a type that the verb does not know.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        self.push(&format!("%!{verb}("));
        if *value == Value::Nil {
            self.push(NIL);
        } else {
            self.named(value);
        }
        self.push(")");
    }

    /// `string=hi`
    pub(super) fn named(&mut self, value: &Value) {
        if *value == Value::Nil {
            self.push(NIL);
            return;
        }
        self.push(&value.type_name());
        self.push("=");
        self.value(value, 'v', 0);
    }

    pub(super) fn string(&mut self, text: &str, verb: char) {
        let cut = |text: &str, precision: Option<usize>| -> String {
            precision.map_or_else(|| text.to_owned(), |most| text.chars().take(most).collect())
        };
        match verb {
            'x' | 'X' => {
                let hexadecimal = self.hexadecimal(text.as_bytes(), verb == 'X');
                self.pad(&hexadecimal);
            }
            'q' => {
                let text = cut(text, self.flags.precision);
                if self.flags.sharp && can_be_raw(&text) {
                    self.pad(&format!("`{text}`"));
                } else {
                    self.pad(&quoted(&text, '"', self.flags.plus));
                }
            }
            _ => self.pad(&cut(text, self.flags.precision)),
        }
    }

    /// Two digits a byte; of as many bytes as the precision says.
    fn hexadecimal(&self, bytes: &[u8], upper: bool) -> String {
        let count = self.flags.precision.map_or(bytes.len(), |most| most.min(bytes.len()));
        let prefix = match (self.flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut out = String::with_capacity(count * 2);
        for (at, byte) in bytes[..count].iter().enumerate() {
            if at == 0 {
                out.push_str(prefix);
            } else if self.flags.space {
                out.push(' ');
                out.push_str(prefix);
            }
            out.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        out
    }
}
