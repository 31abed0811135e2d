//! `fleetglass token new`: a token for a person, and its hash for the config.

use clap::Subcommand;

use crate::auth::{TokenHash, new_token};

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token, and print it with the lines for the config.
    #[command(after_help = "Example:\n  fleetglass token new --name ops")]
    New {
        /// Who holds it; stands in the log.
        #[arg(long, default_value = "me")]
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::New { name, json } = command;
    let token = new_token().map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    let hash = TokenHash::of(&token).to_string();
    if *json {
        println!("{}", serde_json::json!({"name": name, "token": token, "hash": hash}));
        return Ok(());
    }
    println!("The token, shown this once; send it as `Authorization: Bearer …`:\n\n  {token}\n");
    println!(
        "Its hash, for the config:\n\n[[auth.token]]\nname = {}\nhash = \"{hash}\"",
        toml::Value::from(name.as_str())
    );
    Ok(())
}
