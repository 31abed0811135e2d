//! One share link: whether it opens, who looks through it, and its own live stream.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleetglass_shared::{
    health::UnixMillis,
    scope::{Inside, Scope, ScopeError},
    wire::{FamilyInfo, ServerInfo, Share, SharedWith, View},
};
use parking_lot::Mutex;

use super::{password::Tries, wish::picture_type};
use crate::{
    live::{AlertChanges, Change, Live, Subscription},
    state::KeptShare,
};

/// So many look through one link at one time.
const MOST_VIEWERS: usize = 200;
/// A stream that nobody follows is kept for so long, for those whose connection broke.
const KEPT_MS: i64 = 60_000;

/// A share link.
#[derive(Debug)]
pub struct OpenShare {
    kept: KeptShare,
    scope: Arc<Scope>,
    counted: Mutex<Counted>,
    following: Mutex<Place>,
    tries: Mutex<Tries>,
    is_preview: bool,
    drawn: Drawn,
}

/// The card for chats, and when it was drawn.
type Drawn = tokio::sync::Mutex<Option<(UnixMillis, Arc<[u8]>)>>;

#[derive(Clone, Copy, Debug)]
struct Counted {
    views: u64,
    viewed_at: Option<UnixMillis>,
}

#[derive(Debug, Default)]
struct Place {
    following: Option<Following>,
    /// It was taken back, changed, or its time is over: whoever found it before that comes too late.
    is_closed: bool,
}

/// A live stream of a link, with numbers of its own: those of the fleet's would tell how much happens elsewhere.
#[derive(Debug)]
pub(super) struct Following {
    live: Live,
    /// The nodes that its viewers know, by the fleet's id, with their families.
    inside: BTreeMap<String, Inside>,
    families: BTreeMap<String, String>,
    /// When somebody followed last; when it began, if nobody has.
    followed_at: UnixMillis,
    /// Somebody has followed it.
    was_followed: bool,
}

/// Why somebody cannot look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It was opened as often as it may be, or is open no more.
    Closed,
    /// Too many look at it already.
    TooMany,
}

impl OpenShare {
    /// A link that is kept.
    ///
    /// # Errors
    /// Its scope cannot be used.
    pub fn new(kept: KeptShare) -> Result<Self, ScopeError> {
        let scope = Arc::new(Scope::new(kept.scope.clone(), kept.alias_key)?);
        let counted = Mutex::new(Counted { views: kept.views, viewed_at: kept.viewed_at });
        Ok(Self {
            kept,
            scope,
            counted,
            following: Mutex::default(),
            tries: Mutex::default(),
            is_preview: false,
            drawn: Drawn::default(),
        })
    }

    /// A link as whoever makes it looks at it: without a password, an end or a count, and with nobody else.
    ///
    /// # Errors
    /// Its scope cannot be used.
    pub(super) fn preview(kept: KeptShare) -> Result<Self, ScopeError> {
        let kept = KeptShare { password: None, expires_at: None, revoked_at: None, max_views: None, ..kept };
        Ok(Self { is_preview: true, ..Self::new(kept)? })
    }

    /// Whoever makes it looks, and that counts as nothing.
    pub fn is_preview(&self) -> bool {
        self.is_preview
    }

    /// What there is for a role that is limited by selectors: a link that nobody made, and that has no token.
    ///
    /// # Errors
    /// They are no selectors.
    pub(super) fn of_role(select: Vec<String>) -> Result<Self, ScopeError> {
        let key = super::random().unwrap_or_default();
        let scope = Arc::new(Scope::of_role(select, key)?);
        let kept = KeptShare::blank(scope.spec().clone(), key);
        let counted = Mutex::new(Counted { views: 0, viewed_at: None });
        Ok(Self {
            kept,
            scope,
            counted,
            following: Mutex::default(),
            tries: Mutex::default(),
            // Nobody is counted here.
            is_preview: true,
            drawn: Drawn::default(),
        })
    }

    /// What it shows.
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// What the viewer may know of it.
    pub fn shared_with(&self) -> SharedWith {
        SharedWith {
            title: self.kept.title.clone(),
            by: self.kept.by.clone(),
            note: self.kept.note.clone(),
            logo: self.logo().map(|(kind, bytes)| match self.is_preview {
                // An image of a page has no way to say who asks.
                true => format!("data:{kind};base64,{}", STANDARD.encode(bytes)),
                false => "logo".to_owned(),
            }),
            views: self.kept.scope.views.clone(),
            expires_at: self.kept.expires_at,
        }
    }

    /// The picture of whoever shares it, with its content type.
    pub fn logo(&self) -> Option<(&'static str, &[u8])> {
        let bytes = self.kept.logo.as_deref()?;
        Some((picture_type(bytes)?, bytes))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.kept.id
    }

    /// Pages that may embed it.
    pub fn origins(&self) -> &[String] {
        &self.kept.origins
    }

    /// Whether it may be opened only so many times.
    pub fn is_counted(&self) -> bool {
        self.kept.max_views.is_some()
    }

    /// What argon2id made of its password.
    pub fn password(&self) -> Option<&str> {
        self.kept.password.as_deref()
    }

    /// Where its public status page is.
    pub fn slug(&self) -> Option<&str> {
        self.kept.slug.as_deref()
    }

    /// The label whose values are the groups of that page, and whether it shows these alone.
    pub fn grouping(&self) -> (Option<&str>, bool) {
        (self.kept.group_by.as_deref(), self.kept.groups_only)
    }

    pub(super) fn tries(&self) -> &Mutex<Tries> {
        &self.tries
    }

    pub(super) fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    pub(super) fn kept(&self) -> &KeptShare {
        &self.kept
    }

    /// With the views that were counted meanwhile.
    pub(super) fn kept_now(&self) -> KeptShare {
        let Counted { views, viewed_at } = *self.counted.lock();
        KeptShare { views, viewed_at, ..self.kept.clone() }
    }

    /// Whether it opens: it was not taken back, its time is not over, and it was not used up by those who left.
    pub(super) fn is_open(&self, now: UnixMillis) -> bool {
        self.is_open_for_those_inside(now)
            && (!self.is_used_up() || self.viewers() > 0 || self.was_followed(now))
    }

    pub(super) fn is_open_for_those_inside(&self, now: UnixMillis) -> bool {
        self.kept.revoked_at.is_none() && self.kept.expires_at.is_none_or(|at| now < at)
    }

    /// Whether it was opened as often as it may be.
    pub fn is_used_up(&self) -> bool {
        self.kept.max_views.is_some_and(|most| self.counted.lock().views >= most)
    }

    fn was_followed(&self, now: UnixMillis) -> bool {
        let place = self.following.lock();
        place.following.as_ref().is_some_and(|own| own.was_followed && now - own.followed_at < KEPT_MS)
    }

    /// How many look now.
    pub(super) fn viewers(&self) -> usize {
        self.following.lock().following.as_ref().map_or(0, |following| following.live.clients().0)
    }

    pub(super) fn viewed(&self, now: UnixMillis) -> (u64, UnixMillis) {
        let mut counted = self.counted.lock();
        counted.views += 1;
        counted.viewed_at = Some(now);
        (counted.views, now)
    }

    /// As those who may make links see it, with how many nodes it shows if that is known.
    pub fn told(&self, nodes: Option<usize>) -> Share {
        let (viewers, kept) = (self.viewers(), self.kept_now());
        Share {
            id: kept.id,
            title: kept.title,
            scope: kept.scope,
            nodes,
            by: kept.by,
            note: kept.note,
            logo: kept.logo.is_some(),
            password: kept.password.is_some(),
            expires_at: kept.expires_at,
            max_views: kept.max_views,
            origins: kept.origins,
            created_at: kept.created_at,
            viewed_at: kept.viewed_at,
            views: kept.views,
            revoked_at: kept.revoked_at,
            viewers,
            slug: kept.slug,
            group_by: kept.group_by,
            groups_only: kept.groups_only,
        }
    }

    /// Whether it has a stream to publish to.
    pub(super) fn is_followed(&self) -> bool {
        self.following.lock().following.is_some()
    }

    /// Ends its streams; none begins any more.
    pub(super) fn close(&self) {
        let mut place = self.following.lock();
        place.is_closed = true;
        if let Some(following) = place.following.take() {
            following.live.close();
        }
    }

    /// One more viewer; whether that is a view, and not the same one whose connection broke.
    pub(super) fn subscribe(
        &self,
        seen: Option<&str>,
        now: UnixMillis,
        version: &str,
        begin: impl FnOnce(&mut Following),
    ) -> Result<(Subscription, bool), Refused> {
        let mut place = self.following.lock();
        if place.is_closed {
            return Err(Refused::Closed);
        }
        let following = place.following.get_or_insert_with(|| Following::begun(now, version, begin));
        if following.live.clients().0 >= MOST_VIEWERS {
            return Err(Refused::TooMany);
        }
        let is_view = !seen.is_some_and(|seen| following.live.knows(seen));
        if is_view && self.is_used_up() {
            return Err(Refused::Closed);
        }
        (following.followed_at, following.was_followed) = (now, true);
        let subscription = following.live.subscribe(seen).map_err(|_| Refused::TooMany)?;
        Ok((subscription, is_view))
    }

    pub(super) fn snapshot(
        &self,
        now: UnixMillis,
        version: &str,
        begin: impl FnOnce(&mut Following),
    ) -> Option<Arc<str>> {
        let mut place = self.following.lock();
        if place.is_closed {
            return None;
        }
        let following = place.following.get_or_insert_with(|| Following::begun(now, version, begin));
        Some(following.live.snapshot())
    }

    /// The fleet of it in a few lines.
    pub(super) fn glance(
        &self,
        now: UnixMillis,
        version: &str,
        begin: impl FnOnce(&mut Following),
    ) -> Option<serde_json::Value> {
        let mut place = self.following.lock();
        if place.is_closed {
            return None;
        }
        let following = place.following.get_or_insert_with(|| Following::begun(now, version, begin));
        Some(following.live.glance())
    }

    pub(super) fn publish(
        &self,
        changes: &[Change],
        host: &dyn Fn(&str) -> Option<String>,
        families: &[FamilyInfo],
        now: UnixMillis,
        alerts: impl FnOnce(&BTreeMap<String, Inside>, bool) -> AlertChanges,
    ) {
        let mut place = self.following.lock();
        let Some(following) = place.following.as_mut() else { return };
        if following.live.clients().0 > 0 {
            following.followed_at = now;
        } else if now - following.followed_at > KEPT_MS {
            place.following = None;
            return;
        }
        following.lay(&self.scope, changes, host, families, now, alerts);
    }
}

impl Following {
    fn begun(now: UnixMillis, version: &str, begin: impl FnOnce(&mut Self)) -> Self {
        // Random, so that no id of another stream is one of this.
        let epoch =
            super::random().map_or_else(|_| format!("{now:x}"), |bytes| crate::letters::hex(&bytes[..8]));
        let server = ServerInfo { version: version.to_owned(), epoch, started_at: now };
        let mut following = Self {
            live: Live::new(server),
            inside: BTreeMap::new(),
            families: BTreeMap::new(),
            followed_at: now,
            was_followed: false,
        };
        begin(&mut following);
        following
    }

    /// Cuts what changed, and publishes what is left of it. `alerts` gives those that changed, cut, from the nodes inside
    /// and whether these are others than before.
    pub(super) fn lay(
        &mut self,
        scope: &Scope,
        changes: &[Change],
        host: &dyn Fn(&str) -> Option<String>,
        families: &[FamilyInfo],
        now: UnixMillis,
        alerts: impl FnOnce(&BTreeMap<String, Inside>, bool) -> AlertChanges,
    ) {
        let mut moved = false;
        let mut cut = Vec::new();
        for (id, summary) in changes {
            let known = self.inside.get(id);
            let inside = summary.as_ref().and_then(|summary| {
                // Of most nodes nobody needs to know where they are.
                let inside = scope.inside(summary, None)?;
                Some((Inside { host: host(id), ..inside }, summary))
            });
            match (inside, known) {
                (Some((inside, summary)), known) => {
                    moved |= known.is_none();
                    cut.push((inside.shown.clone(), Some(scope.summary(&inside, summary, now))));
                    self.families.insert(id.clone(), summary.family.clone());
                    self.inside.insert(id.clone(), inside);
                }
                (None, Some(known)) => {
                    moved = true;
                    cut.push((known.shown.clone(), None));
                    self.families.remove(id);
                    self.inside.remove(id);
                }
                // It was never inside: nothing is said, not even that nothing is.
                (None, None) => {}
            }
        }
        let alerts =
            if scope.shows(View::Alerts) { alerts(&self.inside, moved) } else { AlertChanges::new() };
        let own = |family: &&FamilyInfo| self.families.values().any(|name| *name == family.name);
        let families: Vec<FamilyInfo> = families.iter().filter(own).cloned().collect();
        self.live.publish(cut, alerts, &families, now);
    }
}
