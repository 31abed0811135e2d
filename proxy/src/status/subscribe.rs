//! Who is told: they ask, they confirm that it was them, they end it. No answer tells whether an address is known.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use fleetglass_shared::{health::UnixMillis, wire::SubscriberKind};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{StatusPages, hook, write::UNCONFIRMED_MS};
use crate::{
    letters::hex,
    notify::Email,
    share::OpenShare,
    state::{KeptSubscriber, MOST_SUBSCRIBERS, StateError, StateFile},
};

/// Under this name the state file keeps the key.
const KEY: &str = "status_key";
/// So often an hour a visitor, all visitors of a page, and for an address may be asked.
const MOST_OF_VISITOR: usize = 10;
const MOST_OF_PAGE: usize = 200;
const MOST_OF_ADDRESS: usize = 3;
/// A longer address is none.
const MOST_MAIL: usize = 254;

/// What a link in a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be told from now on.
    Confirm,
    /// To be told no more.
    End,
}

impl Purpose {
    fn letter(self) -> &'static str {
        match self {
            Self::Confirm => "c",
            Self::End => "e",
        }
    }
}

/// Why somebody is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// That can be no address.
    #[error("{0}")]
    Bad(&'static str),
    /// They ask too often.
    #[error("too many have asked just now; try again in an hour")]
    TooOften,
    /// There are too many.
    #[error("no more subscribers are taken")]
    Full,
    /// It is not kept.
    #[error(transparent)]
    State(#[from] StateError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// What somebody is told who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A mail is on its way.
    Mail,
    /// A challenge is on its way; the secret of signatures, told this once.
    Hook(String),
}

/// The key of the state file, or a new one.
pub(super) async fn key(state: &StateFile) -> anyhow::Result<[u8; 32]> {
    if let Some(key) =
        state.kept(KEY).await.ok().flatten().and_then(|text| STANDARD.decode(text).ok()?.try_into().ok())
    {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    state.keep(KEY, &STANDARD.encode(key));
    Ok(key)
}

/// An id that nobody guesses.
pub(super) fn random_id() -> Result<String, SubscribeError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| SubscribeError::NoRandomness)?;
    Ok(hex(&bytes))
}

impl StatusPages {
    /// Somebody wants to be told by mail.
    ///
    /// # Errors
    /// The address is none, or they are not taken in; never that they are there already.
    pub async fn ask_by_mail(
        &self,
        share: &OpenShare,
        address: &str,
        visitor: IpAddr,
        now: UnixMillis,
    ) -> Result<Asked, SubscribeError> {
        if self.mailer().is_none() {
            return Err(SubscribeError::Bad("this page sends no mail"));
        }
        let address = address.trim();
        let is_plain =
            address.len() <= MOST_MAIL && !address.chars().any(|c| c.is_control() || c.is_whitespace());
        if !is_plain || address.parse::<lettre::Address>().is_err() {
            return Err(SubscribeError::Bad("that is no e-mail address"));
        }
        self.ask(share, SubscriberKind::Email, address, visitor, now).await?;
        Ok(Asked::Mail)
    }

    /// Somebody wants to be told by a request to their server.
    ///
    /// # Errors
    /// As [`Self::ask_by_mail`].
    pub async fn ask_by_hook(
        &self,
        share: &OpenShare,
        url: &str,
        visitor: IpAddr,
        now: UnixMillis,
    ) -> Result<Asked, SubscribeError> {
        let url = url.trim();
        let url = hook::checked(url, self.config.load().allow_private).map_err(SubscribeError::Bad)?;
        let id = self.ask(share, SubscriberKind::Webhook, url.as_str(), visitor, now).await?;
        Ok(Asked::Hook(format!("whsec_{}", STANDARD.encode(self.secret(&id)))))
    }

    async fn ask(
        &self,
        share: &OpenShare,
        kind: SubscriberKind,
        address: &str,
        visitor: IpAddr,
        now: UnixMillis,
    ) -> Result<String, SubscribeError> {
        let id = random_id()?;
        let (may_ask, is_quiet) = {
            let mut limits = self.limits.lock();
            let may_ask = limits.allows(&format!("ip {visitor}"), MOST_OF_VISITOR, now)
                && limits.allows(&format!("page {}", share.id()), MOST_OF_PAGE, now);
            let key = format!("to {} {}", share.id(), hex(&self.mac("limit", &address.to_lowercase())));
            (may_ask, may_ask && !limits.allows(&key, MOST_OF_ADDRESS, now))
        };
        if !may_ask {
            return Err(SubscribeError::TooOften);
        }
        if self.sources.state.subscriber_counts().await?.0 >= MOST_SUBSCRIBERS {
            return Err(SubscribeError::Full);
        }
        // Whoever asks for an address again and again is told the same, and it hears no more of it.
        if !is_quiet {
            let (share, address) = (share.id().to_owned(), address.to_owned());
            let new =
                KeptSubscriber { id: id.clone(), share, kind, address, created_at: now, confirmed_at: None };
            if !self.sources.state.record_subscriber(&new) {
                return Err(StateError::Busy.into());
            }
            self.sources.state.flush().await?;
            self.woken.notify_one();
        }
        Ok(id)
    }

    /// Whom a link in a mail is about, and what it is for.
    ///
    /// # Errors
    /// The state file cannot answer.
    pub async fn read_link(
        &self,
        token: &str,
        now: UnixMillis,
    ) -> Result<Option<(Purpose, KeptSubscriber)>, StateError> {
        let mut parts = token.split('.');
        let (Some(letter), Some(id), Some(mac), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let purpose = [Purpose::Confirm, Purpose::End].into_iter().find(|purpose| purpose.letter() == letter);
        let Some(purpose) = purpose.filter(|purpose| self.is_ours(*purpose, id, mac)) else {
            return Ok(None);
        };
        let found = self.sources.state.subscriber(id).await?;
        let is_late = |to: &KeptSubscriber| {
            purpose == Purpose::Confirm && to.confirmed_at.is_none() && now - to.created_at > UNCONFIRMED_MS
        };
        Ok(found.filter(|to| !is_late(to)).map(|to| (purpose, to)))
    }

    fn is_ours(&self, purpose: Purpose, id: &str, mac: &str) -> bool {
        use subtle::ConstantTimeEq;
        let own = hex(&self.mac(purpose.letter(), id));
        own.as_bytes().ct_eq(mac.as_bytes()).into()
    }

    /// Does what a link is for.
    ///
    /// # Errors
    /// It is not kept.
    pub async fn follow(
        &self,
        purpose: Purpose,
        to: &KeptSubscriber,
        now: UnixMillis,
    ) -> Result<(), StateError> {
        let taken = match purpose {
            Purpose::Confirm => self.sources.state.confirm_subscriber(&to.id, now),
            Purpose::End => self.sources.state.remove_subscriber(&to.id),
        };
        if !taken {
            return Err(StateError::Busy);
        }
        self.sources.state.flush().await
    }

    /// The title of the page that a subscriber is told of, while it is open.
    pub fn title_for(&self, to: &KeptSubscriber, now: UnixMillis) -> Option<(String, String)> {
        let share = self.sources.shares.get(&to.share)?;
        let slug = share.slug()?.to_owned();
        self.find(&slug, now).filter(|open| open.id() == to.share)?;
        Some((share.shared_with().title, slug))
    }

    /// The link that a mail has.
    pub(super) fn link(&self, purpose: Purpose, id: &str) -> String {
        let mac = hex(&self.mac(purpose.letter(), id));
        let base = self.sources.notify.plan().external_url().to_owned();
        format!("{base}/n/status/{}.{id}.{mac}", purpose.letter())
    }

    /// The secret that a web hook's requests are signed with.
    pub(super) fn secret(&self, id: &str) -> [u8; 32] {
        self.mac("secret", id)
    }

    fn mac(&self, what: &str, text: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(what.as_bytes());
        mac.update(b":");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The mail server that mails go through, if any.
    pub(super) fn mailer(&self) -> Option<Email> {
        self.sources.notify.plan().email(self.config.load().mail.as_deref()?).cloned()
    }
}
