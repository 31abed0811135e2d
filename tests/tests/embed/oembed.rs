//! What a page gets that knows oEmbed, and the files that any page may load.

use fleetglass_tests::raw::encoded;
use serde_json::json;

use super::{Story, made, story};

#[tokio::test]
async fn pasted_links_become_frames_and_the_element_may_be_fetched_by_all() {
    let Story { fleetglass, nodes } = story().await;
    let (token, _) = made(&fleetglass, json!({})).await;
    let ask =
        async |url: &str, more: &str| fleetglass.get(&format!("/oembed?url={}{more}", encoded(url))).await;
    let root = fleetglass.url("");
    let answer = ask(&format!("{root}/s/{token}/nodes/in-1"), "&format=json&maxwidth=300").await;
    assert_eq!((answer.header("set-cookie"), answer.header("access-control-allow-origin")), ("", "*"));
    let said = answer.json();
    assert_eq!((&said["version"], &said["type"]), (&json!("1.0"), &json!("rich")));
    assert_eq!((&said["provider_name"], &said["width"]), (&json!("Fleetglass"), &json!(300)));
    let html = said["html"].as_str().unwrap();
    let source = format!("src=\"{root}/embed/{token}?view=node&amp;node=in-1\"");
    assert!(html.starts_with("<iframe ") && html.contains(&source), "{html}");
    assert!(
        said["title"].as_str().unwrap().contains("For <Acme>") && html.contains("For &lt;Acme&gt;"),
        "{said}"
    );
    assert_eq!(ask(&format!("{root}/embed/{token}?view=risk&theme=dark"), "").await.status, 200);
    // The page of a panel says where that is asked, and so is found by who follows it.
    let page = fleetglass.get(&format!("/embed/{token}?view=node&node=in-1&theme=dark")).await.body;
    let from = page.find("type=\"application/json+oembed\" href=\"").unwrap();
    let href = page[from..].split('"').nth(3).unwrap().replace("&amp;", "&");
    let found = fleetglass.json(href.strip_prefix(&root).unwrap()).await;
    let source = format!("src=\"{root}/embed/{token}?view=node&amp;node=in-1&amp;theme=dark\"");
    assert!(found["html"].as_str().unwrap().contains(&source), "{found}");
    assert_eq!(ask(&format!("{root}/s/{token}/"), "&format=xml").await.status, 501);
    // It is never larger than is asked for.
    let small = ask(&format!("{root}/s/{token}/"), "&format=JSON&maxwidth=100&maxheight=50").await.json();
    assert_eq!((&small["width"], &small["height"]), (&json!(100), &json!(50)));
    assert!(small["html"].as_str().unwrap().contains("width=\"100\" height=\"50\""), "{small}");
    assert_eq!(ask(&format!("{root}/s/{token}/"), "&maxwidth=0").await.json()["width"], 640);
    let none = fleetglass.get("/oembed").await;
    assert!(none.status == 400 && none.body.contains("`url`"), "{}", none.body);
    for url in [
        "https://evil.example/s/TOKEN/",
        "ROOT/nodes/in-1",
        "ROOT/s/0000/",
        "ROOT/embed/TOKEN?view=x",
        // A frame of these would show an error.
        "ROOT/s/TOKEN/nodes/never-was",
        "ROOT/s/TOKEN/nodes/out-secret-1",
        "ROOT/s/TOKEN/badge/status.svg",
        "ROOT/s/TOKEN/never-was",
        "ROOT/embed/TOKEN?view=node&node=never-was",
        "ROOT/embed/TOKEN?view=chart&node=in-1&panel=never-was",
        "",
        "TOKEN",
    ] {
        let url = url.replace("TOKEN", &token).replace("ROOT", &root);
        assert_eq!(ask(&url, "").await.status, 404, "{url}");
    }
    // A link is shown by what it has, and what it has not is none of its frames.
    for (views, found) in [
        (json!(["alerts"]), [("", Some("alerts")), ("alerts/some-id", Some("alerts")), ("risks", None)]),
        (json!(["risks"]), [("", Some("risk")), ("alerts", None), ("risks", Some("risk"))]),
        (json!(["charts"]), [("", None), ("alerts", None), ("nodes/in-1", None)]),
        (json!(["fleet"]), [("", Some("fleet")), ("glance", Some("fleet")), ("nodes/in-1", None)]),
    ] {
        let scope = json!({"scope": {"select": ["{team=\"acme\"}"], "views": views}});
        let (token, _) = made(&fleetglass, scope).await;
        for (page, view) in found {
            let answer = ask(&format!("{root}/s/{token}/{page}"), "").await;
            let source = view.map(|view| format!("src=\"{root}/embed/{token}?view={view}\""));
            match source {
                Some(source) => {
                    assert!(answer.json()["html"].as_str().unwrap().contains(&source), "{}", answer.body)
                }
                None => assert_eq!(answer.status, 404, "{views} {page}: {}", answer.body),
            }
        }
    }
    let (locked, _) = made(&fleetglass, json!({"password": "open sesame"})).await;
    assert_eq!(ask(&format!("{root}/s/{locked}/"), "").await.status, 401);
    let (alone, _) = made(&fleetglass, json!({"origins": []})).await;
    let said = ask(&format!("{root}/s/{alone}/"), "").await.json();
    assert!(said["type"] == "link" && said["html"].is_null(), "no page may show a frame of it: {said}");
    assert!(!fleetglass.get(&format!("/embed/{alone}")).await.body.contains("oembed"));

    let script = fleetglass.get("/embed.js").await;
    assert_eq!(script.status, 200);
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert_eq!(script.header("access-control-allow-origin"), "*");
    assert_eq!(script.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(script.header("cache-control"), "public, max-age=3600, stale-while-revalidate=86400");
    let held = [("if-none-match", script.header("etag"))];
    assert_eq!(fleetglass.request("GET", "/embed.js", &held).await.status, 304);
    let page = fleetglass.get(&format!("/embed/{token}")).await.body;
    for end in ["panel.css?v=", "panel.js?v="] {
        let from = page.find(&format!("/embed/files/{end}")).unwrap();
        let path = page[from..].split('"').next().unwrap();
        let file = fleetglass.get(path).await;
        assert_eq!(
            (file.status.as_u16(), file.header("cache-control")),
            (200, "public, max-age=31536000, immutable")
        );
        let other = fleetglass.get(path.split('?').next().unwrap()).await;
        assert_eq!(other.header("cache-control"), "no-cache");
    }
    assert_eq!(fleetglass.get("/embed/files/secret.txt").await.status, 404);
    drop(nodes);
}
