//! Everybody who is known: users, sessions, tokens, and how fast passwords may be tried.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard as Loaded};
use fleetglass_shared::health::UnixMillis;
use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;

use super::{
    Role, Via, Who,
    api_token::{ApiToken, ApiTokens},
    session::{Identity, Limits, Session, Sessions},
    throttle::Throttle,
};
use crate::{
    clock,
    config::Config,
    state::{KeptUser, StateError, StateFile, users_set_aside},
};

/// What is over by itself is looked for so often, so that its open streams end.
const SWEEP_EVERY: Duration = Duration::from_millis(500);

/// What of the audit log is too old goes so often.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Everybody who is known. The state file has them all; here they are found fast.
pub struct People {
    pub(super) state: Arc<StateFile>,
    pub(super) users: RwLock<BTreeMap<String, KeptUser>>,
    pub(super) sessions: Sessions,
    pub(super) api_tokens: ApiTokens,
    pub(super) throttle: Throttle,
    settings: ArcSwap<Settings>,
    /// Other ways to log in than a password: what the link says, and where it leads.
    ways: ArcSwap<Vec<Way>>,
    /// Who there is could not be read: nobody is let in by what is missing.
    is_unread: AtomicBool,
    /// What else ends with somebody who may do less than before.
    gone: OnceLock<Heard>,
    /// What goes on with somebody who has proved anew who they are.
    back: OnceLock<Heard>,
    /// One change at a time, so that none is lost.
    pub(super) changing: tokio::sync::Mutex<()>,
}

/// Hears of somebody, by the [key](Who::key) that tells them from others of the same name.
type Heard = Box<dyn Fn(&str) + Send + Sync>;

/// A way to log in beside the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What the link says: `Sign in with …`.
    pub label: String,
    /// Where it leads, below the base path: `/login/oidc`.
    pub href: String,
    /// By what.
    pub via: Via,
}

/// What the config says of logging in.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    asks: bool,
    /// The config has admins of its own.
    pub(super) has_other_admins: bool,
    /// A sign-in is fresh for so long.
    pub(super) fresh_ms: i64,
    /// How long the audit log is kept.
    pub(super) audit_ms: i64,
    limits: Limits,
    /// Browsers reach us over TLS.
    pub(super) is_https: bool,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            asks: config.auth.asks() || !config.server.listen.ip().is_loopback(),
            has_other_admins: config.auth.tokens.iter().any(|token| token.role == Role::Admin),
            fresh_ms: config.auth.fresh_login.as_time(),
            audit_ms: config.auth.audit_retention.as_time(),
            limits: Limits {
                idle_ms: config.auth.session_idle.as_time(),
                max_ms: config.auth.session_max.as_time(),
            },
            is_https: config.external_url().starts_with("https://"),
        }
    }
}

/// Why something about people cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Something is wrong with what was asked for.
    #[error("{0}")]
    Bad(String),
    /// There is none.
    #[error("{0}")]
    NotFound(String),
    /// It would leave nobody, or is there already.
    #[error("{0}")]
    Conflict(String),
    /// It is not theirs to do.
    #[error("{0}")]
    Forbidden(String),
    /// The name or the password is not right.
    #[error("The name or the password is not right.")]
    Wrong,
    /// Tried too often: so many seconds are to wait.
    #[error("Too many tries. Try again in {0} s.")]
    TooSoon(u64),
    /// It is not kept.
    #[error(transparent)]
    State(#[from] StateError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

impl People {
    /// Those who are kept.
    pub async fn restore(state: Arc<StateFile>, config: &Config) -> Self {
        let users = state.users().await;
        let sessions = state.sessions().await;
        let tokens = state.tokens().await;
        let mut is_unread = false;
        let mut read = |what: &str, error: &StateError| {
            tracing::error!("{what} cannot be read, so nobody gets in that way: {error}");
            is_unread = true;
        };
        let users = users.inspect_err(|error| read("users", error)).unwrap_or_default();
        let sessions = sessions.inspect_err(|error| read("sessions", error)).unwrap_or_default();
        let tokens = tokens.inspect_err(|error| read("tokens", error)).unwrap_or_default();
        let people = Self {
            state,
            users: RwLock::new(users.into_iter().map(|user| (user.name.clone(), user)).collect()),
            sessions: Sessions::default(),
            api_tokens: ApiTokens::default(),
            throttle: Throttle::default(),
            settings: ArcSwap::from_pointee(Settings::of(config)),
            ways: ArcSwap::default(),
            is_unread: AtomicBool::new(is_unread),
            gone: OnceLock::new(),
            back: OnceLock::new(),
            changing: tokio::sync::Mutex::default(),
        };
        for session in sessions {
            if let (Via::Password, Ok(ip)) = (session.via, session.ip.parse()) {
                people.throttle.knows(ip, &session.name, session.created_at);
            }
            people.sessions.put(Session::new(session));
        }
        for token in tokens {
            people.api_tokens.put(ApiToken::new(token));
        }
        people
    }

    /// Whether everybody is asked who they are.
    pub fn asks(&self) -> bool {
        self.settings().asks || self.has_users() || !self.ways.load().is_empty()
    }

    /// Whether there are users, or it is not known that there are none.
    pub fn has_users(&self) -> bool {
        self.is_unread.load(Ordering::Relaxed) || !self.users.read().is_empty()
    }

    /// Looks for users that were lost with a state file that was set aside: without them a listener would be open that was
    /// not meant to be.
    pub fn look_for_lost(&self, folder: &Path) {
        if self.has_users() {
            return;
        }
        if let Some(aside) = users_set_aside(folder) {
            tracing::error!(
                "{} was set aside, and users are in it: everybody is asked who they are. Make them anew with \
                 `fleetglass user add --data-dir {}`, or move that file away",
                aside.display(),
                folder.display()
            );
            self.is_unread.store(true, Ordering::Relaxed);
        }
    }

    /// Takes what a config says of logging in.
    pub fn set_config(&self, config: &Config) {
        self.settings.store(Arc::new(Settings::of(config)));
    }

    /// Has `gone` hear of whoever was removed, or may no longer act on the whole fleet, and `back` of whoever somebody else
    /// vouches for and who may. The first ones stay.
    pub fn when_gone(
        &self,
        gone: impl Fn(&str) + Send + Sync + 'static,
        back: impl Fn(&str) + Send + Sync + 'static,
    ) {
        let _ = self.gone.set(Box::new(gone));
        let _ = self.back.set(Box::new(back));
    }

    pub(super) fn tell_gone(&self, name: &str, via: Via) {
        if let Some(gone) = self.gone.get() {
            gone(&Who::key_of(via, name));
        }
    }

    /// Somebody is here of whom only somebody else knows what they may do, and has just said it.
    pub fn tell_vouched(&self, who: &Who) {
        let heard = if who.role >= Role::Operator && !who.is_limited() { &self.back } else { &self.gone };
        if let Some(heard) = heard.get().filter(|_| who.is_vouched_for()) {
            heard(&who.key());
        }
    }

    /// Other ways to log in than a password.
    pub fn ways(&self) -> Arc<Vec<Way>> {
        self.ways.load_full()
    }

    /// Sets the other ways to log in. With any, everybody is asked who they are.
    pub fn set_ways(&self, ways: Vec<Way>) {
        self.ways.store(Arc::new(ways));
    }

    pub(super) fn settings(&self) -> Loaded<Arc<Settings>> {
        self.settings.load()
    }

    pub(super) fn limits(&self) -> Limits {
        self.settings().limits
    }

    /// Ends what is over, until it is cancelled.
    pub async fn keep_watch(self: Arc<Self>, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Else the first name that nobody has would take longer than the others.
        super::password::fits_nobody(String::new()).await;
        let mut prunes = tokio::time::interval(PRUNE_EVERY);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => self.sweep(clock::now()),
                _ = prunes.tick() => self.prune_audit(),
            }
        }
    }

    fn sweep(&self, now: UnixMillis) {
        self.sweep_sessions(now);
        self.sweep_tokens(now);
    }

    /// Returns when all that was changed is on disk.
    ///
    /// # Errors
    /// It is not.
    pub async fn flush(&self) -> Result<(), PeopleError> {
        Ok(self.state.flush().await?)
    }

    /// Whether the state file took something.
    pub(super) fn kept(&self, taken: bool) -> Result<(), PeopleError> {
        if taken { Ok(()) } else { Err(StateError::Busy.into()) }
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").field("asks", &self.asks()).finish_non_exhaustive()
    }
}

impl KeptUser {
    /// As somebody who proved to be this user.
    pub(super) fn identity(&self) -> Identity {
        Identity {
            name: self.name.clone(),
            role: self.role,
            select: self.select.clone(),
            via: Via::Password,
            subject: None,
        }
    }

    /// Whether what was proved of somebody is still so.
    pub(super) fn is_as_proved(&self, then: &Self) -> bool {
        let what = |user: &Self| (user.password.clone(), user.role, user.select.clone(), user.disabled_at);
        what(self) == what(then)
    }

    pub(super) fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && self.select.is_empty() && self.disabled_at.is_none()
    }
}

/// 256 random bits.
pub(super) fn random() -> Result<[u8; 32], PeopleError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| PeopleError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn nobody_gets_in_by_what_cannot_be_read() {
        let state = Arc::new(StateFile::open(None));
        let people = People::restore(Arc::clone(&state), &Config::default()).await;
        assert!(!people.asks() && !people.has_users());
        let put = "INSERT INTO user VALUES ('x', 'root', '[]', 'p', 'x', 1, 1, NULL, NULL)";
        state.ask(move |connection| connection.execute(put, [])).await.unwrap();
        let people = People::restore(state, &Config::default()).await;
        assert!(people.asks() && people.has_users() && people.users().is_empty());
    }

    #[tokio::test]
    async fn whoever_can_be_reached_by_others_asks() {
        let mut config = Config::default();
        config.server.listen.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
        let people = People::restore(Arc::new(StateFile::open(None)), &config).await;
        assert!(people.asks(), "also when the last user is gone");
        let people = People::restore(Arc::new(StateFile::open(None)), &Config::default()).await;
        people.set_ways(vec![Way { label: "X".into(), href: "/login/oidc".into(), via: Via::Oidc }]);
        assert!(people.asks());
    }
}
