//! A word a day: all is well, or what is not.

use std::{sync::Arc, time::Duration};

use fleetglass_shared::{
    format::utc,
    health::Status,
    wire::{Alert, AlertState},
};
use tokio_util::sync::CancellationToken;

use super::{Notify, dispatch::queued, gather, message::Message};
use crate::clock;

const TICK: Duration = Duration::from_secs(5);
/// Under this name the state file keeps the day of the last word.
const LAST: &str = "summary_at";
/// No two of them are nearer than this, whatever clocks do in between.
const APART_MS: i64 = 12 * 3_600_000;
/// So many alerts are named.
const NAMED: usize = 20;

/// Says it each day until it is cancelled.
pub(super) async fn run(notify: Arc<Notify>, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let plan = notify.plan.load_full();
        let Some(config) = &plan.summary else { continue };
        let now = clock::now();
        // Of a fleet that was not asked yet nobody can say how it is.
        let due =
            notify.sources.fleet.all_asked() && config.minute().is_ok_and(|minute| minute.contains(now));
        let Some(receiver) = plan.receiver(&config.receiver).filter(|_| due) else { continue };
        let last = notify.sources.state.kept(LAST).await.ok().flatten();
        if last.and_then(|last| last.parse::<i64>().ok()).is_some_and(|last| now - last < APART_MS) {
            continue;
        }
        let minute = utc(now / 60_000 * 60);
        let nodes = notify.sources.fleet.counts();
        let (title, body) = words(&nodes, &gather::alerts(&notify.sources));
        let message = Message::of_words(&receiver.name, &minute, title, body, now);
        let ways =
            receiver.ways.iter().filter(|way| !way.is_alertmanager() && !way.service.keeps_incidents());
        let messages = ways.filter_map(|way| queued(&way.id, &message)).collect();
        notify.sources.state.record_notices(Vec::new(), messages);
        notify.sources.state.keep(LAST, &now.to_string());
        let _ = notify.sources.state.flush().await;
        notify.wake();
    }
}

/// Title and body.
fn words(nodes: &[(Status, usize)], alerts: &[Alert]) -> (String, String) {
    let all: usize = nodes.iter().map(|(_, count)| count).sum();
    let well = nodes.iter().find(|(status, _)| *status == Status::Healthy).map_or(0, |(_, count)| *count);
    let firing: Vec<&Alert> = alerts.iter().filter(|alert| alert.state == AlertState::Firing).collect();
    let title = match (firing.len(), all - well) {
        (0, 0) => format!("All is well: healthy nodes {all}, no alert fires"),
        (firing, ill) => format!("Not all is well: alerts firing {firing}, nodes not healthy {ill} of {all}"),
    };
    let mut lines: Vec<String> = nodes
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.as_str()))
        .collect();
    lines.extend(firing.iter().take(NAMED).map(|alert| {
        let node = alert.node.as_ref().map(|node| format!(" · {node}")).unwrap_or_default();
        format!("{}: {}{node}", alert.severity.as_str(), alert.name)
    }));
    if firing.len() > NAMED {
        lines.push(format!("and {} more", firing.len() - NAMED));
    }
    (title, lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_is_said_only_when_it_is() {
        let (title, body) = words(&[(Status::Unreachable, 0), (Status::Healthy, 3)], &[]);
        assert_eq!(
            (title.as_str(), body.as_str()),
            ("All is well: healthy nodes 3, no alert fires", "3 healthy")
        );
        let (title, _) = words(&[(Status::Unreachable, 1), (Status::Healthy, 3)], &[]);
        assert_eq!(title, "Not all is well: alerts firing 0, nodes not healthy 1 of 4");
    }
}
