//! What unfolds below a risk: what it means, what to do, what is at stake, and where its values are going.

use std::sync::Arc;

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::wire::{PanelBound, RiskDetail};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::course::course;
use super::listing::RiskRef;
use super::parts::stake_part;
use super::standing::{Standing, pace, trend};
use crate::charts::{Board, ChartData, Shown, chart};
use crate::client;
use crate::components::node_link::node_path;
use crate::dom::{El, div, effect, el, group, link, p, span};
use crate::pages::node::load::escaped;
use crate::state::{Link, use_fleet};

/// Asked again after so long.
const AGAIN_MS: i64 = 3_000;

/// What one risk was worked out from.
#[derive(Clone, Copy)]
struct DetailLoad {
    detail: RwSignal<Option<Arc<RiskDetail>>>,
    trouble: RwSignal<Option<String>>,
}

impl DetailLoad {
    fn start(node: &str, name: &str) -> Self {
        let fleet = use_fleet();
        let load = Self { detail: RwSignal::new(None), trouble: RwSignal::new(None) };
        let path = format!("/api/v1/nodes/{}/risks/{}", escaped(node), escaped(name));
        let turn =
            Memo::new(move |_| (fleet.now().get() / AGAIN_MS, fleet.link().with(|link| *link == Link::Live)));
        let busy = StoredValue::new(false);
        effect(move || {
            let _ = turn.get();
            if busy.get_value() {
                return;
            }
            busy.set_value(true);
            let path = path.clone();
            spawn_local(async move {
                let answer = client::get_json::<RiskDetail>(&path).await;
                busy.try_update_value(|busy| *busy = false);
                match answer {
                    Ok(detail) => {
                        load.detail.try_set(Some(Arc::new(detail)));
                        load.trouble.try_set(None);
                    }
                    Err(error) => drop(load.trouble.try_set(Some(error.in_words()))),
                }
            });
        });
        load
    }
}

/// Everything known of one risk. `first` is it as it was when it was unfolded.
pub fn detail(first: &RiskRef, risk: Memo<RiskRef>) -> El {
    let load = DetailLoad::start(&first.node, &first.risk.name);
    let now = use_fleet().now();
    let said = move |read: fn(&RiskRef) -> &str| move || risk.with(|risk| read(risk).to_owned());
    let part = |title: &'static str, class: &'static str, words: El| {
        div(class).child(el("h3").text(title)).child(words)
    };
    let going = move || {
        let pace = risk.with(|risk| pace(&risk.risk));
        let over = load.detail.with(|detail| detail.as_ref().and_then(|detail| detail.window_seconds));
        let window = over
            .map(|seconds| format!(", by its values of the last {}", duration_ms((seconds * 1e3) as i64)));
        let trend = capital(&risk.with(|risk| trend(&risk.risk, now.get())));
        let pace = pace.map(|pace| format!("; it {pace}{}", window.unwrap_or_default())).unwrap_or_default();
        format!("{trend}{pace}.")
    };
    let path = node_path(&first.node);
    let only = format!("/risks?node={}", escaped(&first.node));
    let links = p("risk-links")
        .child(link("", path).text("Open the node"))
        .child(link("", only).text("All its risks"));
    let query = move || load.detail.with(|detail| detail.as_ref().map(|detail| detail.expr.clone()));
    let told = div("risk-told")
        .child(part("What to do", "risk-told-do", p("").text(said(|risk| &risk.risk.action))))
        .child(part("What it means", "risk-told-part", p("").text(said(|risk| &risk.risk.meaning))))
        .child(part("Where it is going", "risk-told-part", p("num").text(going)))
        .child(stake_part(Memo::new(move |_| risk.with(|risk| risk.risk.stake.clone()))))
        .child(links);
    div("risk-detail").child(told).child(div("risk-course").child(drawn(load, risk)).when(
        move || query().is_some(),
        move || p("risk-query").child(span("muted").text("Value: ")).child(el("code").text(query)),
    ))
}

/// The chart, or why there is none.
fn drawn(load: DetailLoad, risk: Memo<RiskRef>) -> El {
    let board = Board::expect();
    let shown = RwSignal::new(Shown::Loading);
    let in_view = RwSignal::new(false);
    // What was drawn stays, whatever comes later.
    let data = Memo::new(move |before: Option<&Option<Arc<ChartData>>>| {
        let data = load.detail.get().and_then(|detail| course(&detail, board.range())).map(Arc::new);
        data.or_else(|| before.cloned().flatten())
    });
    effect(move || {
        shown.set(match (data.get(), load.trouble.get()) {
            (Some(data), _) => Shown::Ready(data),
            (None, Some(why)) => Shown::Failed(why),
            (None, None) => Shown::Loading,
        });
    });
    let few = Memo::new(move |_| load.detail.with(Option::is_some) && data.with(Option::is_none));
    let blind = move || risk.with(|risk| Standing::of(&risk.risk) == Standing::Blind);
    let none = move || match blind() {
        true => {
            "This node does not expose the value. That is no sign that it is safe: nobody can tell from here how \
             far it is from a slash."
        }
        false => "There are too few values yet to draw a line through.",
    };
    let old = move || load.trouble.with(Option::is_some) && load.detail.with(Option::is_some);
    let why = move || load.trouble.get().unwrap_or_default();
    group()
        .when(old, move || {
            p("node-old").attr("role", "status").text("What stands below could not be refreshed. ").text(why)
        })
        .when(move || few.get(), move || p("risk-few").text(none))
        .when(
            move || !few.get(),
            move || {
                let (unit, bound) = risk.with_untracked(|risk| (risk.risk.unit.clone(), risk.risk.bound));
                let title = risk.with_untracked(|risk| format!("{} of {}", risk.risk.title, risk.node));
                let bound = Some(PanelBound { title: "bound".to_owned(), value: bound });
                chart(&title, &unit, unit != "timestamp", bound, shown, in_view)
            },
        )
}

/// With a capital at its beginning.
fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::capital;

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(capital("in 12 min"), "In 12 min");
        assert_eq!(capital(""), "");
    }
}
