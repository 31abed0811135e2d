//! Public status pages at `/status/{slug}`: how the nodes of a share link do, what an operator writes of incidents and
//! maintenance, and who is told of it.
//!
//! | module | is |
//! |---|---|
//! | this file | [`StatusPages`]: the pages as they are sent, kept for a moment |
//! | `board` | what a page shows, worked out from the nodes inside its link's scope |
//! | `planned` | the config's maintenance windows, as far as they are about these nodes |
//! | `page`, `feed` | as HTML, and as RSS, JSON Feed and JSON |
//! | `write`, `post` | what is written, checked and kept; maintenance that begins and ends by itself |
//! | `subscribe`, `limit` | who is told: asked, confirmed, taken away |
//! | `deliver`, `mail`, `hook` | how they are told, with retries over a restart |
//!
//! Nothing is shown but what `fleetglass_shared::scope` lets out.

mod board;
mod deliver;
mod feed;
mod hook;
mod limit;
mod mail;
mod page;
mod planned;
mod post;
mod subscribe;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use bytes::Bytes;
use fleetglass_shared::{
    health::UnixMillis,
    wire::{NodeSummary, StatusPage, StatusPages as Told, StatusPost},
};
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};

use self::{
    board::{Board, Facts},
    feed::Place,
    hook::Hooks,
    limit::Limits,
    page::Ways,
};
pub use subscribe::{Asked, Purpose, SubscribeError};
pub use write::{StatusError, Writer};

use crate::{
    config::StatusConfig,
    egress::Egress,
    fleet::Fleet,
    notify::Notify,
    share::{OpenShare, Shares},
    state::{StateError, StateFile, uptime::History},
};

/// A page is worked out again after so long.
const FRESH_MS: i64 = 10_000;
/// The same of the days of all nodes.
const HISTORY_MS: i64 = 60_000;

/// What status pages are made of.
pub struct Sources {
    /// What is kept.
    pub state: Arc<StateFile>,
    /// How the nodes do now.
    pub fleet: Arc<Fleet>,
    /// Which nodes a page shows.
    pub shares: Arc<Shares>,
    /// Whether we can know anything.
    pub egress: Arc<Egress>,
    /// The mail servers of its receivers, and where people reach us.
    pub notify: Arc<Notify>,
}

/// Every public status page.
pub struct StatusPages {
    sources: Sources,
    config: ArcSwap<StatusConfig>,
    /// What secrets and links are made with.
    key: [u8; 32],
    /// By the link whose page it is on, the newest first.
    posts: RwLock<BTreeMap<String, Vec<StatusPost>>>,
    /// One change at a time, so that none is lost.
    changing: tokio::sync::Mutex<()>,
    sent: Mutex<BTreeMap<String, Sent>>,
    /// One page is worked out at a time, however many ask.
    working: tokio::sync::Mutex<Option<Arc<History>>>,
    limits: Mutex<Limits>,
    hooks: Hooks,
    /// There may be something to deliver.
    woken: tokio::sync::Notify,
}

/// A page as it was sent last.
#[derive(Clone)]
struct Sent {
    at: UnixMillis,
    /// The link as it was then.
    share: Arc<OpenShare>,
    page: Arc<Page>,
}

/// A page in all its forms.
#[derive(Debug)]
pub struct Page {
    /// HTML.
    pub html: Form,
    /// RSS 2.0.
    pub rss: Form,
    /// JSON Feed 1.1.
    pub json: Form,
    /// The state in short.
    pub summary: Form,
    /// When something was written last.
    pub modified: Option<UnixMillis>,
    /// Who may embed it.
    pub origins: Vec<String>,
}

/// One form of a page.
#[derive(Debug)]
pub struct Form {
    /// What is sent.
    pub body: Bytes,
    /// Changes with it.
    pub etag: String,
}

impl Page {
    /// What the page may load, and who may embed it.
    pub fn policy(&self) -> String {
        Self::policy_of(&self.origins)
    }

    /// The same of any page of this look.
    pub fn policy_of(origins: &[String]) -> String {
        let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
        format!("{}; frame-ancestors {ancestors}", page::policy())
    }
}

impl Form {
    fn of(text: String) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        Self { etag: format!("W/\"{}\"", crate::letters::hex(&hash[..12])), body: text.into() }
    }
}

impl StatusPages {
    /// The pages, with what was written on them.
    ///
    /// # Errors
    /// The system gives no randomness, or its TLS cannot be used.
    pub async fn restore(sources: Sources, config: StatusConfig) -> anyhow::Result<Self> {
        let posts = sources.state.status_posts().await.unwrap_or_else(|error| {
            tracing::warn!("what was written on status pages cannot be read: {error}");
            BTreeMap::new()
        });
        let key = subscribe::key(&sources.state).await?;
        Ok(Self {
            sources,
            config: ArcSwap::from_pointee(config),
            key,
            posts: RwLock::new(posts),
            changing: tokio::sync::Mutex::default(),
            sent: Mutex::default(),
            working: tokio::sync::Mutex::default(),
            limits: Mutex::default(),
            hooks: Hooks::new()?,
            woken: tokio::sync::Notify::new(),
        })
    }

    /// Goes by another config from now on.
    pub fn set_config(&self, config: StatusConfig) {
        self.config.store(Arc::new(config));
        self.sent.lock().clear();
    }

    /// The link of a page, while there is such a page.
    pub fn find(&self, slug: &str, now: UnixMillis) -> Option<Arc<OpenShare>> {
        self.sources.shares.find_slug(slug, now)
    }

    /// A small page of the same look: a title, and HTML.
    pub fn small(title: &str, inside: &maud::Markup) -> String {
        page::small(title, inside)
    }

    /// A page as it is now, or was a moment ago.
    ///
    /// # Errors
    /// The state file cannot answer.
    pub async fn page(&self, share: &Arc<OpenShare>, now: UnixMillis) -> Result<Arc<Page>, StateError> {
        if let Some(page) = self.fresh(share, now) {
            return Ok(page);
        }
        let mut history = self.working.lock().await;
        // Somebody else may have worked it out meanwhile.
        if let Some(page) = self.fresh(share, now) {
            return Ok(page);
        }
        let history = match history.as_ref() {
            Some(history) if (0..HISTORY_MS).contains(&(now - history.now)) => Arc::clone(history),
            _ => {
                let new = Arc::new(self.sources.state.history(now).await?);
                *history = Some(Arc::clone(&new));
                new
            }
        };
        let posts = self.posts_of(share.id());
        let facts = Facts {
            share,
            members: self.members(),
            history: &history,
            posts: &posts,
            windows: &self.sources.shares.windows(),
            offline_since: self.sources.egress.down_since(),
            now,
        };
        let ways = self.ways();
        // Many nodes take a while, in which others go on.
        let page = tokio::task::block_in_place(|| self.worked_out(&facts, ways));
        let page = Arc::new(page);
        let sent = Sent { at: now, share: Arc::clone(share), page: Arc::clone(&page) };
        let mut all = self.sent.lock();
        // Of links that are no more nothing is kept.
        all.retain(|_, sent| (0..FRESH_MS).contains(&(now - sent.at)));
        all.insert(share.id().to_owned(), sent);
        Ok(page)
    }

    fn worked_out(&self, facts: &Facts<'_>, ways: Ways) -> Page {
        let board = Board::of(facts);
        let url = self.url(&board.slug);
        let place = Place(&url);
        Page {
            html: Form::of(page::page(&board, ways)),
            rss: Form::of(feed::rss(&board, &place)),
            json: Form::of(feed::json_feed(&board, &place).to_string()),
            summary: Form::of(feed::summary(&board, &place).to_string()),
            modified: feed::modified(&board),
            origins: facts.share.origins().to_vec(),
        }
    }

    fn fresh(&self, share: &Arc<OpenShare>, now: UnixMillis) -> Option<Arc<Page>> {
        let sent = self.sent.lock().get(share.id()).cloned()?;
        let is_fresh = Arc::ptr_eq(&sent.share, share) && (0..FRESH_MS).contains(&(now - sent.at));
        is_fresh.then_some(sent.page)
    }

    /// Somebody looks at a page.
    pub fn viewed(&self, share: &OpenShare, now: UnixMillis) {
        self.sources.shares.viewed(share, now);
    }

    /// Every page that there is now and that is `meant`, for those who may write on it.
    ///
    /// # Errors
    /// The state file cannot answer.
    pub async fn told(
        &self,
        meant: impl Fn(&OpenShare) -> bool,
        now: UnixMillis,
    ) -> Result<Told, StateError> {
        let (_, subscribers) = self.sources.state.subscriber_counts().await?;
        let members = self.members();
        let is_open = |post: &StatusPost| !fleetglass_shared::status::state_at(post, now).is_over();
        let meant = self.sources.shares.public(now).into_iter().filter(|share| meant(share));
        let pages = meant.map(|share| StatusPage {
            slug: share.slug().unwrap_or_default().to_owned(),
            share: share.id().to_owned(),
            title: share.shared_with().title,
            parts: board::names(&share, &members, now),
            open: self.posts_of(share.id()).iter().filter(|post| is_open(post)).count(),
            mail: self.ways().mail,
            subscribers: subscribers.get(share.id()).copied().unwrap_or_default(),
        });
        Ok(Told { pages: pages.collect() })
    }

    fn posts_of(&self, share: &str) -> Vec<StatusPost> {
        self.posts.read().get(share).cloned().unwrap_or_default()
    }

    fn members(&self) -> Vec<(NodeSummary, Option<String>)> {
        self.sources.fleet.members()
    }

    fn ways(&self) -> Ways {
        Ways { mail: self.mailer().is_some() }
    }

    /// Where a page is, as others reach it.
    fn url(&self, slug: &str) -> String {
        format!("{}/status/{slug}", self.sources.notify.plan().external_url())
    }
}
