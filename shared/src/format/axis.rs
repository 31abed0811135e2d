//! One unit for a whole axis, so that its ticks are bare numbers and the unit stands there once.

/// What the numbers of an axis are divided by, and the name that stands at its head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisUnit {
    /// A value divided by this is the number at the tick.
    pub divisor: f64,
    /// The unit with its prefix, e.g. `GiB`, `k/s`, `ms`; empty for small bare counts.
    pub name: &'static str,
}

/// The unit for an axis whose largest value, either sign, is `largest` (in the unit the word names).
pub fn axis_unit(largest: f64, unit: &str) -> AxisUnit {
    let table: &[(f64, &'static str)] = match unit {
        "seconds" => &SECONDS,
        "milliseconds" => &MILLISECONDS,
        "bytes" => &BYTES,
        "bytes/s" => &BYTE_RATES,
        "count/s" => &RATES,
        "micro-usdc" => &[(1e6, "USDC"), (1e9, "k USDC"), (1e12, "M USDC")],
        "usdc" => &[(1.0, "USDC"), (1e3, "k USDC"), (1e6, "M USDC")],
        "wei" => &[(1.0, "wei"), (1e9, "Gwei"), (1e18, "×10¹⁸ wei")],
        "ratio" => &[(0.01, "%")],
        "percent" => &[(1.0, "%")],
        _ => &COUNTS,
    };
    let largest = largest.abs();
    let fitting = table.iter().rev().find(|(divisor, _)| largest >= divisor * floor(unit));
    let &(divisor, name) = fitting.unwrap_or(&table[0]);
    AxisUnit { divisor, name }
}

/// From how many of a unit on it is used: plain counts keep their digits up to 10,000, times go up late.
fn floor(unit: &str) -> f64 {
    match unit {
        "seconds" | "milliseconds" => 2.0,
        "bytes" | "bytes/s" | "wei" => 1.0,
        _ => 10.0,
    }
}

const SECONDS: [(f64, &str); 6] =
    [(1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "days")];
const MILLISECONDS: [(f64, &str); 6] =
    [(1e-3, "µs"), (1.0, "ms"), (1e3, "s"), (6e4, "min"), (3.6e6, "h"), (8.64e7, "days")];
const BYTES: [(f64, &str); 6] = [
    (1.0, "B"),
    (1024.0, "KiB"),
    (1_048_576.0, "MiB"),
    (1_073_741_824.0, "GiB"),
    (1_099_511_627_776.0, "TiB"),
    (1_125_899_906_842_624.0, "PiB"),
];
const BYTE_RATES: [(f64, &str); 5] = [
    (1.0, "B/s"),
    (1024.0, "KiB/s"),
    (1_048_576.0, "MiB/s"),
    (1_073_741_824.0, "GiB/s"),
    (1_099_511_627_776.0, "TiB/s"),
];
const RATES: [(f64, &str); 4] = [(1.0, "per s"), (1e3, "k/s"), (1e6, "M/s"), (1e9, "G/s")];
const COUNTS: [(f64, &str); 6] = [(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P")];
