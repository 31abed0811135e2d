//! Sessions: who is logged in, by a cookie of 256 random bits. Only its hash is kept.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderValue, header};
use fleetglass_shared::{format::duration_ms, health::UnixMillis};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{People, PeopleError, Role, Via, Who, hex, random};
use crate::{
    clock,
    edge::Visit,
    state::{KeptSession, KeptUser},
};

const COOKIE: &str = "fleetglass_session";
/// Browsers take such a cookie only over TLS, for the whole host, from that host itself.
const HOST_COOKIE: &str = "__Host-fleetglass_session";
/// When something was used last is kept no more often than this.
pub(super) const USE_KEPT_EVERY_MS: i64 = 60_000;
/// So many sessions are open; the one unused for the longest goes first.
const MOST_SESSIONS: usize = 10_000;
/// Characters of a `User-Agent` that are kept.
const AGENT: usize = 200;

/// Somebody of whom it is known who they are, by whatever way they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As they are shown.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Which nodes there are for them, by selectors; all, with none.
    pub select: Vec<String>,
    /// How they came in.
    pub via: Via,
    /// What a provider calls them.
    pub subject: Option<String>,
}

/// An open session.
pub struct Session {
    kept: KeptSession,
    used_at: AtomicI64,
    /// When that was kept last.
    use_kept_at: AtomicI64,
    /// What is open for it ends with it.
    ended: CancellationToken,
}

/// Every open session, by the hash of its cookie.
#[derive(Default)]
pub(super) struct Sessions(RwLock<HashMap<[u8; 32], Arc<Session>>>);

impl Session {
    pub(super) fn new(kept: KeptSession) -> Self {
        let (used, kept_at) = (AtomicI64::new(kept.used_at), AtomicI64::new(kept.used_at));
        Self { kept, used_at: used, use_kept_at: kept_at, ended: CancellationToken::new() }
    }

    /// Its id, which opens nothing.
    pub fn id(&self) -> &str {
        &self.kept.id
    }

    /// What is kept of it, with its last use.
    pub fn kept(&self) -> KeptSession {
        KeptSession { used_at: self.used_at.load(Ordering::Relaxed), ..self.kept.clone() }
    }

    /// Whose it is.
    pub fn who(&self) -> Who {
        let KeptSession { name, role, select, via, .. } = &self.kept;
        Who { name: name.clone(), role: *role, select: select.clone(), via: *via }
    }

    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Whether it is over by itself: unused for too long, or too old.
    fn is_over(&self, limits: Limits, now: UnixMillis) -> bool {
        let idle = now.saturating_sub(self.used_at.load(Ordering::Relaxed));
        idle >= limits.idle_ms || now.saturating_sub(self.kept.created_at) >= limits.max_ms
    }

    fn is_of(&self, name: &str, via: Via) -> bool {
        self.kept.name == name && self.kept.via == via
    }
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) idle_ms: i64,
    pub(super) max_ms: i64,
}

impl Sessions {
    pub(super) fn put(&self, session: Session) -> Vec<Arc<Session>> {
        let mut all = self.0.write();
        let mut gone = Vec::new();
        while all.len() >= MOST_SESSIONS {
            let oldest = all.iter().min_by_key(|(_, session)| session.used_at.load(Ordering::Relaxed));
            let Some(hash) = oldest.map(|(hash, _)| *hash) else { break };
            gone.extend(all.remove(&hash));
        }
        all.insert(session.kept.token_hash, Arc::new(session));
        gone
    }

    /// Every one, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        let mut all: Vec<Arc<Session>> = self.0.read().values().cloned().collect();
        all.sort_by(|a, b| b.kept.created_at.cmp(&a.kept.created_at).then_with(|| a.id().cmp(b.id())));
        all
    }

    /// A map by hash is enough: nobody gets nearer to 256 random bits by the time that a look-up of their hash takes.
    fn find(&self, secret: &str) -> Option<Arc<Session>> {
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        self.0.read().get(&hash).cloned()
    }

    /// Takes away those that are meant.
    fn take(&self, meant: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        let mut taken = Vec::new();
        self.0.write().retain(|_, session| {
            let goes = meant(session);
            if goes {
                taken.push(Arc::clone(session));
            }
            !goes
        });
        taken
    }
}

impl People {
    /// Logs somebody in who proved who they are; gives the cookie to set. A session that the request came with ends,
    /// so that nobody is in a session that somebody else prepared.
    ///
    /// # Errors
    /// The system gives no randomness, or the session cannot be kept.
    pub fn begin(
        &self,
        identity: Identity,
        visit: &Visit,
        headers: &HeaderMap,
    ) -> Result<HeaderValue, PeopleError> {
        if let Some(old) = self.session_of(visit, headers) {
            self.end_where(|session| session.id() == old.id());
        }
        let now = clock::now();
        let secret = hex(&random()?);
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let Identity { name, role, select, via, subject } = identity;
        let kept = KeptSession {
            token_hash: Sha256::digest(secret.as_bytes()).into(),
            id: hex(&random()?[..8]),
            name,
            via,
            subject,
            role,
            select,
            created_at: now,
            used_at: now,
            ip: visit.ip.to_canonical().to_string(),
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
        };
        self.kept(self.state.record_session(&kept))?;
        if kept.via == Via::Password {
            self.seen(&kept.name, now);
        }
        self.note(&kept.name, Some(kept.via), &kept.ip, "login", &kept.id, "ok");
        let (name, via, role, select, id) =
            (kept.name.clone(), kept.via, kept.role, kept.select.clone(), kept.id.clone());
        self.drop_all(self.sessions.put(Session::new(kept)));
        self.tell_vouched(&Who { name: name.clone(), role, select: select.clone(), via });
        // The user may have been changed meanwhile.
        let is_so = |user: KeptUser| user.disabled_at.is_none() && user.role == role && user.select == select;
        if via == Via::Password && !self.user(&name).is_some_and(is_so) {
            self.end_where(|session| session.id() == id);
            return Err(PeopleError::Wrong);
        }
        self.cookie(visit, &secret, None)
    }

    /// Ends the session that a request came with; gives whose it was, and the cookie that takes its place.
    pub fn end_own(&self, visit: &Visit, headers: &HeaderMap) -> (Option<Who>, Option<HeaderValue>) {
        let own = self.session_of(visit, headers);
        if let Some(own) = &own {
            self.end_where(|session| session.id() == own.id());
            let KeptSession { name, via, id, .. } = &own.kept;
            self.note(name, Some(*via), &visit.ip.to_canonical().to_string(), "logout", id, "ok");
        }
        (own.map(|session| session.who()), self.cookie(visit, "", Some(0)).ok())
    }

    /// The open session that a request came with. It counts as used.
    pub fn session_of(&self, visit: &Visit, headers: &HeaderMap) -> Option<Arc<Session>> {
        let name = self.cookie_name(visit);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut secrets = pairs.filter(|(own, _)| *own == name).map(|(_, secret)| secret);
        let session = secrets.find_map(|secret| self.sessions.find(secret))?;
        let now = clock::now();
        if session.is_over(self.limits(), now) {
            self.end_where(|own| own.id() == session.id());
            return None;
        }
        session.used_at.fetch_max(now, Ordering::Relaxed);
        if now - session.use_kept_at.load(Ordering::Relaxed) >= USE_KEPT_EVERY_MS {
            session.use_kept_at.store(now, Ordering::Relaxed);
            // The next use is kept, where this one is not.
            self.state.record_session_use(session.id(), now);
        }
        Some(session)
    }

    /// Whether whoever has a session signed in not long ago, as what changes people needs.
    ///
    /// # Errors
    /// It is too long ago.
    pub fn is_fresh(&self, session: &str) -> Result<(), PeopleError> {
        let fresh_ms = self.settings().fresh_ms;
        let since = |session: &Arc<Session>| clock::now().saturating_sub(session.kept.created_at);
        let found = self.sessions().into_iter().find(|own| own.id() == session);
        if found.is_some_and(|session| since(&session) < fresh_ms) {
            return Ok(());
        }
        Err(PeopleError::Forbidden(format!(
            "This needs a sign-in of the last {}. Sign in again at /login?again, and then do this once more.",
            duration_ms(fresh_ms)
        )))
    }

    /// Every open session, the newest first.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        let (limits, now) = (self.limits(), clock::now());
        self.sessions.all().into_iter().filter(|session| !session.is_over(limits, now)).collect()
    }

    /// When a session ends at the latest.
    pub fn ends_at(&self, session: &Session) -> UnixMillis {
        session.kept.created_at.saturating_add(self.limits().max_ms)
    }

    /// Ends the sessions that are meant, with what is open for them; gives how many there were.
    pub fn end_where(&self, meant: impl Fn(&Session) -> bool) -> usize {
        let taken = self.sessions.take(meant);
        let count = taken.len();
        self.drop_all(taken);
        count
    }

    /// Ends every session of somebody.
    pub fn end_all_of(&self, name: &str, via: Via) -> usize {
        self.end_where(|session| session.is_of(name, via))
    }

    /// Ends what is over by itself.
    pub(super) fn sweep_sessions(&self, now: UnixMillis) {
        let limits = self.limits();
        self.end_where(|session| session.is_over(limits, now));
    }

    fn drop_all(&self, sessions: Vec<Arc<Session>>) {
        for session in sessions {
            session.ended.cancel();
            self.state.remove_session(session.id());
        }
    }

    /// Whether the browser reaches us over TLS.
    pub(super) fn is_https(&self, visit: &Visit) -> bool {
        visit.is_https || self.settings().is_https
    }

    fn cookie_name(&self, visit: &Visit) -> &'static str {
        if self.is_https(visit) && visit.base.is_empty() { HOST_COOKIE } else { COOKIE }
    }

    fn cookie(&self, visit: &Visit, secret: &str, max_age: Option<u64>) -> Result<HeaderValue, PeopleError> {
        let name = self.cookie_name(visit);
        let path = if visit.base.is_empty() { "/" } else { &visit.base };
        let secure = if self.is_https(visit) { "; Secure" } else { "" };
        let age = max_age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
        let text = format!("{name}={secret}; Path={path}; HttpOnly; SameSite=Lax{secure}{age}");
        HeaderValue::from_str(&text)
            .map_err(|_| PeopleError::Bad(format!("the base path `{path}` cannot be in a cookie")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{config::Config, state::StateFile};

    fn oidc(name: &str) -> Identity {
        Identity {
            name: name.to_owned(),
            role: Role::Operator,
            select: vec!["{team=\"a\"}".to_owned()],
            via: Via::Oidc,
            subject: Some("4711".to_owned()),
        }
    }

    async fn people() -> People {
        People::restore(Arc::new(StateFile::open(None)), &Config::default()).await
    }

    fn with_cookie(set: &HeaderValue) -> HeaderMap {
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        headers
    }

    #[tokio::test]
    async fn a_cookie_is_as_narrow_as_can_be() {
        let people = people().await;
        for (is_https, base, name, rest) in [
            (false, "", COOKIE, "Path=/; HttpOnly; SameSite=Lax"),
            (false, "/fleet", COOKIE, "Path=/fleet; HttpOnly; SameSite=Lax"),
            (true, "", HOST_COOKIE, "Path=/; HttpOnly; SameSite=Lax; Secure"),
            (true, "/fleet", COOKIE, "Path=/fleet; HttpOnly; SameSite=Lax; Secure"),
        ] {
            let visit = Visit::from_here(is_https, base);
            let cookie = people.begin(oidc("ada"), &visit, &HeaderMap::new()).unwrap();
            let text = cookie.to_str().unwrap();
            let (pair, attributes) = text.split_once("; ").unwrap();
            assert_eq!((pair.split_once('=').unwrap().0, attributes), (name, rest));
            let headers = with_cookie(&cookie);
            let who = people.session_of(&visit, &headers).unwrap().who();
            assert_eq!((who.name.as_str(), who.via, who.is_limited()), ("ada", Via::Oidc, true));
            let elsewhere = Visit { is_https: !is_https, base: String::new(), ..visit.clone() };
            if base.is_empty() {
                assert!(people.session_of(&elsewhere, &headers).is_none(), "under the other name it is none");
            }
            let (whose, gone) = people.end_own(&visit, &headers);
            assert_eq!(whose.map(|who| who.name).as_deref(), Some("ada"));
            assert!(gone.unwrap().to_str().unwrap().ends_with("; Max-Age=0"));
            assert!(people.session_of(&visit, &headers).is_none());
        }
    }

    #[tokio::test]
    async fn a_user_who_was_changed_while_they_signed_in_does_not_get_in() {
        let people = people().await;
        let visit = Visit::from_here(false, "");
        let gone = Identity { via: Via::Password, ..oidc("ada") };
        assert!(matches!(people.begin(gone, &visit, &HeaderMap::new()), Err(PeopleError::Wrong)));
        assert!(people.sessions().is_empty());
    }

    #[tokio::test]
    async fn what_goes_on_for_whoever_is_vouched_for_hears_what_they_may() {
        let people = people().await;
        let heard = Arc::new(parking_lot::Mutex::new(Vec::new()));
        let (gone, back) = (Arc::clone(&heard), Arc::clone(&heard));
        people.when_gone(
            move |who| gone.lock().push(format!("gone {who}")),
            move |who| back.lock().push(format!("back {who}")),
        );
        let visit = Visit::from_here(false, "");
        let whole = Identity { select: Vec::new(), ..oidc("ada") };
        people.begin(whole.clone(), &visit, &HeaderMap::new()).unwrap();
        people.begin(oidc("ada"), &visit, &HeaderMap::new()).unwrap();
        people.begin(Identity { role: Role::Viewer, ..whole }, &visit, &HeaderMap::new()).unwrap();
        assert_eq!(*heard.lock(), ["back oidc:ada", "gone oidc:ada", "gone oidc:ada"]);
    }

    #[tokio::test]
    async fn sessions_of_one_way_in_are_not_those_of_another() {
        let people = people().await;
        let visit = Visit::from_here(false, "");
        people.begin(oidc("ada"), &visit, &HeaderMap::new()).unwrap();
        assert_eq!(people.end_all_of("ada", Via::Password), 0);
        assert_eq!(people.end_all_of("ada", Via::Oidc), 1);
    }
}
