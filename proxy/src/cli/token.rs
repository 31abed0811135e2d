//! `fleetglass token`: tokens for programs, and `new` for one whose hash goes into the config.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use fleetglass_shared::{
    format::utc,
    promql::duration_ms,
    wire::{NewToken, Token, TokenMade, Tokens},
};

use super::{
    folder::Folder,
    whom::{Asked, segment},
};
use crate::{
    auth::{TokenHash, Who, new_token},
    clock,
};

const CREATE: &str = "Example:\n  fleetglass token create --name ci --scope read --expires 30d";

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token for the config, and print it with the lines to add.
    #[command(after_help = "Example:\n  fleetglass token new --name ops")]
    New {
        /// Who holds it; stands in the log.
        #[arg(long, default_value = "me")]
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a token that a running proxy knows at once, and print it: it is told this once.
    #[command(after_help = CREATE)]
    Create(Box<Create>),
    /// List the tokens that were made, the newest first.
    List(Asked),
    /// Take a token back: it opens nothing any more.
    Revoke {
        /// The token's id, as `token list` has it.
        id: String,
        #[command(flatten)]
        asked: Asked,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What it is for.
    #[arg(long)]
    name: String,
    /// The most that it may do: viewer, operator, admin.
    #[arg(long, default_value = "viewer")]
    role: String,
    /// Which nodes there are for it: `{team="a"}`; several times for several kinds. All of yours, if left out.
    #[arg(long, value_name = "SELECTOR")]
    select: Vec<String>,
    /// What it may be used for, with commas: read, alerts, marks, shares, write, history, people. All that its role
    /// may, if left out.
    #[arg(long, value_delimiter = ',')]
    scope: Vec<String>,
    /// It ends after this; at most a year.
    #[arg(long, default_value = "90d", value_name = "DURATION")]
    expires: String,
    #[command(flatten)]
    asked: Asked,
}

/// Makes the token of `new`, which needs nothing that runs.
pub(super) fn new(name: &str, json: bool) -> anyhow::Result<()> {
    let token = new_token().map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    let hash = TokenHash::of(&token).to_string();
    if json {
        println!("{}", serde_json::json!({"name": name, "token": token, "hash": hash}));
        return Ok(());
    }
    println!("The token, shown this once; send it as `Authorization: Bearer …`:\n\n  {token}\n");
    println!(
        "Its hash, for the config:\n\n[[auth.token]]\nname = {}\nhash = \"{hash}\"",
        toml::Value::from(name)
    );
    Ok(())
}

/// Asks the proxy, or works in the folder, and prints.
pub(super) async fn run(command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::New { name, json } => new(&name, json),
        TokenCommand::Create(create) => created(*create).await,
        TokenCommand::List(asked) => {
            let tokens: Tokens = match &asked.data_dir {
                Some(path) => {
                    let all = Folder::existing(path).await?.people.api_tokens();
                    Tokens { tokens: all.iter().map(|token| token.told()).collect() }
                }
                None => asked.answer("GET", "/api/v1/tokens", None::<&()>).await?,
            };
            match asked.json {
                true => println!("{}", serde_json::to_string(&tokens)?),
                false => tokens.tokens.iter().for_each(|token| println!("{}", line(token))),
            }
            Ok(())
        }
        TokenCommand::Revoke { id, asked } => {
            match &asked.data_dir {
                Some(path) => {
                    let folder = Folder::existing(path).await?;
                    if !folder.people.revoke_token(&id).await? {
                        bail!("there is no token `{id}`; `fleetglass token list` has them");
                    }
                    folder.done("token_revoked", &id).await?;
                }
                None => {
                    let path = format!("/api/v1/tokens/{}", segment(&id));
                    asked.answer::<Token>("DELETE", &path, None::<&()>).await?;
                }
            }
            match asked.json {
                true => println!("{}", serde_json::json!({ "revoked": id })),
                false => println!("taken back: {id}"),
            }
            Ok(())
        }
    }
}

async fn created(create: Create) -> anyhow::Result<()> {
    let Create { name, role, select, scope, expires, asked } = create;
    let lasts = duration_ms(&expires).filter(|ms| *ms >= 1000);
    let lasts = lasts.with_context(|| format!("--expires: `{expires}` is no duration such as 90d or 12h"))?;
    let expires_at = clock::now().saturating_add(lasts);
    let wish = NewToken { name, role: Some(role), select, scopes: scope, expires_at };
    let TokenMade { made, token } = match &asked.data_dir {
        Some(path) => {
            let folder = Folder::open(path).await?;
            let (made, token) = folder.people.make_token(wish, &Who::local()).await?;
            folder.done("token_made", &format!("{} {}", made.id, made.name)).await?;
            TokenMade { made, token }
        }
        None => asked.answer("POST", "/api/v1/tokens", Some(&wish)).await?,
    };
    if asked.json {
        println!("{}", serde_json::json!({ "made": made, "token": token }));
        return Ok(());
    }
    println!(
        "{}\n\nThe token, told this once; send it as `Authorization: Bearer …`:\n\n  {token}",
        line(&made)
    );
    Ok(())
}

fn line(token: &Token) -> String {
    let scopes = if token.scopes.is_empty() { "all".to_owned() } else { token.scopes.join(",") };
    let used = match (&token.last_used_at, &token.last_used_from) {
        (Some(at), Some(from)) => format!("used {} from {from}", utc(at / 1000)),
        _ => "never used".to_owned(),
    };
    let Token { id, name, user, role, .. } = token;
    format!("{id}  {name}  of {user}  {role}  {scopes}  until {}  {used}", utc(token.expires_at / 1000))
}
