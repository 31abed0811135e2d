//! What was tried to get out of a limited role, as a list. `docs/people.md` says it in words.

use fleetglass_tests::raw::encoded;

use super::fleet::INSIDE;

/// What is there, and something that it holds.
pub(crate) fn there() -> Vec<(String, &'static str)> {
    let node = INSIDE[0];
    [
        ("/api/v1/nodes/in-real-1", "in-real-1"),
        ("/api/v1/nodes/in-real-1/series", "paraloom_peer_count"),
        ("/api/v1/nodes/in-real-1/health", "1.2.3"),
        ("/api/v1/nodes/in-real-1/metrics", "paraloom_peer_count"),
        ("/api/v1/risks", "\"total\""),
        ("/api/v1/uptime", "in-real-2"),
        ("/api/v1/uptime?by=team", "acme"),
        ("/api/v1/uptime?by=family", "paraloom"),
        ("/api/v1/uptime?node=in-real-1", "in-real-1"),
        ("/api/v1/events", "in-real-1"),
        ("/api/v1/events?node=in-real-1&own=true", "in-real-1"),
        ("/api/v1/alerts", "OwnPeers"),
        ("/api/v1/rules", "OwnPeers"),
        ("/api/v1/alerts/history", "OwnPeers"),
        ("/api/v1/incidents", "incidents"),
        ("/api/v1/maintenance", "windows"),
        ("/api/v1/restart-check?match[]=%7Binstance%3D~%22.%2B%22%7D", "in-real-2"),
        ("/api/v1/targets", "in-real-1"),
        ("/api/v1/metadata", "paraloom_peer_count"),
        ("/api/v1/status/tsdb", "team=acme"),
        ("/api/v1/labels", "instance"),
        ("/api/v1/label/instance/values", "in-real-1"),
        ("/api/v1/label/team/values", "acme"),
        ("/api/v1/label/__name__/values", "paraloom_peer_count"),
        ("/api/v1/series?match[]=%7B__name__%3D~%22.%2B%22%7D", "in-real-1"),
        ("/api/v1/series?match[]=up&match[]=%7Bteam!%3D%22acme%22,job%3D~%22.%2B%22%7D", "in-real-1"),
        ("/federate?match[]=%7B__name__%3D~%22.%2B%22%7D", "in-real-1"),
        ("/metrics/nodes", "in-real-1"),
        ("/api/v1/export?match[]=paraloom_peer_count", "in-real-1"),
        ("/api/v1/export", "in-real-1"),
        ("/api/v2/alerts", "OwnPeers"),
        ("/api/v2/alerts/groups", "OwnPeers"),
        ("/api/v2/receivers", "fleetglass"),
        ("/api/v2/silences", "[]"),
    ]
    .map(|(path, holds)| (path.replace("in-real-1", node), holds))
    .into()
}

/// Further answers that must follow from the nodes inside alone.
pub(crate) const MORE: [&str; 13] = [
    "/api/v1/fleet",
    "/api/v1/events?kind=state",
    "/api/v1/risks?limit=0",
    "/api/v1/uptime?by=nosuch",
    "/api/v1/uptime?by=host",
    "/api/v1/alerts/history?node=out-secret-1",
    "/api/v1/series?match[]=nosuch",
    "/api/v1/labels?limit=1",
    "/api/v1/status/tsdb?limit=3",
    "/api/v1/targets?state=dropped",
    "/api/v1/targets?scrapePool=paraloom",
    "/api/v1/restart-check?match[]=%7Bteam%3D%22other-team%22%7D",
    "/api/v1/nodes/out-secret-1",
];

/// Where an id stands, and how it is asked for.
pub(crate) const BY_ID: [(&str, &str); 24] = [
    ("GET", "/api/v1/nodes/{x}"),
    ("HEAD", "/api/v1/nodes/{x}"),
    ("GET", "/api/v1/nodes/{x}/series"),
    ("GET", "/api/v1/nodes/{x}/risks/low-peers"),
    ("GET", "/api/v1/nodes/{x}/health"),
    ("GET", "/api/v1/nodes/{x}/ready"),
    ("GET", "/api/v1/nodes/{x}/metrics"),
    ("GET", "/api/v1/nodes/{x}/nosuch"),
    ("GET", "/api/v1/alerts/{x}"),
    ("POST", "/api/v1/alerts/{x}/acknowledge"),
    ("DELETE", "/api/v1/alerts/{x}/acknowledge"),
    ("GET", "/api/v1/uptime?node={x}"),
    ("GET", "/api/v1/events?node={x}"),
    ("GET", "/api/v1/risks?node={x}"),
    ("GET", "/api/v1/risks?family={x}"),
    ("GET", "/api/v1/alerts/history?node={x}"),
    ("GET", "/api/v1/alerts/history?alert={x}"),
    ("GET", "/api/v1/restart-check?match[]=%7Binstance%3D%22{x}%22%7D"),
    ("GET", "/api/v1/series?match[]=%7Binstance%3D%22{x}%22%7D"),
    ("GET", "/federate?match[]=%7Binstance%3D%22{x}%22%7D"),
    ("GET", "/api/v1/label/{x}/values"),
    ("GET", "/api/v1/metadata?metric={x}"),
    ("GET", "/api/v1/shares/{x}"),
    ("GET", "/api/v1/targets?scrapePool={x}"),
];

/// Ids of nodes outside, guesses, and ways to write them.
pub(crate) fn ids() -> Vec<String> {
    [
        "out-secret-1",
        "out-secret-2",
        "OUT-SECRET-1",
        "out-secret-1%20",
        "%20out-secret-1",
        "%6fut-secret-1",
        "out-secret-1%2f",
        "..%2fout-secret-1",
        "in-real-1%2f..%2fout-secret-1",
        "%2e%2e",
        "%2e%2e%2fnodes%2fout-secret-1",
        "%00",
        "out-secret-1%00",
        "in-real-1%00out-secret-1",
        "out-secret-3",
        "peers_outside",
        "other-team",
    ]
    .map(str::to_owned)
    .into()
}

/// Whole paths, and how they are answered.
pub(crate) const PATHS: [(&str, u16); 14] = [
    ("/api/v1/nodes/in-real-1/../out-secret-1", 404),
    ("/api/v1/nodes/../fleet", 404),
    ("/api/v1//nodes/out-secret-1", 404),
    ("//api/v1/nodes/out-secret-1", 404),
    ("/api/v1/nodes/out-secret-1/", 404),
    ("/api/v1/nodes//out-secret-1", 404),
    ("/api/v1/nodes/", 404),
    ("/api/v1/nodes/out-secret-1;in-real-1", 404),
    ("/api/v1/nodes/in-real-1/%2e%2e/out-secret-1", 404),
    ("/API/v1/nodes/out-secret-1", 200),
    ("/api/v1/uptime?node=in-real-1&node=out-secret-1", 400),
    ("/api/v1/uptime?node=in-real-1&by=team", 400),
    ("/api/v1/risks?nodes=out-secret-1", 400),
    ("/api/v1/export?match[]=%7Binstance%3D%22out-secret-1%22%7D", 200),
];

/// What proxies and frameworks take for another path, method, host or person.
pub(crate) const HEADERS: [(&str, &str); 14] = [
    ("X-Original-URL", "/api/v1/nodes/out-secret-1"),
    ("X-Rewrite-URL", "/api/v1/nodes/out-secret-1"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Method-Override", "POST"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Host", "localhost"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Prefix", "/fleet"),
    ("X-Forwarded-User", "admin"),
    ("X-Remote-User", "admin"),
    ("Forwarded", "for=127.0.0.1;host=localhost"),
    ("X-Real-IP", "127.0.0.1"),
    ("X-Scope-OrgID", "other-team"),
    ("Cookie", "fleetglass_session=0000; fleetglass_share=0000"),
];

/// What is about the whole fleet.
pub(crate) const OF_THE_WHOLE: [(&str, &str); 7] = [
    ("GET", "/metrics"),
    ("GET", "/api/v1/notifications"),
    ("POST", "/api/v1/receivers/x/test"),
    ("POST", "/api/v1/import"),
    ("POST", "/api/v1/prune"),
    ("POST", "/api/v1/write"),
    ("GET", "/metrics?node=in-real-1"),
];

/// Marks, and how each is answered: the second key of a name does not get past the first.
pub(crate) const MARKS: [(&str, u16); 7] = [
    (r#"{"text":"mine","node":"in-real-1"}"#, 202),
    (r#"{"text":"all"}"#, 403),
    (r#"{"text":"null","node":null}"#, 403),
    (r#"{"text":"other","node":"out-secret-1"}"#, 404),
    (r#"{"text":"twice","node":"in-real-1","node":"out-secret-1"}"#, 404),
    (r#"{"text":"twice","node":"out-secret-1","node":"in-real-1"}"#, 400),
    (r#"{"text":"list","node":["out-secret-1"]}"#, 403),
];

/// Values that hold two nodes and no more.
pub(crate) const VALUES: [(&str, &str); 7] = [
    ("sum(paraloom_peer_count)", "7"),
    ("count(up)", "2"),
    ("count({team!=\"acme\",job=~\".+\"}) or vector(0)", "0"),
    ("max(paraloom_peer_count)", "4"),
    ("count(count by (instance) ({__name__=~\".+\"}))", "2"),
    ("absent(peers_outside)", "1"),
    ("count(absent_over_time(peers_outside[5m]))", "1"),
];

/// Expressions that try to see more.
pub(crate) const QUERIES: [&str; 40] = [
    "{__name__=~\".+\"}",
    "{__name__!=\"\"}",
    "{instance=~\".*\",__name__=~\".+\"}",
    "{instance=\"out-secret-1\"}",
    "{team!=\"acme\",__name__=~\".+\"}",
    "{instance=\"\",__name__=~\".+\"}",
    "{__scope__=~\".*\",__name__!=\"\"}",
    "paraloom_peer_count or {__name__=~\".+\"}",
    "up unless on() peers_outside",
    "up and on() peers_outside",
    "absent(peers_outside)",
    "absent({instance=\"out-secret-1\"})",
    "absent_over_time({instance=\"out-secret-1\"}[5m])",
    "count({__name__=~\".+\"})",
    "count by (instance, team) ({__name__=~\".+\"})",
    "count_values(\"v\", {__name__=~\".+\"})",
    "group by (host) ({__name__=~\".+\"})",
    "topk(100, {__name__=~\".+\"})",
    "bottomk by (team) (5, up)",
    "limitk(50, {__name__=~\".+\"})",
    "quantile(0.99, paraloom_peer_count)",
    "label_replace(up, \"instance\", \"out-secret-1\", \"instance\", \".*\") * on(instance) up",
    "label_replace({__name__=~\".+\"}, \"x\", \"$1\", \"instance\", \"(.*)\")",
    "label_join(up, \"instance\", \"-\", \"team\", \"job\")",
    "up * on() group_left(host) peers_outside",
    "up * on(job) group_right(team) up",
    "max_over_time(sum({__name__=~\"paraloom.*\"})[1h:1m])",
    "max_over_time(paraloom_peer_count[1h:1m] @ end())",
    "paraloom_peer_count @ 1",
    "paraloom_peer_count offset 1h",
    "{__name__=~\".+\"}[5m]",
    "scalar(peers_outside)",
    "fleet:peers:sum",
    "ALERTS",
    "ALERTS_FOR_STATE or {alertname=~\".+\"}",
    "timestamp({__name__=~\".+\"})",
    "sort_by_label({__name__=~\".+\"}, \"instance\")",
    "info(up)",
    "nosuch(out",
    "up{instance=~\"(\"}",
];

/// Where an expression can be asked.
pub(crate) fn asked(trick: &str, now: i64) -> Vec<String> {
    let expr = encoded(trick);
    let range = format!("start={}&end={now}&step=15", now - 60);
    let mut all = vec![
        format!("/api/v1/query?query={expr}"),
        format!("/api/v1/query?query={expr}&limit=1&stats=all"),
        format!("/api/v1/query_range?query={expr}&{range}"),
        format!("/api/v1/chart?query={expr}&{range}"),
        format!("/api/v1/query_exemplars?query={expr}&{range}"),
    ];
    if trick.starts_with('{') && trick.ends_with('}') {
        all.push(format!("/api/v1/series?match[]={expr}"));
        all.push(format!("/api/v1/labels?match[]={expr}"));
    }
    all
}
