//! People and tokens of a data folder that no proxy works in.

use std::{path::Path, sync::Arc};

use anyhow::{Context, bail};

use crate::{
    auth::{People, Via},
    config::Config,
    data_dir::DataDir,
    state::StateFile,
};

/// A data folder that is ours meanwhile.
pub(super) struct Folder {
    pub(super) people: People,
    state: Arc<StateFile>,
    _folder: DataDir,
}

impl Folder {
    /// Takes a folder, which may not be there yet.
    ///
    /// # Errors
    /// A proxy works in it, or it cannot be written.
    pub(super) async fn open(path: &Path) -> anyhow::Result<Self> {
        let folder = DataDir::open(path).context("ask the proxy that runs there with --url")?;
        let state = Arc::new(StateFile::open(Some(folder.path())));
        if state.stats().in_memory() {
            bail!("the state file in the data folder cannot be written");
        }
        let people = People::restore(Arc::clone(&state), &Config::default()).await;
        Ok(Self { people, state, _folder: folder })
    }

    /// Takes a folder that is there.
    ///
    /// # Errors
    /// As [`Self::open`]; it is not there.
    pub(super) async fn existing(path: &Path) -> anyhow::Result<Self> {
        if !path.is_dir() {
            bail!("there is no data folder {}; it is [server] data_dir of the config", path.display());
        }
        Self::open(path).await
    }

    /// Writes down what was done, and waits until it is on disk.
    ///
    /// # Errors
    /// It is not.
    pub(super) async fn done(&self, what: &str, of: &str) -> anyhow::Result<()> {
        self.people.note("the operator", Some(Via::Local), "", what, of, "ok");
        self.state.flush().await?;
        if self.state.stats().in_memory() {
            bail!("the state file in the data folder cannot be written");
        }
        Ok(())
    }
}
