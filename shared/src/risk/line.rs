//! A straight line through points of which some are wrong: the median of all slopes between two points (Theil 1950,
//! Sen 1968), and the slopes that the points allow as well.

/// The normal quantile of a two-sided confidence of 95 %.
const Z: f64 = 1.96;
/// The part of the points that lie within the band around the line.
const WITHIN: f64 = 0.9;

/// A line, and how sure it is. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// When the first of its points was.
    pub from: f64,
    /// The time in the middle, around which other slopes turn.
    pub middle: f64,
    /// The value there.
    pub level: f64,
    /// Change a second.
    pub slope: f64,
    /// The least slope that the points allow.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// How far nine in ten points are from the line at most.
    pub spread: f64,
}

impl Line {
    /// The line through points in order of time, no two at one time. `None` of fewer than three.
    ///
    /// The slopes allowed are those between the ranks that Kendall's test leaves at 95 %: distribution-free, so that a
    /// few points that are far off move neither line nor band.
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len();
        let (first, last) = (points.first()?, points.last()?);
        if count < 3 {
            return None;
        }
        let mut slopes = Vec::with_capacity(count * (count - 1) / 2);
        for (at, one) in points.iter().enumerate() {
            slopes.extend(points[at + 1..].iter().map(|other| (other.1 - one.1) / (other.0 - one.0)));
        }
        let (n, pairs) = (count as f64, slopes.len() as f64);
        let reach = Z * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let low = ((pairs - reach) / 2.0).floor().max(1.0) as usize - 1;
        let high = (((pairs + reach) / 2.0).ceil() as usize).min(slopes.len() - 1);
        let (low, slope, high) = ranked(&mut slopes, low, high);
        let middle = f64::midpoint(first.0, last.0);
        let mut levels: Vec<f64> = points.iter().map(|point| point.1 - slope * (point.0 - middle)).collect();
        levels.sort_unstable_by(f64::total_cmp);
        let level = middle_of(&levels);
        let mut off: Vec<f64> = levels.iter().map(|own| (own - level).abs()).collect();
        off.sort_unstable_by(f64::total_cmp);
        let spread = off[((n * WITHIN).ceil() as usize).clamp(1, count) - 1];
        let line = Self { from: first.0, middle, level, slope, low, high, spread };
        line.is_finite().then_some(line)
    }

    fn is_finite(&self) -> bool {
        [self.level, self.slope, self.low, self.high, self.spread].iter().all(|part| part.is_finite())
    }

    /// The value at a time.
    pub fn at(&self, time: f64) -> f64 {
        self.level + self.slope * (time - self.middle)
    }

    /// The least value at a time.
    pub fn bottom(&self, time: f64) -> f64 {
        let slope = if time < self.middle { self.high } else { self.low };
        self.level + slope * (time - self.middle) - self.spread
    }

    /// The greatest value at a time.
    pub fn top(&self, time: f64) -> f64 {
        let slope = if time < self.middle { self.low } else { self.high };
        self.level + slope * (time - self.middle) + self.spread
    }

    /// Whether the points rise, beyond what chance makes of points that do not.
    pub(super) fn rises(&self) -> bool {
        self.low > 0.0
    }

    /// Whether they fall.
    pub(super) fn falls(&self) -> bool {
        self.high < 0.0
    }

    /// The same line of values with the other sign.
    pub(super) fn mirrored(self) -> Self {
        Self { level: -self.level, slope: -self.slope, low: -self.high, high: -self.low, ..self }
    }
}

/// The value of rank `low`, the median and the value of rank `high`, without sorting all.
fn ranked(values: &mut [f64], low: usize, high: usize) -> (f64, f64, f64) {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, above) = values.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| even).unwrap_or(upper);
    let mut at = |rank: usize| match rank.cmp(&half) {
        std::cmp::Ordering::Less => *below.select_nth_unstable_by(rank, f64::total_cmp).1,
        std::cmp::Ordering::Equal => upper,
        std::cmp::Ordering::Greater => *above.select_nth_unstable_by(rank - half - 1, f64::total_cmp).1,
    };
    (at(low), f64::midpoint(lower, upper), at(high))
}

/// The median of sorted values.
pub(super) fn middle_of(sorted: &[f64]) -> f64 {
    match (sorted.len() / 2, sorted.len() % 2) {
        (0, 0) => f64::NAN,
        (half, 0) => f64::midpoint(sorted[half - 1], sorted[half]),
        (half, _) => sorted[half],
    }
}
