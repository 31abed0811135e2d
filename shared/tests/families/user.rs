//! A user's families: a sixth without code, a threshold or a word overridden, and faults told with their place.

use std::collections::BTreeMap;

use fleetglass_shared::family::{Family, Registry};

#[test]
fn a_folder_may_change_one_bound_of_a_built_in_family() {
    let mut registry = Registry::built_in();
    let text = r#"
name = "decdn"
extends = "decdn"

[[risk]]
name = "blacklist-lag"
bound = 600

[[status]]
name = "health"
drain = ["not_ready"]
"#;
    let before = registry.get("decdn").unwrap().risks().len();
    assert_eq!(registry.add(text).unwrap(), "decdn");
    let family = registry.get("decdn").unwrap();
    assert_eq!(family.risks().len(), before);
    let lag = family.risks().find(|risk| risk.name() == "blacklist-lag").unwrap();
    let fires = |value| lag.judge(&lag.watch(None), Some(value)).firing;
    assert!(!fires(450.0) && fires(601.0));
    assert_eq!(lag.exprs_for("n"), [r#"decdn_blacklist_sync_lag_seconds{instance="n"}"#]);
    assert_eq!(family.spec().status[0].drain.0, ["not_ready"]);
    assert_eq!(family.spec().status[0].map.len(), 4, "what is not named stays");
}

#[test]
fn a_target_may_change_bounds_by_name() {
    let registry = Registry::built_in();
    let family = registry.get("decdn").unwrap();
    let bounds = BTreeMap::from([("blacklist-lag".to_owned(), 900.0), ("watchtowers-few".to_owned(), 3.0)]);
    let changed = family.with_bounds(&bounds).unwrap();
    let lag = changed.risks().find(|risk| risk.name() == "blacklist-lag").unwrap();
    assert_eq!(lag.watch(None).bound, 900.0);
    let condition = changed.spec().condition.iter().find(|c| c.name == "watchtowers-few").unwrap();
    assert_eq!(condition.below, Some(3.0));
    let error = family.with_bounds(&BTreeMap::from([("nonsense".to_owned(), 1.0)])).unwrap_err();
    assert!(
        error.to_string().contains("no bound `nonsense`") && error.hint.contains("blacklist-lag"),
        "{error}"
    );
}

#[test]
fn an_absent_value_is_no_zero() {
    let registry = Registry::built_in();
    let family = registry.get("decdn").unwrap();
    for risk in family.risks() {
        let judged = risk.judge(&risk.watch(None), None);
        assert_eq!((judged.value, judged.firing), (None, false), "{}", judged.name);
        assert_eq!((judged.headroom, judged.outlook), (None, None), "{}", judged.name);
        assert!(!judged.meaning.is_empty() && !judged.action.is_empty());
    }
}

#[test]
fn faults_tell_line_column_and_what_to_do() {
    let head = "name = \"x\"\n[[endpoint]]\nname = \"health\"\nkind = \"json\"\nrole = \"health\"\npath = \"/health\"\n";
    for (text, line, says) in [
        ("name = ", 1, "string"),
        ("name = \"X\"", 1, "no name for a family"),
        ("name = \"x\"", 1, "asks nothing"),
        (&format!("{head}colour = 1\n"), 7, "unknown field"),
        (&format!("{head}port = \"a\"\n"), 7, "invalid type"),
        (
            &format!("{head}[[fact]]\nname = \"a\"\ntitle = \"A\"\npointer = \"status\"\n"),
            10,
            "starts with `/`",
        ),
        (&format!("{head}[[fact]]\nname = \"a\"\ntitle = \"A\"\n"), 8, "no source"),
        (
            &format!("{head}[[fact]]\nname = \"a\"\ntitle = \"A\"\nendpoint = \"helth\"\npointer = \"/a\"\n"),
            10,
            "the endpoints are: health",
        ),
        (
            &format!("{head}[[status]]\nendpoint = \"health\"\nmap = {{ ok = \"fine\" }}\n"),
            9,
            "unknown variant",
        ),
        (
            &format!(
                "{head}[[condition]]\nname = \"c\"\nfact = \"peers\"\nbelow = 1\nstatus = \"degraded\"\nreason = \"r\"\n"
            ),
            9,
            "no fact is named",
        ),
        (
            &format!("{head}[[panel]]\ntitle = \"P\"\nqueries = [{{ expr = \"rate(a)\" }}]\n"),
            9,
            "expected type",
        ),
    ] {
        let error = Family::from_toml(text).unwrap_err();
        assert_eq!(error.line, line, "{error}\n{text}");
        assert!(error.column > 0, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn the_worked_example_of_the_guide_is_a_family() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/family.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let mut examples = 0;
    let mut registry = Registry::built_in();
    for block in guide.split("```toml family\n").skip(1) {
        let text = block.split("```").next().unwrap();
        registry.add(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        examples += 1;
    }
    assert!(examples >= 2);
}

#[test]
fn a_value_is_near_its_bound_within_a_fifth_of_it() {
    let text = r#"
name = "orchard"
title = "Orchard"
summary = "Nodes."
endpoint = [{ name = "metrics", title = "/metrics", kind = "metrics", role = "metrics", path = "/metrics", port = 1 }]
risk = [
  { name = "lag", title = "Lag", severity = "critical", expr = "a", bound = 100, meaning = "m", action = "d" },
  { name = "slashes", title = "Slashes", severity = "critical", expr = "b", bound = 0, meaning = "m", action = "d" },
  { name = "peers", title = "Peers", severity = "critical", expr = "c", when = "below", bound = 10, meaning = "m", action = "d" },
  { name = "live", title = "Live", severity = "critical", expr = "d", when = "below", bound = 1, meaning = "m", action = "d" },
]
"#;
    let mut registry = Registry::default();
    registry.add(text).unwrap();
    let family = registry.get("orchard").unwrap();
    for (name, value, near) in [
        ("lag", 79.9, false),
        ("lag", 80.1, true),
        ("lag", 100.0, true),
        ("lag", 100.1, false),
        ("slashes", 0.0, false),
        ("slashes", 1.0, false),
        ("peers", 12.1, false),
        ("peers", 11.0, true),
        ("peers", 10.0, true),
        ("peers", 9.0, false),
        ("live", 1.0, false),
        ("live", 0.0, false),
    ] {
        let risk = family.risks().find(|risk| risk.name() == name).unwrap();
        assert_eq!(risk.is_near(&risk.watch(None), value), near, "{name} {value}");
    }
}
