//! Adds up what the test runners say at their end: nextest, libtest and Node's runner.

use std::fmt;

/// How many tests passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Ended well.
    pub(crate) passed: u64,
    /// Ended badly, or a whole stage that could not run.
    pub(crate) failed: u64,
    /// Were there and did not run.
    pub(crate) skipped: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

/// The sum of every closing line in a runner's output.
pub(crate) fn read(output: &str) -> Tally {
    let mut sum = Tally::default();
    // nextest shows what a failed test printed, the closing line of libtest with it.
    let is_nextest = output.lines().any(|line| line.trim_start().starts_with("Summary ["));
    for line in output.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("test result: ").filter(|_| !is_nextest) {
            // test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
            sum.passed += before(rest, " passed");
            sum.failed += before(rest, " failed");
            sum.skipped += before(rest, " ignored");
        } else if line.starts_with("Summary [") {
            // Summary [   0.1s] 10 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 3 skipped
            // Its `skipped` also counts tests of the other stages, so it says nothing here.
            sum.passed += before(line, " passed");
            sum.failed += before(line, " failed") + before(line, " timed out") + before(line, " exec failed");
        } else if let Some(rest) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            // ℹ pass 3
            match rest.split_once(' ') {
                Some(("pass", n)) => sum.passed += n.parse().unwrap_or(0),
                Some(("fail" | "cancelled", n)) => sum.failed += n.parse().unwrap_or(0),
                Some(("skipped" | "todo", n)) => sum.skipped += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    sum
}

/// The whole number that stands right before `word`, else 0.
fn before(text: &str, word: &str) -> u64 {
    let Some(end) = text.find(word) else { return 0 };
    let digits = text[..end].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_runs_are_added_up() {
        let text = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                    noise\ntest result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(read(text), Tally { passed: 7, failed: 3, skipped: 1 });
    }

    #[test]
    fn nextest_counts_time_outs_as_failures() {
        let text =
            "     Summary [   1.212s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 30 skipped";
        assert_eq!(read(text), Tally { passed: 9, failed: 3, skipped: 0 });
    }

    #[test]
    fn a_failure_that_nextest_shows_counts_once() {
        let text = "FAIL [0.7s] edge one\n    test result: FAILED. 0 passed; 1 failed; 0 ignored\n\
                    Summary [1.2s] 180 tests run: 179 passed, 1 failed, 3 skipped";
        assert_eq!(read(text), Tally { passed: 179, failed: 1, skipped: 0 });
    }

    #[test]
    fn node_spec_and_tap_are_both_read() {
        let text = "ℹ tests 5\nℹ suites 0\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0";
        assert_eq!(read(text), Tally { passed: 3, failed: 1, skipped: 1 });
        assert_eq!(read(&text.replace('ℹ', "#")), read(text));
    }

    #[test]
    fn the_closing_line_is_plain() {
        assert_eq!(Tally { passed: 312, failed: 0, skipped: 0 }.to_string(), "312 passed, 0 failed");
        assert_eq!(Tally { passed: 1, failed: 2, skipped: 3 }.to_string(), "1 passed, 2 failed, 3 skipped");
    }
}
