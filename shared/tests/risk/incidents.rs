//! Simulated incidents: what a value does in an hour, every quarter of a minute. The bound is 100, and above it.

/// From one sample to the next.
pub(crate) const STEP_S: i64 = 15;
/// Where it becomes a breach.
pub(crate) const BOUND: f64 = 100.0;
/// Samples of a run: an hour and a half.
const LENGTH: usize = 360;

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Ramps,
    Steps,
    Sawteeth,
    Noise,
    Mixed,
}

/// One hour and a half of a value.
pub(crate) struct Run {
    /// Seconds and value, in order; some samples are missing.
    pub(crate) values: Vec<(i64, f64)>,
    /// When it is first beyond the bound.
    pub(crate) breach: Option<i64>,
}

impl Group {
    pub(crate) const ALL: [Self; 5] = [Self::Ramps, Self::Steps, Self::Sawteeth, Self::Noise, Self::Mixed];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Ramps => "ramps",
            Self::Steps => "steps",
            Self::Sawteeth => "sawteeth",
            Self::Noise => "noise",
            Self::Mixed => "mixed",
        }
    }

    /// So many runs of each of its kinds.
    pub(crate) fn runs(self, count: u64) -> impl Iterator<Item = Run> {
        let kinds: &[fn(&mut Dice) -> Vec<f64>] = match self {
            Self::Ramps => &[ramp, bent_ramp],
            Self::Steps => &[step_below, step_beyond],
            Self::Sawteeth => &[saw, stuck_saw, growing_saw],
            Self::Noise => &[white, wandering, spiky],
            Self::Mixed => &[plateau, turned_back, staircase, noisy_saw],
        };
        (0..count).flat_map(move |seed| {
            kinds.iter().enumerate().map(move |(kind, make)| {
                let mut dice = Dice(seed * 1_000_003 + (kind as u64) * 7_919 + self as u64 * 104_729 + 1);
                let values = make(&mut dice);
                Run::of(&values, &mut dice)
            })
        })
    }
}

impl Run {
    /// One sample in fifty is missing, as scrapes fail.
    fn of(values: &[f64], dice: &mut Dice) -> Self {
        let all: Vec<(i64, f64)> =
            values.iter().enumerate().map(|(n, value)| (n as i64 * STEP_S, value.max(0.0))).collect();
        let breach = all.iter().find(|sample| sample.1 > BOUND).map(|sample| sample.0);
        let values = all.into_iter().filter(|_| dice.unit() > 0.02).collect();
        Self { values, breach }
    }
}

/// Numbers that look random (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// The sum of twelve: normal enough.
    fn normal(&mut self, sigma: f64) -> f64 {
        sigma * ((0..12).map(|_| self.unit()).sum::<f64>() - 6.0)
    }
}

fn each(mut value: impl FnMut(f64) -> f64) -> Vec<f64> {
    (0..LENGTH).map(|n| value(n as f64 * STEP_S as f64)).collect()
}

/// Quiet, then straight to the bound within 3 to 40 minutes.
fn ramp(dice: &mut Dice) -> Vec<f64> {
    let (base, sigma) = (dice.between(5.0, 30.0), dice.between(0.0, 2.5));
    let (start, takes) = (dice.between(900.0, 2_400.0), dice.between(180.0, 2_400.0));
    each(|t| base + dice.normal(sigma) + ((t - start) / takes).max(0.0) * (BOUND - base))
}

/// As [`ramp`], faster and faster.
fn bent_ramp(dice: &mut Dice) -> Vec<f64> {
    let (base, sigma) = (dice.between(5.0, 30.0), dice.between(0.0, 2.0));
    let (start, takes) = (dice.between(900.0, 2_400.0), dice.between(400.0, 2_400.0));
    each(|t| base + dice.normal(sigma) + ((t - start) / takes).max(0.0).powi(2) * (BOUND - base))
}

/// A jump to another level, which is allowed.
fn step_below(dice: &mut Dice) -> Vec<f64> {
    let (base, level, sigma) = (dice.between(5.0, 30.0), dice.between(40.0, 78.0), dice.between(0.0, 2.0));
    let start = dice.between(900.0, 4_000.0);
    each(|t| if t < start { base } else { level } + dice.normal(sigma))
}

/// A jump beyond the bound: nobody can foresee it.
fn step_beyond(dice: &mut Dice) -> Vec<f64> {
    let (base, level, sigma) = (dice.between(5.0, 30.0), dice.between(120.0, 200.0), dice.between(0.0, 2.0));
    let start = dice.between(900.0, 4_000.0);
    each(|t| if t < start { base } else { level } + dice.normal(sigma))
}

/// A saw with teeth of uneven length: the time since something was last done.
fn teeth(dice: &mut Dice, period: f64, height: impl Fn(f64) -> f64) -> Vec<f64> {
    let (mut since, mut length) = (0.0, period);
    each(|t| {
        while t - since >= length {
            since += length;
            length = period * dice.between(0.8, 1.2);
        }
        (t - since) / period * height(t)
    })
}

fn saw(dice: &mut Dice) -> Vec<f64> {
    let (period, height) = (dice.between(20.0, 300.0), dice.between(20.0, 60.0));
    teeth(dice, period, |_| height)
}

/// A saw that is not done any more: from some time on it only climbs.
fn stuck_saw(dice: &mut Dice) -> Vec<f64> {
    let (period, height) = (dice.between(20.0, 240.0), dice.between(15.0, 45.0));
    let stuck = dice.between(1_200.0, 3_000.0);
    let values = teeth(dice, period, |_| height);
    let from = (1..values.len()).find(|n| *n as f64 * STEP_S as f64 > stuck && values[*n] < values[n - 1]);
    let from = from.unwrap_or(values.len());
    let speed = height / period * STEP_S as f64;
    values
        .iter()
        .enumerate()
        .map(|(n, value)| if n < from { *value } else { (n - from) as f64 * speed })
        .collect()
}

/// Teeth that grow until they reach the bound.
fn growing_saw(dice: &mut Dice) -> Vec<f64> {
    let (period, height) = (dice.between(45.0, 120.0), dice.between(15.0, 40.0));
    let (start, takes) = (dice.between(900.0, 1_800.0), dice.between(900.0, 2_400.0));
    let values = teeth(dice, period, |_| height);
    let late = |n: usize| ((n as f64 * STEP_S as f64 - start) / takes).max(0.0) * (BOUND - height);
    values.iter().enumerate().map(|(n, value)| value + late(n)).collect()
}

/// Noise without memory, that stays below the bound.
fn white(dice: &mut Dice) -> Vec<f64> {
    let (level, sigma) = (dice.between(35.0, 60.0), dice.between(2.0, 7.0));
    each(|_| (level + dice.normal(sigma)).min(97.0))
}

/// Noise with memory, such as a load.
fn wandering(dice: &mut Dice) -> Vec<f64> {
    let (level, sigma, keeps) = (dice.between(35.0, 55.0), dice.between(4.0, 10.0), dice.between(0.9, 0.98));
    let mut off = 0.0;
    each(|_| {
        off = off * keeps + dice.normal(sigma * (1.0 - keeps * keeps).sqrt());
        (level + off).min(97.0)
    })
}

/// Misreadings.
fn spiky(dice: &mut Dice) -> Vec<f64> {
    let (level, sigma) = (dice.between(10.0, 40.0), dice.between(0.5, 3.0));
    each(|_| {
        let spike = if dice.unit() < 0.02 { dice.between(20.0, 50.0) } else { 0.0 };
        level + dice.normal(sigma) + spike
    })
}

/// A climb that ends below the bound.
fn plateau(dice: &mut Dice) -> Vec<f64> {
    let (base, level, sigma) = (dice.between(5.0, 25.0), dice.between(50.0, 78.0), dice.between(0.0, 2.0));
    let (start, takes) = (dice.between(900.0, 2_400.0), dice.between(240.0, 1_800.0));
    each(|t| base + dice.normal(sigma) + ((t - start) / takes).clamp(0.0, 1.0) * (level - base))
}

/// A climb that somebody mends in time.
fn turned_back(dice: &mut Dice) -> Vec<f64> {
    let (base, level, sigma) = (dice.between(5.0, 25.0), dice.between(50.0, 78.0), dice.between(0.0, 2.0));
    let (start, takes) = (dice.between(900.0, 2_400.0), dice.between(240.0, 1_800.0));
    each(|t| {
        let part = (t - start) / takes;
        let part = if part <= 1.0 { part.max(0.0) } else { (1.0 - (part - 1.0) * 4.0).max(0.0) };
        base + dice.normal(sigma) + part * (level - base)
    })
}

/// A count that rises now and then, until it is too much.
fn staircase(dice: &mut Dice) -> Vec<f64> {
    let (start, gap) = (dice.between(900.0, 1_500.0), dice.between(60.0, 240.0));
    each(|t| ((t - start) / gap).max(0.0).floor() * 8.0 + 4.0)
}

/// A saw in noise.
fn noisy_saw(dice: &mut Dice) -> Vec<f64> {
    let (period, height, sigma) =
        (dice.between(60.0, 240.0), dice.between(20.0, 45.0), dice.between(1.0, 4.0));
    let values = teeth(dice, period, |_| height);
    values.iter().map(|value| value + dice.normal(sigma)).collect()
}
