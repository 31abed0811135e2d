//! `fleetglass serve`

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::{assets, config::LoadedConfig, serve::Proxy};

pub(super) const EXAMPLE: &str = r#"Example:
  fleetglass serve --config fleetglass.toml

A small config:
  [server]
  listen = "127.0.0.1:8080"

  [[target]]
  id = "eu-1"
  family = "auto"
  url = "http://10.0.0.5:9090"
  labels = { region = "eu" }"#;

pub(super) async fn run(config: PathBuf) -> anyhow::Result<()> {
    let loaded = LoadedConfig::read(&config, std::env::vars())?;
    let cancel = CancellationToken::new();
    let proxy = Proxy::new(loaded, cancel.clone()).await?;
    tracing::info!("listening on {}", proxy.url()?);
    if !assets::is_present() {
        tracing::warn!(
            "this build has no dashboard in it, only the API; `cargo xtask build` makes one that has"
        );
    }
    tokio::spawn(async move {
        super::asked_to_end().await;
        cancel.cancel();
    });
    proxy.run(Vec::new()).await
}
