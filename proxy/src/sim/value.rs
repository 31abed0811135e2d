//! Numbers that look measured: noise, gauges and counters as pure functions of a key and a time, so
//! that a node that nobody asks costs nothing, and the same seed tells the same story.

/// Length of the fast noise of a counter's rate, in seconds.
const FAST: f64 = 11.0;
/// Length of the slow noise of a counter's rate, in seconds.
const SLOW: f64 = 97.0;

/// Scrambles two words into one (splitmix64's finaliser): a hash where neighbours differ wholly.
pub fn mix(a: u64, b: u64) -> u64 {
    let mut x = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key of a name (FNV-1a): the same in every run and on every machine.
pub fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A number in `[0, 1)` for a key.
pub fn unit(key: u64) -> f64 {
    (mix(key, 0x5eed) >> 11) as f64 / (1u64 << 53) as f64
}

/// A number in `[low, high)` for a key.
pub fn between(key: u64, low: f64, high: f64) -> f64 {
    low + unit(key) * (high - low)
}

/// Continuous noise in `[0, 1]`: hashed values at whole `x`, straight lines between them.
pub fn noise(key: u64, x: f64) -> f64 {
    let whole = x.floor();
    let at = |cell: i64| unit(mix(key, cell as u64));
    let (left, right) = (at(whole as i64), at(whole as i64 + 1));
    left + (right - left) * (x - whole)
}

/// Noise around 0 (in `[-1, 1]`, mostly within a half) that remembers: three octaves, from
/// seconds to a quarter of an hour.
pub fn wander(key: u64, t: f64) -> f64 {
    let octave = |salt, length| 2.0 * noise(mix(key, salt), t / length) - 1.0;
    0.2 * octave(1, 17.0) + 0.35 * octave(2, 131.0) + 0.45 * octave(3, 907.0)
}

/// How busy a node is: 1 on average, with a daily, an hourly and a shorter wave.
/// Always above 0.38, so that its integral only rises.
pub fn load(key: u64, unix: f64) -> f64 {
    WAVES.iter().enumerate().fold(1.0, |sum, (i, wave)| {
        let (w, phase) = wave.at(key, i);
        sum + wave.amplitude * (w * unix + phase).sin()
    })
}

/// The integral of [`load`] from `from` to `to`, in seconds at the average rate.
pub fn load_integral(key: u64, from: f64, to: f64) -> f64 {
    WAVES.iter().enumerate().fold(to - from, |sum, (i, wave)| {
        let (w, phase) = wave.at(key, i);
        sum + wave.amplitude / w * ((w * from + phase).cos() - (w * to + phase).cos())
    })
}

/// The irregular part of a counter's integral: its slope stays above -0.36, so that together with
/// [`load_integral`] (slope above 0.38) a counter never goes down.
pub fn counter_noise(key: u64, from: f64, to: f64) -> f64 {
    let irregular = |salt, length: f64, share: f64| {
        let key = mix(key, salt);
        share * length * (noise(key, to / length) - noise(key, from / length))
    };
    irregular(11, FAST, 0.22) + irregular(12, SLOW, 0.14)
}

/// One wave of [`load`].
struct Wave {
    period: f64,
    amplitude: f64,
}

impl Wave {
    /// Angular frequency and phase. The day is the same for all; the shorter waves differ by node.
    fn at(&self, key: u64, index: usize) -> (f64, f64) {
        let own = mix(key, 0x3a7e + index as u64);
        let period = self.period * if index == 0 { 1.0 } else { between(own, 0.7, 1.4) };
        (std::f64::consts::TAU / period, between(mix(own, 1), 0.0, std::f64::consts::TAU))
    }
}

const WAVES: [Wave; 3] = [
    Wave { period: 86_400.0, amplitude: 0.30 },
    Wave { period: 3_600.0, amplitude: 0.18 },
    Wave { period: 420.0, amplitude: 0.14 },
];

/// The share of log-logistic observations at or below `x`: a latency-like distribution with the
/// given median, whose tail is the heavier the smaller `shape` is (above 1).
pub fn share_below(x: f64, median: f64, shape: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { 1.0 / (1.0 + (median / x).powf(shape)) }
}

/// The mean of that distribution.
pub fn mean_of(median: f64, shape: f64) -> f64 {
    let angle = std::f64::consts::PI / shape;
    median * angle / angle.sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_never_goes_down_at_any_step() {
        for key in 0..40 {
            let total = |t: f64| load_integral(key, 1.7e9, t) + counter_noise(key, 1.7e9, t);
            let mut last = 0.0;
            for step in 1..4_000 {
                let now = total(1.7e9 + f64::from(step) * 0.9);
                assert!(now >= last, "key {key} step {step}: {last} then {now}");
                last = now;
            }
        }
    }

    #[test]
    fn noise_is_continuous_and_repeats_itself_for_the_same_key() {
        for step in 0..2_000 {
            let x = f64::from(step) * 0.01;
            assert!((noise(7, x) - noise(7, x + 1e-9)).abs() < 1e-6);
            assert!((0.0..=1.0).contains(&noise(7, x)));
            assert!(wander(7, x).abs() <= 1.0);
        }
        assert_ne!(noise(7, 3.5), noise(8, 3.5));
    }

    #[test]
    fn the_distribution_is_one_half_at_its_median() {
        assert!((share_below(0.02, 0.02, 2.5) - 0.5).abs() < 1e-12);
        assert!(share_below(100.0, 0.02, 2.5) > 0.999);
        assert!(mean_of(0.02, 2.5) > 0.02);
    }
}
