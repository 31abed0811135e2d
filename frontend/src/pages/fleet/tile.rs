//! One node in the heat grid: with words while there is room for them, else its shape alone.

use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::components::A;

use super::attention::worst_reason;
use super::nodes::List;
use super::row::{Aging, aging, open, part, settle};
use crate::components::node_link::node_path;
use crate::components::status_mark::{StatusShape, state_class};
use crate::state::{Node, NodeSignal, use_fleet};

/// A tile that opens its node.
#[component]
pub fn NodeTile(
    /// The list it is in.
    list: List,
    /// Its key in the list.
    key: String,
    /// Its id.
    id: String,
    /// What it shows.
    node: NodeSignal,
    /// There is room for the shape only.
    small: bool,
) -> impl IntoView {
    let fleet = use_fleet();
    let node: RwSignal<Node> = node.into();
    let place = list.place(key);
    let element = NodeRef::<Div>::new();
    settle(list, id.clone(), place, element);
    let mine = id.clone();
    let active = Memo::new(move |_| list.active.with(|active| active.as_deref() == Some(&mine)));
    let status = part(node, |node| node.status);
    let draining = part(node, |node| node.draining);
    let family = part(node, |node| node.family.clone());
    let why = Memo::new(move |_| node.with(worst_reason));
    let family_title = Memo::new(move |_| fleet.family_title(&family.get()));
    let under =
        Memo::new(move |_| why.with(|why| if why.is_empty() { family_title.get() } else { why.clone() }));
    let name = id.clone();
    let label = Memo::new(move |_| {
        let drains = if draining.get() { ", draining" } else { "" };
        let why = why.with(|why| if why.is_empty() { String::new() } else { format!(": {why}") });
        format!("{name}, {}{drains}{why}", status.get().as_str())
    });
    let aging = aging(node);
    let class = move || {
        let aging = if aging.get() == Aging::Unheard { "row-unheard" } else { "" };
        format!("tile {} {aging}", state_class(status.get()))
    };
    let (path, own) = (node_path(&id), id.clone());
    view! {
        <div
            node_ref=element
            class=class
            style:width=move || format!("{}px", list.shape.get().column)
            style:height=move || format!("{}px", list.shape.get().row)
            style:transform=move || format!("translate({}px,{}px)", place.get().x, place.get().y)
            on:click=move |event| open(&event, element)
            on:focusin=move |_| list.active.set(Some(own.clone()))
        >
            <A href=path attr:class="tile-face" attr:tabindex=move || if active.get() { "0" } else { "-1" } attr:title=label attr:aria-label=label>
                <StatusShape status/>
                {(!small).then(|| view! {
                    <span class="tile-words">
                        <span class="tile-node"><bdi>{id}</bdi></span>
                        <span class="tile-why">{under}</span>
                    </span>
                })}
            </A>
        </div>
    }
    .into_any()
}
