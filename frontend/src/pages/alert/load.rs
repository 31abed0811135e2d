//! The detail of an alert, asked anew when the live stream says that it changed.

use std::sync::Arc;

use fleetglass_shared::wire::AlertDetail;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client::{self, ClientError};
use crate::dom::effect;
use crate::pages::node::load::escaped;
use crate::state::alerts::AlertRef;
use crate::state::{Link, use_fleet};

/// What is known of the alert. Copied into every section.
#[derive(Clone, Copy)]
pub struct AlertLoad {
    live: Memo<Option<AlertRef>>,
    detail: RwSignal<Option<Arc<AlertDetail>>>,
    /// Why the last request failed, and what to do.
    pub trouble: RwSignal<Option<String>>,
    /// The proxy knows no such alert.
    pub refused: RwSignal<bool>,
    path: StoredValue<String>,
}

impl AlertLoad {
    /// Begins to load, and goes on for as long as its owner lives.
    pub fn start(id: &str) -> Self {
        let fleet = use_fleet();
        fleet.follow_all_alerts();
        let path = format!("/api/v1/alerts/{}", escaped(id));
        let id = id.to_owned();
        let load = Self {
            live: Memo::new(move |_| {
                fleet.alerts().with(|alerts| alerts.iter().find(|alert| alert.id == id).cloned())
            }),
            detail: RwSignal::new(None),
            trouble: RwSignal::new(None),
            refused: RwSignal::new(false),
            path: StoredValue::new(path),
        };
        // Its value changes with each evaluation; what else is told of it only with these.
        let told = Memo::new(move |_| {
            let live = fleet.link().with(|link| *link == Link::Live);
            let alert = load.live.get().map(|alert| {
                let quiet = (alert.silenced_by.len(), alert.inhibited_by.len(), alert.muted_by.len());
                (alert.state, alert.acknowledged.clone(), quiet, alert.fired_at)
            });
            (live, alert, fleet.now().get() / 30_000)
        });
        effect(move || {
            let _ = told.get();
            load.again();
        });
        load
    }

    /// As it is now: the live stream's, else the detail's.
    pub fn alert(self) -> Option<AlertRef> {
        self.live.get().or_else(|| self.detail.get().map(|detail| Arc::new(detail.alert.clone())))
    }

    /// Everything else; kept when a later request fails.
    pub fn detail(self) -> Option<Arc<AlertDetail>> {
        self.detail.get()
    }

    /// Asks now.
    pub fn again(self) {
        let path = self.path.get_value();
        spawn_local(async move {
            let answer = client::get_json::<AlertDetail>(&path).await;
            self.refused.try_set(matches!(answer, Err(ClientError::Http { status: 404, .. })));
            match answer {
                Ok(detail) => {
                    self.detail.try_set(Some(Arc::new(detail)));
                    self.trouble.try_set(None);
                }
                Err(error) => drop(self.trouble.try_set(Some(error.in_words()))),
            }
        });
    }
}
