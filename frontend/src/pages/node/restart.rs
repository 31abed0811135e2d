//! "Safe to restart?": the proxy's verdict on the node, why, and how long to wait.

use std::sync::Arc;

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::{Status, UnixMillis};
use fleetglass_shared::wire::RestartAnswer;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::load::{NodeLoad, escaped};
use super::{framed, heading};
use crate::client::{self, ClientError};
use crate::clock;
use crate::components::status_mark::{state_class, status_shape};
use crate::dom::{El, div, effect, el, p, span, unseen, with_class};
use crate::json::Json;
use crate::state::use_fleet;

/// Asked again after so long, and when the node's state changes.
const AGAIN_MS: i64 = 15_000;

/// The verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    answer: RestartAnswer,
    until: Option<UnixMillis>,
    reasons: Vec<Reason>,
    same_host: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reason {
    answer: RestartAnswer,
    text: String,
    action: String,
}

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Loading,
    /// This Fleetglass does not judge it.
    Absent,
    /// It did not come: why.
    Failed(String),
    Ready(Arc<Verdict>),
}

/// A compact panel.
pub(super) fn restart(load: NodeLoad) -> El {
    let known = follow(load);
    let now = use_fleet().now();
    let verdict = move || match known.get() {
        Known::Ready(verdict) => Some(verdict),
        _ => None,
    };
    let answer = move || verdict().map_or(RestartAnswer::Unknown, |verdict| verdict.answer);
    let reasons = move || verdict().map(|verdict| verdict.reasons.clone()).unwrap_or_default();
    let hosts = move || verdict().map(|verdict| verdict.same_host.clone()).unwrap_or_default();
    let left = move || verdict().and_then(|verdict| wait_words(&verdict, now.get()));
    let failed = move || match known.get() {
        Known::Failed(why) => Some(format!("The verdict did not come. {why}")),
        _ => None,
    };
    framed("restart-title", heading("restart-title", "Safe to restart?"))
        .flag("hidden", move || known.with(|known| *known == Known::Absent))
        .when(move || known.with(|known| *known == Known::Loading), || div("skeleton restart-sketch"))
        .live(move || failed().map(|words| p("muted").attr("role", "status").text(words)))
        .when(
            move || verdict().is_some(),
            move || {
                div("restart-verdict")
                    .class(move || format!("restart-verdict {}", state_class(shape_of(answer()))))
                    .child(status_shape(move || shape_of(answer())))
                    .child(p("restart-word").attr("role", "status").text(move || word(answer())))
                    .child(span("num").text(move || left().unwrap_or_default()))
            },
        )
        .when(
            move || !reasons().is_empty(),
            move || {
                let key = |reason: &Reason| format!("{} {}", reason.answer.as_str(), reason.text);
                with_class("ul", "restart-reasons").each(reasons, key, one)
            },
        )
        .when(
            move || !hosts().is_empty(),
            move || p("restart-host muted").text(move || format!("On the same host: {}", hosts().join(", "))),
        )
}

fn one(reason: Reason) -> El {
    let status = shape_of(reason.answer);
    let action = (!reason.action.is_empty()).then(|| span("muted").text(format!(" {}", reason.action)));
    let says = format!("{}: ", word(reason.answer));
    el("li")
        .child(status_shape(move || status))
        .child(el("span").child(unseen(says)).text(format!("{}.", reason.text)).maybe(action))
}

/// The shape that stands beside the word.
fn shape_of(answer: RestartAnswer) -> Status {
    match answer {
        RestartAnswer::Yes => Status::Healthy,
        RestartAnswer::Unknown => Status::Unknown,
        RestartAnswer::Wait => Status::Degraded,
        RestartAnswer::No => Status::Unhealthy,
    }
}

fn word(answer: RestartAnswer) -> &'static str {
    match answer {
        RestartAnswer::Yes => "Yes",
        RestartAnswer::Unknown => "Not known",
        RestartAnswer::Wait => "Wait",
        RestartAnswer::No => "No",
    }
}

/// `until 13:05, 4 min left`.
fn wait_words(verdict: &Verdict, now: UnixMillis) -> Option<String> {
    let until = verdict.until?;
    let left = match until - now {
        ..=0 => "asking again".to_owned(),
        left => format!("{} left", duration_ms(left + 999)),
    };
    Some(format!("until {}, {left}", clock::local_hours_minutes(until)))
}

fn read(json: &Json) -> Option<Verdict> {
    let answer = |json: &Json| RestartAnswer::parse(&json.get("answer").text()?);
    let node = json.get("nodes").items()?.into_iter().next()?;
    let reason = |json: &Json| {
        Some(Reason {
            answer: answer(json)?,
            text: json.get("text").text()?,
            action: json.get("action").text().unwrap_or_default(),
        })
    };
    Some(Verdict {
        answer: answer(&node)?,
        until: node.get("until").number().map(|at| at as i64),
        reasons: node.get("reasons").items()?.iter().filter_map(reason).collect(),
        same_host: node.get("same_host").items().unwrap_or_default().iter().filter_map(Json::text).collect(),
    })
}

fn follow(load: NodeLoad) -> RwSignal<Known> {
    let fleet = use_fleet();
    let known = RwSignal::new(Known::Loading);
    let turn = Memo::new(move |_| fleet.now().get() / AGAIN_MS);
    let state = Memo::new(move |_| load.node().map(|node| (node.status, node.draining)));
    effect(move || {
        // A memo that nobody reads never tells.
        let _ = (turn.get(), state.get());
        if document().hidden() || known.with_untracked(|known| *known == Known::Absent) {
            return;
        }
        let id = load.id().replace('\\', "\\\\").replace('"', "\\\"");
        let path = format!("/api/v1/restart-check?match[]={}", escaped(&format!("{{instance=\"{id}\"}}")));
        spawn_local(async move {
            let told = match client::get_value(&path).await {
                Ok(json) => read(&json).map_or_else(
                    || Known::Failed("Reload the page: it may be older than the proxy.".to_owned()),
                    |verdict| Known::Ready(Arc::new(verdict)),
                ),
                Err(ClientError::Http { status: 404, .. }) => Known::Absent,
                Err(error) => Known::Failed(error.in_words()),
            };
            known.try_set(told);
        });
    });
    known
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_verdict_is_read_with_its_reasons() {
        let body = r#"{"at": 0, "nodes": [{"node": "a", "answer": "wait", "until": 90000, "same_host": ["b"],
            "reasons": [{"code": "x", "text": "It is due", "answer": "wait", "until": 90000, "action": "Look."},
                        {"code": "y", "text": "It drains", "answer": "yes"}]}]}"#;
        let verdict = read(&Json::parse(body).unwrap()).unwrap();
        assert_eq!((verdict.answer, verdict.until), (RestartAnswer::Wait, Some(90_000)));
        let texts: Vec<(&str, &str)> =
            verdict.reasons.iter().map(|reason| (reason.text.as_str(), reason.action.as_str())).collect();
        assert_eq!(texts, [("It is due", "Look."), ("It drains", "")]);
        assert_eq!(verdict.same_host, ["b"]);
        assert_eq!(read(&Json::parse(r#"{"nodes": []}"#).unwrap()), None);
        assert_eq!(read(&Json::parse(r#"{"nodes": [{"answer": "perhaps", "reasons": []}]}"#).unwrap()), None);
    }

    #[test]
    fn each_answer_has_a_shape_and_a_word_of_its_own() {
        let all = [RestartAnswer::Yes, RestartAnswer::Unknown, RestartAnswer::Wait, RestartAnswer::No];
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!((shape_of(*one), word(*one)), (shape_of(*other), word(*other)));
                assert!(shape_of(*one) != shape_of(*other) && word(*one) != word(*other));
            }
        }
    }
}
