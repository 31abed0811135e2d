//! The words of a template: the text outside `{{…}}`, and what stands inside.

use std::ops::Range;

/// What a token is. Its text is that of its span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What stands outside the actions, trimmed where a marker says so.
    Text,
    /// `{{`
    Left,
    /// `}}`
    Right,
    /// White space inside an action, which separates operands.
    Space,
    /// `.name`
    Field,
    /// A function's name.
    Identifier,
    /// `$name`, or `$` alone.
    Variable,
    Bool,
    Number,
    /// `'c'`
    Char,
    /// `"…"`
    Quoted,
    /// `` `…` ``
    Raw,
    /// `.`
    Dot,
    /// One of [`KEYWORDS`].
    Keyword,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    /// `|`, `(`, `)`, `,` and what has no meaning.
    Sign(char),
    /// The text cannot be split from here on, and why.
    Error(String),
    End,
}

/// The words that are no functions.
pub(super) const KEYWORDS: [&str; 11] =
    ["block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with"];

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";

/// Splits a template. The last token is [`Kind::End`] or [`Kind::Error`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, parens: 0, found: Vec::new() };
    let (kind, at) = match lexer.all() {
        Ok(()) => (Kind::End, text.len()),
        Err((at, message)) => (Kind::Error(message), at),
    };
    lexer.found.push(Token { kind, span: at..at });
    lexer.found
}

/// The byte where it goes wrong, and what is wrong.
type Wrong = (usize, String);

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Open parentheses.
    parens: usize,
    found: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn all(&mut self) -> Result<(), Wrong> {
        let mut trim = false;
        loop {
            let start = self.at;
            let end = self.rest().find(LEFT).map_or(self.text.len(), |found| start + found);
            let from = if trim { start + leading_space(&self.text[start..end]) } else { start };
            let trims_before = end < self.text.len() && is_left_marker(&self.text[end + LEFT.len()..]);
            let to =
                if trims_before { from + self.text[from..end].trim_end_matches(is_space).len() } else { end };
            if from < to {
                self.found.push(Token { kind: Kind::Text, span: from..to });
            }
            if end == self.text.len() {
                return Ok(());
            }
            self.at = end + LEFT.len() + if trims_before { 2 } else { 0 };
            trim = if self.rest().starts_with("/*") {
                self.comment(end)?
            } else {
                self.found.push(Token { kind: Kind::Left, span: end..end + LEFT.len() });
                self.action(end)?
            };
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.found.push(Token { kind, span: self.at..self.at + length });
        self.at += length;
    }

    /// Leaves a comment out; whether it trims what follows.
    fn comment(&mut self, start: usize) -> Result<bool, Wrong> {
        let end = self.rest().find("*/").ok_or((start, "unclosed comment".to_owned()))?;
        self.at += end + 2;
        let trims =
            self.right_delimiter().ok_or((self.at, "comment ends before closing delimiter".to_owned()))?;
        self.at += if trims { 2 + RIGHT.len() } else { RIGHT.len() };
        Ok(trims)
    }

    /// Whether here is `}}` (`false`) or ` -}}` (`true`).
    fn right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with(RIGHT) {
            return Some(false);
        }
        let marked = rest.strip_prefix(is_space)?.strip_prefix('-')?;
        marked.starts_with(RIGHT).then_some(true)
    }

    /// The tokens up to and with `}}`; whether it trims what follows.
    fn action(&mut self, start: usize) -> Result<bool, Wrong> {
        self.parens = 0;
        loop {
            if let Some(trims) = self.right_delimiter() {
                if self.parens > 0 {
                    return Err((self.at, "unclosed left paren".to_owned()));
                }
                self.at += if trims { 2 } else { 0 };
                self.push(Kind::Right, RIGHT.len());
                return Ok(trims);
            }
            let c = self.rest().chars().next().ok_or((start, "unclosed action".to_owned()))?;
            self.token(c)?;
        }
    }

    fn token(&mut self, c: char) -> Result<(), Wrong> {
        let rest = self.rest();
        let next_is_digit = rest[c.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
        match c {
            c if is_space(c) => {
                let mut length = leading_space(rest);
                // The last space may belong to ` -}}`.
                if length > 1 && rest[length..].starts_with("-}}") {
                    length -= 1;
                }
                self.push(Kind::Space, length);
            }
            '"' => self.quoted(Kind::Quoted, "unterminated quoted string")?,
            '\'' => self.quoted(Kind::Char, "unterminated character constant")?,
            '`' => {
                let end =
                    rest[1..].find('`').ok_or((self.at, "unterminated raw quoted string".to_owned()))?;
                self.push(Kind::Raw, end + 2);
            }
            ':' if rest.starts_with(":=") => self.push(Kind::Declare, 2),
            ':' => return Err((self.at, "expected :=".to_owned())),
            '=' => self.push(Kind::Assign, 1),
            '+' | '-' | '0'..='9' => self.number()?,
            '.' if next_is_digit => self.number()?,
            '.' => self.word(1)?,
            '$' => self.word(1)?,
            c if is_word(c) => self.word(0)?,
            '(' => {
                self.parens += 1;
                self.push(Kind::Sign(c), 1);
            }
            ')' => {
                let closed = self.parens.checked_sub(1);
                self.parens = closed.ok_or((self.at, "unexpected right paren".to_owned()))?;
                self.push(Kind::Sign(c), 1);
            }
            c if c.is_control() => {
                return Err((self.at, format!("unrecognized character in action: {}", point(c))));
            }
            c => self.push(Kind::Sign(c), c.len_utf8()),
        }
        Ok(())
    }

    /// A string or a character, with what is escaped in it.
    fn quoted(&mut self, kind: Kind, unclosed: &str) -> Result<(), Wrong> {
        let quote = self.rest().as_bytes()[0];
        let mut escaped = false;
        for (at, byte) in self.rest().bytes().enumerate().skip(1) {
            match byte {
                b'\n' => break,
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b if b == quote => {
                    self.push(kind, at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err((self.at, unclosed.to_owned()))
    }

    /// A number as far as its characters go; whether it is one is for the parser to say.
    fn number(&mut self) -> Result<(), Wrong> {
        let rest = self.rest();
        let unsigned = rest.trim_start_matches(['+', '-']);
        let signs = rest.len() - unsigned.len();
        let hexadecimal = unsigned.starts_with("0x") || unsigned.starts_with("0X");
        let mut length = signs;
        let mut before = ' ';
        for c in unsigned.chars() {
            let is_exponent_sign = matches!(c, '+' | '-')
                && match before {
                    'e' | 'E' => !hexadecimal,
                    'p' | 'P' => true,
                    _ => false,
                };
            if !is_word(c) && c != '.' && !is_exponent_sign {
                break;
            }
            length += c.len_utf8();
            before = c;
        }
        if signs > 1 || length == signs {
            return Err((self.at, format!("bad number syntax: {:?}", &rest[..length.max(signs)])));
        }
        self.push(Kind::Number, length);
        Ok(())
    }

    /// A word after `sigil` bytes of `.` or `$`: a field, a variable, a keyword, a function.
    fn word(&mut self, sigil: usize) -> Result<(), Wrong> {
        let rest = self.rest();
        let length = rest[sigil..].find(|c| !is_word(c)).map_or(rest.len(), |end| sigil + end);
        let kind = match (&rest[..length], rest.as_bytes()[0]) {
            (".", _) => Kind::Dot,
            (_, b'.') => Kind::Field,
            (_, b'$') => Kind::Variable,
            ("true" | "false", _) => Kind::Bool,
            (word, _) if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Identifier,
        };
        let after = &rest[length..];
        let ends = |c: char| is_space(c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '(' | '=');
        if kind != Kind::Dot && !after.is_empty() && !after.starts_with(ends) && !after.starts_with(RIGHT) {
            let bad = after.chars().next().map_or_else(String::new, point);
            return Err((self.at + length, format!("bad character {bad}")));
        }
        self.push(kind, length);
        Ok(())
    }
}

/// A character as Go's `%#U` writes it.
fn point(c: char) -> String {
    let code = u32::from(c);
    if c.is_control() { format!("U+{code:04X}") } else { format!("U+{code:04X} '{c}'") }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_space).len()
}

/// Whether `{{` is followed by a marker that trims what stands before it.
fn is_left_marker(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text)
            .into_iter()
            .filter(|token| !matches!(token.kind, Kind::Space | Kind::End))
            .map(|token| &text[token.span])
            .collect()
    }

    #[test]
    fn a_template_is_split() {
        assert_eq!(words("a {{.b.c}} d"), ["a ", "{{", ".b", ".c", "}}", " d"]);
        assert_eq!(words("{{$x:=1}}"), ["{{", "$x", ":=", "1", "}}"]);
        assert_eq!(
            words("{{f (g \"a}}\\\"\") | h `b\n`}}"),
            ["{{", "f", "(", "g", "\"a}}\\\"\"", ")", "|", "h", "`b\n`", "}}"]
        );
        assert_eq!(
            words("{{-3}}{{+.5}} {{1e-5}}{{.}}"),
            ["{{", "-3", "}}", "{{", "+.5", "}}", " ", "{{", "1e-5", "}}", "{{", ".", "}}"]
        );
    }

    #[test]
    fn markers_trim_and_comments_go() {
        assert_eq!(words("a \n{{- 1 -}} \t b"), ["a", "{{", "1", "}}", "b"]);
        assert_eq!(words("a {{/* }} */}} b"), ["a ", " b"]);
        assert_eq!(words("a {{- /* c */ -}} b"), ["a", "b"]);
        assert_eq!(words("{{1  -}} b"), ["{{", "1", "}}", "b"]);
    }

    #[test]
    fn what_cannot_be_split_is_said() {
        for (text, wrong) in [
            ("{{", "unclosed action"),
            ("{{/* a", "unclosed comment"),
            ("{{/* a */ b}}", "comment ends before closing delimiter"),
            ("{{(1}}", "unclosed left paren"),
            ("{{1)}}", "unexpected right paren"),
            ("{{\"a\n\"}}", "unterminated quoted string"),
            ("{{`a}}", "unterminated raw quoted string"),
            ("{{'a}}", "unterminated character constant"),
            ("{{a:b}}", "expected :="),
            ("{{--1}}", "bad number syntax: \"--1\""),
            ("{{.a&}}", "bad character U+0026 '&'"),
            ("{{\u{1}}}", "unrecognized character in action: U+0001"),
        ] {
            let last = tokens(text).pop().map(|token| token.kind);
            assert_eq!(last, Some(Kind::Error(wrong.to_owned())), "{text}");
        }
    }
}
