//! The detail of a node, asked anew when the live stream says that the node was.

use std::sync::Arc;

use fleetglass_shared::wire::NodeDetail;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client::{self, ClientError};
use crate::clock;
use crate::state::{Link, Node, use_fleet};

/// Not asked more often than this.
const PAUSE_MS: i32 = 2_000;

/// What is known of the node. Copied into every section.
#[derive(Clone, Copy)]
pub(super) struct NodeLoad {
    /// Its summary: the live stream's, which is never older than the detail's.
    pub(super) node: Signal<Option<Node>>,
    /// Everything else; kept when a later request fails.
    pub(super) detail: RwSignal<Option<Arc<NodeDetail>>>,
    /// Why the last request failed, if it did.
    pub(super) trouble: RwSignal<Option<ClientError>>,
    path: StoredValue<String>,
    busy: StoredValue<bool>,
    wanted: StoredValue<bool>,
}

impl NodeLoad {
    /// Begins to load, and goes on for as long as its owner lives.
    pub(super) fn start(id: &str) -> Self {
        let fleet = use_fleet();
        let name = id.to_owned();
        let node = Memo::new(move |_| {
            fleet.members().track();
            fleet.node(&name).map(|node| node.get())
        });
        let load = Self {
            node: node.into(),
            detail: RwSignal::new(None),
            trouble: RwSignal::new(None),
            path: StoredValue::new(format!("/api/v1/nodes/{}", escaped(id))),
            busy: StoredValue::new(false),
            wanted: StoredValue::new(false),
        };
        let asked =
            Memo::new(move |_| node.with(|node| node.as_ref().map(|node| (node.asked_at, node.status))));
        let live = Memo::new(move |_| fleet.link().with(|link| *link == Link::Live));
        Effect::new(move |_| {
            // Read, not only tracked: a memo that nobody reads never runs, and so never tells of a change.
            asked.with(|_| ());
            live.with(|_| ());
            load.again();
        });
        load
    }

    /// The path of the node in the API, to which `/series` and the like are added.
    pub(super) fn path(self) -> String {
        self.path.get_value()
    }

    /// Asks now, or as soon as the pause after the last request is over.
    pub(super) fn again(self) {
        self.wanted.set_value(true);
        if self.busy.get_value() {
            return;
        }
        self.busy.set_value(true);
        spawn_local(async move {
            // Every `try_` gives `None` once the page is left: then this ends.
            while self.wanted.try_update_value(std::mem::take) == Some(true) {
                let Some(path) = self.path.try_get_value() else { return };
                match client::get_json::<NodeDetail>(&path).await {
                    Ok(detail) => {
                        self.detail.try_set(Some(Arc::new(detail)));
                        if self.trouble.try_with_untracked(Option::is_some) == Some(true) {
                            self.trouble.set(None);
                        }
                    }
                    Err(error) => drop(self.trouble.try_set(Some(error))),
                }
                clock::sleep(PAUSE_MS).await;
            }
            self.busy.try_update_value(|busy| *busy = false);
        });
    }

    /// A part of the detail, which tells its readers only when it differs.
    pub(super) fn part<T>(self, read: impl Fn(&NodeDetail) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| {
            self.detail.with(|detail| detail.as_ref().map(|detail| read(detail)).unwrap_or_default())
        })
    }
}

/// A text as one segment of a path, or one value in a query.
pub(super) fn escaped(text: &str) -> String {
    String::from(js_sys::encode_uri_component(text))
}
