//! `fleetglass user`: those who sign in with a name and a password.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use fleetglass_shared::{
    format::utc,
    wire::{NewUser, User, UserChange, Users},
};

use super::{
    folder::Folder,
    whom::{Asked, segment},
};
use crate::state::KeptUser;

const ADD: &str = "Examples:\n  \
    fleetglass user add ada --role admin --password-file pw.txt --data-dir fleetglass-data\n  \
    fleetglass user add bob --select '{team=\"a\"}' --password-file - --token-file admin.token";
const SET: &str = "Examples:\n  fleetglass user set bob --role operator\n  fleetglass user set bob --disable";

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make a user. With the first one everybody is asked who they are.
    #[command(after_help = ADD)]
    Add(Box<Add>),
    /// List the users.
    List(Asked),
    /// Change a user. Their sessions end.
    #[command(after_help = SET)]
    Set(Box<Set>),
    /// Take a user away, with their sessions and tokens.
    Remove {
        /// The user.
        name: String,
        #[command(flatten)]
        asked: Asked,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// What they sign in with.
    name: String,
    /// What they may do: viewer, operator, admin.
    #[arg(long, default_value = "viewer")]
    role: String,
    /// Which nodes there are for them: `{team="a"}`; several times for several kinds. All, if left out.
    #[arg(long, value_name = "SELECTOR")]
    select: Vec<String>,
    /// A file with the first password, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
pub(super) struct Set {
    /// The user.
    name: String,
    /// What they may do: viewer, operator, admin.
    #[arg(long)]
    role: Option<String>,
    /// Which nodes there are for them; several times for several kinds.
    #[arg(long, value_name = "SELECTOR")]
    select: Vec<String>,
    /// The whole fleet is there for them.
    #[arg(long, conflicts_with = "select")]
    all_nodes: bool,
    /// A file with another password, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// They may not sign in.
    #[arg(long)]
    disable: bool,
    /// They may sign in again.
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    #[command(flatten)]
    asked: Asked,
}

/// Asks the proxy, or works in the folder, and prints.
pub(super) async fn run(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add(add) => added(*add).await,
        UserCommand::List(asked) => {
            let users: Users = match &asked.data_dir {
                Some(path) => {
                    let all = Folder::existing(path).await?.people.users();
                    Users { users: all.iter().map(KeptUser::told).collect() }
                }
                None => asked.answer("GET", "/api/v1/users", None::<&()>).await?,
            };
            match asked.json {
                true => println!("{}", serde_json::to_string(&users)?),
                false => users.users.iter().for_each(|user| println!("{}", line(user))),
            }
            Ok(())
        }
        UserCommand::Set(set) => changed(*set).await,
        UserCommand::Remove { name, asked } => {
            let user: User = match &asked.data_dir {
                Some(path) => {
                    let folder = Folder::existing(path).await?;
                    let user = folder.people.remove_user(&name).await?;
                    folder.done("user_removed", &name).await?;
                    user.told()
                }
                None => asked.answer("DELETE", &path(&name), None::<&()>).await?,
            };
            print("taken away", &user, &asked)
        }
    }
}

async fn added(add: Add) -> anyhow::Result<()> {
    let Add { name, role, select, password_file, asked } = add;
    let password = password(&password_file)?;
    let user: User = match &asked.data_dir {
        Some(path) => {
            let folder = Folder::open(path).await?;
            let (role, select, password) = (Some(role), Some(select), Some(password));
            let wish = UserChange { role, select, password, disabled: None };
            let user = folder.people.add_user(&name, wish, "the operator").await?;
            folder.done("user_added", &name).await?;
            user.told()
        }
        None => {
            let wish = NewUser { name, password, role: Some(role), select: Some(select) };
            asked.answer("POST", "/api/v1/users", Some(&wish)).await?
        }
    };
    print("made", &user, &asked)
}

async fn changed(set: Set) -> anyhow::Result<()> {
    let Set { name, role, select, all_nodes, password_file, disable, enable, asked } = set;
    let wish = UserChange {
        role,
        select: (all_nodes || !select.is_empty()).then_some(select),
        password: password_file.as_deref().map(password).transpose()?,
        disabled: (disable || enable).then_some(disable),
    };
    if wish == UserChange::default() {
        bail!(
            "nothing to change: name --role, --select, --all-nodes, --password-file, --disable or --enable"
        );
    }
    let user: User = match &asked.data_dir {
        Some(path) => {
            let folder = Folder::existing(path).await?;
            let user = folder.people.change_user(&name, wish).await?;
            folder.done("user_changed", &name).await?;
            user.told()
        }
        None => asked.answer("PATCH", &path(&name), Some(&wish)).await?,
    };
    print("changed", &user, &asked)
}

fn path(name: &str) -> String {
    format!("/api/v1/users/{}", segment(name))
}

/// The password in a file, without the line break that files end with.
fn password(file: &Path) -> anyhow::Result<String> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn print(done: &str, user: &User, asked: &Asked) -> anyhow::Result<()> {
    match asked.json {
        true => println!("{}", serde_json::to_string(user)?),
        false => println!("{done}: {}", line(user)),
    }
    Ok(())
}

fn line(user: &User) -> String {
    let nodes = match user.select.as_slice() {
        [] => "all nodes".to_owned(),
        select => select.join(" or "),
    };
    let seen = match (user.disabled, user.last_login_at) {
        (true, _) => "may not sign in".to_owned(),
        (false, Some(at)) => format!("signed in {}", utc(at / 1000)),
        (false, None) => "has not signed in yet".to_owned(),
    };
    format!("{}  {}  {nodes}  {seen}", user.name, user.role)
}
