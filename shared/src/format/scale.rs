//! Where the ticks of a value axis stand, and what stands at them. Pure.

/// A value axis in its display unit (see [`super::axis_unit`]): its ends and its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAxis {
    /// The lower end.
    pub low: f64,
    /// The upper end, always above the lower.
    pub high: f64,
    /// At most six, from low to high.
    pub ticks: Vec<f64>,
    /// Decimals that every tick needs to be told from its neighbours.
    decimals: usize,
}

/// The most grid lines a chart has.
const MOST_TICKS: usize = 6;

impl ValueAxis {
    /// An axis that holds `low` to `high`, ends at round numbers, and with `from_zero` includes zero.
    pub fn new(low: f64, high: f64, from_zero: bool) -> Self {
        let (mut low, mut high) = if low.is_finite() && high.is_finite() { (low, high) } else { (0.0, 1.0) };
        if from_zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        if high - low <= high.abs().max(low.abs()) * 1e-12 {
            // A flat line sits in the middle, or on the floor when it is zero.
            let room = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            high += room;
            if !from_zero || low < 0.0 {
                low -= room;
            }
        }
        let step = nice_step((high - low) / (MOST_TICKS - 2) as f64);
        // A little less than a whole step of air above the highest value is enough.
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil();
        let count = ((last - first) as usize + 1).min(MOST_TICKS);
        // Adding 0.0 turns a negative zero into a zero.
        let ticks: Vec<f64> = (0..count).map(|index| (first + index as f64) * step + 0.0).collect();
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        Self { low: first * step, high: (last * step).max(first * step + step), ticks, decimals }
    }

    /// The number at a tick.
    pub fn label(&self, tick: f64) -> String {
        let digits = format!("{tick:.*}", self.decimals);
        // Thousands are separated where there are no decimals; `grouped` is for whole numbers only.
        super::grouped(&digits).unwrap_or_else(|| digits.replace('-', "−"))
    }
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let lead = least / power;
    let nice = match () {
        () if lead <= 1.0 + 1e-9 => 1.0,
        () if lead <= 2.0 + 1e-9 => 2.0,
        () if lead <= 5.0 + 1e-9 => 5.0,
        () => 10.0,
    };
    nice * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(low: f64, high: f64, from_zero: bool) -> (f64, f64, Vec<String>) {
        let axis = ValueAxis::new(low, high, from_zero);
        (axis.low, axis.high, axis.ticks.iter().map(|&tick| axis.label(tick)).collect())
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn values_have_round_ticks() {
        assert_eq!(axis(3.0, 47.0, true), (0.0, 60.0, words(&["0", "20", "40", "60"])));
        assert_eq!(axis(0.2, 0.9, true), (0.0, 1.0, words(&["0.0", "0.5", "1.0"])));
        assert_eq!(axis(101.0, 104.0, false), (101.0, 104.0, words(&["101", "102", "103", "104"])));
        assert_eq!(axis(-5.0, 5.0, false), (-5.0, 5.0, words(&["−5", "0", "5"])));
        assert_eq!(axis(7.0, 7.0, true).0, 0.0);
        assert_eq!(axis(0.0, 0.0, true), (0.0, 1.0, words(&["0.0", "0.5", "1.0"])));
        assert_eq!(axis(f64::NAN, 1.0, true).1, 1.0);
    }

    #[test]
    fn there_are_at_most_six_lines_and_all_values_fit() {
        for exponent in -6..9 {
            for lead in [1.0, 1.01, 1.99, 2.5, 3.3, 4.999, 5.01, 7.7, 9.99] {
                for low in [0.0, 0.3, 0.9, -0.5] {
                    let high = lead * 10_f64.powi(exponent);
                    let axis = ValueAxis::new(high * low, high, low == 0.0);
                    assert!((2..=MOST_TICKS).contains(&axis.ticks.len()), "{low} {high} {axis:?}");
                    assert!(
                        axis.low <= high * low + 1e-9 && axis.high >= high * 0.999_999,
                        "{high} {axis:?}"
                    );
                    let top = axis.ticks.last().copied().unwrap_or(0.0);
                    assert!((top - axis.high).abs() < axis.high.abs() * 1e-9, "{high} {axis:?}");
                }
            }
        }
    }
}
