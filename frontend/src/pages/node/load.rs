//! The detail of a node, asked anew when the live stream says that the node was.

use std::sync::Arc;

use fleetglass_shared::wire::NodeDetail;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client::{self, ClientError};
use crate::clock;
use crate::dom::effect;
use crate::state::{Link, Node, use_fleet};

/// Not asked more often than this.
const PAUSE_MS: i32 = 2_000;

/// What is known of the node. Copied into every section.
#[derive(Clone, Copy)]
pub(super) struct NodeLoad {
    node: Memo<Option<Node>>,
    detail: RwSignal<Option<Arc<NodeDetail>>>,
    /// Why the last request failed, if it did, and what to do.
    pub(super) trouble: RwSignal<Option<String>>,
    /// It failed because the proxy knows no such node.
    pub(super) refused: RwSignal<bool>,
    id: StoredValue<String>,
    path: StoredValue<String>,
    busy: StoredValue<bool>,
    wanted: StoredValue<bool>,
}

impl NodeLoad {
    /// Begins to load, and goes on for as long as its owner lives.
    pub(super) fn start(id: &str, node: Memo<Option<Node>>) -> Self {
        let fleet = use_fleet();
        let load = Self {
            node,
            detail: RwSignal::new(None),
            trouble: RwSignal::new(None),
            refused: RwSignal::new(false),
            id: StoredValue::new(id.to_owned()),
            path: StoredValue::new(format!("/api/v1/nodes/{}", escaped(id))),
            busy: StoredValue::new(false),
            wanted: StoredValue::new(false),
        };
        let mut seen = None;
        effect(move || {
            let live = fleet.link().with(|link| *link == Link::Live);
            let told = Some((live, load.node().map(|node| (node.asked_at, node.status))));
            if seen != told {
                seen = told;
                load.again();
            }
        });
        load
    }

    /// Its summary: the live stream's, which is never older than the detail's.
    pub(super) fn node(self) -> Option<Node> {
        self.node.get()
    }

    /// Everything else; kept when a later request fails. What reads it compares what it writes, so that a
    /// detail that differs in one place changes the page in one place.
    pub(super) fn detail(self) -> Option<Arc<NodeDetail>> {
        self.detail.get()
    }

    /// Its id.
    pub(super) fn id(self) -> String {
        self.id.get_value()
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
                self.take(client::get_json::<NodeDetail>(&path).await);
                clock::sleep(PAUSE_MS).await;
            }
            self.busy.try_update_value(|busy| *busy = false);
        });
    }

    fn take(self, answer: Result<NodeDetail, ClientError>) {
        let refused = matches!(answer, Err(ClientError::Http { status: 404, .. }));
        let trouble = match answer {
            Ok(detail) => {
                self.detail.try_set(Some(Arc::new(detail)));
                None
            }
            Err(error) => Some(error.in_words()),
        };
        self.refused.try_set(refused);
        self.trouble.try_set(trouble);
    }
}

/// A text as one segment of a path, or one value in a query.
pub fn escaped(text: &str) -> String {
    String::from(js_sys::encode_uri_component(text))
}
