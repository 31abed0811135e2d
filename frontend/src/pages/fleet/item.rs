//! What rows and tiles have in common: where they lie, how old they look, how they are opened.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, MouseEvent};

use super::nodes::{List, Place};
use crate::components::media::use_screen;
use crate::components::viewport::slide;
use crate::dom::{El, effect};
use crate::state::{Node, NodeSignal, use_fleet};

/// One node at its place in the list.
#[derive(Clone, Copy)]
pub struct Item {
    /// The list it is in.
    pub list: List,
    /// Where it lies in the list.
    pub place: Memo<Place>,
    /// What it shows.
    pub node: RwSignal<Node>,
}

/// How old a node is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aging {
    /// Its facts are of the last two rounds.
    Fresh,
    /// It was asked, but its last answer is older.
    OldFacts,
    /// Nobody has told us about it for two rounds: nothing here may be true any more.
    Unheard,
}

impl Item {
    /// A node by its key in the list.
    pub fn new(list: List, key: String, node: NodeSignal) -> Self {
        Self { list, place: list.place(key), node: node.into() }
    }

    /// Its id.
    pub fn id(self) -> String {
        self.node.with_untracked(|node| node.id.clone())
    }

    /// Whether the keyboard is on it.
    pub fn active(self) -> bool {
        self.node.with(|node| self.list.active.with(|active| active.as_ref() == Some(&node.id)))
    }

    /// Compares with the time, once a second.
    pub fn aging(self) -> Aging {
        let now = use_fleet().now().get();
        self.node.with(|node| {
            // A second of grace for the way here.
            let patience = 2 * node.interval_ms as i64 + 1000;
            let older = |at: Option<i64>| at.is_some_and(|at| now - at > patience);
            match (older(node.asked_at), older(node.fact_at)) {
                (true, _) => Aging::Unheard,
                (false, true) => Aging::OldFacts,
                (false, false) => Aging::Fresh,
            }
        })
    }

    /// What it opens at a press, and where the list's keyboard is when the focus comes.
    pub fn hear(self, element: El) -> El {
        element
            .on("click", |event: MouseEvent| {
                if opens(&event) {
                    press_link(&event);
                }
            })
            .on("keydown", |event: KeyboardEvent| {
                if event.key() == "Enter" && event.target() == event.current_target() {
                    press_link(&event);
                }
            })
            .on("focusin", move |_: Event| self.list.active.set(Some(self.id())))
    }

    /// Keeps it where it belongs, slides it when it moves, and gives `focused` the focus when asked to.
    pub fn settle(self, element: &El, focused: &El) {
        let still = use_screen().still;
        let (moved, focused) = (element.clone(), focused.clone());
        let mut before: Option<(i32, i32)> = None;
        effect(move || {
            let place = self.place.get();
            let at = (place.x, place.y);
            if let Some(before) = before
                && before != at
                && !still.get_untracked()
            {
                slide(moved.element(), before, at);
            }
            before = Some(at);
        });
        effect(move || {
            if self.active() && self.list.wants_focus.get() {
                self.list.wants_focus.set(false);
                focused.focus();
            }
        });
    }
}

/// A press anywhere on a row opens its node, but not one that is on a link already, or marks text.
fn opens(event: &MouseEvent) -> bool {
    let on_link = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|target| target.closest("a,button").ok().flatten().is_some());
    !on_link && !event.default_prevented() && event.button() == 0
}

/// The router hears presses on links: let it hear one.
fn press_link(event: &Event) {
    let element = event.current_target().and_then(|element| element.dyn_into::<Element>().ok());
    let link = element.and_then(|element| element.query_selector("a").ok().flatten());
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        link.click();
    }
}
