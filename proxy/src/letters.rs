//! Bytes and text as they may stand elsewhere: in hex digits, in HTML, in an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is kept as it is in a part of an address.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same in a path, whose parts stay apart.
const PATH: &AsciiSet = &PART.remove(b'/');

/// Bytes in hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Text as it may stand in HTML and its attributes.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text as a part of an address.
pub fn in_address(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A path as the value of a parameter.
pub fn path_in_address(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_letters() {
        assert_eq!(hex(&[0, 0xfa, 7]), "00fa07");
        assert_eq!(escaped("<a b=\"c&d\">"), "&lt;a b=&quot;c&amp;d&quot;&gt;");
        assert_eq!(in_address("a/b c?é~"), "a%2Fb%20c%3F%C3%A9~");
        assert_eq!(path_in_address("/a/b?c=d"), "/a/b%3Fc%3Dd");
    }
}
