//! The part of the fleet that there is for a limited role: a scope and a live stream as a link has them, for as long as
//! somebody looks. Nobody lists it, and nobody counts who looks.

use std::{collections::BTreeMap, sync::Arc};

use fleetglass_shared::{
    health::UnixMillis,
    rule::Rule,
    scope::{AlertCut, Inside, ScopeError},
    wire::{Alert, FamilyInfo},
};
use parking_lot::Mutex;

use super::{OpenShare, Refused, Shares};
use crate::live::{AlertChanges, Subscription};

/// So many different parts are kept at one time. Those that nobody looks at make room.
const MOST_PARTS: usize = 256;

/// The parts that are looked at, by their selectors.
pub(super) type Parts = Mutex<BTreeMap<Vec<String>, Arc<OpenShare>>>;

impl Shares {
    /// The part of the fleet that these selectors leave. Whoever has the same selectors shares it.
    ///
    /// # Errors
    /// They are no selectors.
    pub fn part(&self, select: &[String]) -> Result<Arc<OpenShare>, ScopeError> {
        let mut key = select.to_vec();
        key.sort();
        key.dedup();
        let mut parts = self.parts.lock();
        if let Some(part) = parts.get(&key) {
            return Ok(Arc::clone(part));
        }
        let part = Arc::new(OpenShare::of_role(key.clone())?);
        if parts.len() >= MOST_PARTS {
            parts.retain(|_, part| part.is_followed());
        }
        // One too many is worked out for each request, and its live stream is refused.
        if parts.len() < MOST_PARTS {
            parts.insert(key, Arc::clone(&part));
        }
        Ok(part)
    }

    /// Those whose streams are published to.
    pub(super) fn followed(&self, now: UnixMillis) -> Vec<Arc<OpenShare>> {
        let mut all: Vec<Arc<OpenShare>> = self.all.read().values().cloned().collect();
        all.extend(self.drafts.all(now));
        all.extend(self.parts.lock().values().cloned());
        all.retain(|share| share.is_followed());
        all
    }

    /// The live stream of a part for one more who looks, from `seen` on if that is of this stream.
    ///
    /// # Errors
    /// Too many look already.
    pub fn follow_part(
        &self,
        part: &OpenShare,
        seen: Option<&str>,
        now: UnixMillis,
    ) -> Result<Subscription, Refused> {
        let begin = |changes: &mut super::open::Following| self.begin(part, changes, now);
        let subscription = part.subscribe(seen, now, &self.version, begin)?.0;
        // One that is not kept is published to by nobody.
        let is_kept = self.parts.lock().values().any(|own| std::ptr::eq(Arc::as_ptr(own), part));
        if is_kept { Ok(subscription) } else { Err(Refused::TooMany) }
    }

    /// The alert that is known by an id inside: as the fleet knows it, and as it is told there.
    pub fn alert_inside(&self, share: &OpenShare, id: &str, now: UnixMillis) -> Option<(String, Alert)> {
        let nodes: BTreeMap<String, Inside> =
            self.nodes(share).into_iter().map(|node| (node.id.clone(), node)).collect();
        // Each is cut alone, so that its own id is known beside the one that it is told by.
        self.alerts.all().into_iter().filter(|alert| is_about(alert, &nodes)).find_map(|alert| {
            let own = alert.id.clone();
            let one = AlertChanges::from([(own.clone(), Some(alert))]);
            let mut cut = self.cut_alerts(share.scope(), &nodes, one, now).into_values().flatten();
            cut.next().filter(|told| told.id == id).map(|told| (own, told))
        })
    }

    /// Whether what a rule says of a node follows from that node alone.
    pub fn cut_of(&self, rule: &Rule) -> AlertCut {
        super::cut_of(rule, &self.rules.recorded())
    }

    /// The families of nodes inside, as they are told.
    pub fn families_of(&self, names: &[String]) -> Vec<FamilyInfo> {
        self.all_families().into_iter().filter(|family| names.contains(&family.name)).collect()
    }
}

fn is_about(alert: &Alert, nodes: &BTreeMap<String, Inside>) -> bool {
    alert.node.as_ref().is_some_and(|node| nodes.contains_key(node))
}
