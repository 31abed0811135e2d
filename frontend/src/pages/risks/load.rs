//! The risks of the fleet, asked anew when the live stream says that nodes changed.

use std::collections::HashMap;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::Risks;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::listing::{RiskRef, key};
use super::view::View;
use crate::client;
use crate::clock::local_now;
use crate::dom::effect;
use crate::pages::node::load::escaped;
use crate::state::{Link, use_fleet};

/// Not asked more often than this, unless for something else.
const PAUSE_MS: i64 = 3_000;
/// As many at first: the worst come first, so the rest are the quiet ones.
const FIRST: usize = 1_000;
/// With each press so many times as many.
const TIMES: usize = 4;

/// What the proxy said last.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    /// The worst first.
    pub risks: Vec<RiskRef>,
    /// When this was so.
    pub at: UnixMillis,
    /// How many there are; more than these where as many were not asked for.
    pub total: usize,
    places: HashMap<String, usize>,
}

impl Answer {
    fn of(risks: Risks) -> Self {
        let (at, total) = (risks.at, risks.total);
        let risks: Vec<RiskRef> = risks.risks.into_iter().map(Arc::new).collect();
        let places = risks.iter().enumerate().map(|(place, risk)| (key(risk), place)).collect();
        Self { risks, at, total, places }
    }

    /// A risk by its key.
    pub fn find(&self, key: &str) -> Option<RiskRef> {
        self.risks.get(*self.places.get(key)?).cloned()
    }
}

/// What is known of the risks. Copied into every part.
#[derive(Clone, Copy)]
pub struct RisksLoad {
    answer: RwSignal<Option<Arc<Answer>>>,
    /// Why the last request failed, and what to do.
    pub trouble: RwSignal<Option<String>>,
    limit: RwSignal<usize>,
    asked: Memo<Vec<(&'static str, String)>>,
    asked_at: StoredValue<i64>,
    turn: StoredValue<u64>,
    busy: StoredValue<bool>,
}

impl RisksLoad {
    /// Begins to load, and goes on for as long as its owner lives.
    pub fn start(view: RwSignal<View>) -> Self {
        let fleet = use_fleet();
        let load = Self {
            answer: RwSignal::new(None),
            trouble: RwSignal::new(None),
            limit: RwSignal::new(FIRST),
            asked: Memo::new(move |_| view.with(View::asked)),
            asked_at: StoredValue::new(0),
            turn: StoredValue::new(0),
            busy: StoredValue::new(false),
        };
        effect(move || {
            load.asked.track();
            load.limit.track();
            load.again();
        });
        let behind = StoredValue::new(false);
        effect(move || {
            fleet.every_node().track();
            behind.set_value(true);
        });
        effect(move || {
            fleet.now().track();
            let live = fleet.link().with(|link| *link == Link::Live);
            let rested = local_now() - load.asked_at.get_value() >= PAUSE_MS;
            if live
                && rested
                && !document().hidden()
                && !load.busy.get_value()
                && (behind.get_value() || load.trouble.with_untracked(Option::is_some))
            {
                behind.set_value(false);
                load.again();
            }
        });
        load
    }

    /// What the proxy said last; kept when a later request fails.
    pub fn answer(self) -> Option<Arc<Answer>> {
        self.answer.get()
    }

    /// Asks for more of them.
    pub fn more(self) {
        self.limit.update(|limit| *limit *= TIMES);
    }

    /// Asks now.
    pub fn again(self) {
        let limit = self.limit.get_untracked();
        let mut path = format!("/api/v1/risks?limit={limit}");
        for (name, value) in self.asked.get_untracked() {
            path.push_str(&format!("&{name}={}", escaped(&value)));
        }
        self.asked_at.set_value(local_now());
        self.turn.update_value(|turn| *turn += 1);
        let mine = self.turn.get_value();
        self.busy.set_value(true);
        spawn_local(async move {
            let answer = client::get_json::<Risks>(&path).await;
            // Something else may have been asked for meanwhile.
            if self.turn.try_get_value() != Some(mine) {
                return;
            }
            self.busy.try_update_value(|busy| *busy = false);
            match answer {
                Ok(risks) => {
                    self.answer.try_set(Some(Arc::new(Answer::of(risks))));
                    self.trouble.try_set(None);
                }
                Err(error) => drop(self.trouble.try_set(Some(error.in_words()))),
            }
        });
    }
}
