//! What the config says of good and bad texts.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::auth::Role;

fn parse(text: &str) -> Result<LoadedConfig, String> {
    with_env(text, &[])
}

fn with_env(text: &str, env: &[(&str, &str)]) -> Result<LoadedConfig, String> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    LoadedConfig::parse(Path::new("fg.toml"), text, env).map_err(|error| error.to_string())
}

#[test]
fn an_empty_file_is_a_whole_config() {
    let config = parse("").unwrap().config;
    assert_eq!(config, Config::default());
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn every_setting_is_read() {
    let text = r#"
        [server]
        listen = "127.0.0.1:1"
        data_dir = "d"
        hosts = ["fleet.lan"]
        trusted_proxies = ["127.0.0.1", "10.1.2.3/8", "::1"]
        base_path = "/fleet/"
        [server.tls]
        cert_file = "tls/cert.pem"
        key_file = "tls/key.pem"
        min_version = "1.3"
        hsts = "max-age=60"
        [auth.trusted_header]
        user = "Remote-User"
        groups = "Remote-Groups"
        from = ["10.0.0.0/8"]
        [[auth.trusted_header.role]]
        group = "ops"
        role = "operator"
        select = ['{team="a"}']
        [[auth.token]]
        name = "ops"
        hash_file = "ops.hash"
        [cors]
        origins = ["https://portal.example"]
        credentials = true
        [scrape]
        interval = "1m 30s"
        timeout = "2s"
        connect_timeout = "1s"
        body_limit = "1MiB"
        concurrency = 7
        [egress]
        check = ["1.1.1.1:443", "https://example.org/"]
        share = 0.5
        interval = "30s"
        timeout = "1s"
        [store]
        retention = "2h"
        events_retention = "30d"
        max_series_per_target = 5
        max_series = 6
        [remote_write_in]
        enabled = true
        body_limit = "1MiB"
        node_label = "node"
        family_label = "kind"
        labels = ["region"]
        stale_after = "3m"
        forget_after = "7d"
        [[remote_write]]
        name = "victoria"
        url = "http://victoria:8428/api/v1/write"
        bearer_token_file = "t"
        headers = { X-Scope-OrgID = "1" }
        external_labels = { cluster = "eu" }
        queue_size = "1MiB"
        shards = 3
        max_samples_per_send = 500
        timeout = "5s"
        [[remote_write]]
        name = "b"
        url = "http://b/write"
        shards = "auto"
        [long_term]
        query_url = "http://victoria:8428"
        bearer_token_file = "t"
        timeout = "9s"
        external_labels = { cluster = "eu" }
        [families]
        dir = "families"
        [[target]]
        id = "eu-1"
        family = "x"
        url = "http://10.0.0.5:9090"
        endpoints = { health = "http://10.0.0.5:8080/health" }
        labels = { region = "eu" }
        bounds = { lag = 600 }
        probe = { tcp = 9300 }
        interval = "5s"
        timeout = "1s"
        bearer_token_file = "t"
        [[discovery]]
        file_sd = ["targets/*.json"]
        family = "y"
    "#;
    let config = parse(text).unwrap().config;
    assert_eq!(config.own_url(config.server.listen), "https://127.0.0.1:1/fleet");
    let is_proxy = |ip: &str| config.server.trusted_proxies.contains(ip.parse().unwrap());
    assert_eq!(
        ["127.0.0.1", "10.200.0.1", "::ffff:10.0.0.1", "::1", "127.0.0.2", "11.0.0.1", "::2"].map(is_proxy),
        [true, true, true, true, false, false, false]
    );
    assert_eq!(config.server.tls.unwrap().min_version, TlsVersion::V13);
    assert_eq!(config.auth.trusted_header.unwrap().roles[0].role, Role::Operator);
    assert_eq!(config.scrape.interval.0, Duration::from_secs(90));
    assert_eq!(config.scrape.body_limit, ByteSize(1 << 20));
    let target = &config.targets[0];
    assert_eq!((target.probe.tcp, target.bounds["lag"]), (Some(9300), 600.0));
    assert_eq!(config.discovery[0].family.as_deref(), Some("y"));
    let [first, second] = config.remote_writes.as_slice() else { panic!() };
    assert_eq!((first.shards, second.shards), (Shards::Fixed(3), Shards::Auto));
    assert_eq!((second.max_samples_per_send, second.queue_size), (2000, ByteSize(64 << 20)));
    assert_eq!(config.remote_write_in.labels, ["region"]);
}

#[test]
fn a_fault_is_named_with_file_line_column_and_hint() {
    let target = "[[target]]\nid = \"a\"\nurl = \"http://h:1\"\n";
    for (text, expected) in [
        (
            "[scrape]\nintervall = \"5s\"\n",
            "fg.toml:2:1: unknown field `intervall`, expected one of `interval`, `close_interval`, `timeout`, `connect_timeout`, `body_limit`, `concurrency`\n  hint: did you mean `interval`?",
        ),
        ("[scrape]\ninterval = \"soon\"\n", "fg.toml:2:12: `soon` is not a duration"),
        ("[scrape\n", "fg.toml:1:8: "),
        ("[cors]\norigins = [\"*\"]\ncredentials = true\n", "fg.toml:2:11: `*` with `credentials = true`"),
        (
            "[cors]\norigins = [\"https://ok.example\", \"portal.example\"]\n",
            "fg.toml:2:34: `portal.example` is not an origin",
        ),
        ("[scrape]\ninterval = \"5s\"\n", "fg.toml:1:1: the time-out (10s) is longer than the interval (5s)"),
        ("[auth]\nsession_idle = \"0s\"\n", "fg.toml:2:16: `session_idle` is 0s: nothing would last"),
        ("[[auth.token]]\nname = \"a\"\n", "fg.toml:1:1: token `a` needs either"),
        ("[[auth.token]]\nname = \"a\"\nhash = \"sha256:12\"\n", "fg.toml:3:8: the hash of token `a`"),
        (&format!("{target}{target}"), "fg.toml:5:6: the id `a` is taken by target number 1 already"),
        ("[[target]]\nid = \"a\"\nurl = \"10.0.0.5:9090\"\n", "fg.toml:3:7: `10.0.0.5:9090` is not"),
        (&format!("{target}labels = {{ job = \"x\" }}\n"), "fg.toml:4:18: `job` cannot be a label"),
        ("[[remote_write]]\nname = \"a/b\"\nurl = \"http://h\"\n", "fg.toml:2:8: `a/b` cannot name a folder"),
        ("[[remote_write]]\nname = \"a\"\nurl = \"h:1\"\n", "fg.toml:3:7: `h:1` is not"),
        (
            "[[remote_write]]\nname = \"a\"\nurl = \"http://h\"\nshards = 0\n",
            "fg.toml:4:10: invalid value: integer `0`, expected \"auto\" or a number from 1 to 64",
        ),
        (
            "[[remote_write]]\nname = \"a\"\nurl = \"http://h\"\nheaders = { Content-Type = \"x\" }\n",
            "fg.toml:4:28: the header `Content-Type` is set by the protocol",
        ),
        ("[long_term]\nquery_url = \"victoria\"\n", "fg.toml:2:13: `victoria` is not a URL"),
        ("[remote_write_in]\nnode_label = \"a-b\"\n", "fg.toml:2:14: `a-b` is not a label"),
        ("[[target]]\nurl = \"http://h\"\n", "fg.toml:1:1: missing field `id`"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}\ngave  {error}\nnot   {expected}");
    }
}

#[test]
fn the_environment_lies_over_the_file() {
    let text = "[scrape]\ninterval = \"30s\"\n";
    let env = [
        ("FLEETGLASS__SCRAPE__INTERVAL", "20s"),
        ("FLEETGLASS__SCRAPE__CONCURRENCY", "9"),
        ("FLEETGLASS__SERVER__HOSTS", "[\"a\"]"),
        ("HOME", "/root"),
    ];
    let config = with_env(text, &env).unwrap().config;
    assert_eq!(config.scrape.interval.0, Duration::from_secs(20));
    assert_eq!((config.scrape.concurrency, config.server.hosts), (9, vec!["a".to_owned()]));
    for (name, value, expected) in [
        (
            "FLEETGLASS__SCRAPE__INTERVALL",
            "1s",
            "environment variable FLEETGLASS__SCRAPE__INTERVALL: unknown field",
        ),
        ("FLEETGLASS__SCRAPE", "1s", "environment variable FLEETGLASS__SCRAPE: "),
        ("FLEETGLASS__", "1s", "environment variable FLEETGLASS__: write it as"),
    ] {
        let error = with_env(text, &[(name, value)]).unwrap_err();
        assert!(error.starts_with(expected), "{name}: {error}");
    }
}

#[test]
fn when_nodes_may_be_restarted_is_read_or_refused() {
    let read =
        parse("[restart]\ngroup_by = [\"family\", \"rack\"]\nmax_down = 2\ndepends_on = []\n").unwrap();
    let policy = read.config.restart.policy();
    assert_eq!((policy.group_by.len(), policy.max_down, policy.depends_on.len()), (2, Some(2), 0));
    assert_eq!(parse("").unwrap().config.restart.policy(), fleetglass_shared::restart::Policy::default());
    let refused = parse("[restart]\ngroup_by = [\"my-rack\"]\n").unwrap_err();
    assert!(refused.starts_with("fg.toml:2:13: `my-rack` is not a label's name"), "{refused}");
}
