//! JSON indented as text: no number is read, so a hundred-digit integer stays digit for digit.

/// The same JSON with a line and two spaces of indent for every level. Only white space outside strings
/// changes; empty objects and arrays stay on one line. Text that is not JSON comes back as lines of itself,
/// never an error: a person wants to see exactly what a node sent. Nesting indents at most 64 levels.
pub fn pretty_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut characters = text.trim().chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                out.push('"');
                copy_string(&mut characters, &mut out);
            }
            '{' | '[' => {
                out.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                let closing = if character == '{' { '}' } else { ']' };
                if characters.next_if_eq(&closing).is_some() {
                    out.push(closing);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

fn copy_string(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(character) = characters.next() {
        out.push(character);
        match character {
            '"' => return,
            '\\' => out.extend(characters.next()),
            _ => {}
        }
    }
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(64)));
}

/// Whether a text is worth indenting: it begins as a JSON object or array does, and parses as JSON.
pub fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{is_json, pretty_json};

    #[test]
    fn only_white_space_outside_strings_changes() {
        for (text, pretty) in [
            ("", ""),
            ("{}", "{}"),
            ("[ ]", "[]"),
            (r#"{"a":1}"#, "{\n  \"a\": 1\n}"),
            (
                "{ \"big\" : 123456789012345678901234567890,\n\"list\":[1, 2.50,{ }] }",
                "{\n  \"big\": 123456789012345678901234567890,\n  \"list\": [\n    1,\n    2.50,\n    {}\n  ]\n}",
            ),
            (r#"["a, {b}: \"c\" \\"]"#, "[\n  \"a, {b}: \\\"c\\\" \\\\\"\n]"),
            (r#"{"open":"#, "{\n  \"open\": "),
            (r#"["never ends\"#, "[\n  \"never ends\\"),
            ("]]", "\n]\n]"),
        ] {
            assert_eq!(pretty_json(text), pretty, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_not_wide() {
        let deep = "[".repeat(10_000);
        assert!(pretty_json(&deep).len() < 10_000 * 140);
    }

    #[test]
    fn html_and_text_are_not_json() {
        for (text, json) in
            [("{\"a\":1}", true), (" [1]\n", true), ("<html>", false), ("{oops", false), ("", false)]
        {
            assert_eq!(is_json(text), json, "{text}");
        }
    }
}
