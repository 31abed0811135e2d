//! Fleetglass's chores, one command each: `cargo xtask` alone lists them.
//!
//! | module | what is in it |
//! |---|---|
//! | `args` | the command line, as typed values |
//! | `setup` | finds or installs the tools, into a cache folder shared by all checkouts |
//! | `app` | builds the browser app with Trunk, when its inputs changed |
//! | `split` | cuts the app's WebAssembly in two |
//! | `demo`, `test`, `check`, `build`, `bench` | one chore each |
//! | `tally` | reads the closing lines of test runners |
//! | `run`, `paths`, `clock`, `problem` | child processes, folders, time, errors |

mod app;
mod args;
mod bench;
mod build;
mod check;
mod clock;
mod demo;
mod lockfile;
mod paths;
mod problem;
mod run;
mod setup;
mod split;
mod tally;
mod test;

use args::Chore;
use problem::Result;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&words).and_then(perform) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("\nerror: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn perform(chore: Chore) -> Result<ExitCode> {
    match chore {
        Chore::Help => {
            print!("{}", args::HELP);
            Ok(ExitCode::SUCCESS)
        }
        Chore::Setup { need } => setup::command(need),
        Chore::Demo { nodes, port } => demo::command(nodes, port),
        Chore::Test { only, filter } => test::command(only, filter.as_deref()),
        Chore::Check => check::command(),
        Chore::Build { release } => build::command(release),
        Chore::Bench { only } => bench::command(only),
        Chore::Trunk { words } => app::trunk_command(&words),
        Chore::Env => app::env_command(),
    }
}
