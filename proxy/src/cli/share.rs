//! `fleetglass share`: links that show a part of a running proxy's fleet to somebody without a login.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use fleetglass_shared::{
    format::utc,
    promql::duration_ms,
    wire::{ScopeSpec, Share, ShareChange, ShareMade, Shares, View},
};

use super::whom::Asked;
use crate::{
    clock,
    data_dir::DataDir,
    share::{self, OpenShare},
    state::{KeptShare, StateFile},
};

const CREATE: &str = "Examples:\n  \
    fleetglass share create --title 'Acme' --select '{team=\"acme\"}' --expires 30d\n  \
    fleetglass share create --title 'Acme' --select '{team=\"acme\"}' --views fleet,node --aliases --password-file pw.txt";
const LIST: &str =
    "Examples:\n  fleetglass share list --json\n  fleetglass share list --data-dir fleetglass-data";
const REVOKE: &str = "Example:\n  fleetglass share revoke 3f2a91c04b7de610";

#[derive(Debug, Subcommand)]
pub(super) enum ShareCommand {
    /// Make a link, and print it: its token is told this once.
    #[command(after_help = CREATE)]
    Create(Box<Create>),
    /// List the links, the newest first, those that ended among them.
    #[command(after_help = LIST)]
    List(Asked),
    /// Take a link back: it opens no more, and who looks through it is cut off.
    #[command(after_help = REVOKE)]
    Revoke {
        /// The link's id, as `share list` has it.
        id: String,
        #[command(flatten)]
        asked: Asked,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What the viewer reads at the top.
    #[arg(long)]
    title: String,
    /// Which nodes: `{team="a"}`, with labels, `instance` and `family`; several times for several kinds.
    #[arg(long, required = true, value_name = "SELECTOR")]
    select: Vec<String>,
    /// What of them, with commas: fleet, node, charts, alerts, risks.
    #[arg(long, default_value = "fleet,node,charts,alerts,risks", value_delimiter = ',')]
    views: Vec<String>,
    /// Show nothing older than this, such as 7d.
    #[arg(long, value_name = "DURATION")]
    oldest: Option<String>,
    /// Show addresses, and labels such as `host`.
    #[arg(long)]
    addresses: bool,
    /// Show the nodes under other names.
    #[arg(long)]
    aliases: bool,
    /// Leave a label out; several times for several.
    #[arg(long, value_name = "LABEL")]
    drop_label: Vec<String>,
    /// Keep a metric's values back, or those of all that begin alike (`bond_*`); several times for several.
    #[arg(long, value_name = "METRIC")]
    hide_metric: Vec<String>,
    /// The link ends after this, such as 30d.
    #[arg(long, value_name = "DURATION")]
    expires: Option<String>,
    /// A file with the password to ask for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// It may be opened so many times.
    #[arg(long, value_name = "N")]
    max_views: Option<u64>,
    /// A page that may embed it, such as https://portal.example; several times for several.
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
    /// Who shares it, as the viewer reads it; your token's name, if left out.
    #[arg(long)]
    by: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

/// Asks the proxy and prints.
pub(super) async fn run(command: ShareCommand) -> anyhow::Result<()> {
    match command {
        ShareCommand::Create(create) => made(*create).await,
        ShareCommand::List(asked) => {
            let shares: Shares = match &asked.data_dir {
                Some(folder) => in_folder(folder)?.listed().await?,
                None => asked.answer("GET", "/api/v1/shares", None::<&()>).await?,
            };
            if asked.json {
                println!("{}", serde_json::to_string(&shares)?);
            } else {
                shares.shares.iter().for_each(|share| println!("{}", line(share)));
            }
            Ok(())
        }
        ShareCommand::Revoke { id, asked } => {
            if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
                bail!("`{id}` is no id of a link; `fleetglass share list` has them");
            }
            let share: Share = match &asked.data_dir {
                Some(folder) => in_folder(folder)?.revoked(&id).await?,
                None => asked.answer("DELETE", &format!("/api/v1/shares/{id}"), None::<&()>).await?,
            };
            match asked.json {
                true => println!("{}", serde_json::to_string(&share)?),
                false => println!("taken back: {} ({})", share.id, share.title),
            }
            Ok(())
        }
    }
}

async fn made(create: Create) -> anyhow::Result<()> {
    let Create { title, select, views, oldest, addresses, aliases, drop_label, hide_metric, .. } = &create;
    let view = |word: &String| {
        let known = View::ALL.map(View::as_str).join(", ");
        View::parse(word.trim()).with_context(|| format!("--views: `{word}` is none of {known}"))
    };
    let scope = ScopeSpec {
        select: select.clone(),
        views: views.iter().map(view).collect::<Result<_, _>>()?,
        oldest_seconds: oldest.as_deref().map(|text| seconds("--oldest", text)).transpose()?,
        addresses: *addresses,
        drop_labels: drop_label.clone(),
        aliases: *aliases,
        hide_metrics: hide_metric.clone(),
    };
    let expires = create.expires.as_deref().map(|text| seconds("--expires", text)).transpose()?;
    let until = |seconds: u64| {
        clock::now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
    };
    let password = match &create.password_file {
        None => None,
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    };
    let wish = ShareChange {
        title: Some(title.clone()),
        scope: Some(scope),
        expires_at: expires.map(until),
        password,
        max_views: create.max_views,
        origins: Some(create.origin.clone()),
        by: create.by.clone(),
    };
    let asked = &create.asked;
    let made: ShareMade = match &asked.data_dir {
        Some(folder) => in_folder(folder)?.made(wish).await?,
        None => asked.answer("POST", "/api/v1/shares", Some(&wish)).await?,
    };
    let url = format!("{}{}", asked.base(), made.path);
    if asked.json {
        let ShareMade { share, token, path } = &made;
        println!("{}", serde_json::json!({"share": share, "token": token, "path": path, "url": url}));
        return Ok(());
    }
    println!(
        "{}\n\nThe link, told this once; whoever has it sees what it shows:\n\n  {url}",
        line(&made.share)
    );
    Ok(())
}

fn seconds(name: &str, text: &str) -> anyhow::Result<u64> {
    let ms = duration_ms(text).filter(|ms| *ms >= 1000);
    let ms = ms.with_context(|| format!("{name}: `{text}` is no duration such as 30d or 12h"))?;
    Ok(ms.unsigned_abs() / 1000)
}

fn line(share: &Share) -> String {
    let ends = match (share.revoked_at, share.expires_at) {
        (Some(at), _) => format!("taken back {}", utc(at / 1000)),
        (None, Some(at)) => format!("until {}", utc(at / 1000)),
        (None, None) => "without end".to_owned(),
    };
    let nodes = share.nodes.map(|nodes| format!("{nodes} nodes, ")).unwrap_or_default();
    format!("{}  {}  {nodes}{} views, {ends}", share.id, share.title, share.views)
}

/// The links of a data folder that no proxy works in.
struct Folder {
    state: StateFile,
    /// Ours meanwhile.
    _folder: DataDir,
}

fn in_folder(path: &Path) -> anyhow::Result<Folder> {
    if !path.is_dir() {
        bail!("there is no data folder {}; it is [server] data_dir of the config", path.display());
    }
    let folder = DataDir::open(path).context("ask the proxy that runs there with --url")?;
    Ok(Folder { state: StateFile::open(Some(folder.path())), _folder: folder })
}

impl Folder {
    async fn listed(&self) -> anyhow::Result<Shares> {
        let kept = self.state.shares().await?.into_values();
        let told = kept.map(|kept| Ok(OpenShare::new(kept)?.told(None)));
        let mut shares = told.collect::<anyhow::Result<Vec<Share>>>()?;
        shares.sort_by_key(|share| std::cmp::Reverse(share.created_at));
        Ok(Shares { shares })
    }

    async fn revoked(&self, id: &str) -> anyhow::Result<Share> {
        let kept = self.state.shares().await?.remove(id);
        let mut kept = kept.with_context(|| format!("there is no link `{id}`; `share list` has them"))?;
        kept.revoked_at.get_or_insert(clock::now());
        self.keep(kept).await
    }

    async fn made(&self, wish: ShareChange) -> anyhow::Result<ShareMade> {
        let (kept, token) = share::drafted(wish, "the operator", clock::now()).await?;
        let path = format!("/s/{token}/");
        Ok(ShareMade { share: self.keep(kept).await?, token, path })
    }

    async fn keep(&self, kept: KeptShare) -> anyhow::Result<Share> {
        let share = OpenShare::new(kept.clone())?.told(None);
        if !self.state.record_share(&kept) {
            bail!("the state file takes nothing");
        }
        self.state.flush().await?;
        if self.state.stats().in_memory() {
            bail!("the state file in the data folder cannot be written");
        }
        Ok(share)
    }
}
