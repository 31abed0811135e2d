//! What the node says about itself: its named checks, and its facts endpoint by endpoint, each with its time.

use fleetglass_shared::format;
use fleetglass_shared::health::{Check, Fact, Status};
use leptos::prelude::*;

use super::load::NodeLoad;
use crate::charts::{Board, clock_label};
use crate::components::age::Ago;
use crate::components::status_mark::{StatusShape, state_class};
use crate::components::words::ago;
use crate::state::use_fleet;

/// The named checks, failed ones first; one whose time stopped says so even while it says `up`.
#[component]
pub(super) fn Checks(load: NodeLoad) -> impl IntoView {
    let keys = load.part(|detail| {
        let mut checks: Vec<&Check> = detail.checks.iter().collect();
        checks.sort_by_key(|check| (std::cmp::Reverse(check.status), !check.stale));
        checks.into_iter().map(|check| (check.endpoint.clone(), check.name.clone())).collect::<Vec<_>>()
    });
    let failed =
        load.part(|detail| detail.checks.iter().filter(|check| check.status != Status::Healthy).count());
    view! {
        <Show when=move || keys.with(|keys| !keys.is_empty())>
            <section class="card" aria-labelledby="checks-title">
                <h2 class="card-title" id="checks-title">
                    "Checks"
                    <span class="card-note">
                        {move || match failed.get() {
                            0 => "all pass".to_owned(),
                            count => format!("{count} of {} failed", keys.with(Vec::len)),
                        }}
                    </span>
                </h2>
                <ul class="rows">
                    <For each=move || keys.get() key=Clone::clone let(key)>
                        <OneCheck load key/>
                    </For>
                </ul>
            </section>
        </Show>
    }
}

#[component]
fn OneCheck(load: NodeLoad, key: (String, String)) -> impl IntoView {
    let name = key.1.clone();
    let check = load.part(move |detail| {
        detail.checks.iter().find(|check| check.endpoint == key.0 && check.name == key.1).cloned()
    });
    let status =
        Memo::new(move |_| check.with(|check| check.as_ref().map_or(Status::Unknown, |check| check.status)));
    let text = Memo::new(move |_| {
        check.with(|check| check.as_ref().map(|check| check.text.clone()).unwrap_or_default())
    });
    let stale = Memo::new(move |_| check.with(|check| check.as_ref().is_some_and(|check| check.stale)));
    let at = Memo::new(move |_| check.with(|check| check.as_ref().map_or(0, |check| check.at)));
    view! {
        <li class=move || format!("row {}", state_class(status.get())) class:fact-old=stale>
            <StatusShape status/>
            <span class="row-name mono">{name}</span>
            <span class="row-value">
                <span class="sr-only">{move || status.get().as_str()} ": "</span>
                {text}
                <Show when=move || stale.get()><span class="stale">"time stopped"</span></Show>
            </span>
            <Time at/>
        </li>
    }
}

/// All facts, one list an endpoint.
#[component]
pub(super) fn Facts(load: NodeLoad) -> impl IntoView {
    let groups = load.part(|detail| grouped(&detail.facts));
    let missing = load.part(|detail| detail.missing.clone());
    view! {
        <section class="card" aria-labelledby="facts-title">
            <h2 class="card-title" id="facts-title">"What it says"</h2>
            <Show when=move || groups.with(Vec::is_empty)>
                <p class="muted">"It has not said anything yet."</p>
            </Show>
            <For each=move || groups.get() key=Clone::clone let((endpoint, names))>
                <Group load endpoint names/>
            </For>
            <Show when=move || missing.with(|missing| !missing.is_empty())>
                <div class="missing">
                    <h3 class="missing-title">
                        <StatusShape status=Status::Degraded/>
                        "Mandatory metrics not exposed by this node"
                    </h3>
                    <ul class="missing-list">
                        {move || missing.get().into_iter().map(|name| view! { <li class="mono">{name}</li> }).collect_view()}
                    </ul>
                </div>
            </Show>
        </section>
    }
}

/// The facts of one endpoint. When all of them are old, that is said once, and not at each.
#[component]
fn Group(load: NodeLoad, endpoint: String, names: Vec<String>) -> impl IntoView {
    let title = endpoint.clone();
    let of = endpoint.clone();
    let silent = load.part(move |detail| {
        let mut facts = detail.facts.iter().filter(|fact| fact.endpoint == of);
        facts.clone().all(|fact| fact.stale).then(|| facts.next().map(|fact| fact.at)).flatten()
    });
    view! {
        <h3 class="facts-endpoint">
            <span class="mono">{title}</span>
            <Show when=move || silent.get().is_some()>
                <span class="stale">"old, said " <Ago at=silent/></span>
            </Show>
        </h3>
        <dl class="facts" class:facts-old=move || silent.get().is_some()>
            {names.into_iter().map(|name| view! { <OneFact load endpoint=endpoint.clone() name/> }).collect_view()}
        </dl>
    }
}

/// The endpoints in the order in which they come, each with the names of its facts.
fn grouped(facts: &[Fact]) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for fact in facts {
        match groups.iter_mut().find(|(endpoint, _)| *endpoint == fact.endpoint) {
            Some((_, names)) => names.push(fact.name.clone()),
            None => groups.push((fact.endpoint.clone(), vec![fact.name.clone()])),
        }
    }
    groups
}

/// Each part changes by itself, so that a text being selected stays selected.
#[component]
fn OneFact(load: NodeLoad, endpoint: String, name: String) -> impl IntoView {
    let id = name.clone();
    let fact = load.part(move |detail| {
        detail.facts.iter().find(|fact| fact.endpoint == endpoint && fact.name == name).cloned()
    });
    let title = Memo::new(move |_| {
        fact.with(|fact| fact.as_ref().map(|fact| fact.title.clone()).unwrap_or_default())
    });
    let value = Memo::new(move |_| {
        fact.with(|fact| fact.as_ref().map(|fact| format::value(&fact.value, &fact.unit)).unwrap_or_default())
    });
    let stale = Memo::new(move |_| fact.with(|fact| fact.as_ref().is_some_and(|fact| fact.stale)));
    let at = Memo::new(move |_| fact.with(|fact| fact.as_ref().map_or(0, |fact| fact.at)));
    view! {
        <div class="fact" class:fact-old=stale>
            <dt title=id>{title}</dt>
            <dd>
                <span class="fact-value num">
                    {value}
                    <Show when=move || stale.get()><span class="stale">"old"</span></Show>
                </span>
                <Time at/>
            </dd>
        </div>
    }
}

/// The time of a fact where the viewer is; its age when pointed at.
#[component]
fn Time(at: Memo<i64>) -> impl IntoView {
    let fleet = use_fleet();
    let offset = Board::expect().offset;
    // Read when the pointer comes, not each second: nobody sees it before.
    let age = RwSignal::new(String::new());
    view! {
        <time
            class="row-time num"
            title=age
            on:pointerenter=move |_| age.set(ago(at.get_untracked(), fleet.now().get_untracked()))
        >
            {move || clock_label(fleet.to_local(at.get()), offset, true)}
        </time>
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;
    use fleetglass_shared::health::Fact;

    #[test]
    fn facts_stay_in_the_order_of_the_family() {
        let fact = |endpoint: &str, name: &str| Fact {
            endpoint: endpoint.into(),
            name: name.into(),
            title: String::new(),
            value: String::new(),
            unit: String::new(),
            at: 0,
            stale: false,
        };
        let facts = [fact("health", "b"), fact("ready", "x"), fact("health", "a")];
        let words = grouped(&facts);
        assert_eq!(
            words,
            [("health".into(), vec!["b".into(), "a".into()]), ("ready".into(), vec!["x".to_string()])]
        );
    }
}
