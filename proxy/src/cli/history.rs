//! `fleetglass export`, `import` and `prune`: history as text, of a running proxy or of a data folder that
//! nobody works in. `backup` and `restore` copy the folder itself.

mod copy;
mod server;

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;
use fleetglass_shared::{health::UnixMillis, labels::Selector};

use super::query::moment;
use super::whom::Token;
use crate::{
    clock,
    config::LoadedConfig,
    data_dir::DataDir,
    store::{Limits, Store},
    transfer,
};

pub(super) const EXPORT: &str = "Examples:\n  \
    fleetglass export --url http://127.0.0.1:8080 --match '{instance=\"eu-1\"}' --start -7d > eu-1.om\n  \
    fleetglass export --data fleetglass-data --output all.om";
pub(super) const IMPORT: &str = "Example:\n  fleetglass import --url http://127.0.0.1:8080 all.om";
pub(super) const PRUNE: &str =
    "Example:\n  fleetglass prune --data fleetglass-data --before 2026-01-01T00:00:00Z";
pub(super) const BACKUP: &str =
    "Example:\n  fleetglass backup --data fleetglass-data --to /backup/2026-11-21";
pub(super) const RESTORE: &str = "Examples:\n  \
    fleetglass restore --from /backup/2026-11-21 --data fleetglass-data\n  \
    fleetglass restore --from /backup/2026-11-21 --url http://127.0.0.1:8080";

/// Whose history.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// A running proxy.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "config"])]
    url: Option<String>,
    #[command(flatten)]
    token: Token,
    /// A data folder.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The config that names the data folder.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    whose: Whose,
    /// Only series that pass this selector, or one of several.
    #[arg(long = "match", value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// From when on: Unix seconds, RFC 3339, or a time before now as -7d.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    end: Option<String>,
    /// The file to write; the standard output where none is given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    whose: Whose,
    /// OpenMetrics with timestamps; `-` is the standard input.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    #[command(flatten)]
    whose: Whose,
    /// Every sample before this goes: Unix seconds, RFC 3339, or a time before now as -30d.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    before: String,
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    whose: Whose,
    /// The folder to make; it may not be there yet.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    whose: Whose,
    /// A folder that `backup` made.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

impl Whose {
    fn folder(&self) -> anyhow::Result<PathBuf> {
        match (&self.data, &self.config) {
            (Some(data), _) => Ok(data.clone()),
            (None, Some(config)) => {
                let loaded = LoadedConfig::read(config, std::env::vars())?;
                Ok(loaded.resolve(&loaded.config.server.data_dir))
            }
            (None, None) => {
                bail!("say whose history: --url of a running proxy, --data DIR, or --config FILE")
            }
        }
    }

    fn server(&self) -> anyhow::Result<Option<server::Server>> {
        let Some(url) = &self.url else { return Ok(None) };
        server::Server::new(url, self.token.read()?).map(Some)
    }

    /// The store of a data folder that nobody works in.
    fn store(&self) -> anyhow::Result<(DataDir, Store)> {
        open(&self.folder()?)
    }
}

fn open(folder: &Path) -> anyhow::Result<(DataDir, Store)> {
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let data = DataDir::open(folder).context("a running proxy is reached with --url")?;
    let (store, _) = Store::open(Limits::unlimited(), data.path(), clock::now())?;
    Ok((data, store))
}

fn time(text: &str) -> anyhow::Result<UnixMillis> {
    moment(text, clock::now())
        .with_context(|| format!("`{text}` is no time: write Unix seconds, RFC 3339, or e.g. -7d"))
}

pub(super) async fn export(args: ExportArgs) -> anyhow::Result<()> {
    let start = args.start.as_deref().map(time).transpose()?.unwrap_or(0);
    let end = args.end.as_deref().map_or_else(|| Ok(clock::now()), time)?;
    let mut out: Box<dyn Write + Send> = match &args.output {
        Some(path) => {
            Box::new(std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?)
        }
        None => Box::new(std::io::stdout()),
    };
    if let Some(server) = args.whose.server()? {
        return server.export(&args.selectors, start, end, &mut out).await;
    }
    let mut selectors = Vec::new();
    for text in &args.selectors {
        let selector = Selector::parse(text).map_err(|error| anyhow::anyhow!("--match {text}: {error}"))?;
        selectors.push(selector.matchers);
    }
    let (_data, store) = args.whose.store()?;
    let mut write = |piece: String| out.write_all(piece.as_bytes()).map_err(|error| error.to_string());
    transfer::export(&store, &selectors, (start, end), &mut write).map_err(|error| anyhow::anyhow!(error))?;
    out.flush()?;
    Ok(())
}

pub(super) async fn import(args: ImportArgs) -> anyhow::Result<()> {
    let mut text = Vec::new();
    if args.file == Path::new("-") {
        std::io::stdin().read_to_end(&mut text)?;
    } else {
        text = std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    }
    let imported = match args.whose.server()? {
        Some(server) => server.import(&text).await?,
        None => {
            let (_data, store) = args.whose.store()?;
            transfer::import(&store, &text, clock::now())
                .with_context(|| format!("{} was not imported", args.file.display()))?
        }
    };
    println!("{} samples of {} series imported", imported.samples, imported.series);
    Ok(())
}

pub(super) async fn prune(args: PruneArgs) -> anyhow::Result<()> {
    let before = time(&args.before)?;
    match args.whose.server()? {
        Some(server) => server.prune(before).await?,
        None => args.whose.store()?.1.prune(before, clock::now())?,
    }
    println!("every sample before {} is gone", fleetglass_shared::format::utc(before / 1000));
    Ok(())
}

pub(super) fn backup(args: &BackupArgs) -> anyhow::Result<()> {
    let copied = copy::backup(&args.whose.folder()?, &args.to)?;
    println!("{copied} files copied to {}", args.to.display());
    Ok(())
}

pub(super) async fn restore(args: RestoreArgs) -> anyhow::Result<()> {
    let Some(server) = args.whose.server()? else {
        let folder = args.whose.folder()?;
        let copied = copy::restore(&args.from, &folder)?;
        println!("{copied} files copied to {}", folder.display());
        return Ok(());
    };
    // A running proxy takes in the samples; the backup itself stays as it is.
    let scratch = copy::Scratch::of(&args.from)?;
    let (_data, store) = open(scratch.path())?;
    let (mut pieces, mut samples) = (server::Pieces::default(), 0);
    let mut batches = Vec::new();
    transfer::export(&store, &[], (0, clock::now()), &mut |piece| {
        batches.extend(pieces.push(&piece));
        Ok(())
    })
    .map_err(|error| anyhow::anyhow!(error))?;
    batches.extend(pieces.rest());
    for batch in batches {
        samples += server.import(batch.as_bytes()).await?.samples;
    }
    println!("{samples} samples restored");
    Ok(())
}
