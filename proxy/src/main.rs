//! The `fleetglass` program. What it does is in the library; see ARCHITECTURE.md for the map.

use std::process::ExitCode;

fn main() -> ExitCode {
    fleetglass::cli::main()
}
