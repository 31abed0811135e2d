//! Writes into the page what it needs before the app: its style sheet and its two small scripts. On a slow network each
//! file of its own would hold the first view up for a round trip. The proxy names them by their hashes in the page's
//! policy (`proxy/src/assets/inline.rs`).

use crate::problem::{AtPath, Problem, Result};
use std::path::Path;

/// The scripts that go into the page, by the beginning of their file's name.
const SCRIPTS: [&str; 2] = ["theme-", "boot-"];

/// The page with these in it; their files leave `dist/`.
pub(super) fn inlined(html: &str, dist: &Path) -> Result<String> {
    let html = replaced(html, dist, ("<link", ">"), |tag, file| {
        (tag.contains("stylesheet") && file.starts_with("first-")).then_some(("<style>", "</style>"))
    })?;
    replaced(&html, dist, ("<script", "</script>"), |tag, file| {
        let own = SCRIPTS.iter().any(|own| file.starts_with(own));
        let begin = if tag.contains("module") { "<script type=\"module\">" } else { "<script>" };
        own.then_some((begin, "</script>"))
    })
}

/// Puts the file in the place of each element that leads to one and that `wraps` says what to write around.
fn replaced(
    html: &str,
    dist: &Path,
    (begin, end): (&str, &str),
    wraps: impl Fn(&str, &str) -> Option<(&'static str, &'static str)>,
) -> Result<String> {
    let mut left = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, from)) = rest.split_once(begin) {
        let (tag, after) = from.split_once(end).unwrap_or((from, ""));
        left.push_str(before);
        let file = file_of(tag);
        match wraps(tag, file) {
            Some((open, close)) => {
                let path = dist.join(file);
                let text = std::fs::read_to_string(&path).at("read", &path)?;
                if text.contains("</") {
                    return Err(Problem::new(format!("{file} cannot stand in the page: it has `</` in it")));
                }
                std::fs::remove_file(&path).at("remove", &path)?;
                left.extend([open, text.trim(), close]);
            }
            None => left.extend([begin, tag, end]),
        }
        rest = after;
    }
    left.push_str(rest);
    Ok(left)
}

/// The file that an element leads to. The attribute may have lost its quotes where Trunk minifies.
fn file_of(tag: &str) -> &str {
    let address =
        tag.split_once("href=").or_else(|| tag.split_once("src=")).map_or("", |(_, address)| address);
    let address = address.trim_start_matches('"').split(['"', ' ', '>']).next().unwrap_or_default();
    address.trim_start_matches('/')
}

/// A style sheet without its comments.
pub(super) fn without_css_comments(sheet: &str) -> String {
    let mut left = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, comment)) = rest.split_once("/*") {
        left.push_str(before.trim_end());
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    left + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{inlined, without_css_comments};

    #[test]
    fn only_what_comes_before_the_app_is_written_into_the_page() {
        let dist = std::env::temp_dir().join(format!("fleetglass-inline-{}", std::process::id()));
        std::fs::create_dir_all(&dist).unwrap();
        for (name, text) in
            [("theme-1.js", "a()\n"), ("boot-2.js", "b()"), ("first-3.css", "p{}"), ("app-4.js", "")]
        {
            std::fs::write(dist.join(name), text).unwrap();
        }
        let html = "<script src=\"/theme-1.js\"></script><link rel=\"stylesheet\" href=\"/first-3.css\"><link rel=icon href=/i.svg>\
                    <script src=/boot-2.js type=module></script><script src=\"/app-4.js\"></script>";
        let page = "<script>a()</script><style>p{}</style><link rel=icon href=/i.svg>\
                    <script type=\"module\">b()</script><script src=\"/app-4.js\"></script>";
        assert_eq!(inlined(html, &dist).unwrap(), page);
        assert!(dist.join("app-4.js").exists() && !dist.join("boot-2.js").exists());
        std::fs::write(dist.join("boot-2.js"), "b('</script>')").unwrap();
        assert!(inlined("<script src=/boot-2.js></script>", &dist).is_err());
        std::fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn comments_leave_a_style_sheet() {
        assert_eq!(without_css_comments("/* a */p{}\n/* b\n c */\nq{}"), "p{}\nq{}");
    }
}
