//! The form of a link: what it says, and in words what its viewers will see. While it is written the proxy looks at it
//! as a draft: how many nodes that is, what is wrong with it, and a preview.

use std::time::Duration;

use fleetglass_shared::wire::{Share, ShareChange, ShareMade, View};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Event, SubmitEvent};

use super::more::more;
use super::select::{MOST_NODES, chosen, named};
use super::wish::{Asked, Ends, Written};
use super::words::{sees, title};
use super::{Desk, Open, sheet};
use crate::client;
use crate::clock;
use crate::components::words::counted;
use crate::dom::{El, button, div, effect, el, group, link, p, span, with_class};
use crate::json;
use crate::state::use_fleet;

/// The proxy looks at it when it has rested for so long,
const REST: Duration = Duration::from_millis(400);
/// and again after so long, before its draft ends.
const AGAIN_MS: i64 = 5 * 60_000;

/// What the form holds.
#[derive(Clone, Copy)]
pub(super) struct Form {
    desk: Desk,
    /// The link that is changed.
    pub(super) of: StoredValue<Option<Share>>,
    pub(super) written: RwSignal<Written>,
    /// Words of a filter that no selector says, and the nodes that were on the screen.
    left_out: StoredValue<(Vec<String>, Vec<String>)>,
    draft: RwSignal<Option<Share>>,
    /// What is wrong with the draft.
    wrong: RwSignal<Option<String>>,
    trouble: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    now: Signal<i64>,
}

/// The form for a link; `share` is the one that is changed.
pub(super) fn form(desk: Desk, share: Option<Share>, asked: &Asked) -> El {
    let fleet = use_fleet();
    let (written, left_out) = match &share {
        Some(share) => (Written::of(share), Default::default()),
        None if !asked.node.is_empty() => {
            (Written::new(named(std::slice::from_ref(&asked.node)), &asked.page), Default::default())
        }
        None => {
            let chosen = fleet.every_node().with_untracked(|nodes| chosen(&asked.filter, nodes));
            (Written::new(chosen.selector, &asked.page), (chosen.left_out, chosen.nodes))
        }
    };
    let form = Form {
        desk,
        of: StoredValue::new(share),
        written: RwSignal::new(written),
        left_out: StoredValue::new(left_out),
        draft: RwSignal::new(None),
        wrong: RwSignal::new(None),
        trouble: RwSignal::new(None),
        busy: RwSignal::new(false),
        now: fleet.now(),
    };
    form.look();
    sheet(desk, "sheet share-sheet", form.body())
}

impl Form {
    fn is_new(self) -> bool {
        self.of.with_value(Option::is_none)
    }

    fn wish(self) -> Result<ShareChange, String> {
        let now = self.now.get_untracked();
        self.written.with_untracked(|written| written.wish(self.is_new(), now))
    }

    /// Has the proxy look at what stands here, whenever that has rested.
    fn look(self) {
        let timer = StoredValue::new(None::<TimeoutHandle>);
        let turn = Memo::new(move |_| self.now.get() / AGAIN_MS);
        effect(move || {
            self.written.track();
            let _ = turn.get();
            if let Some(timer) = timer.get_value() {
                timer.clear();
            }
            timer.set_value(set_timeout_with_handle(move || self.ask(), REST).ok());
        });
        on_cleanup(move || {
            if let Some(timer) = timer.try_get_value().flatten() {
                timer.clear();
            }
        });
    }

    fn ask(self) {
        let Some(wish) = self.written.try_with_untracked(|_| ()).map(|()| self.wish()) else { return };
        let mut wish = match wish {
            Ok(wish) => wish,
            Err(words) => return self.wrong.set(Some(words)),
        };
        // That it has no title yet is said when it is to be made.
        let titled = wish.title.as_ref().is_some_and(|title| !title.trim().is_empty());
        if !titled {
            wish.title = Some("Untitled".to_owned());
        }
        let of = self.of.with_value(|of| of.as_ref().map(|share| format!("of={}", share.id)));
        let instead =
            self.draft.with_untracked(|draft| draft.as_ref().map(|draft| format!("instead={}", draft.id)));
        let query: Vec<String> = of.into_iter().chain(instead).collect();
        let path = format!("/api/v1/shares/drafts?{}", query.join("&"));
        spawn_local(async move {
            match client::post(&path, &wish).await.map(|text| json::read::<Share>(&text)) {
                Ok(Ok(draft)) => {
                    self.draft.try_set(Some(draft));
                    self.wrong.try_set(None);
                }
                Ok(Err(words)) => drop(self.wrong.try_set(Some(words))),
                Err(error) => drop(self.wrong.try_set(Some(error.in_words()))),
            }
        });
    }

    fn body(self) -> El {
        let heading = self.of.with_value(|of| match of {
            Some(share) => format!("Edit {}", share.title),
            None => "New link".to_owned(),
        });
        let submit = move |event: SubmitEvent| {
            event.prevent_default();
            self.submit();
        };
        with_class("form", "sheet-form share-form")
            .attr("novalidate", "")
            .on("submit", submit)
            .child(el("h2").class("sheet-title").attr("id", "sheet-title").text(heading))
            .child(self.line(
                "title",
                "Title, as the viewer reads it",
                |written| &mut written.title,
                self.is_new(),
            ))
            .child(self.nodes())
            .child(self.views())
            .child(self.ends())
            .child(more(self))
            .child(self.told())
            .child(
                p("range-trouble").attr("role", "alert").text(move || self.trouble.get().unwrap_or_default()),
            )
            .child(self.buttons())
    }

    /// A field of one line.
    pub(super) fn line(
        self,
        id: &'static str,
        title: &'static str,
        place: fn(&mut Written) -> &mut String,
        first: bool,
    ) -> El {
        self.field(id, title, with_class("input", "field").attr("type", "text"), place)
            .attr("data-first", first.then_some(""))
    }

    /// A field with its label.
    pub(super) fn field(
        self,
        id: &'static str,
        title: &'static str,
        field: El,
        place: fn(&mut Written) -> &mut String,
    ) -> El {
        let text = Memo::new(move |_| self.written.with(|written| place(&mut written.clone()).clone()));
        let set = move |event: Event| {
            let text = event_target_value(&event);
            self.written.update(|written| *place(written) = text);
        };
        let id = format!("share-{id}");
        div("sheet-field")
            .child(with_class("label", "field-label").attr("for", id.clone()).text(title))
            .child(
                field
                    .attr("id", id.clone())
                    .attr("aria-describedby", format!("{id}-help"))
                    .attr("autocomplete", "off")
                    .attr("spellcheck", "false")
                    .prop("value", text)
                    .on("input", set),
            )
    }

    fn nodes(self) -> El {
        let rows = self.written.with_untracked(|written| written.select.lines().count().clamp(1, 6));
        let area = with_class("textarea", "field mono").attr("rows", rows.to_string());
        let count = move || match (self.wrong.get(), self.draft.get().and_then(|draft| draft.nodes)) {
            (Some(words), _) => words,
            (None, Some(nodes)) => format!("{} just now. ", counted(nodes, "node", "nodes")),
            (None, None) => "Looking".to_owned(),
        };
        let class = move || {
            if self.wrong.with(Option::is_some) { "sheet-hint share-wrong" } else { "sheet-hint num" }
        };
        let (left_out, nodes) = self.left_out.get_value();
        let some = !left_out.is_empty();
        let names = nodes.clone();
        let take = move || self.written.update(|written| written.select = named(&names));
        let few = some && !nodes.is_empty() && nodes.len() <= MOST_NODES;
        let button_words = match nodes.len() {
            1 => "Name the node on the screen instead".to_owned(),
            count => format!("Name the {count} nodes on the screen instead"),
        };
        let left = some.then(|| {
            p("share-left")
                .child(
                    span("")
                        .text("No selector says ")
                        .child(el("code").text(left_out.join(" ")))
                        .text(": it changes as time goes by, and is left out."),
                )
                .maybe(few.then(|| button("button").on_click(take).text(button_words)))
        });
        self.field("select", "Nodes: a selector a line, any of which selects", area, |written| {
            &mut written.select
        })
        .child(
            p("").class(class).attr("id", "share-select-help").attr("role", "status").text(count).child(
                span("share-example")
                    .child(el("code").text(r#"{region="eu"}"#))
                    .text(", ")
                    .child(el("code").text(r#"{instance!=""}"#))
                    .text(" for all"),
            ),
        )
        .maybe(left)
    }

    fn views(self) -> El {
        let one = move |view: View| {
            let chosen = Memo::new(move |_| self.written.with(|written| written.views.contains(&view)));
            self.check(title(view), chosen, move |on| {
                self.written.update(|written| {
                    match on {
                        true => written.views.insert(view),
                        false => written.views.remove(&view),
                    };
                });
            })
        };
        with_class("fieldset", "share-views")
            .child(with_class("legend", "field-label").text("What of them"))
            .children(View::ALL.map(one))
    }

    /// A box to tick, with its words.
    pub(super) fn check(self, words: &'static str, on: Memo<bool>, set: impl Fn(bool) + 'static) -> El {
        let tick = el("input")
            .attr("type", "checkbox")
            .flag("checked", move || on.get())
            .on("change", move |event: Event| set(event_target_checked(&event)));
        with_class("label", "share-check").child(tick).child(span("").text(words))
    }

    fn ends(self) -> El {
        let kept = (!self.is_new()).then_some(Ends::Kept);
        let all = kept.into_iter().chain([1, 7, 30, 90].map(Ends::In)).chain([Ends::On, Ends::Never]);
        let is = move |ends: Ends| self.written.with(|written| written.ends == ends);
        let one = move |ends: Ends| {
            button("choice")
                .aria("aria-pressed", move || is(ends))
                .on_click(move || self.written.update(|written| written.ends = ends))
                .text(ends.title())
        };
        let date = move |event: Event| {
            // The end of that day, here.
            let at = clock::from_iso(&format!("{}T23:59:59", event_target_value(&event)));
            self.written.update(|written| written.ends_at = at);
        };
        div("sheet-field")
            .child(p("field-label").attr("id", "share-ends").text("It ends after"))
            .child(
                div("choices sheet-choices")
                    .attr("role", "group")
                    .attr("aria-labelledby", "share-ends")
                    .children(all.map(one).collect::<Vec<_>>()),
            )
            .when(
                move || is(Ends::On),
                move || {
                    with_class("input", "field")
                        .attr("type", "date")
                        .attr("aria-label", "The last day")
                        .on("change", date)
                },
            )
    }

    /// What somebody sees who opens it.
    fn told(self) -> El {
        let words = move || {
            let nodes = self.draft.get().and_then(|draft| draft.nodes);
            let scope = self.written.with(|written| written.wish(true, 0)).ok().and_then(|wish| wish.scope);
            scope.map(|scope| sees(&scope, nodes)).unwrap_or_default()
        };
        with_class("section", "share-told")
            .attr("aria-labelledby", "share-told")
            .child(el("h3").attr("id", "share-told").text("What the viewer sees"))
            .child(with_class("ul", "").each(words, String::clone, |words| el("li").text(words)))
    }

    fn buttons(self) -> El {
        let at =
            move || self.draft.with(|draft| draft.as_ref().map(|draft| format!("/preview/{}/", draft.id)));
        let ready = move || self.wrong.with(Option::is_none) && self.draft.with(Option::is_some);
        let preview = move || {
            link("button", move || at().unwrap_or_default())
                .attr("target", "_blank")
                .attr("rel", "opener")
                .text("Preview")
        };
        let verb = if self.is_new() { "Make the link" } else { "Save" };
        div("sheet-buttons share-buttons")
            .child(button("button").on_click(move || self.desk.close()).text("Cancel"))
            .child(group().when(ready, preview))
            .child(
                button("button button-primary")
                    .attr("type", "submit")
                    .flag("disabled", move || self.busy.get())
                    .text(verb),
            )
    }

    fn submit(self) {
        let untitled = self.written.with_untracked(|written| written.title.trim().is_empty());
        let wish = match (untitled, self.wish()) {
            (true, _) => Err("Write a title: it is what the viewer reads at the top.".to_owned()),
            (false, wish) => wish,
        };
        let wish = match wish {
            Ok(wish) => wish,
            Err(words) => return self.trouble.set(Some(words)),
        };
        self.busy.set(true);
        self.trouble.set(None);
        let of = self.of.with_value(|of| of.as_ref().map(|share| share.id.clone()));
        spawn_local(async move {
            let done = match of {
                Some(id) => client::patch(&format!("/api/v1/shares/{id}"), &wish).await.map(|_| None),
                None => client::post("/api/v1/shares", &wish)
                    .await
                    .map(|text| json::read::<ShareMade>(&text).ok()),
            };
            self.busy.try_set(false);
            match done {
                Ok(made) => {
                    self.desk.load.again();
                    self.desk.close();
                    if let Some(made) = made {
                        self.desk.open(Open::Made(Box::new(made)));
                    }
                }
                Err(error) => drop(self.trouble.try_set(Some(error.in_words()))),
            }
        });
    }
}
