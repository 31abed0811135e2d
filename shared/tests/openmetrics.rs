//! The OpenMetrics project's suite: every case parses or is refused in strict mode as its `test.json` says.

#[path = "support/corpus.rs"]
mod support;

use fleetglass_shared::exposition::{Format, Mode};

/// Never fewer right than this, of the cases that were there when it was written.
const FLOOR: usize = 106;

#[test]
fn every_case_is_judged_as_its_test_json_says() {
    let Some(corpus) = support::corpus("openmetrics") else { return };
    let mut cases: Vec<_> = std::fs::read_dir(&corpus)
        .expect("the corpus can be listed")
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.join("test.json").exists()))
        .collect();
    cases.sort();
    let mut kinds: [(&str, usize, usize); 2] = [("to parse", 0, 0), ("to refuse", 0, 0)];
    let mut wrong = Vec::new();
    for case in &cases {
        let test: serde_json::Value =
            serde_json::from_slice(&std::fs::read(case.join("test.json")).expect("test.json is readable"))
                .expect("test.json is JSON");
        let should_parse = test["shouldParse"].as_bool().expect("shouldParse is a boolean");
        let file = test["file"].as_str().unwrap_or("metrics");
        let body = std::fs::read(case.join(file)).expect("the body is readable");
        let reading = support::read(&body, Format::OpenMetrics, Mode::Strict);
        let kind = &mut kinds[usize::from(!should_parse)];
        kind.2 += 1;
        if reading.is_ok() == should_parse {
            kind.1 += 1;
        } else {
            wrong.push(format!("{}: should parse {should_parse}, got {reading:?}", case.display()));
        }
    }
    let (passed, total) = kinds.iter().fold((0, 0), |sum, kind| (sum.0 + kind.1, sum.1 + kind.2));
    for (kind, passed, total) in kinds {
        println!("openmetrics, {kind}: {passed} passed of {total}");
    }
    println!("openmetrics: {passed} passed of {total}");
    assert!(passed >= FLOOR.min(total) && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
