//! The data folder of a config, taken for this process.

use std::sync::Arc;

use crate::{
    config::LoadedConfig,
    data_dir::{DataDir, DataDirError},
};

/// The folder, or `None` where nothing can be written: then everything goes on in memory.
///
/// # Errors
/// Another process works in it.
pub(super) fn open(loaded: &LoadedConfig) -> Result<Option<Arc<DataDir>>, DataDirError> {
    match DataDir::open(&loaded.resolve(&loaded.config.server.data_dir)) {
        Ok(folder) => Ok(Some(Arc::new(folder))),
        Err(error @ DataDirError::Taken(_)) => Err(error),
        Err(error @ DataDirError::Unusable { .. }) => {
            tracing::warn!("{error}; history and events are in memory only, and lost at the end");
            Ok(None)
        }
    }
}
