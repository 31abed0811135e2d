//! When a bound is crossed if things go on as they do: a robust line through the present way of the value, with its
//! uncertainty, and reasons not to believe it.

use super::climbs::{Course, Point, bend, course, range, without_spikes};
use super::line::Line;
use super::{Kind, Side, Watch, headroom, history_ms};
use crate::health::UnixMillis;
use crate::wire::{Outlook, Trend};

/// What a value did in so many windows before now is its habit.
pub(super) const HABIT: i64 = 4;
/// No line is drawn through fewer points: with five, chance alone makes one rise in one of 120 cases.
const LEAST_POINTS: usize = 5;
/// Nor through points that lie nearer together than this part of the window.
const LEAST_SPAN: f64 = 1.0 / 20.0;
/// More points than this in a window are thinned out: the slopes between them are counted in pairs.
const MOST_POINTS: usize = 80;
/// A line is believed this many times as far ahead as it reaches back.
const HORIZON: f64 = 8.0;
/// And when it rises by so many times what the points are off it.
const CLEAR: f64 = 3.0;
/// A rise of which one step makes this part is a step.
const STEP: f64 = 0.5;
/// A climb is news when it goes beyond all that came before by this part of it.
const BEYOND: f64 = 0.5;
/// So many tops of climbs that came back are a line of their own.
const LEAST_TOPS: usize = 6;
/// With less history than this part of the window nobody knows whether a climb comes back …
const YOUNG: f64 = 0.25;
/// … and it is believed only when less than this part of the way is left.
const YOUNG_LEFT: f64 = 0.5;
/// A fall is a recovery where less than this part of the way was left when it began …
const RECOVERY_FROM: f64 = 0.5;
/// … from this part of the bound on.
const RECOVERY: f64 = 0.05;
/// Values beyond this are no measurements.
const HUGE: f64 = 1e150;

/// What is foreseen.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// In words and times.
    pub outlook: Outlook,
    /// The line that it rests on, in seconds from now and in the values' own units.
    pub line: Option<Line>,
}

fn bare(trend: Trend) -> Prediction {
    let outlook = Outlook { trend, slope: None, breach_at: None, earliest: None, latest: None, exact: false };
    Prediction { outlook, line: None }
}

/// Foresees a value from those of the window until `now`, in any order. `value` is the one now.
pub fn predict(watch: &Watch, value: f64, samples: &[(UnixMillis, f64)], now: UnixMillis) -> Prediction {
    let breached = watch.is_breached(value);
    if watch.kind == Kind::Flag {
        return bare(if breached { Trend::Breached } else { Trend::Steady });
    }
    let sign = if watch.side == Side::Above { 1.0 } else { -1.0 };
    let Some(seen) = Seen::of(watch, value, samples, now, sign) else {
        return bare(if breached { Trend::Breached } else { Trend::TooLittleData });
    };
    let (verdict, line) = seen.verdict();
    let trend = if breached { Trend::Breached } else { verdict };
    let own = line.map(|line| seen.restored(line));
    let mut prediction = bare(trend);
    prediction.outlook.slope =
        own.map(|line| if line.rises() || line.falls() { line.slope * sign } else { 0.0 });
    if let Some(line) = own.filter(|_| trend == Trend::Approaching) {
        let bound = sign * watch.bound;
        let at = |seconds: f64| {
            let ms = seconds.clamp(0.0, 1e12) * 1000.0;
            now.saturating_add(ms.round() as i64)
        };
        let crossing = crossing(bound, line.middle, line.level, line.slope).max(0.0);
        let soonest = crossing_of(&line, bound, line.spread, line.high).clamp(0.0, crossing);
        let slowest = crossing_of(&line, bound, -line.spread, line.low).max(crossing);
        prediction.outlook.breach_at = Some(at(crossing));
        prediction.outlook.earliest = Some(at(soonest));
        // What is that far away may as well never come.
        let never = crossing.max(-line.from) * HORIZON;
        prediction.outlook.latest = (line.low > 0.0 && slowest <= never).then(|| at(slowest));
    }
    prediction.line = own.map(|line| if sign < 0.0 { line.mirrored() } else { line });
    prediction
}

/// What a deadline that the node tells comes to: exact, no prediction. `owed`: something is due then. `at` is when,
/// `None` where the node does not tell.
pub fn deadline(owed: bool, at: Option<UnixMillis>, now: UnixMillis) -> Outlook {
    let trend = match at {
        _ if !owed => Trend::Steady,
        None => Trend::TooLittleData,
        Some(at) if at <= now => Trend::Breached,
        Some(_) => Trend::Approaching,
    };
    let breach_at = at.filter(|_| owed);
    Outlook { trend, slope: None, breach_at, earliest: None, latest: None, exact: breach_at.is_some() }
}

/// When a line through a point meets the bound, in seconds from now.
fn crossing(bound: f64, time: f64, level: f64, slope: f64) -> f64 {
    if level >= bound { time } else { time + (bound - level) / slope }
}

/// As [`crossing`], for an edge of a line's band.
fn crossing_of(line: &Line, bound: f64, off: f64, slope: f64) -> f64 {
    crossing(bound, line.middle, line.level + off, slope)
}

/// The points of a window and of those before it, each nearer to the bound the greater it is, from 0 at the last.
struct Seen {
    points: Vec<Point>,
    /// The first of the window.
    begin: usize,
    watch: Watch,
    sign: f64,
    base: f64,
    scale: f64,
    /// The bound on the same scale.
    bound: f64,
    /// The value now.
    value: f64,
    /// What counts as a part of the bound.
    way: f64,
    window: f64,
}

impl Seen {
    /// `None` where there is too little to tell.
    fn of(
        watch: &Watch,
        value: f64,
        samples: &[(UnixMillis, f64)],
        now: UnixMillis,
        sign: f64,
    ) -> Option<Self> {
        if value.is_nan() || value.abs() > HUGE || watch.bound.is_nan() || watch.bound.abs() > HUGE {
            return None;
        }
        let window_ms = watch.window_ms.max(1);
        let window = window_ms as f64 / 1000.0;
        let first = now.saturating_sub(history_ms(window_ms));
        let mut raw: Vec<(UnixMillis, f64)> = (samples.iter())
            .filter(|(at, value)| *at >= first && *at <= now && value.abs() <= HUGE)
            .copied()
            .collect();
        raw.sort_by_key(|(at, _)| *at);
        // Of two at one time the later told counts.
        raw.reverse();
        raw.dedup_by_key(|(at, _)| *at);
        raw.reverse();
        if watch.kind == Kind::Counter {
            rise_only(&mut raw);
        }
        let mut points: Vec<Point> = thinned(&raw, now, window)
            .map(|(at, value)| ((at - now) as f64 / 1000.0, sign * value))
            .collect();
        let base = points.last()?.1;
        let scale = points.iter().map(|point| (point.1 - base).abs()).fold(0.0, f64::max);
        let scale = if scale > 0.0 { scale } else { 1.0 };
        points.iter_mut().for_each(|point| point.1 = (point.1 - base) / scale);
        without_spikes(&mut points);
        let begin = points.partition_point(|point| point.0 < -window);
        let span = points.last()?.0 - points.get(begin)?.0;
        if points.len() - begin < LEAST_POINTS || span < window * LEAST_SPAN {
            return None;
        }
        let bound = (sign * watch.bound - base) / scale;
        // A counter that began anew goes on from where it is.
        let value = if watch.kind == Kind::Counter { 0.0 } else { (sign * value - base) / scale };
        let way = if watch.bound == 0.0 { bound.abs() } else { watch.bound.abs() / scale };
        Some(Self { points, begin, watch: *watch, sign, base, scale, bound, value, way, window })
    }

    /// A line in the values' own units.
    fn restored(&self, line: Line) -> Line {
        Line {
            level: line.level * self.scale + self.base,
            slope: line.slope * self.scale,
            low: line.low * self.scale,
            high: line.high * self.scale,
            spread: line.spread * self.scale,
            ..line
        }
    }

    fn verdict(&self) -> (Trend, Option<Line>) {
        let course = course(&self.points);
        let tops = over(&course.tops);
        if let Some((line, before)) = self.present(&course) {
            // Of climbs that come back higher each time the next is expected to be higher.
            let expected = tops.map_or(f64::NEG_INFINITY, |line| line.top(0.0));
            if self.is_news(before, expected, &line) && self.is_near(&line) {
                return (Trend::Approaching, Some(line));
            }
            let fallen = self.points[course.since].1 - self.value;
            let enough = course.turn.max(self.way * RECOVERY);
            let was_near = self.left_at(course.since) < RECOVERY_FROM;
            if line.falls() && course.tops.len() < 2 && fallen >= enough && was_near {
                return (Trend::Recovering, Some(line));
            }
        }
        if let Some(line) = tops.filter(|line| self.is_near(line)) {
            return (Trend::Approaching, Some(line));
        }
        // Noise around something that rises, or falls, slowly.
        let window = &self.points[self.begin..];
        let whole = Line::through(window);
        let is_one = !course.is_habit && bend(window, LEAST_POINTS).is_none();
        match whole.filter(|_| is_one) {
            Some(line) if self.is_news(self.begin, f64::NEG_INFINITY, &line) && self.is_near(&line) => {
                (Trend::Approaching, Some(line))
            }
            Some(line) => (Trend::Steady, Some(line)),
            None => (Trend::Steady, whole.map(|line| Line { slope: 0.0, low: 0.0, high: 0.0, ..line })),
        }
    }

    /// The line through the present way up or down: since the last turn, and of that since the last bend; and how
    /// many points came before that turn.
    fn present(&self, course: &Course) -> Option<(Line, usize)> {
        let mut from = course.since.max(self.begin);
        while let Some(at) = bend(&self.points[from..], LEAST_POINTS) {
            from += at;
        }
        let way = after_step(&self.points[from..]);
        let span = way.last()?.0 - way.first()?.0;
        if way.len() < LEAST_POINTS || span < self.window * LEAST_SPAN {
            return None;
        }
        Some((Line::through(way)?, course.since))
    }

    /// Whether a climb goes beyond all that was seen before it, and beyond what is expected.
    fn is_news(&self, before: usize, expected: f64, line: &Line) -> bool {
        let (low, high) = range(&self.points[..before]);
        let beyond = before == 0 || line.at(0.0) > high.max(expected) + (high - low) * BEYOND;
        beyond && line.rises() && is_clear(line) && self.is_old(line)
    }

    /// Whether there is history enough to believe a climb, or little enough left to believe it all the same.
    fn is_old(&self, line: &Line) -> bool {
        let span = -self.points.first().map_or(0.0, |point| point.0);
        span >= self.window * YOUNG || self.bound - line.at(0.0) < self.way * YOUNG_LEFT
    }

    /// The part of the way that was left at a point; none where there is no way.
    fn left_at(&self, point: usize) -> f64 {
        let value = self.sign * (self.points[point].1 * self.scale + self.base);
        headroom(&self.watch, value).unwrap_or(0.0)
    }

    /// Whether the line meets the bound soon enough to be believed.
    fn is_near(&self, line: &Line) -> bool {
        let left = crossing(self.bound, line.middle, line.level, line.slope);
        left <= -line.from * HORIZON
    }
}

/// The line over the tops of climbs that come back, each higher than the one before.
fn over(tops: &[Point]) -> Option<Line> {
    let from = bend(tops, LEAST_TOPS).unwrap_or(0);
    let line = Line::through(&tops[from..]).filter(|_| tops.len() - from >= LEAST_TOPS)?;
    (line.rises() && is_clear(&line)).then_some(line)
}

/// Whether the points are on the line rather than around it.
fn is_clear(line: &Line) -> bool {
    line.at(0.0) - line.at(line.from) >= line.spread * CLEAR
}

/// The points after a step that makes most of their rise.
fn after_step(points: &[Point]) -> &[Point] {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return points };
    let rise = last.1 - first.1;
    let is_step = |pair: &[Point]| pair[1].1 - pair[0].1 > rise * STEP;
    match points.windows(2).rposition(is_step) {
        Some(at) if rise > 0.0 => &points[at + 1..],
        _ => points,
    }
}

/// Makes a counter's values its increase, so that the last stays as it is: what was counted before it began anew
/// lies below.
fn rise_only(raw: &mut [(UnixMillis, f64)]) {
    let (mut before, mut lost) = (f64::NEG_INFINITY, 0.0);
    for (_, value) in raw.iter_mut() {
        let own = *value;
        if own < before {
            lost += before;
        }
        before = own;
        *value = own + lost;
    }
    raw.iter_mut().for_each(|(_, value)| *value -= lost);
}

/// Of each part of the window, and of those before, the last sample.
fn thinned(
    raw: &[(UnixMillis, f64)],
    now: UnixMillis,
    window: f64,
) -> impl Iterator<Item = (UnixMillis, f64)> + '_ {
    let width = window * 1000.0 / MOST_POINTS as f64;
    let part = move |at: UnixMillis| ((now - at) as f64 / width) as i64;
    raw.iter().enumerate().filter_map(move |(index, sample)| {
        let next = raw.get(index + 1);
        let last = next.is_none_or(|next| part(next.0) != part(sample.0));
        last.then_some(*sample)
    })
}
