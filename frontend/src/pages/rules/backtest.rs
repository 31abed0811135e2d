//! When a rule would have fired, edited and as it is now, side by side, before anything is saved.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{BacktestAnswer, BacktestFiring, BacktestRequest};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{Event, SubmitEvent};

use super::edit::{seconds, threshold, with_threshold, written};
use super::read::Rule;
use crate::charts::{DAY, clock_label, date_label, time_ticks};
use crate::client::{self, ClientError};
use crate::clock::zone_offset;
use crate::components::words::counted;
use crate::dom::{El, button, div, el, group, p, span, with_class};
use crate::state::use_fleet;

/// Lengths of time to test over.
const SPANS: [(i64, &str); 2] = [(DAY, "24 h"), (7 * DAY, "7 d")];
/// Firings told one by one.
const MOST: usize = 8;

/// What both rules gave.
#[derive(Clone)]
struct Outcome {
    span: (UnixMillis, UnixMillis),
    now: BacktestAnswer,
    edited: Option<BacktestAnswer>,
}

#[derive(Clone, Copy)]
struct Bench {
    rule: StoredValue<Rule>,
    query: RwSignal<String>,
    lasts: RwSignal<String>,
    span: RwSignal<i64>,
    outcome: RwSignal<Option<Outcome>>,
    trouble: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    now: Signal<UnixMillis>,
}

/// The form, and what came of it.
pub fn backtest(rule: &Rule) -> El {
    let bench = Bench {
        query: RwSignal::new(rule.query.clone()),
        lasts: RwSignal::new(written(rule.for_seconds)),
        span: RwSignal::new(DAY),
        outcome: RwSignal::new(None),
        trouble: RwSignal::new(None),
        busy: RwSignal::new(false),
        rule: StoredValue::new(rule.clone()),
        now: use_fleet().now(),
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        bench.run();
    };
    let number =
        move || bench.query.with(|query| threshold(query).map(|at| query[at].to_owned())).unwrap_or_default();
    let set_number = move |value: String| {
        if let Some(query) = bench.query.with_untracked(|query| with_threshold(query, &value)) {
            bench.query.set(query);
        }
    };
    let query = with_class("textarea", "field backtest-query")
        .attr("rows", "3")
        .attr("spellcheck", "false")
        .attr("autocapitalize", "off")
        .prop("value", bench.query)
        .on("input", move |event: Event| bench.query.set(event_target_value(&event)));
    let span = |(millis, title): (i64, &'static str)| {
        button("choice")
            .aria("aria-pressed", move || bench.span.get() == millis)
            .on_click(move || bench.span.set(millis))
            .text(title)
    };
    let reset = move || {
        let (query, lasts) = bench.rule.with_value(|rule| (rule.query.clone(), written(rule.for_seconds)));
        bench.query.set(query);
        bench.lasts.set(lasts);
    };
    let edited = move || bench.is_edited();
    with_class("form", "backtest")
        .attr("aria-label", "Back-test")
        .on("submit", submit)
        .child(labelled("Expression", query))
        .child(
            div("backtest-row")
                .child(group().when(
                    move || bench.query.with(|query| threshold(query).is_some()),
                    move || labelled("Threshold", line(number, set_number)),
                ))
                .child(labelled("For", line(move || bench.lasts.get(), move |text| bench.lasts.set(text))))
                .child(
                    div("choices").attr("role", "group").attr("aria-label", "Over").children(SPANS.map(span)),
                )
                .child(
                    button("button button-primary")
                        .attr("type", "submit")
                        .flag("disabled", move || bench.busy.get())
                        .text(move || if bench.busy.get() { "Testing" } else { "Back-test" }),
                )
                .when(edited, move || button("button button-quiet").on_click(reset).text("As it is now")),
        )
        .child(p("range-trouble").attr("role", "alert").text(move || bench.trouble.get().unwrap_or_default()))
        .child(
            div("")
                .attr("aria-live", "polite")
                .live(move || bench.outcome.get().map(|outcome| shown(&outcome))),
        )
}

fn labelled(title: &'static str, field: El) -> El {
    with_class("label", "backtest-field").child(span("field-label").text(title)).child(field)
}

fn line(text: impl Fn() -> String + 'static, set: impl Fn(String) + 'static) -> El {
    with_class("input", "field num")
        .attr("type", "text")
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .prop("value", text)
        .on("change", move |event: Event| set(event_target_value(&event)))
}

impl Bench {
    fn is_edited(self) -> bool {
        let (query, lasts) = (self.query.get(), seconds(&self.lasts.get()));
        self.rule.with_value(|rule| query.trim() != rule.query.trim() || lasts != Some(rule.for_seconds))
    }

    fn run(self) {
        let lasts = self.lasts.with_untracked(|text| seconds(text));
        let Some(lasts) = lasts else {
            self.trouble.set(Some("“For” is no length of time. Write it like 30s, 5m or 2h.".to_owned()));
            return;
        };
        let end = self.now.get_untracked();
        let span = (end - self.span.get_untracked(), end);
        let edited = untrack(|| self.is_edited());
        let query = self.query.get_untracked();
        let rule = self.rule.get_value();
        self.busy.set(true);
        self.trouble.set(None);
        spawn_local(async move {
            let both = async {
                let now = ask(&rule.query, rule.for_seconds, rule.keep_seconds, span).await?;
                let edited = match edited {
                    true => Some(ask(&query, lasts, rule.keep_seconds, span).await?),
                    false => None,
                };
                Ok::<_, ClientError>(Outcome { span, now, edited })
            };
            match both.await {
                Ok(outcome) => drop(self.outcome.try_set(Some(outcome))),
                Err(error) => drop(self.trouble.try_set(Some(error.in_words()))),
            }
            self.busy.try_set(false);
        });
    }
}

async fn ask(
    query: &str,
    for_seconds: f64,
    keep_firing_for_seconds: f64,
    (start, end): (UnixMillis, UnixMillis),
) -> Result<BacktestAnswer, ClientError> {
    let asked = BacktestRequest {
        query: query.to_owned(),
        for_seconds,
        keep_firing_for_seconds,
        start,
        end,
        step_seconds: None,
    };
    let body = client::post("/api/v1/rules/backtest", &asked).await?;
    crate::json::read(&body).map_err(ClientError::Malformed)
}

fn shown(outcome: &Outcome) -> El {
    let told = outcome.edited.as_ref().unwrap_or(&outcome.now);
    let first = told.firings.iter().rev().take(MOST).map(|firing| one(firing, outcome.span.1));
    let rest = (told.total as usize).saturating_sub(MOST);
    div("backtest-shown")
        .child(lane("As it is now", &outcome.now, outcome.span))
        .maybe(outcome.edited.as_ref().map(|edited| lane("As edited", edited, outcome.span)))
        .child(axis(outcome.span))
        .children(told.warnings.iter().map(|warning| p("rule-warning").text(warning)))
        .maybe((!told.firings.is_empty()).then(|| {
            with_class("ul", "backtest-list").children(first).maybe((rest > 0).then(|| {
                el("li").class("muted").text(format!("and {} more", counted(rest, "time", "times")))
            }))
        }))
}

/// How often, in words, and a strip of when.
fn lane(title: &'static str, answer: &BacktestAnswer, (start, end): (UnixMillis, UnixMillis)) -> El {
    let words = in_words(answer);
    let length = (end - start).max(1) as f64;
    let piece = |firing: &BacktestFiring| {
        let until = firing.resolved_at.unwrap_or(end);
        let left = (firing.fired_at - start) as f64 / length * 100.0;
        let width = (until - firing.fired_at) as f64 / length * 100.0;
        span("backtest-piece")
            .style("left", format!("min({left}%, 100% - 3px)"))
            .style("width", format!("max(3px,{width}%)"))
    };
    div("backtest-lane")
        .child(span("backtest-title").text(title))
        .child(span("backtest-words num").text(&words))
        .child(
            span("backtest-strip")
                .attr("role", "img")
                .attr("aria-label", format!("{title}: {words}"))
                .children(answer.firings.iter().map(piece)),
        )
}

fn axis((start, end): (UnixMillis, UnixMillis)) -> El {
    let ticks = time_ticks(start, end, zone_offset, 6);
    let label = |at: &i64| {
        let share = (at - start) as f64 / (end - start).max(1) as f64 * 100.0;
        span("lane-tick").style("left", format!("{share}%")).text(ticks.label(*at, zone_offset))
    };
    div("lane-axis backtest-axis num").attr("aria-hidden", "true").children(ticks.at.iter().map(label))
}

/// `fires 3 times on 2 series, 14 min in all; 5 times too short`.
fn in_words(answer: &BacktestAnswer) -> String {
    if answer.total == 0 && answer.passed_over == 0 {
        return "would not have fired".to_owned();
    }
    let mut words = match answer.total {
        0 => "would not have fired".to_owned(),
        total => format!(
            "fires {} for {}, {} in all",
            counted(total as usize, "time", "times"),
            counted(answer.series as usize, "series", "series"),
            duration_ms((answer.firing_seconds * 1000.0) as i64)
        ),
    };
    if answer.passed_over > 0 {
        let short = counted(answer.passed_over as usize, "time", "times");
        words.push_str(&format!("; {short} true for too short"));
    }
    words
}

fn one(firing: &BacktestFiring, end: UnixMillis) -> El {
    let at = firing.fired_at;
    let time = format!("{} {}", date_label(at, zone_offset), clock_label(at, zone_offset(at), true));
    let lasted = match firing.resolved_at {
        Some(until) => format!("for {}", duration_ms(until - at)),
        None => format!("for {}, and still", duration_ms(end - at)),
    };
    let whose = firing.labels.get("instance").cloned().unwrap_or_else(|| {
        let labels = firing.labels.iter().map(|(name, value)| format!("{name}={value}"));
        labels.collect::<Vec<_>>().join(", ")
    });
    el("li")
        .child(span("num").text(time))
        .child(span("backtest-whose").text(whose))
        .child(span("num muted").text(lasted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_in_words() {
        let answer = |total, passed_over| BacktestAnswer {
            firings: Vec::new(),
            total,
            series: 2,
            passed_over,
            firing_seconds: 840.0,
            step_seconds: 30.0,
            warnings: Vec::new(),
        };
        assert_eq!(in_words(&answer(0, 0)), "would not have fired");
        assert_eq!(in_words(&answer(0, 1)), "would not have fired; 1 time true for too short");
        assert_eq!(in_words(&answer(3, 0)), "fires 3 times for 2 series, 14 min in all");
    }
}
