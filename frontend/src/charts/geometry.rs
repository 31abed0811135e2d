//! From values on a grid to the lines on the screen: gaps, and no more points than pixels. Pure.

/// One unbroken stretch of a line: places on the grid and values.
pub type Segment = Vec<(f64, f64)>;

/// Maps an index and a value to pixels.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// The left edge, in pixels.
    pub left: f64,
    /// The upper edge.
    pub top: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
    /// The value at the lower edge.
    pub low: f64,
    /// The value at the upper edge.
    pub high: f64,
    /// The place of the right edge on the grid: the last index, or a little more where no time falls on it.
    pub last: f64,
}

impl Plot {
    /// Where a time of the grid is.
    pub fn x(&self, index: f64) -> f64 {
        self.left + self.width * index / self.last.max(f64::MIN_POSITIVE)
    }

    /// Where a value is.
    pub fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - (value - self.low) / (self.high - self.low))
    }

    /// The place on the grid under a pixel, inside the grid.
    pub fn place_at(&self, x: f64) -> f64 {
        ((x - self.left) / self.width.max(1.0) * self.last).clamp(0.0, self.last)
    }
}

/// Cuts values at their gaps and, where there are more than two a pixel, keeps each pixel's first, smallest,
/// largest and last: the line looks the same and no spike is lost. Infinite values are gaps: they have no place.
pub fn segments(values: &[f64], plot: &Plot) -> Vec<Segment> {
    let dense = values.len() as f64 > plot.width * 2.0;
    let mut all = Vec::new();
    for run in runs(values) {
        let points = run.clone().map(|index| (index, values[index]));
        let kept: Vec<(usize, f64)> = if dense { thinned(points, plot) } else { points.collect() };
        all.push(kept.into_iter().map(|(index, value)| (index as f64, value)).collect());
    }
    all
}

/// The ranges of indices without a gap.
fn runs(values: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut all: Vec<std::ops::Range<usize>> = Vec::new();
    for index in (0..values.len()).filter(|&index| values[index].is_finite()) {
        match all.last_mut() {
            Some(run) if run.end == index => run.end = index + 1,
            _ => all.push(index..index + 1),
        }
    }
    all
}

fn thinned(points: impl Iterator<Item = (usize, f64)>, plot: &Plot) -> Vec<(usize, f64)> {
    let mut kept = Vec::new();
    let mut pixel: Vec<(usize, f64)> = Vec::new();
    let mut column = i64::MIN;
    for point in points {
        let here = plot.x(point.0 as f64).floor() as i64;
        if here != column {
            kept.append(&mut extremes(&pixel));
            pixel.clear();
            column = here;
        }
        pixel.push(point);
    }
    kept.append(&mut extremes(&pixel));
    kept
}

fn extremes(pixel: &[(usize, f64)]) -> Vec<(usize, f64)> {
    let by_value = |a: &&(usize, f64), b: &&(usize, f64)| a.1.total_cmp(&b.1);
    let picks = [pixel.first(), pixel.iter().min_by(by_value), pixel.iter().max_by(by_value), pixel.last()];
    let mut kept: Vec<(usize, f64)> = picks.into_iter().flatten().copied().collect();
    kept.sort_unstable_by_key(|point| point.0);
    kept.dedup_by_key(|point| point.0);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    fn plot(width: f64, count: usize) -> Plot {
        let last = count.saturating_sub(1) as f64;
        Plot { left: 10.0, top: 0.0, width, height: 100.0, low: 0.0, high: 10.0, last }
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let values = [GAP, 1.0, 2.0, GAP, GAP, 3.0, f64::INFINITY, 4.0];
        let found = segments(&values, &plot(700.0, 8));
        let lengths: Vec<usize> = found.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
        assert_eq!(found[0][0], (1.0, 1.0));
        assert_eq!((plot(700.0, 8).x(1.0), plot(700.0, 8).y(1.0)), (110.0, 90.0));
        assert!(segments(&[GAP; 4], &plot(100.0, 4)).is_empty());
        assert!(segments(&[], &plot(100.0, 0)).is_empty());
    }

    #[test]
    fn a_spike_survives_thinning() {
        let mut values = vec![1.0; 10_000];
        values[7_321] = 9.0;
        values[2_500] = GAP;
        let found = segments(&values, &plot(200.0, 10_000));
        let points: usize = found.iter().map(Vec::len).sum();
        assert!(points <= 200 * 4 + 4, "{points}");
        assert_eq!(found.len(), 2);
        assert!(found[1].iter().any(|&(_, value)| value > 8.9));
    }

    #[test]
    fn a_pixel_finds_its_time_again() {
        let plot = plot(600.0, 61);
        for index in [0.0, 1.0, 30.0, 60.0] {
            assert!((plot.place_at(plot.x(index)) - index).abs() < 1e-9);
        }
        assert_eq!((plot.place_at(-50.0), plot.place_at(9e9)), (0.0, 60.0));
        let one = Plot { last: 0.0, ..plot };
        assert_eq!((one.place_at(300.0), one.x(0.0)), (0.0, 10.0));
        let uneven = Plot { last: 7.5, ..plot };
        assert_eq!((uneven.place_at(9e9), uneven.place_at(310.0)), (7.5, 3.75));
    }
}
