//! Which alerts sound and notify in this browser: asked for here, done by `crate::pages::alarm`.

use fleetglass_shared::wire::Severity;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, KeyboardEvent};

use crate::components::icon::{Icon, icon};
use crate::components::severity_mark::severity_shape;
use crate::dom::{El, button, div, el, link, on_window, p, span, with_class};
use crate::pages::alarm::{Kind, Settings, allow, beep};

/// A button, and what it opens.
pub fn settings() -> El {
    let open = RwSignal::new(false);
    on_window("pointerdown", move |event: Event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if target.is_none_or(|target| target.closest(".alarm").ok().flatten().is_none()) {
            open.set(false);
        }
    });
    div("alarm")
        .on("keydown", move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                open.set(false);
            }
        })
        .child(
            button("icon-button")
                .attr("aria-label", "Sound and notification")
                .attr("title", "Sound and notification")
                .attr("aria-haspopup", "dialog")
                .aria("aria-expanded", move || open.get())
                .on_click(move || open.update(|open| *open = !*open))
                .child(icon(Icon::Settings)),
        )
        .when(move || open.get(), popover)
}

fn popover() -> El {
    let settings = RwSignal::new(Settings::kept());
    let trouble = RwSignal::new(None::<&'static str>);
    let change = move |kind: Kind, severity: Severity, on: bool| {
        settings.update(|settings| settings.set(kind, severity, on));
        settings.with_untracked(Settings::keep);
        match kind {
            Kind::Sound if on => beep(severity),
            Kind::Notify if on => {
                // Only a press may ask.
                let asked = allow();
                spawn_local(async move {
                    let allowed = asked.await;
                    let words = "This browser does not allow notifications here. Allow them in its settings.";
                    trouble.try_set((!allowed).then_some(words));
                });
            }
            _ => {}
        }
    };
    let cell = move |kind: Kind, severity: Severity| {
        let label = format!("{} for {} alerts", kind.title(), severity.as_str());
        let field = el("input")
            .attr("type", "checkbox")
            .attr("aria-label", label)
            .flag("checked", move || settings.with_untracked(|settings| settings.has(kind, severity)))
            .on("change", move |event: Event| {
                let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
                change(kind, severity, field.is_some_and(|field| field.checked()));
            });
        with_class("label", "alarm-cell").child(field)
    };
    let row = move |severity: Severity| {
        div("alarm-row")
            .child(span("alarm-name").child(severity_shape(severity)).text(severity.as_str()))
            .child(cell(Kind::Sound, severity))
            .child(cell(Kind::Notify, severity))
    };
    div("alarm-menu")
        .attr("role", "dialog")
        .attr("aria-label", "Sound and notification")
        .child(p("alarm-title").text("When a new alert opens, in this browser"))
        .child(
            div("alarm-row alarm-head")
                .child(span("").text(""))
                .child(span("").text("Sound"))
                .child(span("").text("Notify")),
        )
        .children(Severity::ALL.map(row))
        .child(p("range-trouble").attr("role", "alert").text(move || trouble.get().unwrap_or_default()))
        .child(p("range-hint").text("Works while a tab of Fleetglass is open. Nothing leaves this browser."))
        .child(link("alarm-others", "/notifications").text("Who else is told, and how it goes"))
        .child(link("alarm-others", "/status").text("Public status pages"))
}
