//! Badges of a share link: pictures of a word.

use serde_json::json;

use super::{Story, made, sound, story};

#[tokio::test]
async fn badges_are_pictures_that_may_be_kept_for_a_while() {
    let Story { fleetglass, nodes } = story().await;
    let (token, _) = made(&fleetglass, json!({})).await;
    let at = format!("/s/{token}/badge");
    for (path, words) in [
        ("status.svg", "fleet: "),
        ("uptime-30d.svg", "uptime 30d: "),
        ("alerts.svg?label=%3C%26%3E", "&lt;&amp;&gt;: "),
        ("risk.svg?style=flat-square&theme=dark", "slash risk: "),
        ("in-1.svg", "in-1: "),
        ("in-1.svg?of=alerts", "in-1 alerts: "),
    ] {
        let badge = fleetglass.get(&format!("{at}/{path}")).await;
        assert_eq!(badge.status, 200, "{path}: {}", badge.body);
        sound(path, &badge);
        assert_eq!(badge.header("content-type"), "image/svg+xml; charset=utf-8");
        assert_eq!(badge.header("cache-control"), "public, max-age=30, stale-if-error=300");
        assert!(
            badge.body.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""),
            "{}",
            badge.body
        );
        assert!(badge.body.contains("height=\"20\" role=\"img\""), "{}", badge.body);
        assert!(badge.body.contains(&format!("aria-label=\"{words}")), "{path}: {}", badge.body);
        assert!(badge.body.ends_with("</svg>") && !badge.body.contains("<script"));
        let held = [("if-none-match", badge.header("etag"))];
        let again = fleetglass.request("GET", &format!("{at}/{path}"), &held).await;
        assert!(again.status == 304 || again.body != badge.body, "{path}: {}", again.status);
    }
    let none = fleetglass.get(&format!("/s/{}/badge/status.svg", "0".repeat(64))).await;
    assert!(none.status == 404 && none.body.contains("not shared"));
    for path in ["out-secret-1.svg", "never-was.svg", "%2E%2E.svg", "out-secret-1.svg?of=risk"] {
        let badge = fleetglass.get(&format!("{at}/{path}")).await;
        assert_eq!((badge.status, &badge.body), (none.status, &none.body), "{path}");
    }
    for path in ["status", ".svg", "status.png"] {
        assert_eq!(fleetglass.get(&format!("{at}/{path}")).await.status, 404, "{path}");
    }
    for (seconds, kept) in [("600", 600), ("5", 30), ("99999999", 86_400), ("99999999999999999999", 86_400)] {
        let badge = fleetglass.request("HEAD", &format!("{at}/status.svg?cacheSeconds={seconds}"), &[]).await;
        let caching = format!("public, max-age={kept}, stale-if-error=300");
        assert_eq!((badge.status.as_u16(), badge.header("cache-control")), (200, caching.as_str()));
    }
    // What is wrong is said by a picture too: nobody reads the words behind a broken one.
    for (query, words) in [
        ("style=round", "`style` is flat or flat-square"),
        ("of=what", "`of` is one of status, uptime-30d, alerts, risk"),
        ("theme=blue", "is none of auto, light and dark"),
        ("cacheSeconds=soon", "`cacheSeconds` is a whole number"),
    ] {
        let answer = fleetglass.get(&format!("{at}/status.svg?{query}")).await;
        sound(query, &answer);
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (400, "image/svg+xml; charset=utf-8")
        );
        assert!(answer.body.contains(words), "{query}: {}", answer.body);
    }
    let plain = fleetglass.get(&format!("{at}/risk.svg")).await;
    let empty = fleetglass.get(&format!("{at}/risk.svg?of=&style=&theme=&cacheSeconds=&t=1")).await;
    assert_eq!((plain.status.as_u16(), &plain.body), (200, &empty.body), "what is left empty is not given");
    // A tag that was made a weak one on its way is the same one, and a 304 says of it what a 200 says.
    let tag = plain.header("etag");
    for held in [format!("W/{tag}"), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let again = fleetglass.request("GET", &format!("{at}/risk.svg"), &[("if-none-match", &held)]).await;
        assert_eq!(again.status, 304, "{held}");
        for name in ["vary", "etag", "cache-control"] {
            assert_eq!(again.header(name), plain.header(name), "{name}");
        }
    }
    // Letters whose width is not known are not pulled to one.
    let arabic = fleetglass.get(&format!("{at}/risk.svg?label=%D8%B9%D9%82%D8%AF")).await.body;
    assert!(arabic.contains("scale(.1)\">\u{639}\u{642}\u{62f}<"), "{arabic}");
    drop(nodes);
}
