//! Panels, badges and oEmbed of a share link, as other pages ask for them: what is shown, to whom, and nothing besides.

#![allow(clippy::unwrap_used)]

#[path = "embed/badges.rs"]
mod badges;
#[path = "embed/oembed.rs"]
mod oembed;

use fleetglass_tests::raw::encoded;
use fleetglass_tests::{
    node::{Node, Page},
    proxy::{Answer, Fleetglass, QUICK, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

const PORTAL: &str = "https://portal.example";
/// Whatever is answered holds none of these.
const SECRET: [&str; 5] = ["out-secret", "127.0.0.1", "box-of", "other-team", "peers_outside"];
const VIEWS: [&str; 6] = [
    "view=fleet",
    "view=node&node=in-1",
    "view=chart&query=paraloom_peer_count",
    "view=alerts",
    "view=risk",
    "view=uptime",
];
const RULES: &str = "
groups:
  - name: own
    rules:
      - alert: OwnPeers
        expr: paraloom_peer_count > 0
        annotations: {summary: '{{ $labels.instance }} has {{ $value }} peers'}
";

struct Story {
    fleetglass: Fleetglass,
    nodes: Vec<Node>,
}

fn metrics(peers: u32, more: &str) -> Page {
    Page::metrics(&format!("# TYPE paraloom_peer_count gauge\nparaloom_peer_count {peers}\n{more}"))
}

async fn story() -> Story {
    let mut config = format!("{QUICK}\n[rules]\nfiles = [\"rules.yml\"]\nevaluation_interval = \"500ms\"\n");
    let mut nodes = Vec::new();
    for (at, id) in ["in-1", "in-2", "out-secret-1", "out-secret-2"].iter().enumerate() {
        let more = if at < 2 { "" } else { "# TYPE peers_outside gauge\npeers_outside 7\n" };
        let health =
            Page::json(200, r#"{"status":"ok","version":"1.2.3","uptime_seconds":5,"listen":"127.0.0.1:9"}"#);
        let node = Node::start([("/health", health), ("/metrics", metrics(3 + at as u32, more))]).await;
        let team = if at < 2 { "acme" } else { "other-team" };
        config += &format!(
            "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\", host = \"box-of-{id}\" }}\n",
            node.url()
        );
        nodes.push(node);
    }
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    fleetglass.ready().await;
    Story { fleetglass, nodes }
}

/// Makes a link, and gives its token and id.
async fn made(fleetglass: &Fleetglass, more: Value) -> (String, String) {
    let mut wish = json!({
        "title": "For <Acme>",
        "by": "Ada",
        "origins": [PORTAL],
        "scope": {"select": ["{team=\"acme\"}"], "views": ["fleet", "node", "charts", "alerts", "risks"]},
    });
    for (name, value) in more.as_object().unwrap() {
        wish[name] = value.clone();
    }
    let request =
        http_client().post(fleetglass.url("/api/v1/shares")).header("content-type", "application/json");
    let answer = request.body(wish.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (made["token"].as_str().unwrap().to_owned(), made["share"]["id"].as_str().unwrap().to_owned())
}

/// What no answer of these may have, and what each has.
fn sound(what: &str, answer: &Answer) {
    for secret in SECRET {
        assert!(!answer.body.contains(secret), "{what} holds `{secret}`: {}", answer.body);
    }
    for name in ["set-cookie", "x-frame-options", "access-control-allow-credentials"] {
        assert_eq!(answer.header(name), "", "{what}: {name}");
    }
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin", "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{what}");
    assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow", "{what}");
}

#[tokio::test]
async fn a_panel_shows_what_its_link_shows_to_the_pages_that_it_lists() {
    let Story { fleetglass, nodes } = story().await;
    // Who gives the address of a page has given its origin.
    let (token, _) = made(&fleetglass, json!({"origins": [format!("{PORTAL}/wiki/nodes")]})).await;
    let at = format!("/embed/{token}");
    eventually("the rules have spoken", async || {
        let body = fleetglass.get(&format!("{at}/api/v1/panel.json?view=alerts")).await.body;
        if body.contains("\"firing\":2") { Ok(()) } else { Err(body) }
    })
    .await;
    for view in VIEWS {
        let mut page = fleetglass.get(&format!("{at}?{view}&theme=dark&compact=1&label=%3Cb%3EHello")).await;
        // Its head says where it is itself; no other address is in it.
        let root = fleetglass.url("");
        page.body = page.body.replace(&root, "").replace(&root.replace(':', "%3A").replace('/', "%2F"), "");
        assert_eq!(page.status, 200, "{view}: {}", page.body);
        sound(view, &page);
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        assert!(policy.ends_with(&format!("frame-ancestors 'self' {PORTAL}")), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(page.body.contains("data-theme=\"dark\"") && page.body.contains("compact"), "{}", page.body);
        assert!(page.body.contains("<title>&lt;b&gt;Hello: "), "{}", page.body);
        // No inline style or script that the policy would refuse.
        assert!(!page.body.contains(" style=") && !page.body.contains("<script>"), "{}", page.body);
        let panel = fleetglass.get(&format!("{at}/panel?{view}")).await;
        assert_eq!(panel.status, 200, "{view}: {}", panel.body);
        sound(view, &panel);
        assert!(
            panel.body.starts_with("<article") && panel.body.contains("For &lt;Acme&gt;"),
            "{}",
            panel.body
        );
        let json = fleetglass.get(&format!("{at}/api/v1/panel.json?{view}")).await;
        sound(view, &json);
        let name = view.split(['=', '&']).nth(1).unwrap();
        assert!(json.json()["view"] == name && json.json()[name].is_object(), "{}", json.body);
    }
    let fleet = fleetglass.json(&format!("{at}/api/v1/panel.json")).await;
    assert_eq!(fleet["fleet"]["total"], 2, "{fleet}");
    let sum = encoded("sum({__name__=~\"paraloom_peer_count|peers_outside\"})");
    eventually("three and four are seven, and none of the others", async || {
        let chart = fleetglass.json(&format!("{at}/api/v1/panel.json?view=chart&query={sum}")).await;
        if chart["chart"]["series"][0]["last"] == "7" { Ok(()) } else { Err(chart.to_string()) }
    })
    .await;
    let one = fleetglass.json(&format!("{at}/api/v1/panel.json?view=chart&node=in-2&query={sum}")).await;
    assert_eq!((&one["chart"]["node"], &one["chart"]["series"][0]["last"]), (&json!("in-2"), &json!("4")));
    // What was seen is not sent again.
    let panel = fleetglass.get(&format!("{at}/panel?view=alerts")).await;
    let mark = panel.header("x-panel-mark").to_owned();
    let again = fleetglass.get(&format!("{at}/panel?view=alerts&have={mark}")).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (204, ""));
    // All panels of a page in one answer, each as if it were asked for alone.
    let wishes = [format!("view=alerts&have={mark}"), "view=uptime".to_owned(), "view=what".to_owned()];
    let query: Vec<String> = wishes.iter().map(|wish| format!("panel={}", encoded(wish))).collect();
    let answer = fleetglass.get(&format!("{at}/panels?{}", query.join("&"))).await;
    sound("panels", &answer);
    let panels = answer.json()["panels"].clone();
    let status: Vec<_> = (0..3).map(|one| panels[one]["status"].as_u64().unwrap()).collect();
    assert_eq!(status, [204, 200, 400], "{panels}");
    let alone = format!("{at}/panel?view=uptime&have={}", panels[1]["mark"].as_str().unwrap());
    assert_eq!(fleetglass.get(&alone).await.status, 204, "the mark is that of the panel alone");
    for many in [0, 21] {
        let query = vec!["panel=view%3Dfleet"; many].join("&");
        let answer = fleetglass.get(&format!("{at}/panels?{query}")).await;
        assert!(answer.status == 400 && answer.body.contains("once to 20 times"), "{many}: {}", answer.body);
    }
    let slashed = fleetglass.get(&format!("{at}/?view=uptime")).await;
    assert!(slashed.status == 200 && slashed.body.contains("view-uptime"), "{}", slashed.body);
    // Whoever draws their own may send headers, as clients do by themselves.
    let wish = [("origin", "https://other.example"), ("access-control-request-method", "GET")];
    let may = fleetglass.request("OPTIONS", &format!("{at}/api/v1/panel.json"), &wish).await;
    let allowed = (may.header("access-control-allow-origin"), may.header("access-control-allow-headers"));
    assert_eq!((may.status.as_u16(), allowed), (200, ("*", "*")));
    // A sandbox asks as nobody.
    let asked = fleetglass.request("GET", &format!("{at}/panel"), &[("origin", "null")]).await;
    sound("a sandbox", &asked);
    assert_eq!(asked.header("access-control-expose-headers"), "x-panel-mark");
    // Nothing else answers to every origin.
    for path in ["/api/v1/fleet".to_owned(), format!("/s/{token}/api/v1/fleet"), format!("/s/{token}/")] {
        let answer = fleetglass.request("GET", &path, &[("origin", "null")]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    drop(nodes);
}

#[tokio::test]
async fn what_is_wrong_or_not_shared_is_said_and_tells_nothing() {
    let Story { fleetglass, nodes } = story().await;
    let (token, id) = made(&fleetglass, json!({})).await;
    let at = format!("/embed/{token}");
    for (query, word) in [
        ("view=what", "there are fleet, node, chart"),
        ("view=node", "needs `node="),
        ("view=node&node=out-secret-1", "no node of the name"),
        ("view=node&node=never-was", "no node of the name"),
        ("view=chart&node=in-1&panel=nothing", "there are: "),
        ("view=chart&query=sum(", "`query`"),
        ("view=fleet&range=1x", "15m, 6h or 30d"),
        ("view=fleet&them=dark", "is not a parameter"),
        ("view=fleet&label=%FF", "UTF-8"),
    ] {
        for path in [
            format!("{at}?{query}"),
            format!("{at}/panel?{query}"),
            format!("{at}/api/v1/panel.json?{query}"),
            format!("{at}/panels?panel={}", encoded(query)),
        ] {
            let mut answer = fleetglass.get(&path).await;
            if path.contains("/panels?") {
                let one = &answer.json()["panels"][0];
                let status = u16::try_from(one["status"].as_u64().unwrap()).unwrap();
                answer.body = one["text"].as_str().unwrap().to_owned();
                answer.status = status.try_into().unwrap();
            }
            assert!((400..500).contains(&answer.status.as_u16()), "{path}: {}", answer.status);
            let words = answer.body.replace("<code>", "`").replace("</code>", "`");
            assert!(words.contains(word), "{path}: {words}");
            assert_eq!(answer.header("set-cookie"), "");
        }
    }
    // A node outside is like one that never was.
    let body = async |name: &str| {
        fleetglass.get(&format!("{at}?view=node&node={name}")).await.body.replace(name, "NAME")
    };
    assert_eq!(body("out-secret-1").await, body("never-was").await);

    // Each view only where the link has it.
    let scope = json!({"scope": {"select": ["{team=\"acme\"}"], "views": ["alerts"]}});
    let (alerts, _) = made(&fleetglass, scope).await;
    for view in VIEWS {
        let answer = fleetglass.get(&format!("/embed/{alerts}?{view}")).await;
        assert_eq!(answer.status == 200, view == "view=alerts", "{view}: {}", answer.body);
        assert!(!answer.body.contains("data-stream"), "it shows no node, so it has no stream of them");
    }
    assert_eq!(fleetglass.get(&format!("/embed/{alerts}/live")).await.status, 404);
    for (name, status) in
        [("alerts", 200), ("status", 404), ("uptime-30d", 404), ("risk", 404), ("in-1", 404)]
    {
        assert_eq!(fleetglass.get(&format!("/s/{alerts}/badge/{name}.svg")).await.status, status, "{name}");
    }

    // Links that cannot be embedded say why, and tell nothing else.
    let (locked, _) = made(&fleetglass, json!({"password": "open sesame"})).await;
    let (counted, _) = made(&fleetglass, json!({"max_views": 3})).await;
    for (token, word) in [(&locked, "password"), (&counted, "so many times")] {
        for path in ["", "/panel", "/live", "/api/v1/panel.json"] {
            let answer = fleetglass.get(&format!("/embed/{token}{path}")).await;
            assert!(answer.status == 403 && answer.body.contains(word), "{path}: {}", answer.body);
            assert!(!answer.body.contains("in-1") && !answer.body.contains("Acme"), "{}", answer.body);
        }
        let badge = fleetglass.get(&format!("/s/{token}/badge/status.svg")).await;
        assert!(badge.status == 404 && badge.body.contains("not shared"), "{}", badge.body);
    }

    // No page lists itself: only our own may.
    let (alone, _) = made(&fleetglass, json!({"origins": []})).await;
    let policy = fleetglass.get(&format!("/embed/{alone}")).await;
    assert!(policy.header("content-security-policy").ends_with("frame-ancestors 'self'"));

    // Taken back, it is like one that never was, for every page in the same words.
    let mut stream = http_client().get(fleetglass.url(&format!("{at}/live"))).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    let answer = http_client().delete(fleetglass.url(&format!("/api/v1/shares/{id}"))).send().await.unwrap();
    assert!(answer.status().is_success());
    eventually("the open stream has ended", async || match stream.chunk().await {
        Ok(Some(_)) => Err("it goes on".to_owned()),
        Ok(None) | Err(_) => Ok(()),
    })
    .await;
    let never = "0".repeat(64);
    for path in
        ["", "?view=node&node=in-1", "/panel", "/panels?panel=view%3Dfleet", "/live", "/api/v1/panel.json"]
    {
        let (gone, none) = (
            fleetglass.get(&format!("{at}{path}")).await,
            fleetglass.get(&format!("/embed/{never}{path}")).await,
        );
        assert_eq!((gone.status, &gone.body), (none.status, &none.body), "{path}");
        assert!(gone.status == 404 || gone.json()["panels"][0]["status"] == 404, "{path}: {}", gone.body);
    }
    let page = fleetglass.get(&at).await;
    assert!(page.header("content-security-policy").ends_with("frame-ancestors *"), "it tells nothing");
    assert!(page.body.contains("taken back"), "{}", page.body);
    assert!(!fleetglass.log().contains(&token), "the token is in no log");
    drop(nodes);
}

#[tokio::test]
async fn a_stream_tells_that_something_changed_and_counts_as_one_view() {
    let Story { fleetglass, nodes } = story().await;
    let (token, id) = made(&fleetglass, json!({})).await;
    let path = format!("/embed/{token}/live");
    let mut stream = http_client().get(fleetglass.url(&path)).send().await.unwrap();
    assert_eq!(stream.headers()["access-control-allow-origin"], "*");
    nodes[0].says("/metrics", metrics(50, ""));
    nodes[2].says("/metrics", metrics(60, ""));
    let mut said = String::new();
    while !said.contains("\"in-1\"") {
        said.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    assert!(
        said.contains("event: changed") && !said.contains("peers") && !said.contains("out-secret"),
        "{said}"
    );
    let seen = said.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap().to_owned();
    let views = async || {
        let listed = fleetglass.json(&format!("/api/v1/shares/{id}")).await;
        (listed["views"].as_u64().unwrap(), listed["viewers"].as_u64().unwrap())
    };
    assert_eq!(views().await, (1, 1));
    drop(stream);
    // Whoever comes back is not another one; pictures, panels and JSON are none.
    let back =
        http_client().get(fleetglass.url(&format!("{path}?last_event_id={seen}"))).send().await.unwrap();
    for other in
        [format!("/embed/{token}"), format!("/embed/{token}/panel"), format!("/s/{token}/badge/status.svg")]
    {
        assert_eq!(fleetglass.get(&other).await.status, 200);
    }
    assert_eq!(views().await.0, 1);
    drop(back);
    let http = http_client().get(fleetglass.url(&path)).header("last-event-id", "0-1");
    let mut anew = http.send().await.unwrap();
    assert!(String::from_utf8_lossy(&anew.chunk().await.unwrap().unwrap()).contains("event: changed"));
    assert_eq!(views().await.0, 2);
}

#[tokio::test]
async fn a_panel_that_takes_long_or_fails_leaves_the_others_of_its_page_whole() {
    let Story { fleetglass, nodes } = story().await;
    let (token, _) = made(&fleetglass, json!({})).await;
    // 26 million values are sorted thirty times.
    let slow = |of: &str| {
        let part = format!("quantile_over_time(0.5, {of}(vector(time()))[300d:1s])");
        format!("view=chart&query={}", encoded(&vec![part; 30].join("+")))
    };
    let wishes = [
        slow("sin"),
        "view=fleet".to_owned(),
        slow("cos"),
        "view=chart&query=sum(".to_owned(),
        "view=uptime".to_owned(),
        "view=node&node=in-1".to_owned(),
    ];
    let query: Vec<String> = wishes.iter().map(|wish| format!("panel={}", encoded(wish))).collect();
    let answer = fleetglass.get(&format!("/embed/{token}/panels?{}", query.join("&"))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    sound("panels", &answer);
    let panels = answer.json()["panels"].as_array().unwrap().clone();
    let status: Vec<_> = panels.iter().map(|panel| panel["status"].as_u64().unwrap()).collect();
    assert_eq!(status, [504, 200, 504, 400, 200, 200], "{panels:?}");
    let said = |at: usize| panels[at]["text"].as_str().unwrap();
    for (at, word) in [(0, "longer than 3 s"), (2, "A shorter `range`"), (3, "`query`"), (5, "in-1")] {
        assert!(said(at).contains(word), "{at}: {}", said(at));
    }
    assert!(said(1).contains("view-fleet") && said(4).contains("view-uptime"), "each is in its own place");
    drop(nodes);
}

#[tokio::test]
async fn panels_that_are_asked_for_together_count_as_many_for_their_link() {
    let config = format!("{QUICK}\n[share]\nrequests_per_second = 1000\nlink_requests_per_second = 1\n");
    let fleetglass = Fleetglass::start(&config, &[]).await;
    let scope = json!({"scope": {"select": ["{instance!=\"\"}"], "views": ["fleet"]}});
    let (token, _) = made(&fleetglass, scope.clone()).await;
    let (other, _) = made(&fleetglass, scope).await;
    let together = |token: &str| format!("/embed/{token}/panels?{}", ["panel=view%3Dfleet"; 20].join("&"));
    // Ten may come at once, and twenty were drawn.
    assert_eq!(fleetglass.get(&together(&token)).await.status, 200);
    let held = fleetglass.get(&format!("/embed/{token}")).await;
    assert_eq!(held.status, 429, "{}", held.body);
    assert!(held.header("retry-after").parse::<u64>().unwrap() >= 8, "{}", held.header("retry-after"));
    assert_eq!(fleetglass.get(&format!("/embed/{other}")).await.status, 200, "another link has its own");
}
