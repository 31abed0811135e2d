//! The scripts and styles that `cargo xtask` wrote into the app's page, so that it is seen after one round trip: where they
//! are, and what the policy calls them.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// A script or a style sheet that stands in the page itself.
struct Inline {
    is_script: bool,
    content: Range<usize>,
}

/// All of them, in their order. The page is ours: a tag ends at the first `>`, and content has no end tag in it.
fn inline(html: &str) -> Vec<Inline> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = html[at..].find('<').map(|found| at + found) {
        at = next + 1;
        let is_script = html[at..].starts_with("script");
        if !is_script && !html[at..].starts_with("style") {
            continue;
        }
        let Some(begin) = html[at..].find('>').map(|end| at + end + 1) else { break };
        let Some(end) = html[begin..].find("</").map(|end| begin + end) else { break };
        if begin < end {
            found.push(Inline { is_script, content: begin..end });
        }
        at = end;
    }
    found
}

/// A policy that allows what stands in this page, and nothing else that stands in a page: each is named by its hash.
pub(super) fn policy(policy: &str, html: &str) -> String {
    let (mut scripts, mut styles) = (String::new(), String::new());
    for Inline { is_script, content } in inline(html) {
        let hash = STANDARD.encode(Sha256::digest(&html[content]));
        let names = if is_script { &mut scripts } else { &mut styles };
        names.push_str(&format!(" 'sha256-{hash}'"));
    }
    let with = |policy: &str, directive: &str, names: &str| {
        policy.replacen(&format!("{directive} 'self'"), &format!("{directive} 'self'{names}"), 1)
    };
    with(&with(policy, "script-src", &scripts), "style-src", &styles)
}

/// The page in pieces: whether each is markup, or content that must stay as it is.
pub(super) fn pieces(html: &str) -> Vec<(bool, &str)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for Inline { content, .. } in inline(html) {
        pieces.push((true, &html[at..content.start]));
        pieces.push((false, &html[content.clone()]));
        at = content.end;
    }
    pieces.push((true, &html[at..]));
    pieces
}

#[cfg(test)]
mod tests {
    use super::{pieces, policy};

    const PAGE: &str = "<script src=\"/a.js\"></script><style>p{}</style><p>/s</p><script type=\"module\">b(\"/x\")</script>";

    #[test]
    fn what_stands_in_the_page_is_named_by_its_hash_and_the_rest_of_the_policy_stays() {
        let whole = policy(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'",
            PAGE,
        );
        // printf 'p{}' | openssl dgst -sha256 -binary | base64
        assert_eq!(
            whole,
            "default-src 'none'; script-src 'self' 'sha256-KjaH6ZPTN8huX42NabC4w6peZINM1YZ+WFUjh8WdILw=' 'wasm-unsafe-eval'; \
             style-src 'self' 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='; img-src 'self'"
        );
    }

    #[test]
    fn content_is_told_from_markup() {
        let content: Vec<_> =
            pieces(PAGE).into_iter().filter(|(is_markup, _)| !is_markup).map(|(_, text)| text).collect();
        assert_eq!(content, ["p{}", "b(\"/x\")"]);
        assert_eq!(pieces(PAGE).into_iter().map(|(_, text)| text).collect::<String>(), PAGE);
        assert_eq!(pieces("<p>"), [(true, "<p>")]);
        assert_eq!(pieces("<script"), [(true, "<script")]);
    }
}
