//! The staking exporter: the ten series that the family's document asks for.

use super::super::super::exposition::{Exposition, Style};
use super::super::super::faults::Fault;
use super::super::super::node::View;
use super::super::Answer;

/// How long an epoch lasts, in seconds.
const EPOCH: f64 = 86_400.0;

pub(super) fn answer(view: &View<'_>) -> Answer {
    let mut expo = Exposition::new(Style::Go);
    let unix = view.moment.unix();
    let joining = view.node.ordinal % 12 == 11;
    let live = view.hit(Fault::NotLive).is_none();
    let waiting = if joining { 2.0 } else { 0.0 };
    let stake = (view.fixed("stake", 42_000.0, 310_000.0) * 100.0).round() / 100.0;
    let gauge = |expo: &mut Exposition, name: &str, help: &str, value: f64| {
        expo.single(&format!("genlayer_{name}"), "gauge", help, value);
    };
    let flag = f64::from;
    gauge(&mut expo, "epoch_current", "Number of the current epoch", (unix / EPOCH).floor() - 20_300.0);
    gauge(
        &mut expo,
        "epoch_time_until_next_seconds",
        "Seconds until the next epoch",
        (EPOCH - unix % EPOCH).floor(),
    );
    gauge(&mut expo, "validator_stake_current", "Self and delegated stake, in GEN", stake);
    gauge(&mut expo, "validator_in_active_set", "Whether it is in the active set", flag(live && !joining));
    gauge(&mut expo, "validator_live", "Whether it is live", flag(live));
    gauge(&mut expo, "validator_banned", "Whether it is banned", 0.0);
    gauge(&mut expo, "validator_needs_priming", "Whether it needs priming", flag(joining));
    gauge(&mut expo, "validator_epochs_remaining_for_activation", "Epochs until it is active", waiting);
    gauge(&mut expo, "validator_pending_deposits", "Deposits that wait", waiting / 2.0);
    gauge(&mut expo, "validator_pending_withdrawals", "Withdrawals that wait", 0.0);
    Answer::metrics(Style::Go, expo)
}
