//! What is true of a sample wherever it is: when it counts, when it says that there is none, how it is written.

/// How long a sample counts as the present one, in milliseconds, as in Prometheus.
pub const LOOK_BACK_MS: i64 = 5 * 60 * 1000;

const STALE: u64 = 0x7ff0_0000_0000_0002;

/// A value that says "from now on there is none", by Prometheus's bits.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE)
}

/// Whether a value is the stale marker.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE
}

/// A value as Prometheus prints it in its API: the shortest digits that read back the same, with an
/// exponent below 10⁻⁶ and from 10²¹ on.
pub fn format_value(value: f64) -> String {
    written(value, 1e-6)
}

/// A float as Go's `%g` writes it: as [`format_value`], with an exponent below 10⁻⁴ already.
pub fn go_float(value: f64) -> String {
    written(value, 1e-4)
}

fn written(value: f64, least: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else if size != 0.0 && !(least..1e21).contains(&size) {
        // Go writes at least two digits of exponent and always its sign.
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        }
    } else {
        format!("{value}")
    }
}
