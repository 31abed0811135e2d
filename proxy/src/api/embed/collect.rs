//! What a panel says, put together from what the scope lets through.

use std::time::Duration;

use axum::http::StatusCode;
use fleetglass_shared::{
    format::number,
    health::Status,
    scope::Inside,
    wire::{Alert, AlertState, NodeSummary, Uptime, UptimeWindow, View},
};

use super::{Viewer, chart};
use crate::{
    api::problem::ProblemResponse,
    embed::{
        Ask, Kind, Panel,
        model::{
            AlertLine, AlertsPart, FleetPart, NodeLine, NodePart, RiskLine, RiskPart, UptimeLine, UptimePart,
            fleet_headline, percent, window,
        },
    },
};

/// A list is not longer than this: whoever wants all opens the link.
const MOST_ROWS: usize = 50;
const DAY: i64 = 86_400_000;

/// Why there is no panel.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) words: String,
}

impl Said {
    pub(super) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into() }
    }

    /// It took too long, and is no less there for that.
    pub(super) fn late(patience: Duration) -> Self {
        let words = format!(
            "This panel takes longer than {} s to draw, so it is not drawn now. A shorter `range`, or a narrower `query`, \
             takes less.",
            patience.as_secs()
        );
        Self::new(StatusCode::GATEWAY_TIMEOUT, words)
    }

    fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("This link does not show {what}."))
    }
}

impl From<ProblemResponse> for Said {
    fn from(_: ProblemResponse) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "This cannot be told now; it is tried again.")
    }
}

/// Whether the link shows such panels.
pub(super) fn may_show(viewer: &Viewer<'_>, view: Kind) -> Result<(), Said> {
    let shows = |view: View| viewer.share.scope().shows(view);
    let (is_shown, what) = match view {
        Kind::Fleet | Kind::Uptime => (shows(View::Fleet) || shows(View::Node), "the list of nodes"),
        Kind::Node => (shows(View::Node), "single nodes"),
        Kind::Chart => (shows(View::Charts), "charts"),
        Kind::Alerts => (shows(View::Alerts), "alerts"),
        Kind::Risk => (shows(View::Risks), "risks"),
    };
    if is_shown { Ok(()) } else { Err(Said::missing(what)) }
}

/// The panel that is asked for.
pub(super) async fn panel(viewer: &Viewer<'_>, ask: &Ask) -> Result<Panel, Said> {
    may_show(viewer, ask.view)?;
    let told = viewer.share.shared_with();
    let panel = Panel {
        view: ask.view.as_str(),
        title: ask.label.clone().unwrap_or(told.title),
        by: told.by,
        at: viewer.now,
        ..Panel::default()
    };
    match ask.view {
        Kind::Fleet => Ok(fleet(viewer, panel)),
        Kind::Node => node(viewer, ask, panel).await,
        Kind::Chart => chart::panel(viewer, ask, panel).await,
        Kind::Alerts => alerts(viewer, ask, panel),
        Kind::Risk => risks(viewer, ask, panel),
        Kind::Uptime => uptime(viewer, ask, panel).await,
    }
}

/// A node of the link by the name that its viewers know.
pub(super) fn inside(viewer: &Viewer<'_>, name: &str) -> Result<Inside, Said> {
    let none = |_| Said::new(StatusCode::NOT_FOUND, format!("This link shows no node of the name {name}."));
    viewer.inside(name).map_err(none)
}

/// The nodes of a link, as they were cut.
pub(super) fn summaries(viewer: &Viewer<'_>) -> Vec<NodeSummary> {
    let scope = viewer.share.scope();
    viewer
        .app
        .fleet
        .select(|node, host| scope.inside(node, host).map(|inside| scope.summary(&inside, node, viewer.now)))
}

pub(super) fn counts(nodes: &[NodeSummary]) -> std::collections::BTreeMap<&'static str, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for node in nodes {
        *counts.entry(node.status.as_str()).or_default() += 1;
    }
    counts
}

fn line(viewer: &Viewer<'_>, node: &NodeSummary) -> NodeLine {
    let family = viewer.app.shares.family(&node.family).map_or_else(|| node.family.clone(), |own| own.title);
    NodeLine::of(node, family, viewer.now)
}

fn fleet(viewer: &Viewer<'_>, panel: Panel) -> Panel {
    let mut nodes = summaries(viewer);
    nodes.sort_by(|a, b| b.status.cmp(&a.status).then_with(|| a.id.cmp(&b.id)));
    let counts = counts(&nodes);
    let (headline, status) = fleet_headline(&counts);
    let total = nodes.len();
    let nodes: Vec<NodeLine> = nodes.iter().take(MOST_ROWS).map(|node| line(viewer, node)).collect();
    let more = total - nodes.len();
    Panel { headline, status, fleet: Some(FleetPart { total, counts, nodes, more }), ..panel }
}

async fn node(viewer: &Viewer<'_>, ask: &Ask, panel: Panel) -> Result<Panel, Said> {
    let node = inside(viewer, ask.node.as_deref().unwrap_or_default())?;
    let scope = viewer.share.scope();
    let detail = viewer.app.fleet.detail(&node.id).ok_or_else(|| Said::missing("this node"))?;
    let summary = scope.summary(&node, &detail.summary, viewer.now);
    let Uptime { windows, .. } = total(viewer, vec![node]).await?;
    let family = viewer.app.shares.family(&summary.family);
    let (spark_title, spark_unit) = family.map(|own| (own.spark_title, own.spark_unit)).unwrap_or_default();
    let part = NodePart {
        summary: line(viewer, &summary),
        reasons: summary.reasons.iter().map(|reason| reason.text.clone()).collect(),
        uptime_seconds: summary.uptime_seconds,
        spark_title,
        spark_unit,
        spark: summary.spark.values.clone(),
        uptime: windows,
        risk: summary.worst_risk.as_ref().map(|risk| RiskLine::of(&summary.id, risk)),
    };
    let headline = format!("{} {}", summary.id, summary.status.as_str());
    Ok(Panel { headline, status: Some(summary.status), node: Some(part), ..panel })
}

/// The uptime of nodes as one.
pub(super) async fn total(viewer: &Viewer<'_>, nodes: Vec<Inside>) -> Result<Uptime, Said> {
    let groups = nodes.into_iter().map(|node| (node.id, String::new())).collect();
    Ok(viewer.uptimes(groups).await?.of.pop().unwrap_or_default())
}

/// The alerts that are shown, the worst first, without those that are over.
pub(super) fn standing(viewer: &Viewer<'_>, node: Option<&str>) -> Vec<Alert> {
    let mut all = viewer.app.shares.alerts(viewer.share, viewer.now);
    all.retain(|alert| {
        alert.state != AlertState::Resolved && node.is_none_or(|name| alert.node.as_deref() == Some(name))
    });
    // Those that ask for somebody stand before those that somebody has.
    let key = |alert: &Alert| (alert.state, !alert.is_open(), alert.severity, alert.active_at);
    all.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id)));
    all
}

fn alerts(viewer: &Viewer<'_>, ask: &Ask, panel: Panel) -> Result<Panel, Said> {
    if let Some(name) = &ask.node {
        inside(viewer, name)?;
    }
    let all = standing(viewer, ask.node.as_deref());
    let firing = all.iter().filter(|alert| alert.state == AlertState::Firing).count();
    let pending = all.len() - firing;
    let lines: Vec<AlertLine> = all.iter().take(MOST_ROWS).map(alert_line).collect();
    let headline = match (firing, pending) {
        (0, 0) => "No alerts".to_owned(),
        (0, 1) => "1 alert pending".to_owned(),
        (0, _) => format!("{pending} alerts pending"),
        (1, _) => "1 alert fires".to_owned(),
        (..) => format!("{firing} alerts fire"),
    };
    let more = all.len() - lines.len();
    let status = Some(alarm(&all));
    Ok(Panel { headline, status, alerts: Some(AlertsPart { firing, pending, alerts: lines, more }), ..panel })
}

/// How bad it is that these stand.
pub(super) fn alarm(alerts: &[Alert]) -> Status {
    use fleetglass_shared::wire::Severity;
    let open = alerts.iter().filter(|alert| alert.state == AlertState::Firing);
    match open.map(|alert| alert.severity).min() {
        Some(Severity::Critical) => Status::Unreachable,
        Some(Severity::Warning) => Status::Degraded,
        Some(Severity::Info) => Status::Unknown,
        None => Status::Healthy,
    }
}

fn alert_line(alert: &Alert) -> AlertLine {
    let said = ["summary", "description", "message"].into_iter().find_map(|name| alert.annotations.get(name));
    let is_firing = alert.state == AlertState::Firing;
    AlertLine {
        name: alert.name.clone(),
        severity: alert.severity.as_str(),
        state: alert.state.as_str(),
        node: alert.node.clone().unwrap_or_default(),
        summary: said.cloned().unwrap_or_default(),
        since: alert.fired_at.unwrap_or(alert.active_at),
        quiet: is_firing && !alert.is_open(),
    }
}

/// How many risks are beyond their bound, and how many on their way.
pub(super) fn near(risks: &[RiskLine]) -> (usize, usize) {
    let of = |state: &str| risks.iter().filter(|risk| risk.state == state).count();
    (of("breached"), of("approaching"))
}

fn risks(viewer: &Viewer<'_>, ask: &Ask, panel: Panel) -> Result<Panel, Said> {
    if let Some(name) = &ask.node {
        inside(viewer, name)?;
    }
    let mut risks = lines(viewer, ask.node.as_deref());
    let total = risks.len();
    let (breached, approaching) = near(&risks);
    let (headline, status) = match (breached, approaching) {
        _ if total == 0 => ("No risks".to_owned(), None),
        (0, 0) => ("No risk is near".to_owned(), Some(Status::Healthy)),
        (0, 1) => ("1 risk is near".to_owned(), Some(Status::Degraded)),
        (0, _) => (format!("{approaching} risks are near"), Some(Status::Degraded)),
        (1, _) => ("1 risk breached".to_owned(), Some(Status::Unreachable)),
        (..) => (format!("{breached} risks breached"), Some(Status::Unreachable)),
    };
    // What no node exposes is no news, unless there is nothing else.
    if risks.iter().any(|risk| risk.state != "unknown") {
        risks.retain(|risk| risk.state != "unknown");
    }
    risks.truncate(MOST_ROWS);
    let more = total - risks.len();
    let part = RiskPart { total, breached, approaching, risks, more };
    Ok(Panel { headline, status, risk: Some(part), ..panel })
}

/// The risks that are shown, the worst first.
pub(super) fn lines(viewer: &Viewer<'_>, node: Option<&str>) -> Vec<RiskLine> {
    viewer.risks_of(node).iter().map(|own| RiskLine::of(&own.node, &own.risk)).collect()
}

async fn uptime(viewer: &Viewer<'_>, ask: &Ask, panel: Panel) -> Result<Panel, Said> {
    let nodes = match &ask.node {
        Some(name) => vec![inside(viewer, name)?],
        None => viewer.app.shares.nodes(viewer.share),
    };
    let all = total(viewer, nodes.clone()).await?.windows;
    let groups = nodes.into_iter().map(|node| (node.id, node.shown)).collect();
    let of = viewer.uptimes(groups).await?.of;
    let name = shown(&all, ask.range.unwrap_or(30 * DAY));
    let ratio = |windows: &[UptimeWindow]| window(windows, name).and_then(|window| window.ratio);
    let mut lines: Vec<UptimeLine> =
        of.into_iter().map(|one| UptimeLine { node: one.name, windows: one.windows }).collect();
    // What nobody observed stands last.
    let key = |line: &UptimeLine| ratio(&line.windows).unwrap_or(2.0);
    lines.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.node.cmp(&b.node)));
    let count = lines.len();
    lines.truncate(MOST_ROWS);
    let words = |days: &str| days.trim_end_matches('h').trim_end_matches('d').to_owned();
    let span = match name {
        "" => String::new(),
        "24h" => " in 24 hours".to_owned(),
        days => format!(" in {} days", words(days)),
    };
    let headline = match ratio(&all) {
        None => "Uptime is not known yet".to_owned(),
        ratio => format!("{} up{span}", percent(ratio)),
    };
    let status = ratio(&all).map(|ratio| health(Some(ratio)));
    let more = count - lines.len();
    Ok(Panel {
        headline,
        status,
        uptime: Some(UptimePart { window: name, all, nodes: lines, more }),
        ..panel
    })
}

/// The window that is asked for, or the longest below it that is shown.
fn shown(windows: &[UptimeWindow], range: i64) -> &'static str {
    let known = [("90d", 90 * DAY), ("30d", 30 * DAY), ("7d", 7 * DAY), ("24h", DAY)];
    let mut fitting = known.into_iter().filter(|(name, _)| window(windows, name).is_some());
    let shortest = fitting.clone().next_back();
    fitting.find(|(_, span)| *span <= range).or(shortest).map_or("", |(name, _)| name)
}

/// How good a part of the time is.
pub(super) fn health(ratio: Option<f64>) -> Status {
    match ratio {
        None => Status::Unknown,
        Some(0.995..) => Status::Healthy,
        Some(0.95..) => Status::Degraded,
        Some(_) => Status::Unhealthy,
    }
}

/// A count in words.
pub(super) fn figure(count: usize) -> String {
    number(count as f64, "")
}
