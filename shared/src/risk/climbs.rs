//! What a value did before: how far it climbed and came back, where its present way began.
//!
//! A lag that grows between two polls climbs towards its bound all day long and never gets there. So a climb is news
//! only when it goes beyond those that came back.

use super::line::middle_of;

/// A turn is one by so many times the noise.
const TURN_SIGMAS: f64 = 4.0;
/// And by this part of all that was seen at least; by half of it always.
const TURN_SHARE: (f64, f64) = (0.25, 0.5);
/// A climb higher than so many times the noise is no noise.
const CLIMB_SIGMAS: f64 = 6.0;
/// A point so many times the noise away from both its neighbours is a misreading.
const SPIKE_SIGMAS: f64 = 8.0;
/// Two lines explain the points so much better than one before a turn is believed.
const TURN_GAIN: f64 = 0.35;

/// A point: a time in seconds, and a value of which more is nearer to the bound.
pub(super) type Point = (f64, f64);

/// What the points did, from one turn to the next.
#[derive(Debug)]
pub(super) struct Course {
    /// The tops of the climbs that came back, in order.
    pub(super) tops: Vec<Point>,
    /// Some of them are more than noise.
    pub(super) is_habit: bool,
    /// Where the last way up or down began.
    pub(super) since: usize,
    /// How much a turn is.
    pub(super) turn: f64,
}

/// The noise of the points: how far one is from the next, apart from what they all do.
fn noise(points: &[Point]) -> f64 {
    let mut steps: Vec<f64> = points.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    steps.sort_unstable_by(f64::total_cmp);
    let usual = middle_of(&steps);
    let mut off: Vec<f64> = steps.iter().map(|step| (step - usual).abs()).collect();
    off.sort_unstable_by(f64::total_cmp);
    // The median distance of normal noise is 0.6745 of its deviation, and a step has the noise of two points.
    middle_of(&off) / 0.6745 / std::f64::consts::SQRT_2
}

/// Takes out single points that are far from both their neighbours, which agree. The last one stays: it may be the first of many.
pub(super) fn without_spikes(points: &mut Vec<Point>) {
    let far = SPIKE_SIGMAS * noise(points);
    let (low, high) = range(points);
    let far = far.max((high - low) * 0.1);
    let is_spike = |three: &[Point]| {
        let (before, own, after) = (three[0].1, three[1].1, three[2].1);
        (own - before).abs() > far
            && (own - after).abs() > far
            && (own > before) == (own > after)
            && (after - before).abs() < far / 2.0
    };
    let spikes: Vec<bool> = points.windows(3).map(is_spike).collect();
    // Where every other point is one, they are no misreadings.
    if spikes.iter().filter(|is| **is).count() * 10 > points.len() {
        return;
    }
    let mut at = 0;
    points.retain(|_| {
        at += 1;
        at < 2 || !spikes.get(at - 2).copied().unwrap_or(false)
    });
}

/// The least and the greatest of the points.
pub(super) fn range(points: &[Point]) -> (f64, f64) {
    let values = points.iter().map(|point| point.1);
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Follows the points from turn to turn.
pub(super) fn course(points: &[Point]) -> Course {
    let (low, high) = range(points);
    let whole = high - low;
    let sigma = noise(points);
    let turn = (TURN_SIGMAS * sigma).max(TURN_SHARE.0 * whole).min(TURN_SHARE.1 * whole);
    let mut course = Course { tops: Vec::new(), is_habit: false, since: 0, turn };
    let (mut bottom, mut top) = (0, 0);
    let mut rising = None;
    for (at, point) in points.iter().enumerate() {
        // Of equal ones the last: the way begins where the standing still ends.
        if point.1 <= points[bottom].1 {
            bottom = at;
        }
        if point.1 >= points[top].1 {
            top = at;
        }
        let (risen, fallen) = (point.1 - points[bottom].1, points[top].1 - point.1);
        if rising != Some(true) && risen >= turn && risen > 0.0 {
            (rising, course.since, top) = (Some(true), bottom, at);
        } else if rising != Some(false) && fallen >= turn && fallen > 0.0 {
            if rising == Some(true) {
                let climbed = points[top].1 - points[course.since].1;
                course.tops.push(points[top]);
                course.is_habit |= climbed > CLIMB_SIGMAS * sigma;
            }
            (rising, course.since, bottom) = (Some(false), top, at);
        }
    }
    course
}

/// Where the present way begins within one that has no turns: the place from which two lines explain the points far
/// better than one, if there is such a place with `least` points after it.
pub(super) fn bend(points: &[Point], least: usize) -> Option<usize> {
    let whole = Sums::of(points);
    let one = whole.unexplained();
    let (low, high) = range(points);
    if points.len() < least + 2 || one <= (high - low).powi(2) * 1e-9 {
        return None;
    }
    let mut before = Sums::default();
    let mut best: Option<(usize, f64)> = None;
    for (at, point) in points.iter().enumerate().take(points.len() - least + 1) {
        let two = before.unexplained() + whole.minus(&before).unexplained();
        if at > 0 && best.is_none_or(|(_, least)| two < least) {
            best = Some((at, two));
        }
        before.add(*point);
    }
    best.filter(|(_, two)| *two < one * TURN_GAIN).map(|(at, _)| at)
}

/// What the least squares of a line through points need.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    n: f64,
    t: f64,
    y: f64,
    tt: f64,
    ty: f64,
    yy: f64,
}

impl Sums {
    fn of(points: &[Point]) -> Self {
        let mut sums = Self::default();
        points.iter().for_each(|point| sums.add(*point));
        sums
    }

    fn add(&mut self, (t, y): Point) {
        self.n += 1.0;
        self.t += t;
        self.y += y;
        self.tt += t * t;
        self.ty += t * y;
        self.yy += y * y;
    }

    fn minus(&self, other: &Self) -> Self {
        Self {
            n: self.n - other.n,
            t: self.t - other.t,
            y: self.y - other.y,
            tt: self.tt - other.tt,
            ty: self.ty - other.ty,
            yy: self.yy - other.yy,
        }
    }

    /// The sum of the squares that the best line leaves.
    fn unexplained(&self) -> f64 {
        if self.n < 2.0 {
            return 0.0;
        }
        let (tt, yy) = (self.tt - self.t * self.t / self.n, self.yy - self.y * self.y / self.n);
        let ty = self.ty - self.t * self.y / self.n;
        if tt <= 0.0 { yy.max(0.0) } else { (yy - ty * ty / tt).max(0.0) }
    }
}
