//! Two fingers on the axis of time: what is under each stays under it, as on a map. Pure.

use fleetglass_shared::health::UnixMillis;

use super::series::Grid;

/// Fingers that are closer are one thumb: what they say of the scale is chance.
const LEAST_APART: f64 = 24.0;
/// No shorter span is chosen by fingers.
const LEAST_SPAN: f64 = 10_000.0;
/// Nor one that is so many times as long as what is shown.
const MOST_TIMES: f64 = 8.0;

/// A finger that lies on the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finger {
    /// Its pointer's id.
    pub pointer: i32,
    /// Where it came down, in pixels.
    pub x: f64,
    /// The time that was there.
    pub at: UnixMillis,
}

/// The fingers that lie on the axis, and where they are now.
#[derive(Clone, Debug, Default)]
pub struct Pinch(Vec<(Finger, f64)>);

impl Pinch {
    /// Another finger came down. A third one counts for nothing.
    pub fn touch(&mut self, finger: Finger) {
        self.0.retain(|(held, _)| held.pointer != finger.pointer);
        if self.0.len() < 2 {
            self.0.push((finger, finger.x));
        }
    }

    /// Whether two fingers lie there.
    pub fn is_on(&self) -> bool {
        self.0.len() == 2
    }

    /// A finger moved: the span that is shown then, if there are two. `grid` is what is shown while they move.
    pub fn moved(&mut self, pointer: i32, x: f64, grid: Grid) -> Option<(UnixMillis, UnixMillis)> {
        let (_, now) = self.0.iter_mut().find(|(finger, _)| finger.pointer == pointer)?;
        *now = x;
        let [(one, x_one), (two, x_two)] = self.0[..] else { return None };
        let (left, x_left, right, x_right) =
            if one.x <= two.x { (one, x_one, two, x_two) } else { (two, x_two, one, x_one) };
        let time = (right.at - left.at) as f64;
        // One of them came down beside the plot, or both at one place.
        if right.x - left.x < LEAST_APART || time <= 0.0 {
            return None;
        }
        let shown = grid.length() as f64;
        // Milliseconds a pixel, as they came down and now.
        let before = time / (right.x - left.x);
        let width = shown / before;
        let scale = time / (x_right - x_left).max(LEAST_APART);
        let scale = scale.clamp(LEAST_SPAN.min(shown) / width, shown * MOST_TIMES / width);
        let edge = left.x - (left.at - grid.start) as f64 / before;
        let from = left.at as f64 + (edge - x_left) * scale;
        Some((from.round() as i64, (from + width * scale).round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 pixels for 1,000 s, from the left edge at 0.
    const GRID: Grid = Grid { start: 0, end: 1_000_000, step: 10_000 };

    fn finger(pointer: i32, x: f64) -> Finger {
        Finger { pointer, x, at: (x * 1_000.0) as i64 }
    }

    fn pinch(from: (f64, f64), to: (f64, f64)) -> Option<(i64, i64)> {
        let mut pinch = Pinch::default();
        pinch.touch(finger(1, from.0));
        pinch.touch(finger(2, from.1));
        assert!(pinch.is_on());
        pinch.moved(1, to.0, GRID);
        pinch.moved(2, to.1, GRID)
    }

    #[test]
    fn what_is_under_a_finger_stays_under_it() {
        for (from, to, span) in [
            // Nothing moved.
            ((400.0, 600.0), (400.0, 600.0), (0, 1_000_000)),
            // Apart: half of the time, around the middle; the order of the fingers does not matter.
            ((400.0, 600.0), (300.0, 700.0), (250_000, 750_000)),
            ((600.0, 400.0), (700.0, 300.0), (250_000, 750_000)),
            // Together: twice the time.
            ((300.0, 700.0), (400.0, 600.0), (-500_000, 1_500_000)),
            // Both to the right: earlier.
            ((400.0, 600.0), (500.0, 700.0), (-100_000, 900_000)),
        ] {
            assert_eq!(pinch(from, to), Some(span), "{from:?} {to:?}");
        }
    }

    #[test]
    fn fingers_that_meet_or_cross_give_a_span_all_the_same() {
        for to in [(500.0, 500.0), (700.0, 300.0)] {
            let (from, until) = pinch((300.0, 700.0), to).unwrap();
            assert_eq!(until - from, 8_000_000, "{to:?}");
        }
        let (from, until) = pinch((400.0, 430.0), (-1e6, 1e6)).unwrap();
        assert_eq!(until - from, 10_000);
    }

    #[test]
    fn one_finger_and_a_third_one_choose_nothing() {
        let mut pinch = Pinch::default();
        pinch.touch(finger(1, 400.0));
        assert!(!pinch.is_on());
        assert_eq!(pinch.moved(1, 300.0, GRID), None);
        pinch.touch(finger(2, 600.0));
        pinch.touch(finger(3, 900.0));
        assert_eq!(pinch.moved(3, 300.0, GRID), None);
        assert!(pinch.moved(2, 700.0, GRID).is_some());
        // Both in one place say nothing of a scale.
        assert_eq!(self::pinch((500.0, 510.0), (100.0, 900.0)), None);
    }
}
