//! Queries over the store: the interface the rest of the proxy is written against; its inside lands next.

use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;

use crate::store::Store;

/// Prometheus's API over the store.
pub fn router(_store: Arc<Store>) -> axum::Router {
    axum::Router::new()
}

/// The values of an instant expression.
///
/// # Errors
/// It cannot be evaluated.
pub fn evaluate_instant(_store: &Store, _expr: &str, _at: UnixMillis) -> Result<Vec<f64>, String> {
    Err("not evaluated yet".to_owned())
}

/// Every derived series of every node as text 0.0.4.
pub fn render_nodes(_store: &Store, _now: UnixMillis) -> String {
    String::new()
}
