//! What the types cannot say: settings that contradict each other or the outside world.

use std::collections::BTreeMap;

use super::{
    Config, TargetConfig,
    error::{Fault, Step},
};

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    super::auth::validate(config)?;
    super::edge::validate(config)?;
    cors(config)?;
    scrape(config)?;
    super::egress::validate(config)?;
    store(config)?;
    super::remote::validate(config)?;
    super::rules::validate(config)?;
    super::maintenance::validate(config)?;
    super::restart::validate(config)?;
    super::notify::validate(config)?;
    super::share::validate(config)?;
    super::status::validate(config)?;
    super::push::validate(config)?;
    targets(&config.targets)
}

fn cors(config: &Config) -> Result<(), Fault> {
    if config.cors.credentials && config.cors.origins.iter().any(|origin| origin == "*") {
        return fault(
            [Step::Key("cors"), Step::Key("origins")],
            "`*` with `credentials = true` would let every web page act as the person who is logged in"
                .to_owned(),
            "list the origins one by one, or leave `credentials` out",
        );
    }
    for (index, origin) in config.cors.origins.iter().enumerate() {
        let plain = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        if origin != "*" && plain.is_none_or(|host| host.is_empty() || host.contains(['/', '*', ' '])) {
            return fault(
                [Step::Key("cors"), Step::Key("origins"), Step::Index(index)],
                format!("`{origin}` is not an origin"),
                "write it as `https://portal.example`, without a path",
            );
        }
    }
    Ok(())
}

fn store(config: &Config) -> Result<(), Fault> {
    let (memory, retention) = (config.store.memory, config.store.retention);
    if memory.0.as_secs() < 600 {
        return fault(
            [Step::Key("store"), Step::Key("memory")],
            format!("samples of only {memory} in memory would have every alert read the disk"),
            "1h is usual; 10m is the least",
        );
    }
    if retention.0 < memory.0 {
        return fault(
            [Step::Key("store"), Step::Key("retention")],
            format!("samples are kept for {retention}, but {memory} of them in memory"),
            "make `memory` shorter, or `retention` longer",
        );
    }
    Ok(())
}

fn scrape(config: &Config) -> Result<(), Fault> {
    let scrape = &config.scrape;
    for (name, interval, usual) in [
        ("interval", scrape.interval, "15s is usual; 250ms is the least"),
        ("close_interval", scrape.close_interval, "3s is usual; 250ms is the least"),
    ] {
        if interval.0.as_millis() < 250 {
            return fault(
                [Step::Key("scrape"), Step::Key(name)],
                format!("an interval of {interval} would flood the nodes"),
                usual,
            );
        }
    }
    if scrape.timeout.0 > scrape.interval.0 {
        return fault(
            [Step::Key("scrape"), Step::Key("timeout")],
            format!("the time-out ({}) is longer than the interval ({})", scrape.timeout, scrape.interval),
            "a round must end before the next begins: make the time-out shorter",
        );
    }
    for (name, value) in [
        ("concurrency", scrape.concurrency),
        ("body_limit", scrape.body_limit.0),
        ("timeout", usize::try_from(scrape.timeout.as_millis()).unwrap_or(usize::MAX)),
    ] {
        if value == 0 {
            return fault(
                [Step::Key("scrape"), Step::Key(name)],
                format!("`{name}` is 0"),
                "it must be more than 0",
            );
        }
    }
    Ok(())
}

fn targets(targets: &[TargetConfig]) -> Result<(), Fault> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, target) in targets.iter().enumerate() {
        let at = |key| [Step::Key("target"), Step::Index(index), Step::Key(key)];
        if let Some(first) = seen.insert(&target.id, index) {
            return fault(
                at("id"),
                format!("the id `{}` is taken by target number {} already", target.id, first + 1),
                "ids name nodes in links and alerts, so each must be unique",
            );
        }
        if target.id.is_empty() || target.id.len() > 200 || target.id.chars().any(char::is_control) {
            return fault(
                at("id"),
                "an id has 1 to 200 printable characters".to_owned(),
                "e.g. id = \"eu-1\"",
            );
        }
        http_url(&target.url).map_err(|message| {
            let hint = Some("write it as `http://10.0.0.5:9090`".to_owned());
            Fault { path: at("url").into(), message, hint }
        })?;
        for (name, url) in &target.endpoints {
            http_url(url).map_err(|message| Fault {
                path: at("endpoints").into_iter().chain([Step::Name(name.clone())]).collect(),
                message,
                hint: Some("an endpoint is a whole URL: `http://10.0.0.5:8081/health`".to_owned()),
            })?;
        }
        for name in target.labels.keys() {
            if !is_label_name(name) || ["instance", "job"].contains(&name.as_str()) {
                return fault(
                    at("labels").into_iter().chain([Step::Name(name.clone())]),
                    format!("`{name}` cannot be a label of a target"),
                    "letters, digits and _ only, not a digit first; `instance` and `job` are the id and the family",
                );
            }
        }
        if let Some(penalty) = target.stake.as_ref().and_then(|stake| stake.penalty)
            && !(0.0..=1.0).contains(&penalty)
        {
            return fault(
                at("stake").into_iter().chain([Step::Key("penalty")]),
                format!("the penalty {penalty} is no part of a stake"),
                "a tenth of it is written 0.1",
            );
        }
        if let (Some(interval), Some(timeout)) = (target.interval, target.timeout)
            && timeout.0 > interval.0
        {
            return fault(
                at("timeout"),
                "the time-out is longer than the interval".to_owned(),
                "make it shorter",
            );
        }
    }
    Ok(())
}

/// Whether a text is an absolute `http` or `https` URL with a host.
///
/// # Errors
/// The fault in words.
pub fn http_url(url: &str) -> Result<(), String> {
    let parsed = reqwest::Url::parse(url).map_err(|error| format!("`{url}` is not a URL ({error})"))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none_or(str::is_empty) {
        return Err(format!("`{url}` is not an http or https URL"));
    }
    Ok(())
}

/// Whether a text is a Prometheus label name that is not reserved.
pub fn is_label_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with("__")
}

/// A fault with a hint.
pub(super) fn fault<T>(
    path: impl IntoIterator<Item = Step>,
    message: String,
    hint: &str,
) -> Result<T, Fault> {
    Err(Fault { path: path.into_iter().collect(), message, hint: Some(hint.to_owned()) })
}
