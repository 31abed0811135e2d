//! Share links: who may look at what without a login, and what they are sent.
//!
//! | module | is |
//! |---|---|
//! | this file | [`Shares`]: the links, found by their tokens; made, changed, taken back |
//! | `open` | [`OpenShare`]: one link, who looks through it, and its own live stream |
//! | `wish` | what a person may write of a link, checked |
//! | `draft` | links as they would be, for whoever makes them to look at |
//! | `card` | a link's picture for chats, drawn |
//! | `limit` | how fast viewers may ask |
//! | `slug` | which link has which public status page |
//! | `part` | what there is for a limited role: the same, without a link |
//! | `password` | passwords by argon2id, tries that are slowed, and sessions |
//!
//! What is shown is cut by `fleetglass_shared::scope`, nowhere else.

mod card;
mod draft;
mod limit;
mod open;
mod part;
mod password;
mod slug;
#[cfg(test)]
mod tests;
mod wish;

use std::{collections::BTreeMap, sync::Arc};

use fleetglass_shared::{
    health::UnixMillis,
    scope::{AlertCut, Card, Inside, Scope, ScopeError},
    wire::{Alert, FamilyInfo, NodeSummary, Share, ShareChange},
};
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use draft::Drafts;

pub use card::{HEIGHT as CARD_HEIGHT, WIDTH as CARD_WIDTH};
pub use limit::Limits;
pub use open::{OpenShare, Refused};
pub use password::{PasswordError, Sessions};
pub use slug::is_taken;
pub use wish::drafted;

use crate::{
    alerts::Alerts,
    fleet::Fleet,
    live::{AlertChanges, Change},
    rules::Rules,
    state::{KeptShare, StateError, StateFile},
};
use fleetglass_shared::rule::RuleKind;

/// So many links are kept, those that ended among them.
const MOST_SHARES: usize = 1_000;
/// A card is drawn anew after so long.
const CARD_KEPT_MS: i64 = 60_000;
/// A link that ended is remembered for so long.
const REMEMBERED_MS: i64 = 90 * 86_400_000;

/// Every share link.
pub struct Shares {
    state: Arc<StateFile>,
    fleet: Arc<Fleet>,
    alerts: Arc<Alerts>,
    rules: Arc<Rules>,
    all: RwLock<BTreeMap<String, Arc<OpenShare>>>,
    /// What there is for limited roles.
    parts: part::Parts,
    sessions: Sessions,
    drafts: Drafts,
    /// Cards that are drawn at one time: each takes some ten milliseconds of a core, and 10 MiB.
    drawing: tokio::sync::Semaphore,
    /// One change at a time, so that none is lost.
    changing: tokio::sync::Mutex<()>,
    version: String,
    /// What the last tick of the publisher knew of families.
    families: Mutex<Vec<FamilyInfo>>,
}

/// Why a link was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// There is none of that id.
    #[error("there is no such link; /api/v1/shares lists them")]
    NoSuchShare,
    /// Something about it cannot be used.
    #[error("{0}")]
    Bad(String),
    /// The scope cannot be used.
    #[error("`scope`: {0}")]
    Scope(#[from] ScopeError),
    /// There are too many.
    #[error("there are {MOST_SHARES} links already; those that ended go after 90 days")]
    TooMany,
    /// It is not kept.
    #[error(transparent)]
    State(#[from] StateError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

impl Shares {
    /// The links that are kept.
    pub async fn restore(
        state: Arc<StateFile>,
        fleet: Arc<Fleet>,
        alerts: Arc<Alerts>,
        rules: Arc<Rules>,
        now: UnixMillis,
    ) -> Self {
        state.prune_shares(now - REMEMBERED_MS);
        let kept = state.shares().await.unwrap_or_else(|error| {
            tracing::warn!("share links cannot be read, and none opens: {error}");
            BTreeMap::new()
        });
        let mut all = BTreeMap::new();
        for (id, kept) in kept {
            match OpenShare::new(kept) {
                Ok(share) => drop(all.insert(id, Arc::new(share))),
                Err(error) => tracing::error!("the share link {id} opens nothing: {error}"),
            }
        }
        Self {
            state,
            fleet,
            alerts,
            rules,
            all: RwLock::new(all),
            parts: part::Parts::default(),
            sessions: Sessions::default(),
            drafts: Drafts::default(),
            drawing: tokio::sync::Semaphore::new(2),
            changing: tokio::sync::Mutex::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            families: Mutex::default(),
        }
    }

    /// The link of a token, while it may be opened. A token that never was and one that was taken back take the same way.
    pub fn find(&self, token: &str, now: UnixMillis) -> Option<Arc<OpenShare>> {
        let asked: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        // Every hash is compared, so the time tells neither which nor how near.
        for share in self.all.read().values() {
            if bool::from(share.kept().token_hash.ct_eq(&asked)) {
                found = Some(Arc::clone(share));
            }
        }
        found.filter(|share| share.is_open(now))
    }

    /// The link of an id, open or not.
    pub fn get(&self, id: &str) -> Option<Arc<OpenShare>> {
        self.all.read().get(id).cloned()
    }

    /// Every link, the newest first.
    pub fn list(&self) -> Vec<Share> {
        let mut all: Vec<Share> =
            self.all.read().values().map(|share| share.told(Some(self.nodes(share).len()))).collect();
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        all
    }

    /// A link, as those who may make some see it.
    pub fn tell(&self, share: &OpenShare) -> Share {
        share.told(Some(self.nodes(share).len()))
    }

    /// Those who gave a password.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The nodes of a link, in the order of the names that its viewers know.
    pub fn nodes(&self, share: &OpenShare) -> Vec<Inside> {
        let mut nodes = self.fleet.select(|node, host| share.scope().inside(node, host));
        nodes.sort();
        nodes
    }

    /// Makes a link. Gives it with its token, which is told this once; it is on disk then.
    ///
    /// # Errors
    /// What is wrong with it; it is not made.
    pub async fn make(
        &self,
        wish: ShareChange,
        by: &str,
        now: UnixMillis,
    ) -> Result<(Share, String), ShareError> {
        let _one = self.changing.lock().await;
        if self.all.read().len() >= MOST_SHARES {
            return Err(ShareError::TooMany);
        }
        let (kept, token) = drafted(wish, by, now).await?;
        self.check_slug(&kept, now)?;
        let share = self.keep(kept).await?;
        Ok((self.tell(&share), token))
    }

    /// Changes a link. Whoever looks sees it as it is then: their streams begin anew.
    ///
    /// # Errors
    /// As [`Self::make`]; there is no such link, or it was taken back.
    pub async fn change(&self, id: &str, wish: ShareChange, now: UnixMillis) -> Result<Share, ShareError> {
        let _one = self.changing.lock().await;
        let old = self.get(id).ok_or(ShareError::NoSuchShare)?;
        if old.kept().revoked_at.is_some() {
            return Err(ShareError::Bad("this link was taken back; make another one".to_owned()));
        }
        let kept = wish::changed(old.kept_now(), wish, now).await?;
        self.check_slug(&kept, now)?;
        let share = self.keep(kept).await?;
        old.close();
        self.drafts.end(id);
        self.sessions.forget(id);
        Ok(self.tell(&share))
    }

    /// Takes a link back. Its open streams end at once.
    ///
    /// # Errors
    /// There is none, or it is not kept that it is gone: it is closed all the same.
    pub async fn revoke(&self, id: &str, now: UnixMillis) -> Result<Share, ShareError> {
        let _one = self.changing.lock().await;
        let old = self.get(id).ok_or(ShareError::NoSuchShare)?;
        let mut kept = old.kept_now();
        kept.revoked_at.get_or_insert(now);
        let share = Arc::new(OpenShare::new(kept)?);
        self.all.write().insert(id.to_owned(), Arc::clone(&share));
        old.close();
        self.drafts.end(id);
        self.sessions.forget(id);
        self.write(&share).await?;
        Ok(self.tell(&share))
    }

    async fn keep(&self, kept: KeptShare) -> Result<Arc<OpenShare>, ShareError> {
        let share = Arc::new(OpenShare::new(kept)?);
        self.write(&share).await?;
        self.all.write().insert(share.kept().id.clone(), Arc::clone(&share));
        Ok(share)
    }

    async fn write(&self, share: &OpenShare) -> Result<(), ShareError> {
        if !self.state.record_share(&share.kept_now()) {
            return Err(StateError::Busy.into());
        }
        Ok(self.state.flush().await?)
    }

    /// Somebody opens a link.
    pub fn viewed(&self, share: &OpenShare, now: UnixMillis) {
        if share.is_preview() {
            return;
        }
        let (views, at) = share.viewed(now);
        self.state.record_share_views(&share.kept().id, views, at);
    }

    /// The live stream of a link for one more viewer, from `seen` on if that is of this link.
    ///
    /// # Errors
    /// Too many look already, or it may not be opened again.
    pub fn subscribe(
        &self,
        share: &OpenShare,
        seen: Option<&str>,
        now: UnixMillis,
    ) -> Result<crate::live::Subscription, Refused> {
        let (subscription, is_view) =
            share.subscribe(seen, now, &self.version, |changes| self.begin(share, changes, now))?;
        if is_view {
            self.viewed(share, now);
        }
        Ok(subscription)
    }

    /// The fleet of a link as JSON; `None` where the link was closed meanwhile.
    pub fn snapshot(&self, share: &OpenShare, now: UnixMillis) -> Option<Arc<str>> {
        share.snapshot(now, &self.version, |changes| self.begin(share, changes, now))
    }

    /// The fleet of a link in a few lines; `None` where the link was closed meanwhile.
    pub fn glance(&self, share: &OpenShare, now: UnixMillis) -> Option<serde_json::Value> {
        share.glance(now, &self.version, |changes| self.begin(share, changes, now))
    }

    /// Publishes to the viewers of each link what changed inside it.
    pub fn publish(
        &self,
        changes: &[Change],
        alerts: &AlertChanges,
        families: &[FamilyInfo],
        now: UnixMillis,
    ) {
        if *self.families.lock() != families {
            families.clone_into(&mut self.families.lock());
        }
        for share in self.followed(now) {
            if !share.is_open_for_those_inside(now) {
                share.close();
                continue;
            }
            let host = |id: &str| self.fleet.host(id);
            share.publish(changes, &host, &self.all_families(), now, |inside, moved| {
                // A node that came or went brings or takes its alerts.
                let all: AlertChanges = match moved {
                    true => {
                        self.alerts.all().into_iter().map(|alert| (alert.id.clone(), Some(alert))).collect()
                    }
                    false => alerts.clone(),
                };
                self.cut_alerts(share.scope(), inside, all, now)
            });
        }
    }

    /// A family by its name, as the publisher knew it last.
    pub fn family(&self, name: &str) -> Option<FamilyInfo> {
        self.families.lock().iter().find(|family| family.name == name).cloned()
    }

    fn all_families(&self) -> Vec<FamilyInfo> {
        self.families.lock().clone()
    }

    /// All that a link shows, for a stream that begins.
    fn begin(&self, share: &OpenShare, stream: &mut open::Following, now: UnixMillis) {
        let members = self.fleet.members();
        let hosts: BTreeMap<String, Option<String>> =
            members.iter().map(|(node, host)| (node.id.clone(), host.clone())).collect();
        let changes: Vec<Change> =
            members.into_iter().map(|(node, _)| (node.id.clone(), Some(node))).collect();
        let host = |id: &str| hosts.get(id).cloned().flatten();
        stream.lay(share.scope(), &changes, &host, &self.all_families(), now, |inside, _| {
            let all = self.alerts.all().into_iter().map(|alert| (alert.id.clone(), Some(alert))).collect();
            self.cut_alerts(share.scope(), inside, all, now)
        });
    }

    /// The alerts of a link's nodes now, by the ids that its viewers know.
    pub fn alerts(&self, share: &OpenShare, now: UnixMillis) -> Vec<Alert> {
        let inside = self.nodes(share).into_iter().map(|node| (node.id.clone(), node)).collect();
        let all = self.alerts.all().into_iter().map(|alert| (alert.id.clone(), Some(alert))).collect();
        self.cut_alerts(share.scope(), &inside, all, now).into_values().flatten().collect()
    }

    /// An alert by the id that its viewers know, with the node that it is about and the fleet's id of it.
    pub fn alert(&self, share: &OpenShare, shown: &str, now: UnixMillis) -> Option<(Inside, String, Alert)> {
        let own = |alert: &Alert| share.scope().alert_id(&alert.id) == shown;
        let alert = self.alerts.all().into_iter().find(own)?;
        let node = self.nodes(share).into_iter().find(|node| alert.node.as_ref() == Some(&node.id))?;
        let (id, inside) = (alert.id.clone(), BTreeMap::from([(node.id.clone(), node.clone())]));
        let all = AlertChanges::from([(id.clone(), Some(alert))]);
        let cut = self.cut_alerts(share.scope(), &inside, all, now).into_values().flatten().next()?;
        Some((node, id, cut))
    }

    /// What a chat shows of a link before anybody opens it. One that asks for a password tells nothing of its nodes.
    pub fn card(&self, share: &OpenShare, now: UnixMillis) -> Card {
        if share.password().is_some() {
            return Card::locked(&share.kept().title);
        }
        let inside = |(node, host): (_, Option<String>)| {
            Some((share.scope().inside(&node, host.as_deref())?, NodeSummary::clone(&node)))
        };
        let nodes: Vec<_> = self.fleet.members().into_iter().filter_map(inside).collect();
        share.scope().card(&share.kept().title, &share.kept().by, &nodes, now)
    }

    /// The same drawn, as a PNG: at most once a minute for each link. `None` where it cannot be drawn.
    pub async fn card_png(&self, share: &OpenShare, now: UnixMillis) -> Option<Arc<[u8]>> {
        // Whoever asks meanwhile waits for the same one.
        let mut drawn = share.drawn().lock().await;
        if let Some((at, png)) = &*drawn
            && (0..CARD_KEPT_MS).contains(&(now - at))
        {
            return Some(Arc::clone(png));
        }
        let _place = self.drawing.acquire().await.ok()?;
        let card = self.card(share, now);
        let png: Arc<[u8]> =
            tokio::task::spawn_blocking(move || card::png(&card)).await.ok().flatten()?.into();
        *drawn = Some((now, Arc::clone(&png)));
        Some(png)
    }

    fn cut_alerts(
        &self,
        scope: &Scope,
        inside: &BTreeMap<String, Inside>,
        alerts: AlertChanges,
        now: UnixMillis,
    ) -> AlertChanges {
        if alerts.is_empty() {
            return alerts;
        }
        let recorded = self.rules.recorded();
        let mut cuts: BTreeMap<String, AlertCut> = BTreeMap::new();
        let cut = |(id, alert): (String, Option<Alert>)| {
            let node = alert.as_ref().and_then(|alert| inside.get(alert.node.as_ref()?));
            let shown = alert.as_ref().zip(node).and_then(|(alert, node)| {
                let (_, rule) = self.alerts.get(&id)?;
                let cut = *cuts.entry(rule).or_insert_with_key(|rule| self.alert_cut(scope, rule, &recorded));
                scope.alert(node, alert, cut, now)
            });
            match shown {
                Some(alert) => vec![(alert.id.clone(), Some(alert))],
                // Under whichever id it was told.
                None => vec![(scope.alert_id(&id), None), (id, None)],
            }
        };
        alerts.into_iter().flat_map(cut).collect()
    }

    /// Whether what a rule says of a node follows from that node alone.
    fn alert_cut(
        &self,
        scope: &Scope,
        rule: &str,
        recorded: &std::collections::BTreeSet<String>,
    ) -> AlertCut {
        let closed = AlertCut { is_local: false, is_plain: false };
        let Some((group, index)) = self.rules.find(rule) else { return closed };
        let loaded = group.loaded();
        let rule = loaded.group.rules.get(index).filter(|rule| !scope.hides_rule(&rule.query));
        rule.map_or(closed, |rule| cut_of(rule, recorded))
    }

    /// Ends every stream, for a shutdown.
    pub fn close(&self) {
        self.all.read().values().for_each(|share| share.close());
        self.drafts.close();
        self.parts.lock().values().for_each(|part| part.close());
    }
}

/// Whether what a rule says of a node follows from that node alone.
fn cut_of(rule: &fleetglass_shared::rule::Rule, recorded: &std::collections::BTreeSet<String>) -> AlertCut {
    let RuleKind::Alerting { annotations, .. } = &rule.kind else {
        return AlertCut { is_local: false, is_plain: false };
    };
    let is_own = |name: &&str| !recorded.contains(*name) && !name.starts_with("ALERTS");
    let own = rule.query.metrics().is_some_and(|names| names.iter().all(is_own));
    let asks = |templates: &BTreeMap<String, String>| templates.values().any(|text| text.contains("query"));
    AlertCut {
        // Labels may name another node than the one that was looked at.
        is_local: own
            && rule.query.is_local_to("instance")
            && !rule.labels.contains_key("instance")
            && !asks(&rule.labels),
        is_plain: !asks(annotations),
    }
}

fn random() -> Result<[u8; 32], ShareError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| ShareError::NoRandomness)?;
    Ok(bytes)
}
