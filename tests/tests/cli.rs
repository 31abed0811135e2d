//! The command line: what a person types, what it says, how it ends.

#![allow(clippy::unwrap_used)]

use fleetglass_tests::command::{run, run_in};
use serde_json::Value;
use tempfile::TempDir;

const GOOD: &str = "
[server]
listen = \"127.0.0.1:0\"

[[target]]
id = \"eu-1\"
url = \"http://10.0.0.5:9090\"
labels = { region = \"eu\" }

[[discovery]]
file_sd = [\"targets/*.json\"]
";

#[test]
fn every_command_explains_itself_with_an_example() {
    let all = run(&["--help"]);
    assert_eq!(all.code, Some(0));
    for command in [
        &["serve"][..],
        &["demo"],
        &["sim"],
        &["check"],
        &["restart-check"],
        &["token", "new"],
        &["notify", "test"],
        &["notify", "route"],
    ] {
        assert!(all.out.contains(command[0]), "`fleetglass --help` does not name {command:?}:\n{}", all.out);
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = run(&args);
        assert_eq!(help.code, Some(0), "{command:?}");
        let example = format!("fleetglass {}", command.join(" "));
        let (_, examples) =
            help.out.split_once("Example").unwrap_or_else(|| panic!("{command:?} has no example"));
        assert!(examples.contains(&example), "the example of {command:?} does not show it:\n{}", help.out);
    }
}

#[test]
fn a_version_is_told_and_an_unknown_word_is_not_taken_for_one() {
    let version = run(&["--version"]);
    assert_eq!(version.code, Some(0));
    assert!(version.out.starts_with("fleetglass "), "{}", version.out);

    let unknown = run(&["sevre", "--config", "x"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("serve"), "it does not offer the command that was meant:\n{}", unknown.err);
}

#[test]
fn a_good_config_is_said_to_be_good_to_a_person_and_to_a_program() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("fleet.toml"), GOOD).unwrap();
    std::fs::create_dir(folder.path().join("targets")).unwrap();
    std::fs::write(
        folder.path().join("targets/a.json"),
        r#"[{"targets":["10.0.0.6:9090","10.0.0.7:9090"]}]"#,
    )
    .unwrap();

    let said = run_in(folder.path(), &["check", "--config", "fleet.toml"], &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("3 targets"), "{said:?}");

    let said = run_in(folder.path(), &["check", "--config", "fleet.toml", "--json"], &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["valid"], true, "{report}");
    assert_eq!(report["targets"], 3, "{report}");
}

#[test]
fn a_bad_config_is_refused_with_the_place_and_what_to_do() {
    // (what is wrong, the config, where it is wrong, what the message must hold)
    let cases = [
        ("a typo in a key", "[scrape]\nintervall = \"15s\"\n", ":2:1", "did you mean `interval`?"),
        ("a typo in a section", "[serve]\nlisten = \"127.0.0.1:1\"\n", ":1:2", "did you mean `server`?"),
        ("not TOML", "[server]\nlisten = \n", ":2:", ""),
        ("a duration without a unit", "[scrape]\ninterval = \"15\"\n", ":2:12", "\"15s\""),
        ("a size that is none", "[scrape]\nbody_limit = \"16 potatoes\"\n", ":2:14", "\"16MiB\""),
        ("an address that is none", "[server]\nlisten = \"localhost\"\n", ":2:10", ""),
        ("a target without a url", "[[target]]\nid = \"a\"\n", ":1:", "url"),
        (
            "a url that is none",
            "[[target]]\nid = \"a\"\nurl = \"10.0.0.5\"\n",
            ":3:7",
            "http://10.0.0.5:9090",
        ),
        (
            "two targets of one name",
            "[[target]]\nid = \"a\"\nurl = \"http://b\"\n[[target]]\nid = \"a\"\nurl = \"http://c\"\n",
            ":5:6",
            "unique",
        ),
        (
            "a family that nobody knows",
            "[[target]]\nid = \"a\"\nfamily = \"decnd\"\nurl = \"http://b\"\n",
            ":3:10",
            "decdn",
        ),
        (
            "a label that Prometheus would refuse",
            "[[target]]\nid = \"a\"\nurl = \"http://b\"\nlabels = { \"my-region\" = \"eu\" }\n",
            ":4:",
            "my-region",
        ),
        (
            "a time-out beyond the interval",
            "[scrape]\ninterval = \"5s\"\ntimeout = \"9s\"\n",
            ":3:11",
            "shorter",
        ),
        (
            "an endpoint that the family has not",
            "[[target]]\nid = \"a\"\nfamily = \"decdn\"\nurl = \"http://b\"\nendpoints = { helath = \"http://b/h\" }\n",
            ":5:",
            "health",
        ),
    ];
    for (what, config, place, hint) in cases {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("fleet.toml"), config).unwrap();
        for command in ["check", "serve"] {
            let said = run_in(folder.path(), &[command, "--config", "fleet.toml"], &[]);
            assert_eq!(said.code, Some(2), "{command}, {what}: {said:?}");
            let place = format!("fleet.toml{place}");
            assert!(said.err.contains(&place), "{command}, {what}: no `{place}` in\n{}", said.err);
            assert!(said.err.contains(hint), "{command}, {what}: no `{hint}` in\n{}", said.err);
        }
        let said = run_in(folder.path(), &["check", "--config", "fleet.toml", "--json"], &[]);
        assert_eq!(said.code, Some(2), "{what}: {said:?}");
        let report: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{what}: {error}: {said:?}"));
        assert_eq!(report["valid"], false, "{what}: {report}");
        assert!(report["errors"][0].as_str().unwrap_or_default().contains(place), "{what}: {report}");
    }
}

#[test]
fn a_config_that_is_not_there_is_said_to_be_missing() {
    let folder = TempDir::new().unwrap();
    for command in ["check", "serve"] {
        let said = run_in(folder.path(), &[command, "--config", "nowhere.toml"], &[]);
        assert_eq!(said.code, Some(2), "{command}: {said:?}");
        assert!(said.err.contains("nowhere.toml") && said.err.contains("hint:"), "{command}: {said:?}");
    }
}

#[test]
fn the_environment_lies_over_the_file_and_its_errors_name_the_variable() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("fleet.toml"), GOOD).unwrap();
    let check = |name, value| run_in(folder.path(), &["check", "--config", "fleet.toml"], &[(name, value)]);

    let refused = check("FLEETGLASS__SCRAPE__INTERVAL", "soon");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("FLEETGLASS__SCRAPE__INTERVAL"), "{refused:?}");

    let refused = check("FLEETGLASS__SCRAPE__INTERVALL", "15s");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("did you mean `interval`?"), "{refused:?}");

    let taken = check("FLEETGLASS__SCRAPE__INTERVAL", "30s");
    assert_eq!(taken.code, Some(0), "{taken:?}");
}

#[test]
fn a_port_that_is_taken_is_an_error_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = TempDir::new().unwrap();
    let config = format!("[server]\nlisten = \"{}\"\n", taken.local_addr().unwrap());
    std::fs::write(folder.path().join("fleet.toml"), config).unwrap();

    let said = run_in(folder.path(), &["serve", "--config", "fleet.toml"], &[]);

    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("cannot listen on") && said.err.contains("[server] listen"), "{said:?}");
}
