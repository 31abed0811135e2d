//! Children that come, go and change place. Each part keeps its place by a comment that follows it.

use std::cell::RefCell;
use std::collections::HashMap;

use leptos::prelude::*;
use web_sys::Node;

use super::El;
use super::events::render;

/// What makes one child of a list.
type Make = Box<dyn FnOnce() -> El>;

/// A child and what it owns.
struct Part {
    element: El,
    owner: Owner,
}

impl Part {
    fn make(parent: &Owner, make: impl FnOnce() -> El) -> Self {
        let owner = parent.child();
        // What the child reads is its own affair: it is not made anew for it.
        let element = owner.with(|| untrack(make));
        Self { element, owner }
    }

    fn end(self) {
        self.element.element().remove();
        self.owner.cleanup();
    }
}

impl El {
    /// A child made anew whenever a signal that its closure reads has changed.
    pub fn live(self, make: impl Fn() -> Option<El> + 'static) -> Self {
        live(&self, Box::new(make));
        self
    }

    /// A child that is there while a condition holds.
    pub fn when(self, holds: impl Fn() -> bool + 'static, make: impl Fn() -> El + 'static) -> Self {
        when(&self, Box::new(holds), Box::new(make));
        self
    }

    /// A child for each item; one whose key stays keeps its element.
    pub fn each<T: 'static>(
        self,
        items: impl Fn() -> Vec<T> + 'static,
        key: impl Fn(&T) -> String + 'static,
        make: impl Fn(T) -> El + Clone + 'static,
    ) -> Self {
        let list = move || -> Vec<(String, Make)> {
            let made = |item: T| {
                let (key, make) = (key(&item), make.clone());
                (key, Box::new(move || make(item)) as Make)
            };
            items().into_iter().map(made).collect()
        };
        each(&self, Box::new(list));
        self
    }
}

/// A mark in the page that tells where a part stands.
fn mark(parent: &El) -> Node {
    let mark: Node = document().create_comment("").into();
    let _ = parent.element().append_child(&mark);
    mark
}

/// Puts a child before a mark, wherever the mark is by now.
fn put(child: &El, before: &Node) {
    if let Some(parent) = before.parent_node() {
        let _ = parent.insert_before(child.element(), Some(before));
    }
}

fn live(parent: &El, make: Box<dyn Fn() -> Option<El>>) {
    let mark = mark(parent);
    let mut shown: Option<El> = None;
    render(Box::new(move || {
        let next = make();
        if let Some(shown) = shown.take() {
            shown.element().remove();
        }
        if let Some(next) = &next {
            put(next, &mark);
        }
        shown = next;
    }));
}

fn when(parent: &El, holds: Box<dyn Fn() -> bool>, make: Box<dyn Fn() -> El>) {
    let mark = mark(parent);
    // Not the effect's own owner: that one ends at each run.
    let owner = Owner::current().unwrap_or_default();
    let mut shown: Option<Part> = None;
    render(Box::new(move || match (holds(), shown.take()) {
        (true, None) => {
            let part = Part::make(&owner, &make);
            put(&part.element, &mark);
            shown = Some(part);
        }
        (false, Some(part)) => part.end(),
        (_, same) => shown = same,
    }));
}

fn each(parent: &El, list: Box<dyn Fn() -> Vec<(String, Make)>>) {
    let mark = mark(parent);
    let owner = Owner::current().unwrap_or_default();
    let shown = RefCell::new(HashMap::<String, Part>::new());
    render(Box::new(move || {
        let list = list();
        let mut before = shown.take();
        let mut now = HashMap::with_capacity(list.len());
        let mut order = Vec::with_capacity(list.len());
        for (key, make) in list {
            // Of two items with one key the first is shown.
            if now.contains_key(&key) {
                continue;
            }
            let part = before.remove(&key).unwrap_or_else(|| Part::make(&owner, make));
            order.push(part.element.clone());
            now.insert(key, part);
        }
        before.into_values().for_each(Part::end);
        let mut next = mark.clone();
        for element in order.into_iter().rev() {
            if element.element().next_sibling().as_ref() != Some(&next) {
                put(&element, &next);
            }
            next = element.element().clone().into();
        }
        shown.replace(now);
    }));
}
