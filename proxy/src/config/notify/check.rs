//! What the types of `[notify]` and `[[receiver]]` cannot say.

use std::{collections::BTreeSet, path::PathBuf};

use fleetglass_shared::template::Template;

use super::{ReceiverConfig, RouteConfig, SummaryConfig};
use crate::config::{
    Config, Secret,
    error::{Fault, Step},
    http_url, is_label_name, matchers,
    validate::fault,
};

/// What is wrong with a setting of a receiver: where, what, what to do.
type Wrong = (Vec<Step>, String, &'static str);

pub(in crate::config) fn validate(config: &Config) -> Result<(), Fault> {
    let notify = &config.notify;
    let own = |key: &'static str| vec![Step::Key("notify"), Step::Key(key)];
    if let Some(url) = &notify.external_url {
        let hint = Some("where people's browsers reach this server: https://fleet.example.org".to_owned());
        http_url(url).map_err(|message| Fault { path: own("external_url"), message, hint })?;
    }
    for (key, span) in
        [("timeout", notify.timeout), ("max_age", notify.max_age), ("link_lifetime", notify.link_lifetime)]
    {
        if span.0.is_zero() {
            return fault(own(key), format!("`{key}` is 0"), "write a duration such as \"10s\"");
        }
    }
    let mut times = BTreeSet::new();
    for (index, named) in notify.time_intervals.iter().enumerate() {
        let at = [own("time_interval"), vec![Step::Index(index)]].concat();
        if named.name.is_empty() || !times.insert(named.name.as_str()) {
            let path = at.into_iter().chain([Step::Key("name")]);
            let message = format!("`{}` is no name of its own for a time interval", named.name);
            return fault(path, message, "routes name it: name each differently");
        }
        named.intervals().map_err(|(inner, message)| Fault {
            path: [at, vec![Step::Key("time_intervals"), Step::Index(inner)]].concat(),
            message,
            hint: Some("as in Alertmanager's time_intervals; docs/notify.md has examples".to_owned()),
        })?;
    }
    let mut names = BTreeSet::new();
    for (index, receiver) in config.receivers.iter().enumerate() {
        let at = vec![Step::Key("receiver"), Step::Index(index)];
        let is_plain = |c: char| c.is_alphanumeric() || "_-. ".contains(c);
        if receiver.name.is_empty()
            || !receiver.name.chars().all(is_plain)
            || !names.insert(receiver.name.as_str())
        {
            let path = at.into_iter().chain([Step::Key("name")]);
            let message = format!("`{}` is no name of its own for a receiver", receiver.name);
            return fault(path, message, "letters, digits, `_`, `-`, `.` and spaces; each a different one");
        }
        checked(receiver).map_err(|(path, message, hint)| Fault {
            path: [at, path].concat(),
            message,
            hint: Some(hint.to_owned()),
        })?;
    }
    if let Some(root) = &notify.route {
        if !root.matchers.is_empty() {
            return fault(
                [own("route"), vec![Step::Key("matchers")]].concat(),
                "the first route takes every alert, so it has no matchers".to_owned(),
                "put them on a route below it: [[notify.route.routes]]",
            );
        }
        if root.receiver.is_none() {
            return fault(own("route"), "the first route has no receiver".to_owned(), "receiver = \"team\"");
        }
        route(root, own("route"), &names, &times)?;
    }
    if let Some(heartbeat) = &notify.heartbeat {
        let wrong = |(path, message, hint): Wrong| Fault {
            path: [own("heartbeat"), path].concat(),
            message,
            hint: Some(hint.to_owned()),
        };
        secret_url("url", heartbeat.url.as_ref(), heartbeat.url_file.as_ref()).map_err(wrong)?;
        if heartbeat.interval.0.as_secs() < 1 {
            let message = format!("a heartbeat every {} would flood its receiver", heartbeat.interval);
            return fault([own("heartbeat"), vec![Step::Key("interval")]].concat(), message, "1m is usual");
        }
    }
    notify.summary.as_ref().map_or(Ok(()), |summary| check_summary(summary, &names))
}

fn check_summary(summary: &SummaryConfig, names: &BTreeSet<&str>) -> Result<(), Fault> {
    let at = |key| vec![Step::Key("notify"), Step::Key("summary"), Step::Key(key)];
    summary.minute().map_err(|message| Fault {
        path: at("at"),
        message,
        hint: Some("at = \"08:00\", location = \"Europe/Berlin\"".to_owned()),
    })?;
    known(&summary.receiver, names, at("receiver"))
}

fn known(receiver: &str, names: &BTreeSet<&str>, path: Vec<Step>) -> Result<(), Fault> {
    if names.contains(receiver) {
        return Ok(());
    }
    let all: Vec<&str> = names.iter().copied().collect();
    let there =
        if all.is_empty() { "there is none".to_owned() } else { format!("there are {}", all.join(", ")) };
    let message = format!("there is no receiver `{receiver}`");
    fault(path, message, &format!("add a [[receiver]] of that name; {there}"))
}

fn route(
    route: &RouteConfig,
    at: Vec<Step>,
    receivers: &BTreeSet<&str>,
    times: &BTreeSet<&str>,
) -> Result<(), Fault> {
    let key = |key: &'static str| [at.clone(), vec![Step::Key(key)]].concat();
    for (name, receiver) in [("receiver", &route.receiver), ("escalate_to", &route.escalate_to)] {
        if let Some(receiver) = receiver {
            known(receiver, receivers, key(name))?;
        }
    }
    if let Err(error) = matchers(&route.matchers) {
        return fault(key("matchers"), error, "write it like severity=\"critical\"");
    }
    for (index, label) in route.group_by.iter().flatten().enumerate() {
        if label != fleetglass_shared::route::ALL_LABELS && !is_label_name(label) {
            let path = key("group_by").into_iter().chain([Step::Index(index)]);
            return fault(
                path,
                format!("`{label}` is no label"),
                "names of labels, or \"...\" for all of them",
            );
        }
    }
    for (name, least, span) in [
        ("group_interval", 1, route.group_interval),
        ("repeat_interval", 1, route.repeat_interval),
        ("escalate_after", 1, route.escalate_after),
    ] {
        if let Some(span) = span.filter(|span| span.0.as_secs() < least) {
            return fault(key(name), format!("`{name}` is {span}"), "a second is the least");
        }
    }
    if route.escalate_after.is_some() != route.escalate_to.is_some() {
        return fault(
            at,
            "`escalate_after` and `escalate_to` go together".to_owned(),
            "escalate_after = \"10m\" and escalate_to = \"a receiver\"",
        );
    }
    for (name, named) in [
        ("mute_time_intervals", &route.mute_time_intervals),
        ("active_time_intervals", &route.active_time_intervals),
    ] {
        if let Some(index) = named.iter().position(|time| !times.contains(time.as_str())) {
            return fault(
                key(name).into_iter().chain([Step::Index(index)]),
                format!("there is no time interval `{}`", named[index]),
                "add a [[notify.time_interval]] of that name",
            );
        }
    }
    for (index, child) in route.routes.iter().enumerate() {
        self::route(child, [key("routes"), vec![Step::Index(index)]].concat(), receivers, times)?;
    }
    Ok(())
}

fn checked(receiver: &ReceiverConfig) -> Result<(), Wrong> {
    for (key, text) in [("title", &receiver.title), ("body", &receiver.body)] {
        if let Some(text) = text {
            Template::parse(key, text).map_err(|error| {
                (
                    vec![Step::Key(key)],
                    error.to_string(),
                    "Go's template language; docs/notify.md has examples",
                )
            })?;
        }
    }
    let mut ways = 0;
    let mut way = |key: &'static str, index: usize, checked: Result<(), Wrong>| {
        ways += 1;
        checked.map_err(|(path, message, hint)| {
            ([vec![Step::Key(key), Step::Index(index)], path].concat(), message, hint)
        })
    };
    for (index, own) in receiver.alertmanager.iter().enumerate() {
        way("alertmanager", index, secret_url("url", own.url.as_ref(), own.url_file.as_ref()))?;
    }
    for (index, own) in receiver.webhook.iter().enumerate() {
        way("webhook", index, secret_url("url", own.url.as_ref(), own.url_file.as_ref()))?;
    }
    let hook = |url: Option<&Secret>, file| secret_url("webhook_url", url, file);
    for (index, own) in receiver.slack.iter().enumerate() {
        way("slack", index, hook(own.webhook_url.as_ref(), own.webhook_url_file.as_ref()))?;
    }
    for (index, own) in receiver.discord.iter().enumerate() {
        way("discord", index, hook(own.webhook_url.as_ref(), own.webhook_url_file.as_ref()))?;
    }
    for (index, own) in receiver.telegram.iter().enumerate() {
        let secret = needed("bot_token", own.bot_token.as_ref(), own.bot_token_file.as_ref());
        way("telegram", index, secret.and_then(|()| base("api_url", &own.api_url)))?;
    }
    for (index, own) in receiver.pagerduty.iter().enumerate() {
        let secret = needed("routing_key", own.routing_key.as_ref(), own.routing_key_file.as_ref());
        way("pagerduty", index, secret.and_then(|()| base("url", &own.url)))?;
    }
    for (index, own) in receiver.opsgenie.iter().enumerate() {
        let secret = needed("api_key", own.api_key.as_ref(), own.api_key_file.as_ref());
        way("opsgenie", index, secret.and_then(|()| base("api_url", &own.api_url)))?;
    }
    for (index, own) in receiver.email.iter().enumerate() {
        way("email", index, email(own))?;
    }
    for (index, own) in receiver.ntfy.iter().enumerate() {
        let secret = needed("topic", own.topic.as_ref(), own.topic_file.as_ref());
        way("ntfy", index, secret.and_then(|()| base("url", &own.url)))?;
    }
    if ways == 0 {
        let message = format!("the receiver `{}` reaches nobody", receiver.name);
        return Err((
            Vec::new(),
            message,
            "give it one of [[receiver.email]], [[receiver.slack]], … below it",
        ));
    }
    Ok(())
}

fn email(own: &super::EmailConfig) -> Result<(), Wrong> {
    let address = |text: &str| text.parse::<lettre::message::Mailbox>().map(drop);
    let hint = "write it like Fleetglass <alerts@example.org>";
    address(&own.from)
        .map_err(|error| (vec![Step::Key("from")], format!("`{}`: {error}", own.from), hint))?;
    for (index, to) in own.to.iter().enumerate() {
        let at = vec![Step::Key("to"), Step::Index(index)];
        address(to).map_err(|error| (at, format!("`{to}`: {error}"), hint))?;
    }
    if own.to.is_empty() {
        return Err((vec![Step::Key("to")], "mail to nobody".to_owned(), "to = [\"ops@example.org\"]"));
    }
    let parts = own.smarthost.rsplit_once(':');
    if parts.is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
        let message = format!("`{}` is no mail server with its port", own.smarthost);
        return Err((vec![Step::Key("smarthost")], message, "smarthost = \"smtp.example.org:587\""));
    }
    let has_password = own.password.is_some() || own.password_file.is_some();
    if own.username.is_some() != has_password {
        let message = "`username` and `password_file` go together".to_owned();
        return Err((Vec::new(), message, "give both, or neither"));
    }
    Ok(())
}

fn base(key: &'static str, url: &str) -> Result<(), Wrong> {
    http_url(url).map_err(|message| (vec![Step::Key(key)], message, "write it like https://host"))
}

/// A secret, here or in a file.
fn needed(key: &'static str, here: Option<&Secret>, file: Option<&PathBuf>) -> Result<(), Wrong> {
    match (here, file) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        _ => Err((
            Vec::new(),
            format!("it needs either `{key}` or `{key}_file`"),
            "a file is better: configs are shown to others more often than one thinks",
        )),
    }
}

fn secret_url(key: &'static str, here: Option<&Secret>, file: Option<&PathBuf>) -> Result<(), Wrong> {
    needed(key, here, file)?;
    // The URL itself is not shown: there may be a token in it.
    match here {
        Some(url) if http_url(url.reveal()).is_err() => Err((
            vec![Step::Key(key)],
            format!("`{key}` is not an http or https URL"),
            "write it whole: https://host/path",
        )),
        _ => Ok(()),
    }
}
