//! Down-sampled history as what PromQL queries read: a value for each slot of the days that were rolled up,
//! then the samples themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
use fleetglass_shared::promql::{EachSeries, EvalError, SLOT_VALUE, SeriesRef, Storage};
use fleetglass_shared::sample::{is_stale, stale_marker};

use super::Store;
use super::disk::{Columns, DAY_MS, Slot, Tier};

/// The store, seen through the slots of a tier. Selectors say with [`SLOT_VALUE`] which value they want.
pub struct Slots<'a> {
    store: &'a Store,
    tier: Tier,
    /// One target's own series, and nothing that depends on others.
    of: Option<String>,
}

impl Store {
    /// The store as slots of a tier, and as samples since the last day that has slots.
    pub fn slots(&self, tier: Tier) -> Slots<'_> {
        Slots { store: self, tier, of: None }
    }

    /// The series that a target itself has, as slots of a tier and as samples since the last of its days that has slots.
    /// No slot is part of it that began before the time that is asked for.
    pub fn slots_of_target(&self, tier: Tier, instance: &str) -> Slots<'_> {
        Slots { store: self, tier, of: Some(instance.to_owned()) }
    }

    /// The time of the oldest sample of a target that is kept as it was.
    pub fn oldest_of(&self, instance: &str) -> Option<UnixMillis> {
        let of = [Matcher::equal("instance", instance)];
        let memory = self.matching(&of).into_iter().filter_map(|table| table.read().first_time()).min();
        let disk = self.shared.disk.as_ref().and_then(|disk| disk.oldest_of(instance));
        memory.into_iter().chain(disk).min()
    }

    /// The time of the oldest sample that is kept as it was, not only as part of a slot.
    pub fn oldest(&self) -> Option<UnixMillis> {
        let memory = self.tables().into_iter().filter_map(|table| table.read().first_time()).min();
        let disk = self.shared.disk.as_ref().and_then(|disk| disk.oldest());
        memory.into_iter().chain(disk).min()
    }

    /// The time of the oldest sample or slot.
    pub fn oldest_kept(&self) -> Option<UnixMillis> {
        let slots = self.shared.disk.as_ref().and_then(|disk| disk.oldest_slot());
        self.oldest().into_iter().chain(slots).min()
    }

    /// Whether a span that begins at `start` begins before the oldest sample, in days of which slots are kept.
    pub fn has_slots_before(&self, start: UnixMillis) -> bool {
        let oldest = self.oldest().unwrap_or(UnixMillis::MAX);
        let slots = self.shared.disk.as_ref().and_then(|disk| disk.oldest_slot());
        start < oldest && slots.is_some_and(|slots| slots < oldest)
    }

    /// The first day without slots, as far as anything is kept of it.
    fn first_day_without_slots(&self) -> Option<i64> {
        let memory = self.tables().into_iter().filter_map(|table| table.read().first_time()).min();
        let disk = self.shared.disk.as_ref().and_then(|disk| disk.first_day_not_rolled_up());
        memory.map(|at| at.div_euclid(DAY_MS)).into_iter().chain(disk).min()
    }
}

/// The wanted value of a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Last,
    Min,
    Max,
    Mean,
    Sum,
    Count,
    Total,
}

impl Want {
    fn parse(word: &str) -> Self {
        match word {
            "min" => Self::Min,
            "max" => Self::Max,
            "mean" => Self::Mean,
            "sum" => Self::Sum,
            "count" => Self::Count,
            "total" => Self::Total,
            _ => Self::Last,
        }
    }

    /// What of a slot it is worked out from.
    fn columns(self) -> Columns {
        match self {
            Self::Last => Columns::LAST,
            Self::Min => Columns::MIN,
            Self::Max => Columns::MAX,
            Self::Mean => Columns::SUM.and(Columns::COUNT),
            Self::Sum => Columns::SUM,
            Self::Count => Columns::COUNT,
            Self::Total => Columns::INCREASE.and(Columns::LAST),
        }
    }
}

/// A series on its way.
#[derive(Default)]
struct Grown {
    times: Vec<UnixMillis>,
    values: Vec<f64>,
    /// The last value as it was.
    last: Option<f64>,
    /// How much it has grown since the first slot.
    total: f64,
    /// What came before its first slot counts for nothing.
    is_bare: bool,
}

impl Grown {
    fn push(&mut self, at: UnixMillis, value: f64) {
        if self.times.last().is_none_or(|last| *last < at) {
            self.times.push(at);
            self.values.push(value);
        }
    }

    fn slot(&mut self, end: UnixMillis, slot: &Slot, want: Want) {
        if slot.count == 0 {
            if self.values.last().is_some_and(|value| !is_stale(*value)) {
                self.push(end, stale_marker());
            }
            return;
        }
        if !self.is_bare || self.last.is_some() {
            self.total += if slot.increase.is_nan() { self.growth(slot.last) } else { slot.increase };
        }
        self.last = Some(slot.last);
        let count = f64::from(slot.count);
        let value = match want {
            Want::Last => slot.last,
            Want::Min => slot.min,
            Want::Max => slot.max,
            Want::Mean => slot.sum / count,
            Want::Sum => slot.sum,
            Want::Count => count,
            Want::Total => self.total,
        };
        self.push(end, value);
    }

    fn sample(&mut self, at: UnixMillis, value: f64, want: Want) {
        if is_stale(value) {
            return self.push(at, value);
        }
        self.total += self.growth(value);
        self.last = Some(value);
        let value = match want {
            Want::Total => self.total,
            Want::Count => 1.0,
            _ => value,
        };
        self.push(at, value);
    }

    /// By how much a counter grew that stands at `value` now.
    fn growth(&self, value: f64) -> f64 {
        self.last.map_or(0.0, |last| if value >= last { value - last } else { value })
    }
}

impl Storage for Slots<'_> {
    fn scan(
        &self,
        matchers: &[Matcher],
        from: UnixMillis,
        to: UnixMillis,
        each: EachSeries<'_>,
    ) -> Result<(), EvalError> {
        let want = matchers.iter().find(|matcher| matcher.name() == SLOT_VALUE);
        let want = Want::parse(want.map_or("", |matcher| matcher.value()));
        let of = self.of.as_deref();
        let only = of.map(|of| Matcher::equal("instance", of));
        let matchers: Vec<Matcher> = only
            .into_iter()
            .chain(matchers.iter().filter(|matcher| matcher.name() != SLOT_VALUE).cloned())
            .collect();
        let grown = || Grown { is_bare: of.is_some(), ..Grown::default() };
        let mut all: BTreeMap<LabelSet, Grown> = BTreeMap::new();
        let step = self.tier.step_ms();
        let last_day = to.div_euclid(DAY_MS);
        let disk = self.store.shared.disk.as_ref();
        let edge = match of {
            None => self.store.first_day_without_slots().unwrap_or(last_day + 1),
            // Without any slots all are samples.
            Some(of) => disk
                .and_then(|disk| disk.last_day_with_slots(self.tier, of))
                .map_or(from.div_euclid(DAY_MS), |day| day + 1),
        };
        let edge = edge.min(last_day + 1);
        if let Some(disk) = disk {
            let read = disk.each_slot(
                (self.tier, of),
                &matchers,
                (from.div_euclid(DAY_MS), edge - 1),
                want.columns(),
                |labels, day, slots| {
                    if !all.contains_key(labels) {
                        all.insert(labels.clone(), grown());
                    }
                    let Some(grown) = all.get_mut(labels) else { return };
                    // A slot ends just before the next begins.
                    let ends = (1..).map(|slot| day * DAY_MS + slot * step - 1);
                    let fits = |(end, _): &(i64, &Slot)| of.is_none() || end - step >= from - 1;
                    ends.zip(&slots).filter(fits).for_each(|(end, slot)| grown.slot(end, slot, want));
                },
            );
            if let Err(error) = read {
                return Err(EvalError::Execution(format!("history cannot be read: {error}")));
            }
        }
        let first = from.max(edge * DAY_MS);
        if first <= to {
            let mut take = |series: SeriesRef<'_>| {
                if !all.contains_key(series.labels) {
                    all.insert(series.labels.clone(), grown());
                }
                if let Some(grown) = all.get_mut(series.labels) {
                    let samples = series.times.iter().zip(series.values).filter(|(at, _)| **at >= first);
                    samples.for_each(|(at, value)| grown.sample(*at, *value, want));
                }
                Ok(())
            };
            match of {
                None => self.store.scan(&matchers, first, to, &mut take)?,
                Some(of) => self.store.of_target(of).scan(&matchers, first, to, &mut take)?,
            }
        }
        for (labels, grown) in all {
            let times: Arc<[i64]> = grown.times.into();
            each(SeriesRef { labels: &labels, times: &times, values: &grown.values })?;
        }
        Ok(())
    }
}
