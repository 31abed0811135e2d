//! The links, asked again now and then, and when one was made or changed.

use std::sync::Arc;

use fleetglass_shared::wire::{Share, Shares};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::client;
use crate::dom::effect;
use crate::state::{Link, use_fleet};

/// Asked again after so long: who looks comes and goes.
const AGAIN_MS: i64 = 5_000;

/// What is known of the links.
#[derive(Clone, Copy)]
pub(super) struct SharesLoad {
    all: RwSignal<Option<Arc<Vec<Share>>>>,
    /// Why the last request failed, and what to do.
    pub(super) trouble: RwSignal<Option<String>>,
    turn: RwSignal<u64>,
}

impl SharesLoad {
    /// Begins to load, and goes on for as long as its owner lives.
    pub(super) fn start() -> Self {
        let fleet = use_fleet();
        let load = Self { all: RwSignal::new(None), trouble: RwSignal::new(None), turn: RwSignal::new(0) };
        let turn =
            Memo::new(move |_| (fleet.now().get() / AGAIN_MS, fleet.link().with(|link| *link == Link::Live)));
        effect(move || {
            let _ = turn.get();
            load.turn.track();
            spawn_local(async move {
                match client::get_json::<Shares>("/api/v1/shares").await {
                    Ok(answer) => {
                        load.all.try_set(Some(Arc::new(answer.shares)));
                        load.trouble.try_set(None);
                    }
                    Err(error) => drop(load.trouble.try_set(Some(error.in_words()))),
                }
            });
        });
        load
    }

    /// Every link, the newest first; `None` before the first answer.
    pub(super) fn all(self) -> Option<Arc<Vec<Share>>> {
        self.all.get()
    }

    /// Asks now.
    pub(super) fn again(self) {
        self.turn.try_update(|turn| *turn += 1);
    }
}
