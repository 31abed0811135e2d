//! OpenMetrics text, as `prometheus-client` writes it, as text 0.0.4: counters are named whole, no `# EOF`.

/// The same metrics in the older format, which every scraper and `promtool check metrics` reads.
pub(super) fn from_openmetrics(openmetrics: &str) -> String {
    let counters: Vec<&str> = openmetrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(openmetrics.len() + 16 * counters.len());
    for line in openmetrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("UNIT"), ..) => continue,
            (Some("#"), Some(keyword @ ("HELP" | "TYPE")), Some(name), Some(rest)) => {
                let total = if counters.contains(&name) { "_total" } else { "" };
                text.extend(["# ", keyword, " ", name, total, " ", rest]);
            }
            // A family whose only labels are none.
            _ => match line.split_once("{} ").filter(|(name, _)| !name.contains('{')) {
                Some((name, value)) => text.extend([name, " ", value]),
                None => text.push_str(line),
            },
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::from_openmetrics;

    #[test]
    fn counters_are_named_whole_and_the_end_is_left_out() {
        let openmetrics = "# HELP a Things.\n# TYPE a counter\na_total{x=\"y\"} 1\n# TYPE b gauge\nb 2\n# TYPE c gauge\nc{} 3\n# EOF\n";
        let text = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"y\"} 1\n# TYPE b gauge\nb 2\n# TYPE c gauge\nc 3\n";
        assert_eq!(from_openmetrics(openmetrics), text);
    }
}
