//! A message in words: what, which node, since when, the value against its bound, how long is left, what to
//! do, and where to look. A receiver's own templates stand in for the title and for what is said of the alerts.

use fleetglass_shared::{
    format::{self, UNKNOWN, duration_ms, utc},
    health::UnixMillis,
    template::{Host, Limits, Template},
    wire::{Alert, Severity, Trend},
};

use super::{
    link::{ChartLink, Links},
    message::{Evidence, Item, Kind, Message, since},
    template_data,
};

/// A message in words, before it takes the form of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rendered {
    /// One line.
    pub(crate) title: String,
    /// One an alert, or one in a receiver's own words.
    pub(crate) parts: Vec<Part>,
    /// The chart that goes along.
    pub(crate) chart: Option<ChartLink>,
    /// Where that chart can be seen for a while.
    pub(crate) chart_url: Option<String>,
    /// The page of the alert that it is about, or of all.
    pub(crate) link: String,
    /// The page that takes that alert.
    pub(crate) acknowledge: Option<String>,
}

/// What is said of an alert.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// One line; empty in a receiver's own words.
    pub(crate) head: String,
    /// Lines of text.
    pub(crate) lines: Vec<String>,
    /// What can be pressed: words and address.
    pub(crate) links: Vec<(&'static str, String)>,
}

impl Rendered {
    /// All of it but the title as plain text.
    pub(crate) fn text(&self) -> String {
        let part = |part: &Part| {
            let head = Some(&part.head).filter(|head| !head.is_empty()).cloned();
            let links = part.links.iter().map(|(words, url)| format!("{words}: {url}"));
            let lines: Vec<String> =
                head.into_iter().chain(part.lines.iter().cloned()).chain(links).collect();
            lines.join("\n")
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join("\n\n")
    }
}

/// What rendering needs besides the message.
pub(crate) struct Words<'a> {
    /// Where people reach this server.
    pub(crate) external_url: &'a str,
    /// Signs what can be pressed.
    pub(crate) links: &'a Links,
    /// For how long that works.
    pub(crate) link_ms: i64,
    /// The receiver's own title.
    pub(crate) title: Option<&'a Template>,
    /// The receiver's own words.
    pub(crate) body: Option<&'a Template>,
    /// The time.
    pub(crate) now: UnixMillis,
}

impl Host for Words<'_> {
    fn now(&self) -> Option<f64> {
        Some(self.now as f64 / 1000.0)
    }

    fn external_url(&self) -> &str {
        self.external_url
    }

    fn limits(&self) -> Limits {
        Limits { output_bytes: 64 << 10, ..Limits::default() }
    }
}

impl Words<'_> {
    /// The page of an alert.
    pub(crate) fn page(&self, alert: &Alert) -> String {
        format!("{}/alerts/{}", self.external_url, alert.id)
    }

    /// The page that takes an alert, once.
    pub(crate) fn acknowledge(&self, message: &Message, alert: &Alert) -> String {
        let until = self.now.saturating_add(self.link_ms);
        let token = self.links.acknowledge(&alert.id, since(alert), &message.receiver, until);
        format!("{}/n/ack/{token}", self.external_url)
    }

    fn may_take(&self, message: &Message, item: &Item) -> bool {
        item.fires()
            && item.alert.acknowledged.is_none()
            && !matches!(message.kind, Kind::Test | Kind::Acknowledged)
    }

    /// A message in words.
    pub(crate) fn render(&self, message: &Message) -> Rendered {
        let first = message.alerts.first();
        let chart = message.alerts.iter().filter(|item| item.fires()).find_map(|item| self.chart(item));
        let chart_url = chart.as_ref().map(|chart| {
            let token = self.links.chart(chart, self.now.saturating_add(self.link_ms));
            format!("{}/n/chart/{token}.png", self.external_url)
        });
        let mut rendered = Rendered {
            title: title(message),
            parts: Vec::new(),
            chart,
            chart_url,
            link: match (message.alerts.as_slice(), first) {
                ([_], Some(item)) => self.page(&item.alert),
                _ => format!("{}/alerts", self.external_url),
            },
            acknowledge: first
                .filter(|item| self.may_take(message, item))
                .map(|item| self.acknowledge(message, &item.alert)),
        };
        if let Some((title, body)) = &message.words {
            rendered.title.clone_from(title);
            rendered.link.clone_from(&self.external_url.to_owned());
            rendered.parts = vec![Part { lines: lines(body), ..Part::default() }];
            return rendered;
        }
        if let Some(template) = self.title {
            let own = self.own(template, message, &rendered);
            rendered.title = own.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        rendered.parts = match self.body {
            None => message.alerts.iter().map(|item| self.part(message, item)).collect(),
            Some(template) => {
                let links = self.links_of(message, first);
                vec![Part {
                    head: String::new(),
                    lines: lines(&self.own(template, message, &rendered)),
                    links,
                }]
            }
        };
        if message.truncated > 0 {
            let line = format!("and {} more", message.truncated);
            rendered.parts.push(Part { lines: vec![line], ..Part::default() });
        }
        rendered
    }

    /// A receiver's own template. A message that says what is wrong with it is better than none.
    fn own(&self, template: &Template, message: &Message, rendered: &Rendered) -> String {
        let data = template_data::of(message, self, rendered);
        let mut host = Words { ..*self };
        template.render(&data, &mut host).unwrap_or_else(|error| {
            let plain: Vec<String> = message.alerts.iter().map(head).collect();
            format!("{} (the template of this receiver fails: {error})", plain.join("\n"))
        })
    }

    fn links_of(&self, message: &Message, item: Option<&Item>) -> Vec<(&'static str, String)> {
        let Some(item) = item.filter(|_| message.kind != Kind::Test) else { return Vec::new() };
        let mut links = vec![("Alert", self.page(&item.alert))];
        if self.may_take(message, item) {
            links.push(("Acknowledge", self.acknowledge(message, &item.alert)));
        }
        links
    }

    fn part(&self, message: &Message, item: &Item) -> Part {
        let alert = &item.alert;
        let mut said = Vec::new();
        let fired = since(alert);
        let ended = alert.resolved_at.unwrap_or(self.now);
        said.push(match item.fires() {
            true => format!("Since {} ({})", utc(fired / 1000), duration_ms(self.now - fired)),
            false => {
                format!("Over since {}, after {}", utc(ended / 1000), duration_ms(ended - fired))
            }
        });
        said.extend(item.fires().then(|| measured(&item.evidence)).flatten());
        said.extend(item.fires().then(|| left(&item.evidence, self.now)).flatten());
        said.extend(alert.acknowledged.as_ref().map(|taken| {
            let note = if taken.note.is_empty() { String::new() } else { format!(": {}", taken.note) };
            format!("Taken by {}{note}", taken.by)
        }));
        let annotation = |name: &str| alert.annotations.get(name).cloned().filter(|text| !text.is_empty());
        said.extend(
            annotation("description")
                .filter(|text| item.fires() && Some(text) != annotation("summary").as_ref()),
        );
        if item.fires() {
            let action = annotation("action").unwrap_or_else(|| item.evidence.action.clone());
            said.extend((!action.is_empty()).then(|| format!("What to do: {action}")));
            said.extend(annotation("runbook_url").map(|url| format!("Runbook: {url}")));
        }
        // Of one alert the title says it.
        let head = if message.alerts.len() == 1 && self.title.is_none() { String::new() } else { head(item) };
        Part { head, lines: said, links: self.links_of(message, Some(item)) }
    }

    fn chart(&self, item: &Item) -> Option<ChartLink> {
        let evidence = &item.evidence;
        Some(ChartLink {
            query: evidence.query.clone()?,
            bound: evidence.bound,
            unit: evidence.unit.clone(),
            title: named(&item.alert),
            at: self.now,
        })
    }
}

fn lines(text: &str) -> Vec<String> {
    text.trim().lines().map(str::to_owned).collect()
}

/// An alert's name, and its node's.
fn named(alert: &Alert) -> String {
    match &alert.node {
        Some(node) => format!("{} · {node}", alert.name),
        None => alert.name.clone(),
    }
}

fn head(item: &Item) -> String {
    let alert = &item.alert;
    let word = match (item.fires(), alert.severity) {
        (false, _) => "RESOLVED",
        (true, Severity::Critical) => "CRITICAL",
        (true, Severity::Warning) => "WARNING",
        (true, Severity::Info) => "INFO",
    };
    let summary = alert.annotations.get("summary").map(|text| format!(": {text}")).unwrap_or_default();
    format!("{word} {}{summary}", named(alert))
}

fn title(message: &Message) -> String {
    let firing: Vec<&Item> = message.alerts.iter().filter(|item| item.fires()).collect();
    let [item] = message.alerts.as_slice() else {
        let names: Vec<&str> =
            message.common(|alert| &alert.labels).get("alertname").copied().into_iter().collect();
        let what = names.first().copied().unwrap_or("alerts");
        let over = message.alerts.len() - firing.len();
        return match (firing.len() + message.truncated, over) {
            (0, over) => format!("[RESOLVED] {over} × {what}"),
            (firing, 0) => format!("[{} {firing}] {what}", word(message)),
            (firing, over) => format!("[{} {firing}, {over} over] {what}", word(message)),
        };
    };
    let alert = &item.alert;
    let summary = alert.annotations.get("summary").filter(|_| message.kind != Kind::Test);
    let what = summary.map_or_else(|| named(alert), |text| format!("{}: {text}", named(alert)));
    format!("[{}] {what}", word(message))
}

fn word(message: &Message) -> &'static str {
    match (message.kind, message.severity()) {
        (Kind::Test, _) => "TEST",
        (Kind::Acknowledged, _) => "TAKEN",
        (Kind::Escalated, _) => "NOBODY HAS TAKEN THIS",
        _ if !message.fires() => "RESOLVED",
        (_, Severity::Critical) => "CRITICAL",
        (_, Severity::Warning) => "WARNING",
        (_, Severity::Info) => "INFO",
    }
}

/// The value against its bound.
pub(crate) fn measured(evidence: &Evidence) -> Option<String> {
    let value = evidence.value?;
    let number = |value: f64| format::number(value, &evidence.unit);
    Some(match evidence.bound {
        Some(bound) => format!("Value {}, bound {}", number(value), number(bound)),
        None => format!("Value {}", number(value)),
    })
}

/// How long is left until the bound is crossed.
pub(crate) fn left(evidence: &Evidence, now: UnixMillis) -> Option<String> {
    let outlook = evidence.outlook.as_ref()?;
    let until = |at: UnixMillis| match at - now {
        left if left < 0 => "none".to_owned(),
        left => format::duration_seconds((left / 1000) as f64),
    };
    match (outlook.trend, outlook.breach_at) {
        (Trend::Breached, _) => Some("Time left: none, the bound is crossed".to_owned()),
        (_, Some(at)) if outlook.exact => Some(format!("Time left: {} exactly", until(at))),
        (_, Some(at)) => {
            let unsure = match (outlook.earliest, outlook.latest) {
                (Some(earliest), Some(latest)) => {
                    format!(", between {} and {}", until(earliest), until(latest))
                }
                (Some(earliest), None) => format!(", at the earliest {}", until(earliest)),
                _ => String::new(),
            };
            Some(format!("Time left: about {}{unsure}", until(at)))
        }
        (Trend::Recovering, None) => Some("It is on its way back".to_owned()),
        (Trend::Steady, None) => Some("It is neither nearing its bound nor leaving it".to_owned()),
        _ => None,
    }
    .filter(|text| text != UNKNOWN)
}

/// So many characters of a text, and a sign where there were more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
