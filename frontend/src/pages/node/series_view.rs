//! How a series nobody described is shown: by rate or value, in which unit, and whether words find it. Pure.

use fleetglass_shared::wire::SeriesInfo;

/// How a series is charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// How fast it grows.
    Rate,
    /// As it is.
    Value,
}

impl Mode {
    /// What a person most likely wants: what only grows is read by its rate.
    pub(super) fn first(series: &SeriesInfo) -> Self {
        let counts = ["_total", "_bucket", "_count", "_sum"].iter().any(|end| series.metric.ends_with(end));
        match series.kind.as_str() {
            "counter" => Self::Rate,
            "histogram" | "summary" | "unknown" | "untyped" if counts => Self::Rate,
            _ => Self::Value,
        }
    }
}

/// The expression that gives it. A rate looks over four intervals, so that one missed scrape is no gap, and at
/// least from one value of the chart to the next, so that nothing between them is lost.
pub(super) fn query(series: &SeriesInfo, mode: Mode, interval_ms: i64, step_ms: i64) -> String {
    let over = (interval_ms * 4).max(step_ms).max(60_000) / 1000;
    match mode {
        Mode::Rate => format!("rate({}[{over}s])", series.selector),
        Mode::Value => series.selector.clone(),
    }
}

/// The unit word: the one told, else the one that the name ends with.
pub(super) fn unit(series: &SeriesInfo, mode: Mode) -> &'static str {
    let name = series.metric.as_str();
    let counts = name.ends_with("_bucket") || name.ends_with("_count");
    let base = name.trim_end_matches("_total").trim_end_matches("_sum");
    let is = |word: &str| !counts && (series.unit == word || base.ends_with(&format!("_{word}")));
    match mode {
        Mode::Rate if is("bytes") => "bytes/s",
        Mode::Rate => "count/s",
        Mode::Value if base.ends_with("_timestamp_seconds") => "timestamp",
        Mode::Value if is("seconds") => "seconds",
        Mode::Value if is("milliseconds") => "milliseconds",
        Mode::Value if is("bytes") => "bytes",
        Mode::Value if is("ratio") => "ratio",
        Mode::Value if is("percent") => "percent",
        Mode::Value => "count",
    }
}

/// Rates and small values stand on zero; of a block height only the growth can be seen, and not from zero.
pub(super) fn from_zero(series: &SeriesInfo, mode: Mode) -> bool {
    mode == Mode::Rate || crate::json::number(&series.value).abs() < 10_000.0
}

/// Whether name, labels, type or help hold all of the words (lower case, separated by spaces).
pub(super) fn matches(series: &SeriesInfo, words: &str) -> bool {
    words.split_whitespace().all(|word| {
        let holds = |text: &str| text.to_lowercase().contains(word);
        holds(&series.metric)
            || series.labels.iter().any(|(name, value)| holds(&format!("{name}={value}")))
            || holds(&series.kind)
            || holds(&series.help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(metric: &str, kind: &str, value: &str) -> SeriesInfo {
        SeriesInfo {
            metric: metric.into(),
            labels: [("direction".to_owned(), "In".to_owned())].into(),
            selector: format!("{metric}{{instance=\"n\"}}"),
            kind: kind.into(),
            help: "What it is".into(),
            unit: String::new(),
            value: value.into(),
            at: 0,
            derived: false,
        }
    }

    #[test]
    fn what_only_grows_is_read_by_its_rate() {
        for (metric, kind, mode, unit_of_it) in [
            ("bytes_served_total", "counter", Mode::Rate, "count/s"),
            ("served_bytes_total", "counter", Mode::Rate, "bytes/s"),
            ("latency_seconds_bucket", "histogram", Mode::Rate, "count/s"),
            ("latency_seconds", "gauge", Mode::Value, "seconds"),
            ("start_timestamp_seconds", "gauge", Mode::Value, "timestamp"),
            ("cache_bytes", "gauge", Mode::Value, "bytes"),
            ("open_total", "gauge", Mode::Value, "count"),
            ("odd_total", "unknown", Mode::Rate, "count/s"),
        ] {
            let series = series(metric, kind, "1");
            assert_eq!(Mode::first(&series), mode, "{metric}");
            assert_eq!(unit(&series, mode), unit_of_it, "{metric}");
        }
    }

    #[test]
    fn queries_select_the_series() {
        let series = series("a_total", "counter", "1");
        assert_eq!(query(&series, Mode::Rate, 15_000, 15_000), "rate(a_total{instance=\"n\"}[60s])");
        assert_eq!(query(&series, Mode::Rate, 60_000, 60_000), "rate(a_total{instance=\"n\"}[240s])");
        assert_eq!(query(&series, Mode::Rate, 15_000, 600_000), "rate(a_total{instance=\"n\"}[600s])");
        assert_eq!(query(&series, Mode::Value, 15_000, 600_000), "a_total{instance=\"n\"}");
    }

    #[test]
    fn heights_do_not_stand_on_zero() {
        assert!(from_zero(&series("peers", "gauge", "12"), Mode::Value));
        assert!(!from_zero(&series("height", "gauge", "12345678"), Mode::Value));
        assert!(from_zero(&series("height", "gauge", "12345678"), Mode::Rate));
    }

    #[test]
    fn all_words_must_be_found() {
        let series = series("a_total", "counter", "1");
        for (words, found) in
            [("", true), ("total direction=in", true), ("what counter", true), ("total out", false)]
        {
            assert_eq!(matches(&series, words), found, "{words}");
        }
    }
}
