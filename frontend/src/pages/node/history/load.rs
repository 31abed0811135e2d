//! Asks what happened to the node: events of the range shown, and what was before them.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{Event, EventKind, Events};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::lanes::{Lanes, Present, Told};
use crate::charts::{Board, Grid, Mark, Range, Sign};
use crate::client::{self, ClientError};
use crate::dom::effect;
use crate::json::{Json, Malformed};
use crate::pages::node::load::{NodeLoad, escaped};
use crate::state::use_fleet;

/// As many events of the range are asked for.
const MOST: usize = 1000;
/// As many before it, to find what was when it began.
const BEFORE: usize = 100;
/// Not asked again more often than this while nothing is told about the node.
const PAUSE_MS: i64 = 15_000;

/// What is known of the range.
#[derive(Clone)]
pub(super) enum Known {
    /// On its way.
    Loading,
    /// This Fleetglass keeps no events.
    Absent,
    /// It did not come: why, and what to do.
    Failed(String),
    /// Here it is.
    Ready(Arc<History>),
}

/// What happened in a range of time.
pub(super) struct History {
    /// The range that was asked for.
    pub(super) range: Range,
    /// The time of the charts.
    pub(super) grid: Grid,
    /// Until when anything can be known.
    pub(super) now: UnixMillis,
    /// What was when.
    pub(super) lanes: Lanes,
    /// What happened, in order of time.
    pub(super) events: Vec<Event>,
    /// There are older ones in the range that are not here.
    pub(super) more: bool,
}

/// Keeps the history of the node up to date, and the marks of its charts.
pub(super) fn follow(load: NodeLoad, again: RwSignal<u64>) -> RwSignal<Known> {
    let board = Board::expect();
    let now = use_fleet().now();
    let known = RwSignal::new(Known::Loading);
    let asked = Rc::new(Cell::new(None::<(Range, u64, UnixMillis)>));
    let turn = Rc::new(Cell::new(0_u64));
    let told = Memo::new(move |_| {
        let node = load.node()?;
        Some((node.status, node.since, node.draining, node.version.clone(), node.restarts, node.restarted_at))
    });
    let mut before = None;
    effect(move || {
        board.refresh.track();
        let (range, again, node) = (board.range(), again.get(), told.get());
        let at = now.get_untracked();
        let news = before.as_ref() != Some(&node);
        before = Some(node.clone());
        let enough = asked.get().is_some_and(|(held, pressed, asked_at)| {
            let rests = at - asked_at < PAUSE_MS && !news;
            (held, pressed) == (range, again) && (rests || !range.follows(asked_at))
        });
        if enough || known.with_untracked(|known| matches!(known, Known::Absent)) {
            return;
        }
        let Some((status, since, draining, version, ..)) = node else { return };
        asked.set(Some((range, again, at)));
        turn.set(turn.get() + 1);
        let (mine, newest, asked) = (turn.get(), turn.clone(), asked.clone());
        let present = Present { status, since, draining, version };
        let (grid, id) = (board.grid(at), load.id());
        spawn_local(async move {
            let answer = ask(&id, range, grid, at, present).await;
            // Another range may have been asked for meanwhile.
            if newest.get() != mine {
                return;
            }
            if answer.is_err() {
                // The next refresh tries again, whatever the range.
                asked.set(None);
            }
            board
                .marks
                .try_set(answer.as_ref().map_or_else(|_| Arc::default(), |history| Arc::new(marks(history))));
            known.try_set(match answer {
                Ok(history) => Known::Ready(Arc::new(history)),
                Err(ClientError::Http { status: 404, .. }) => Known::Absent,
                Err(error) => Known::Failed(error.in_words()),
            });
        });
    });
    known
}

/// What the charts show of it.
fn marks(history: &History) -> Vec<Mark> {
    let mark = |event: &Event| Mark { at: event.at, sign: Sign::of(event), words: event.text.clone() };
    history.events.iter().map(mark).filter(|mark| mark.sign.on_charts()).collect()
}

async fn ask(
    id: &str,
    range: Range,
    grid: Grid,
    now: UnixMillis,
    present: Present,
) -> Result<History, ClientError> {
    let node = escaped(id);
    let base = format!("/api/v1/events?node={node}");
    let inside = get(&format!("{base}&since={}&until={}&limit={MOST}", grid.start, grid.end)).await?;
    let before = get(&format!("{base}&until={}&limit={BEFORE}", grid.start - 1)).await?;
    // What came while this was asked belongs to the next time.
    let to = grid.end.min(now.max(inside.events.last().map_or(now, |event| event.at)));
    let mut told = Told {
        from: grid.start,
        to,
        before: before.events,
        inside: inside.events,
        after: Vec::new(),
        present: Some(present),
        gap: inside.more,
    };
    if told.lacks() && grid.end + grid.step < now {
        let after = get(&format!("{base}&since={}&limit={MOST}", grid.end + 1)).await?;
        // With some of them missing what is now says nothing about then, and neither do they.
        if after.more {
            told.present = None;
        } else {
            told.after = after.events;
        }
    }
    Ok(History { range, grid, now: to, lanes: told.lanes(), events: told.inside, more: inside.more })
}

async fn get(path: &str) -> Result<Events, ClientError> {
    let json = client::get_value(path).await?;
    read(&json).map_err(|Malformed(name)| ClientError::Malformed(format!("`{name}` of the events")))
}

/// Reads events; kinds that a later Fleetglass may know are left out.
pub fn read(json: &Json) -> Result<Events, Malformed> {
    let mut events = Vec::new();
    for event in json.items_of("events")? {
        let Some(kind) = EventKind::parse(&event.text_of("kind")?) else { continue };
        let text = |name: &str| event.get(name).text();
        events.push(Event {
            id: event.number_of("id")? as u64,
            at: event.number_of("at")? as i64,
            node: text("node"),
            kind,
            from: text("from").unwrap_or_default(),
            to: text("to").unwrap_or_default(),
            text: event.text_of("text")?,
        });
    }
    events.sort_by_key(|event| event.at);
    Ok(Events { events, more: json.get("more").flag().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn events_are_read_and_unknown_kinds_left_out() {
        let body = r#"{"more":true,"events":[
            {"id":7,"at":20,"node":"a","kind":"state","from":"healthy","to":"unreachable","text":"No answer"},
            {"id":8,"at":30,"kind":"eclipse","text":"dark"},
            {"id":6,"at":10,"kind":"start","text":"Fleetglass started"}]}"#;
        let read = read(&Json::parse(body).unwrap()).unwrap();
        let kinds: Vec<_> = read.events.iter().map(|event| (event.at, event.kind)).collect();
        assert_eq!((kinds, read.more), (vec![(10, EventKind::Start), (20, EventKind::State)], true));
        assert_eq!(read.events[1].node.as_deref(), Some("a"));
        assert_eq!(super::read(&Json::parse("[]").unwrap()).err(), Some(Malformed("events")));
    }
}
