//! Web Push: this browser is told of alerts even while nobody looks at the page. `static/keep.js` speaks to the
//! browser's push service.

use std::collections::BTreeSet;

use fleetglass_shared::wire::Severity;
use js_sys::{Function, JSON, Promise, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::SubmitEvent;

use crate::client::{self, ClientError};
use crate::clock::sleep;
use crate::dom::{El, button, div, el, group, p, with_class};
use crate::json::Json;
use crate::pages::node::load::escaped;
use crate::pages::people::parts::{Trial, field, section, submit};
use crate::pages::polled::Polled;

const PATH: &str = "/api/v1/push/subscriptions";
const AGAIN_MS: i64 = 30_000;
const TRIES: usize = 200;
/// What a test is asked with: there is nothing to say, but it must be JSON.
const NOTHING: [u8; 0] = [];

/// A browser that is told.
#[derive(Clone, Debug, Default, PartialEq)]
struct Device {
    id: String,
    label: String,
    severities: Vec<String>,
    select: String,
    /// Its public key: by it a browser finds itself.
    key: String,
}

impl Device {
    fn all(json: &Json) -> Vec<Self> {
        let text = |json: &Json, name: &str| json.get(name).text().unwrap_or_default();
        let one = |json: &Json| Self {
            id: text(json, "id"),
            label: text(json, "label"),
            severities: json
                .get("severities")
                .items()
                .unwrap_or_default()
                .iter()
                .filter_map(Json::text)
                .collect(),
            select: text(json, "select"),
            key: text(json, "key"),
        };
        json.get("subscriptions").items().unwrap_or_default().iter().map(one).collect()
    }
}

#[derive(Serialize)]
struct Wish {
    endpoint: String,
    keys: Keys,
    label: String,
    severities: Vec<String>,
    select: String,
}

#[derive(Serialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

/// What the browser says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
struct Own {
    /// It has Web Push.
    can: bool,
    /// Its owner forbade notifications.
    denied: bool,
    /// Its public key, while it is subscribed.
    key: String,
    /// A name for it.
    name: String,
}

/// Calls a function of `fleetglassPush`, and reads what it promises.
async fn browser(name: &str, argument: &str) -> Result<Json, String> {
    let get = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).ok();
    let missing = || "This page is still loading: try again.".to_owned();
    let there = || get(&js_sys::global(), "fleetglassPush").filter(JsValue::is_object);
    // It comes a moment after the app.
    for _ in 0..TRIES {
        if there().is_some() {
            break;
        }
        sleep(100).await;
    }
    let push = there().ok_or_else(missing)?;
    let function: Function = get(&push, name).and_then(|own| own.dyn_into().ok()).ok_or_else(missing)?;
    let promise = function.call1(&push, &JsValue::from_str(argument)).map_err(|_| missing())?;
    let promise: Promise = promise.dyn_into().map_err(|_| missing())?;
    let words = |error: JsValue| error.dyn_into::<js_sys::Error>().map(|error| String::from(error.message()));
    let answer = JsFuture::from(promise).await;
    let answer =
        answer.map_err(|error| words(error).unwrap_or_else(|_| "The browser refused.".to_owned()))?;
    // The browser's own objects show their members only as JSON.
    let text = JSON::stringify(&answer).map(String::from).unwrap_or_default();
    Json::parse(&text)
}

async fn own() -> Own {
    let Ok(json) = browser("state", "").await else { return Own::default() };
    Own {
        can: json.get("can").flag() == Some(true),
        denied: json.get("permission").text().as_deref() == Some("denied"),
        key: json.get("subscription").get("keys").get("p256dh").text().unwrap_or_default(),
        name: json.get("name").text().unwrap_or_default(),
    }
}

/// The part of the page about browsers.
pub(super) fn push_part() -> El {
    let load = Polled::start(|| PATH.to_owned(), AGAIN_MS, Device::all);
    let this = RwSignal::new(None::<Own>);
    let look = move || {
        spawn_local(async move {
            this.try_set(Some(own().await));
        });
    };
    look();
    let known = move || load.is_known() && this.with(Option::is_some);
    let can = move || this.with(|own| own.as_ref().is_some_and(|own| own.can && !own.denied));
    let denied = move || this.with(|own| own.as_ref().is_some_and(|own| own.denied));
    let here = Memo::new(move |_| {
        let key = this.with(|own| own.as_ref().map(|own| own.key.clone()).unwrap_or_default());
        load.with(|all| all.iter().find(|device| !key.is_empty() && device.key == key).cloned())
    });
    let others = move || {
        let here = here.get();
        load.with(|all| all.iter().filter(|one| Some(*one) != here.as_ref()).cloned().collect::<Vec<_>>())
    };
    let any_other = move || load.with(|all| all.len()) > usize::from(here.with(Option::is_some));
    section("push-title", "This browser", [])
        .when(
            move || known() && !can(),
            move || {
                p("silence-why").text(match denied() {
                    true => "Notifications of this site are blocked. Allow them in the browser's settings of this site.",
                    false => "This browser has no Web Push here: it needs https, and on an iPhone or iPad the app on the home screen.",
                })
            },
        )
        .when(move || known() && can(), move || form(this, here, load, look))
        .when(
            move || known() && any_other(),
            move || {
                group()
                    .child(with_class("h3", "push-others").text("Your other browsers"))
                    .child(with_class("ul", "silence-list").each(
                        others,
                        |device| format!("{device:?}"),
                        move |device| other(device, load),
                    ))
            },
        )
}

fn form(
    this: RwSignal<Option<Own>>,
    here: Memo<Option<Device>>,
    load: Polled<Vec<Device>>,
    look: impl Fn() + Copy + 'static,
) -> El {
    let held = here.get_untracked().unwrap_or_else(|| Device {
        label: this.with_untracked(|own| own.as_ref().map(|own| own.name.clone()).unwrap_or_default()),
        severities: vec!["critical".to_owned(), "warning".to_owned()],
        ..Device::default()
    });
    let (label, select) = (RwSignal::new(held.label), RwSignal::new(held.select));
    let severities = RwSignal::new(held.severities.into_iter().collect::<BTreeSet<String>>());
    let trial = Trial::new();
    let is_on = move || here.with(Option::is_some);
    let failed = |status: u16, detail: String| ClientError::Http { status, detail };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let (label, select) = (label.get_untracked(), select.get_untracked().trim().to_owned());
        let severities: Vec<String> = severities.get_untracked().into_iter().collect();
        if severities.is_empty() {
            return trial.fail("Choose at least one severity.".to_owned());
        }
        let subscribe = async move {
            let key = client::get_value("/api/v1/push/key").await?.get("key").text().unwrap_or_default();
            let own = browser("subscribe", &key).await.map_err(|words| failed(0, words))?;
            let text = |json: &Json, name: &str| json.get(name).text().unwrap_or_default();
            let keys = own.get("keys");
            let keys = Keys { p256dh: text(&keys, "p256dh"), auth: text(&keys, "auth") };
            let endpoint = text(&own, "endpoint");
            client::post(PATH, &Wish { endpoint, keys, label, severities, select }).await
        };
        trial.run(subscribe, move |_| {
            trial.say("This browser is told of alerts.");
            look();
            load.again();
        });
    };
    let path = move |end: &str| {
        here.with_untracked(|here| {
            here.as_ref().map(|here| format!("{PATH}/{}{end}", escaped(&here.id))).unwrap_or_default()
        })
    };
    let test = move || {
        let path = path("/test");
        trial.run(async move { client::post(&path, &NOTHING).await }, move |answer| {
            let said = Json::parse(&answer).ok().map(|json| super::read::tried(&json)).unwrap_or_default();
            trial.say(said);
        });
    };
    let stop = move || {
        let path = path("");
        let stop = async move {
            // What the browser forgets we are told of at the next message at the latest.
            let _ = browser("unsubscribe", "").await;
            client::delete(&path).await
        };
        trial.run(stop, move |_| {
            trial.say("This browser is told no more.");
            look();
            load.again();
        });
    };
    let check = move |severity: Severity| {
        let word = severity.as_str();
        let on = move || severities.with(|all| all.contains(word));
        let flip = move || {
            severities.update(|all| {
                if !all.remove(word) {
                    all.insert(word.to_owned());
                }
            });
        };
        with_class("button", "button push-severity")
            .attr("type", "button")
            .aria("aria-pressed", on)
            .on_click(flip)
            .child(crate::components::severity_mark::severity_shape(severity))
            .text(word)
    };
    with_class("form", "people-form")
        .on("submit", send)
        .child(
            p("people-help")
                .text("It notifies of alerts even while this page is closed, and you can acknowledge there."),
        )
        .child(field("push-label", "Name of this browser", "text", "off", label, ""))
        .child(
            div("people-field")
                .attr("role", "group")
                .attr("aria-labelledby", "push-severities")
                .child(p("field-label").attr("id", "push-severities").text("Severities"))
                .child(div("people-buttons").children(Severity::ALL.map(check))),
        )
        .child(field(
            "push-select",
            "Nodes",
            "text",
            "off",
            select,
            "A selector such as {region=\"eu\"}. Empty: all that you see.",
        ))
        .child(trial.words())
        .child(
            div("people-buttons")
                .when(is_on, move || submit(trial, "Save"))
                .when(move || !is_on(), move || submit(trial, "Tell this browser"))
                .when(is_on, move || button("button").on_click(test).text("Send a test"))
                .when(is_on, move || button("button").on_click(stop).text("Stop")),
        )
}

fn other(device: Device, load: Polled<Vec<Device>>) -> El {
    let trial = Trial::new();
    let nodes = if device.select.is_empty() { "all nodes".to_owned() } else { device.select.clone() };
    let about = format!("{}; {nodes}", device.severities.join(", "));
    let path = format!("{PATH}/{}", escaped(&device.id));
    let label = format!("Stop telling {}", device.label);
    let stop = move || {
        let path = path.clone();
        trial.run(async move { client::delete(&path).await }, move |_| load.again());
    };
    el("li")
        .class("silence people-row")
        .child(
            div("silence-words")
                .child(p("silence-about").text(device.label))
                .child(p("silence-why").text(about)),
        )
        .child(
            div("people-buttons")
                .child(button("button").attr("aria-label", label).on_click(stop).text("Stop"))
                .child(trial.words()),
        )
}
