//! Prometheus's own tests of PromQL, in its `promqltest` format: every case of every file of
//! `$FLEETGLASS_CORPUS/promqltest`. Native histograms and experimental syntax count as not supported.

#[path = "support/corpus.rs"]
#[allow(dead_code, reason = "its other half reads expositions")]
mod support;

#[path = "promqltest/case.rs"]
mod case;
#[path = "promqltest/load.rs"]
mod load;
#[path = "promqltest/script.rs"]
mod script;
#[path = "promqltest/verify.rs"]
mod verify;

use std::io::Write;

use case::Outcome;

/// Never fewer passed than this, of the cases that were there when it was written.
const FLOOR: usize = 706;

/// Straight to the terminal: what a test prints is not shown when it passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[test]
fn every_case_comes_out_as_in_prometheus() {
    let Some(corpus) = support::corpus("promqltest") else { return };
    let mut files: Vec<_> = std::fs::read_dir(&corpus)
        .expect("the corpus can be listed")
        .filter_map(|entry| {
            Some(entry.ok()?.path()).filter(|path| path.extension().is_some_and(|e| e == "test"))
        })
        .collect();
    files.sort();
    let (mut passed, mut total, mut unsupported) = (0, 0, 0);
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&std::fs::read(file).expect("the file is readable")).into_owned();
        let mut here = [0usize; 3];
        let mut reasons = std::collections::BTreeMap::<String, usize>::new();
        for (line, outcome) in script::run(&text) {
            match outcome {
                Outcome::Passed => here[0] += 1,
                Outcome::NotSupported(reason) => {
                    here[1] += 1;
                    *reasons.entry(reason).or_default() += 1;
                }
                Outcome::Failed(reason) => {
                    here[2] += 1;
                    wrong.push(format!("{name}:{line}: {reason}"));
                }
            }
        }
        let all: usize = here.iter().sum();
        say(&format!("promqltest, {name}: {} passed of {all}, {} not supported", here[0], here[1]));
        for (reason, count) in reasons {
            say(&format!("    {count} × {reason}"));
        }
        passed += here[0];
        unsupported += here[1];
        total += all;
    }
    say(&format!(
        "promqltest: {passed} passed of {total}, {unsupported} not supported, {} wrong",
        wrong.len()
    ));
    let floor = FLOOR.min(total - unsupported);
    assert!(passed >= floor && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
