//! Quoted texts, as Go writes them in its source.

/// Whether a character is shown as itself. Go's tables and Rust's may be of different editions of Unicode.
pub(in super::super) fn is_printable(c: char) -> bool {
    match c {
        ' ' => true,
        '\\' | '\'' | '"' => true,
        c if c.is_control() || c.is_whitespace() => false,
        c => !c.escape_debug().to_string().starts_with("\\u") || is_mark(c),
    }
}

/// Combining marks, which Rust escapes for their looks and Go does not.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff
        | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f)
}

/// Whether a text can stand between back quotes.
pub(super) fn can_be_raw(text: &str) -> bool {
    text.chars().all(|c| c == '\t' || !(c.is_control() || matches!(c, '`' | '\u{feff}')))
}

/// A text between quotes; with `ascii` nothing but ASCII.
pub(super) fn quoted(text: &str, quote: char, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_printable(c) && !(ascii && code >= 0x80) => out.push(c),
            _ if code < 0x20 || code == 0x7f => out.push_str(&format!("\\x{code:02x}")),
            _ if code < 0x10000 => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out.push(quote);
    out
}
