//! Slash risks as bars: each value against its bound, and in words what is at stake and what to do.

use fleetglass_shared::format;
use fleetglass_shared::wire::Risk;
use leptos::prelude::*;

use super::load::NodeLoad;

/// The risks of the family; nothing at all where the family names none.
#[component]
pub(super) fn Risks(load: NodeLoad) -> impl IntoView {
    let names = load
        .part(|detail| sorted(&detail.risks).into_iter().map(|risk| risk.name.clone()).collect::<Vec<_>>());
    let firing = load.part(|detail| detail.risks.iter().filter(|risk| risk.firing).count());
    let blind = load.part(|detail| detail.risks.iter().filter(|risk| risk.value.is_none()).count());
    view! {
        <Show when=move || names.with(|names| !names.is_empty())>
            <section class="card" aria-labelledby="risks-title">
                <h2 class="card-title" id="risks-title">
                    "Slash risks"
                    <span class="card-note">
                        {move || note(firing.get(), blind.get())}
                    </span>
                </h2>
                <ul class="node-risks">
                    <For each=move || names.get() key=Clone::clone let(name)>
                        <OneRisk load name/>
                    </For>
                </ul>
            </section>
        </Show>
    }
}

/// Each part changes by itself, so that what is unfolded, selected or focused stays so through updates.
#[component]
fn OneRisk(load: NodeLoad, name: String) -> impl IntoView {
    let risk = load.part(move |detail| detail.risks.iter().find(|risk| risk.name == name).cloned());
    let part = move |read: fn(&Risk) -> String| {
        Memo::new(move |_| risk.with(|risk| risk.as_ref().map(read).unwrap_or_default()))
    };
    let title = part(|risk| risk.title.clone());
    let words = part(measure);
    let meaning = part(|risk| risk.meaning.clone());
    let action = part(|risk| risk.action.clone());
    let class = Memo::new(move |_| risk.with(|risk| risk.as_ref().map_or("", class)));
    let firing = Memo::new(move |_| risk.with(|risk| risk.as_ref().is_some_and(|risk| risk.firing)));
    let bar = Memo::new(move |_| risk.with(|risk| risk.as_ref().and_then(Bar::of)));
    let percent =
        move |read: fn(&Bar) -> f64| move || format!("{:.1}%", bar.get().as_ref().map_or(0.0, read) * 100.0);
    view! {
        <li class=move || format!("node-risk {}", class.get())>
            <details prop:open=firing>
                <summary class="node-risk-head">
                    <span class="node-risk-title">{title}</span>
                    <span class="node-risk-value num">{words}</span>
                    <Show when=move || bar.with(Option::is_some)>
                        <span class="bar" aria-hidden="true">
                            <span class="bar-fill" style:width=percent(|bar| bar.fill)></span>
                            <span class="bar-bound" style:left=percent(|bar| bar.bound)></span>
                        </span>
                    </Show>
                </summary>
                <p class="node-risk-words">{meaning}</p>
                <p class="node-risk-words"><strong>"Do: "</strong> {action}</p>
            </details>
        </li>
    }
}

/// The risks in a few words: what is over, and what cannot be seen.
fn note(firing: usize, blind: usize) -> String {
    let over =
        if firing == 0 { "none over its bound".to_owned() } else { format!("{firing} over the bound") };
    if blind == 0 { over } else { format!("{over}, {blind} not exposed") }
}

/// The worst first: over the bound, then not exposed, then the nearest to its bound.
fn sorted(risks: &[Risk]) -> Vec<&Risk> {
    let mut all: Vec<&Risk> = risks.iter().collect();
    let rank = |risk: &Risk| match (risk.firing, risk.severity.as_str(), risk.value) {
        (true, "critical", _) => 0,
        (true, ..) => 1,
        (false, _, None) => 2,
        (false, ..) => 3,
    };
    all.sort_by_key(|risk| rank(risk));
    all
}

fn class(risk: &Risk) -> &'static str {
    match (risk.firing, risk.severity.as_str(), risk.value) {
        (true, "critical", _) => "state-unhealthy",
        (true, ..) => "state-degraded",
        (false, _, None) => "node-risk-blind",
        (false, ..) => "node-risk-quiet",
    }
}

/// A value that must stay above its bound: it is told by a bound that is not crossed and yet below.
fn is_floor(risk: &Risk, value: f64) -> bool {
    if risk.firing { value < risk.bound } else { value > risk.bound }
}

fn measure(risk: &Risk) -> String {
    let Some(value) = risk.value else { return "not exposed by this node".to_owned() };
    let words = |value: f64| format::number(value, &risk.unit);
    let between = if is_floor(risk, value) { "at least" } else { "bound" };
    format!("{}, {between} {}", words(value), words(risk.bound))
}

/// Parts of a bar's length.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bar {
    fill: f64,
    bound: f64,
}

impl Bar {
    /// The bound stands at four fifths, so that there is room to go over it; further values press it left.
    fn of(risk: &Risk) -> Option<Self> {
        let value = risk.value.filter(|value| value.is_finite())?.max(0.0);
        let whole = (risk.bound * 1.25).max(value);
        if whole <= 0.0 {
            return Some(Self { fill: 0.0, bound: 0.0 });
        }
        Some(Self { fill: value / whole, bound: (risk.bound / whole).clamp(0.0, 1.0) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn risk(name: &str, value: Option<f64>, bound: f64, firing: bool) -> Risk {
        Risk {
            name: name.into(),
            title: String::new(),
            severity: "critical".into(),
            value,
            bound,
            unit: "seconds".into(),
            meaning: String::new(),
            action: String::new(),
            firing,
        }
    }

    #[test]
    fn what_is_not_exposed_is_said_and_is_not_zero() {
        assert_eq!(measure(&risk("a", None, 600.0, false)), "not exposed by this node");
        assert_eq!(Bar::of(&risk("a", None, 600.0, false)), None);
        assert_eq!(measure(&risk("a", Some(0.0), 600.0, false)), "0 s, bound 10 min");
        assert_eq!(measure(&risk("a", Some(3.0), 2.0, false)), "3 s, at least 2 s");
    }

    #[test]
    fn a_bar_has_room_beyond_its_bound() {
        assert_eq!(Bar::of(&risk("a", Some(300.0), 600.0, false)).unwrap(), Bar { fill: 0.4, bound: 0.8 });
        assert_eq!(Bar::of(&risk("a", Some(1200.0), 600.0, true)).unwrap(), Bar { fill: 1.0, bound: 0.5 });
        assert_eq!(Bar::of(&risk("a", Some(0.0), 0.0, false)).unwrap(), Bar { fill: 0.0, bound: 0.0 });
        assert_eq!(Bar::of(&risk("a", Some(2.0), 0.0, true)).unwrap(), Bar { fill: 1.0, bound: 0.0 });
    }

    #[test]
    fn the_worst_stands_first() {
        let all = [
            risk("calm", Some(1.0), 9.0, false),
            risk("blind", None, 9.0, false),
            risk("hot", Some(10.0), 9.0, true),
        ];
        let names: Vec<&str> = sorted(&all).into_iter().map(|risk| risk.name.as_str()).collect();
        assert_eq!(names, ["hot", "blind", "calm"]);
    }
}
