//! The command line as typed values, and the help.

use crate::problem::{Problem, Result};

/// What `cargo xtask` alone prints.
pub(crate) const HELP: &str = "\
Fleetglass's chores.

  cargo xtask setup [demo|test|check|release]
      Find or install the tools, all of them or only those of one chore. They go to
      $FLEETGLASS_CACHE, else $XDG_CACHE_HOME/fleetglass, else ~/.cache/fleetglass.
  cargo xtask demo [--nodes N] [--port P]
      Build the app and the proxy, start a simulated fleet, print the URL.
      Example: cargo xtask demo --nodes 200 --port 9000
  cargo xtask test [--only unit|e2e|browser] [FILTER]
      Run the tests: unit, end to end against the real binary, browser.
      Example: cargo xtask test --only unit exposition
  cargo xtask check
      Formatting, clippy for both targets, dependencies' licences.
  cargo xtask build [--release]
      One binary with the app inside it; --release is the one to ship.
  cargo xtask bench [promql|history|rules|alerts|phone]
      Size of the app's first page and speed of the hot paths, as a table; or only
      queries, or only history on disk, beside Debian's Prometheus.
  cargo xtask trunk ARGS…
      Trunk, with the tools of the cache on its PATH.
      Example: cargo xtask trunk serve
  cargo xtask env
      The same environment as shell lines: eval \"$(cargo xtask env)\"
";

/// Which chore's tools are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Building and running the app and the proxy.
    Demo,
    /// The above, and the tools of one group of tests.
    Test(Option<Suite>),
    /// Clippy for both targets.
    Check,
    /// The above of the demo, and what makes the app small.
    Release,
    /// Everything.
    All,
}

/// A group of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// Beside the code, plus examples in the documentation.
    Unit,
    /// Against the real binary over real sockets.
    EndToEnd,
    /// In a real browser.
    Browser,
}

/// Something that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bench {
    /// Queries.
    Promql,
    /// History on disk.
    History,
    /// Rules and back-tests.
    Rules,
    /// How soon an alert is in the browser.
    Alerts,
    /// The first view of a slow phone, and what watching costs.
    Phone,
}

/// One chore with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chore {
    /// Print [`HELP`].
    Help,
    /// Find or install the tools.
    Setup { need: Need },
    /// Show a simulated fleet.
    Demo { nodes: u32, port: Option<u16> },
    /// Run the tests.
    Test { only: Option<Suite>, filter: Option<String> },
    /// Format, lint, licences.
    Check,
    /// Make the binary.
    Build { release: bool },
    /// Measure everything, or only one thing.
    Bench { only: Option<Bench> },
    /// Run Trunk in the right environment.
    Trunk { words: Vec<String> },
    /// Print that environment.
    Env,
}

/// Reads the words after `cargo xtask`.
pub(crate) fn parse(words: &[String]) -> Result<Chore> {
    let Some((chore, rest)) = words.split_first() else { return Ok(Chore::Help) };
    if chore != "trunk" && rest.iter().any(|word| word == "--help" || word == "-h") {
        return Ok(Chore::Help);
    }
    let mut rest = Words { left: rest, chore };
    let parsed = match chore.as_str() {
        "help" | "--help" | "-h" => Chore::Help,
        "setup" => Chore::Setup { need: need(rest.next())? },
        "demo" => demo(&mut rest)?,
        "test" => test(&mut rest)?,
        "check" => Chore::Check,
        "build" => Chore::Build { release: rest.flag("--release") },
        "bench" => bench(&mut rest),
        "trunk" => Chore::Trunk { words: rest.take_all() },
        "env" => Chore::Env,
        other => return Err(usage(format!("there is no chore `{other}`"))),
    };
    match rest.next() {
        Some(extra) => Err(usage(format!("`cargo xtask {chore}` does not know `{extra}`"))),
        None => Ok(parsed),
    }
}

fn bench(rest: &mut Words<'_>) -> Chore {
    let only = if rest.flag("promql") {
        Some(Bench::Promql)
    } else if rest.flag("history") {
        Some(Bench::History)
    } else if rest.flag("rules") {
        Some(Bench::Rules)
    } else if rest.flag("alerts") {
        Some(Bench::Alerts)
    } else if rest.flag("phone") {
        Some(Bench::Phone)
    } else {
        None
    };
    Chore::Bench { only }
}

struct Words<'a> {
    left: &'a [String],
    chore: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, left) = self.left.split_first()?;
        self.left = left;
        Some(first)
    }

    fn flag(&mut self, name: &str) -> bool {
        let there = self.left.first().is_some_and(|word| word == name);
        if there {
            self.left = &self.left[1..];
        }
        there
    }

    fn take_all(&mut self) -> Vec<String> {
        std::mem::take(&mut self.left).to_vec()
    }

    fn value<T: std::str::FromStr>(&mut self, option: &str, example: &str) -> Result<T> {
        self.next().and_then(|word| word.parse().ok()).ok_or_else(|| {
            usage(format!("`{option}` needs a value: cargo xtask {} {option} {example}", self.chore))
        })
    }
}

fn need(word: Option<&str>) -> Result<Need> {
    Ok(match word {
        None => Need::All,
        Some("demo") => Need::Demo,
        Some("test") => Need::Test(None),
        Some("check") => Need::Check,
        Some("release") => Need::Release,
        Some(other) => return Err(usage(format!("`cargo xtask setup` does not know `{other}`"))),
    })
}

fn demo(rest: &mut Words<'_>) -> Result<Chore> {
    let (mut nodes, mut port) = (60, None);
    while !rest.left.is_empty() {
        if rest.flag("--nodes") {
            nodes = rest.value("--nodes", "200")?;
        } else if rest.flag("--port") {
            port = Some(rest.value("--port", "9000")?);
        } else {
            break;
        }
    }
    Ok(Chore::Demo { nodes, port })
}

fn test(rest: &mut Words<'_>) -> Result<Chore> {
    let mut only = None;
    if rest.flag("--only") {
        only = Some(match rest.next() {
            Some("unit") => Suite::Unit,
            Some("e2e") => Suite::EndToEnd,
            Some("browser") => Suite::Browser,
            _ => return Err(usage("`--only` takes unit, e2e or browser")),
        });
    }
    if rest.left.first().is_some_and(|word| word.starts_with('-')) {
        return Ok(Chore::Test { only, filter: None });
    }
    Ok(Chore::Test { only, filter: rest.next().map(str::to_owned) })
}

fn usage(what: impl Into<String>) -> Problem {
    Problem::new(what).fix("`cargo xtask` alone lists the chores with examples")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parsed(line: &str) -> Result<Chore> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn every_chore_of_the_help_is_understood() {
        assert_eq!(parsed("").unwrap(), Chore::Help);
        assert_eq!(parsed("setup").unwrap(), Chore::Setup { need: Need::All });
        assert_eq!(parsed("setup release").unwrap(), Chore::Setup { need: Need::Release });
        assert_eq!(parsed("demo").unwrap(), Chore::Demo { nodes: 60, port: None });
        assert_eq!(parsed("demo --port 9000 --nodes 7").unwrap(), Chore::Demo { nodes: 7, port: Some(9000) });
        assert_eq!(
            parsed("test --only e2e restart").unwrap(),
            Chore::Test { only: Some(Suite::EndToEnd), filter: Some("restart".into()) }
        );
        assert_eq!(parsed("build --release").unwrap(), Chore::Build { release: true });
        assert_eq!(
            parsed("trunk serve --open").unwrap(),
            Chore::Trunk { words: vec!["serve".into(), "--open".into()] }
        );
    }

    #[test]
    fn a_word_nobody_knows_is_refused_by_name() {
        for line in ["demo --nodes many", "demo --fast", "check now", "test --only all", "test --bad", "fly"]
        {
            let text = parsed(line).unwrap_err().to_string();
            assert!(text.contains("what to do"), "{line}: {text}");
        }
    }
}
