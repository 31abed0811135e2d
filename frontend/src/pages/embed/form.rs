//! The fields: which link, and which panel of it.

use leptos::prelude::*;
use web_sys::{Event, SubmitEvent};

use super::Maker;
use super::snippet::{RANGES, SIZES, THEMES, VIEWS, Wish, size_of};
use crate::dom::{El, button, div, el, group, p, span, with_class};

/// Which link: pasted, or made here.
pub(super) fn link_part(maker: Maker) -> El {
    let held = move || maker.wish.with(|wish| wish.token.clone());
    let paste = with_class("input", "field mono")
        .attr("type", "text")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("placeholder", "https://…/s/…")
        .attr("aria-describedby", "embed-trouble")
        .attr("aria-invalid", move || maker.trouble.with(Option::is_some).to_string())
        .prop("value", held)
        .on("input", move |event: Event| maker.paste(&event_target_value(&event)));
    let known = move || maker.title.with(Option::is_some);
    let words = move || format!("Shows “{}”.", maker.title.get().unwrap_or_default());
    with_class("section", "embed-part")
        .attr("aria-labelledby", "embed-link")
        .child(el("h2").class("section-title").attr("id", "embed-link").text("Share link"))
        .child(labelled("Paste a link", paste))
        .child(
            p("range-trouble")
                .attr("id", "embed-trouble")
                .attr("role", "alert")
                .text(move || maker.trouble.get().unwrap_or_default()),
        )
        .child(p("muted").attr("role", "status").text(move || if known() { words() } else { String::new() }))
        .when(move || !known(), move || make(maker))
}

fn make(maker: Maker) -> El {
    let title = RwSignal::new(String::new());
    let select = RwSignal::new("{instance!=\"\"}".to_owned());
    let pages = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let text = |signal: RwSignal<String>| signal.get_untracked().trim().to_owned();
        maker.make(text(title), text(select), &text(pages));
    };
    with_class("form", "embed-make")
        .on("submit", submit)
        .child(p("muted").text(
            "A link's secret is told once, when it is made. Have you none at hand, make one for this page:",
        ))
        .child(labelled("Title", line(title).flag("required", || true)))
        .child(labelled("Nodes", line(select).class("field mono").attr("aria-describedby", "embed-nodes-help")))
        .child(p("muted embed-help").attr("id", "embed-nodes-help").text(
            "Which it shows, by their labels: {instance!=\"\"} is each, {family=\"generic\"} those of a family.",
        ))
        .child(labelled(
            "Pages that may show it",
            line(pages)
                .attr("placeholder", "https://portal.example")
                .attr("aria-describedby", "embed-origin-help"),
        ))
        .child(p("muted embed-help").attr("id", "embed-origin-help").text(
            "The address of one of a site is enough for all of that site; put a space between several. With none, a frame stays empty on every page but this one.",
        ))
        .child(
            button("button button-primary")
                .attr("type", "submit")
                .flag("disabled", move || maker.busy.get())
                .text("Make a link"),
        )
}

/// Which panel of it.
pub(super) fn panel_part(maker: Maker) -> El {
    let is = move |views: &'static [&'static str]| {
        move || maker.wish.with(|wish| views.contains(&wish.view.as_str()))
    };
    let fixed = |list: &'static [(&'static str, &'static str)]| {
        move || list.iter().map(|(name, words)| ((*name).to_owned(), (*words).to_owned())).collect::<Vec<_>>()
    };
    let views = move || {
        let has = maker.views.get();
        let shown = VIEWS.iter().filter(|(name, _)| has.contains(name));
        shown.map(|(name, words)| ((*name).to_owned(), (*words).to_owned())).collect::<Vec<_>>()
    };
    let named = |names: RwSignal<Vec<String>>| {
        move || names.get().into_iter().map(|name| (name.clone(), name)).collect::<Vec<_>>()
    };
    let size = |wish: &Wish| format!("{}x{}", wish.size.0, wish.size.1);
    let compact = with_class("input", "").attr("type", "checkbox").on("change", move |event: Event| {
        maker.wish.update(|wish| wish.compact = event_target_checked(&event))
    });
    let label = with_class("input", "field")
        .attr("type", "text")
        .attr("maxlength", "100")
        .attr("placeholder", "The link's own")
        .on("input", move |event: Event| maker.wish.update(|wish| wish.label = event_target_value(&event)));
    with_class("section", "embed-part")
        .attr("aria-labelledby", "embed-panel")
        .child(el("h2").class("section-title").attr("id", "embed-panel").text("Panel"))
        .child(labelled(
            "Shows",
            choice(maker, views, |wish| wish.view.clone(), |wish, word| wish.view = word),
        ))
        .when(is(&["node", "chart"]), move || {
            labelled(
                "Node",
                choice(maker, named(maker.nodes), |wish| wish.node.clone(), |wish, word| wish.node = word),
            )
        })
        .when(is(&["chart"]), move || {
            group()
                .child(labelled(
                    "Chart",
                    choice(
                        maker,
                        named(maker.charts),
                        |wish| wish.panel.clone(),
                        |wish, word| wish.panel = word,
                    ),
                ))
                .child(labelled(
                    "Time",
                    choice(maker, fixed(&RANGES), |wish| wish.range.clone(), |wish, word| wish.range = word),
                ))
        })
        .child(
            div("embed-pair")
                .child(labelled(
                    "Colours",
                    choice(maker, fixed(&THEMES), |wish| wish.theme.clone(), |wish, word| wish.theme = word),
                ))
                .child(labelled(
                    "Size",
                    choice(maker, fixed(&SIZES), size, |wish, word| {
                        wish.size = size_of(&word).unwrap_or(wish.size)
                    }),
                )),
        )
        .child(labelled("Title of the panel", label))
        .child(
            with_class("label", "embed-check")
                .child(compact)
                .child(span("").text("Compact: no title, narrower rows")),
        )
}

fn labelled(title: &'static str, field: El) -> El {
    with_class("label", "embed-field").child(span("field-label").text(title)).child(field)
}

fn line(text: RwSignal<String>) -> El {
    with_class("input", "field")
        .attr("type", "text")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .prop("value", text)
        .on("input", move |event: Event| text.set(event_target_value(&event)))
}

/// One of several words.
fn choice(
    maker: Maker,
    options: impl Fn() -> Vec<(String, String)> + 'static,
    read: fn(&Wish) -> String,
    write: fn(&mut Wish, String),
) -> El {
    let chosen = move || maker.wish.with(read);
    let option = move |(name, words): (String, String)| {
        let own = name.clone();
        el("option").attr("value", name).flag("selected", move || chosen() == own).text(words)
    };
    with_class("select", "field")
        .on("change", move |event: Event| maker.wish.update(|wish| write(wish, event_target_value(&event))))
        .each(options, |(name, _)| name.clone(), option)
}
