//! What a node was and when, told from events: spans of its state, version, draining and failed scrapes. Pure.

use fleetglass_shared::health::{Status, UnixMillis};
use fleetglass_shared::wire::{Event, EventKind};

/// Something that held from one time to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span<T> {
    pub(super) from: UnixMillis,
    pub(super) to: UnixMillis,
    pub(super) what: T,
}

/// What the node is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) status: Status,
    /// Since when it has this status.
    pub(super) since: UnixMillis,
    pub(super) draining: bool,
    pub(super) version: Option<String>,
}

/// All that is known about a span of time.
pub(super) struct Told {
    pub(super) from: UnixMillis,
    /// Its end; what lies ahead of now is not known.
    pub(super) to: UnixMillis,
    /// The newest events before it, in order of time.
    pub(super) before: Vec<Event>,
    /// Those in it.
    pub(super) inside: Vec<Event>,
    /// The first events after it, where those before and in it say too little.
    pub(super) after: Vec<Event>,
    pub(super) present: Option<Present>,
    /// Events are missing between `before` and `inside`.
    pub(super) gap: bool,
}

/// The spans of a span of time, each kind in order and without overlaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lanes {
    /// `None` while nobody looked, or nobody knows any more.
    pub(super) states: Vec<Span<Option<Status>>>,
    pub(super) draining: Vec<Span<()>>,
    /// Empty where none is known.
    pub(super) versions: Vec<Span<String>>,
    /// With the words of the first failure.
    pub(super) failing: Vec<Span<String>>,
}

impl Told {
    /// Whether events after the span are needed to know what was in it.
    pub(super) fn lacks(&self) -> bool {
        let none = |kind: EventKind| !self.before.iter().chain(&self.inside).any(|event| event.kind == kind);
        none(EventKind::State) || none(EventKind::Version)
    }

    /// The spans. What the node said last is not what it was while nobody looked.
    pub(super) fn lanes(&self) -> Lanes {
        if self.to <= self.from {
            return Lanes::default();
        }
        let states = self.states();
        Lanes {
            draining: watched(&self.draining(), &states),
            versions: watched(&self.versions(), &states),
            failing: watched(&self.failing(), &states),
            states,
        }
    }

    /// Events in order of time. What is missing between two of them is as if nobody had looked.
    fn all(&self) -> impl Iterator<Item = &Event> {
        self.before.iter().filter(|_| !self.gap).chain(&self.inside).chain(&self.after)
    }

    fn of(&self, kind: EventKind) -> impl Iterator<Item = &Event> {
        self.all().filter(move |event| event.kind == kind)
    }

    /// The value at the begin of the span and at each change in it become spans.
    fn spans<T: Clone + PartialEq>(&self, first: T, changes: &[(UnixMillis, T)]) -> Vec<Span<T>> {
        let mut spans: Vec<Span<T>> = Vec::new();
        let mut add = |from: UnixMillis, to: UnixMillis, what: &T| {
            let (from, to) = (from.max(self.from), to.min(self.to));
            match spans.last_mut() {
                _ if from >= to => {}
                Some(last) if last.what == *what && last.to == from => last.to = to,
                _ => spans.push(Span { from, to, what: what.clone() }),
            }
        };
        let (mut since, mut held) = (i64::MIN, &first);
        for (at, what) in changes {
            add(since, *at, held);
            (since, held) = (*at, what);
        }
        add(since, i64::MAX, held);
        spans
    }

    fn states(&self) -> Vec<Span<Option<Status>>> {
        use EventKind::{Added, Removed, Start, State, Stop};
        let first = |one: EventKind, other: EventKind| {
            self.all().find(|event| event.kind == one || event.kind == other).map(|event| event.kind)
        };
        // What was before the first event is what that event ended.
        let mut watched = first(Start, Stop) != Some(Start);
        let mut member = first(Added, Removed) != Some(Added);
        let (mut status, mut known_from) = match (self.of(State).next(), &self.present) {
            (Some(event), _) => (Status::parse(&event.from), i64::MIN),
            (None, Some(present)) => (Some(present.status), present.since),
            (None, None) => (None, i64::MIN),
        };
        if self.gap {
            // Of what is missing nothing is known.
            known_from = known_from.max(self.inside.first().map_or(i64::MIN, |event| event.at));
        }
        let mut at_first = status.filter(|_| watched && member);
        let mut changes = Vec::new();
        for event in self.all() {
            match event.kind {
                State => status = Status::parse(&event.to),
                // A status outlives a restart of Fleetglass: only a change of it is an event.
                Stop => watched = false,
                Start => watched = true,
                Removed => member = false,
                Added => member = true,
                _ => continue,
            }
            let now = status.filter(|_| watched && member);
            if event.at <= known_from {
                at_first = now;
            } else {
                changes.push((event.at, now));
            }
        }
        changes.insert(0, (known_from, at_first));
        self.spans(None, &changes)
    }

    fn draining(&self) -> Vec<Span<()>> {
        let changes: Vec<(UnixMillis, bool)> =
            self.of(EventKind::Draining).map(|event| (event.at, !event.to.is_empty())).collect();
        let first = match changes.first() {
            // The opposite of what it became.
            Some((_, draining)) => !draining,
            None => self.present.as_ref().is_some_and(|present| present.draining),
        };
        let spans = self.spans(first, &changes).into_iter().filter(|span| span.what);
        spans.map(|span| Span { from: span.from, to: span.to, what: () }).collect()
    }

    fn versions(&self) -> Vec<Span<String>> {
        let changes: Vec<(UnixMillis, String)> =
            self.of(EventKind::Version).map(|event| (event.at, event.to.clone())).collect();
        let first = match self.of(EventKind::Version).next() {
            Some(event) => event.from.clone(),
            None => self.present.as_ref().and_then(|present| present.version.clone()).unwrap_or_default(),
        };
        self.spans(first, &changes)
    }

    fn failing(&self) -> Vec<Span<String>> {
        // The kinds of failure that go on: several endpoints may fail at once, and in the same way.
        let mut open: Vec<&str> = Vec::new();
        let mut changes: Vec<(UnixMillis, Option<String>)> = Vec::new();
        let mut first = None;
        for event in self.all() {
            match event.kind {
                EventKind::ScrapeFailure => {
                    if open.is_empty() {
                        changes.push((event.at, Some(event.text.clone())));
                    }
                    open.push(&event.to);
                }
                EventKind::ScrapeRecovery => {
                    match open.iter().position(|kind| *kind == event.from) {
                        Some(place) => drop(open.remove(place)),
                        // It failed before anything is told.
                        None if changes.is_empty() => first = Some(event.from.replace('-', " ")),
                        None => {}
                    }
                    if open.is_empty() {
                        changes.push((event.at, None));
                    }
                }
                EventKind::Removed => {
                    open.clear();
                    changes.push((event.at, None));
                }
                _ => {}
            }
        }
        let spans = self.spans(first, &changes).into_iter();
        spans.filter_map(|span| Some(Span { from: span.from, to: span.to, what: span.what? })).collect()
    }
}

/// The parts of spans in which the state was known.
fn watched<T: Clone>(spans: &[Span<T>], states: &[Span<Option<Status>>]) -> Vec<Span<T>> {
    let known = states.iter().filter(|state| state.what.is_some());
    // States that follow each other are one stretch of watching.
    let mut stretches: Vec<(UnixMillis, UnixMillis)> = Vec::new();
    for state in known {
        match stretches.last_mut() {
            Some((_, to)) if *to == state.from => *to = state.to,
            _ => stretches.push((state.from, state.to)),
        }
    }
    let part = |span: &Span<T>, (from, to): (UnixMillis, UnixMillis)| {
        let (from, to) = (span.from.max(from), span.to.min(to));
        (from < to).then(|| Span { from, to, what: span.what.clone() })
    };
    spans.iter().flat_map(|span| stretches.iter().filter_map(move |stretch| part(span, *stretch))).collect()
}

/// What holds at a time.
pub(super) fn at<T>(spans: &[Span<T>], time: UnixMillis) -> Option<&T> {
    let next = spans.partition_point(|span| span.from <= time);
    spans[..next].last().filter(|span| time <= span.to).map(|span| &span.what)
}

/// Spans in columns of a few pixels, so that a short one is seen: in a column that several share the one that
/// `leads` is shown. Gives for each run of columns the first, the one after the last, and what is there.
pub(super) fn columns<T: Clone + PartialEq>(
    spans: &[Span<T>],
    (from, to): (UnixMillis, UnixMillis),
    count: usize,
    leads: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, usize, T)> {
    let count = count.max(1);
    let length = (to - from).max(1) as f64;
    let place = |at: UnixMillis| (at - from) as f64 / length * count as f64;
    let mut held: Vec<Option<&T>> = vec![None; count];
    for span in spans.iter().filter(|span| span.to > from && span.from < to) {
        let first = place(span.from.max(from)).floor() as usize;
        let end = (place(span.to.min(to)).ceil() as usize).clamp(first + 1, count.max(first + 1));
        for column in held.iter_mut().take(end).skip(first) {
            if column.is_none_or(|other| leads(&span.what, other)) {
                *column = Some(&span.what);
            }
        }
    }
    let mut runs: Vec<(usize, usize, T)> = Vec::new();
    for (index, what) in held.into_iter().enumerate() {
        let Some(what) = what else { continue };
        match runs.last_mut() {
            Some((_, end, before)) if *end == index && before == what => *end = index + 1,
            _ => runs.push((index, index + 1, what.clone())),
        }
    }
    runs
}

#[cfg(test)]
mod tests;
