//! What an operator writes on a status page: made, changed, gone on with, taken away.

use std::sync::Arc;

use fleetglass_shared::{
    health::UnixMillis,
    scope::Scope,
    status::state_at,
    wire::{
        Impact, PostChange, PostDraft, PostKind, PostState, Severity, StatusPost, StatusUpdate, UpdateDraft,
    },
};

use super::{StatusPages, board, post};
use crate::{share::OpenShare, state::StateError};

/// A page has no more posts than this; those that are over go after 400 days.
const MOST_POSTS: usize = 1_000;
const REMEMBERED_MS: i64 = 400 * 86_400_000;
/// Somebody who does not confirm that they want to be told is forgotten after so long.
pub(super) const UNCONFIRMED_MS: i64 = 48 * 3_600_000;
/// Who writes when nobody does.
const ITSELF: &str = "Fleetglass";

/// Who writes.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    /// Their name, which readers are not told.
    pub name: &'a str,
    /// The part of the fleet that there is for them; all, if absent. Of ids outside nothing is said to them.
    pub part: Option<&'a Scope>,
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// There is no such post on this page.
    #[error("there is no such post on this page; /api/v1/status/{0}/posts lists them")]
    NoSuchPost(String),
    /// Something about it cannot be used.
    #[error("{0}")]
    Bad(String),
    /// There are too many.
    #[error("this page has {MOST_POSTS} posts already; delete some")]
    TooMany,
    /// It is not kept.
    #[error(transparent)]
    State(#[from] StateError),
}

impl StatusPages {
    /// The posts of a page as they are now, the newest first.
    pub fn posts(&self, share: &OpenShare, now: UnixMillis) -> Vec<StatusPost> {
        let mut posts = self.posts_of(share.id());
        posts.iter_mut().for_each(|post| post.state = state_at(post, now));
        posts
    }

    /// Writes a post; whoever subscribed is told.
    ///
    /// # Errors
    /// What is wrong with it; nothing is written.
    pub async fn write(
        &self,
        share: &OpenShare,
        draft: PostDraft,
        by: Writer<'_>,
        now: UnixMillis,
    ) -> Result<StatusPost, StatusError> {
        let _one = self.changing.lock().await;
        if self.posts_of(share.id()).len() >= MOST_POSTS {
            return Err(StatusError::TooMany);
        }
        let id = super::subscribe::random_id().map_err(|error| StatusError::Bad(error.to_string()))?;
        let names = self.names(share, by.part, now);
        let post = post::drafted(draft, &names, id, by.name, now).map_err(StatusError::Bad)?;
        let told = post.updates.first().cloned();
        self.keep(share.id(), post, told.as_ref(), now).await
    }

    /// Changes a post; nobody is told.
    ///
    /// # Errors
    /// As [`Self::write`]; there is no such post.
    pub async fn change(
        &self,
        share: &OpenShare,
        id: &str,
        change: PostChange,
        by: Writer<'_>,
        now: UnixMillis,
    ) -> Result<StatusPost, StatusError> {
        let _one = self.changing.lock().await;
        let old = self.post(share, id, now)?;
        let names = self.names(share, by.part, now);
        let post = post::changed(old, change, &names, now).map_err(StatusError::Bad)?;
        self.keep(share.id(), post, None, now).await
    }

    /// Says more of a post; whoever subscribed is told.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub async fn update(
        &self,
        share: &OpenShare,
        id: &str,
        draft: UpdateDraft,
        by: Writer<'_>,
        now: UnixMillis,
    ) -> Result<StatusPost, StatusError> {
        let _one = self.changing.lock().await;
        let old = self.post(share, id, now)?;
        let names = self.names(share, by.part, now);
        let post = post::updated(old, draft, &names, by.name, now).map_err(StatusError::Bad)?;
        let told = post.updates.first().cloned();
        self.keep(share.id(), post, told.as_ref(), now).await
    }

    /// Takes a post away.
    ///
    /// # Errors
    /// There is no such post, or it is not kept that it is gone.
    pub async fn remove(&self, share: &OpenShare, id: &str, now: UnixMillis) -> Result<(), StatusError> {
        let _one = self.changing.lock().await;
        self.post(share, id, now)?;
        if !self.sources.state.remove_status_post(id) {
            return Err(StateError::Busy.into());
        }
        self.sources.state.flush().await?;
        if let Some(posts) = self.posts.write().get_mut(share.id()) {
            posts.retain(|post| post.id != id);
        }
        self.sent.lock().remove(share.id());
        Ok(())
    }

    /// A post about an alert, for an operator to go on from; it says no more than readers of the page may know.
    pub fn draft_of(&self, share: &OpenShare, alert: &str, now: UnixMillis) -> Option<PostDraft> {
        let (node, severity, summary) = self.sources.shares.alert_on(share, alert, now)?;
        let (_, groups_only) = share.grouping();
        let parts = board::names(share, &self.members(), now);
        let is_there =
            |name: &String| parts.iter().any(|part| part.name == *name || part.nodes.contains(name));
        let affects: Vec<String> =
            std::iter::once(node).filter(|name| !groups_only && is_there(name)).collect();
        let text = match (summary.is_empty(), groups_only) {
            (false, false) => format!("We are investigating: {summary}"),
            _ => "We are investigating.".to_owned(),
        };
        Some(PostDraft {
            kind: PostKind::Incident,
            title: match affects.first() {
                Some(node) => format!("Trouble with {node}"),
                None => "Trouble with a part of the fleet".to_owned(),
            },
            text,
            state: Some(PostState::Investigating),
            impact: match severity {
                Severity::Critical => Impact::Major,
                _ => Impact::Minor,
            },
            affects,
            starts_at: None,
            ends_at: None,
        })
    }

    fn post(&self, share: &OpenShare, id: &str, now: UnixMillis) -> Result<StatusPost, StatusError> {
        let found = self.posts(share, now).into_iter().find(|post| post.id == id);
        found.ok_or_else(|| StatusError::NoSuchPost(share.slug().unwrap_or_default().to_owned()))
    }

    /// What may be named on a page, and what may not.
    fn names(&self, share: &OpenShare, part: Option<&Scope>, now: UnixMillis) -> post::Names {
        let mut members = self.members();
        // Else whoever may see a part only would learn by what is refused which nodes there are besides.
        members.retain(|(node, host)| part.is_none_or(|part| part.inside(node, host.as_deref()).is_some()));
        let inside = board::shown(share, &members);
        let parts = board::names(share, &members, now);
        let groups_only = share.grouping().1;
        let is_known = |id: &String| !groups_only && inside.get(id).is_some_and(|node| node.shown == *id);
        let is_part = |id: &String| parts.iter().any(|part| part.name == *id);
        let ids = members.into_iter().map(|(node, _)| node.id);
        let hidden = ids.filter(|id| !is_known(id) && !is_part(id)).collect();
        post::Names { parts, hidden }
    }

    /// Keeps a post as it is now, on disk before anybody is answered.
    async fn keep(
        &self,
        share: &str,
        post: StatusPost,
        told: Option<&StatusUpdate>,
        now: UnixMillis,
    ) -> Result<StatusPost, StatusError> {
        if !self.sources.state.record_status_post(share, &post, told, now) {
            return Err(StateError::Busy.into());
        }
        self.sources.state.flush().await?;
        let mut all = self.posts.write();
        let posts = all.entry(share.to_owned()).or_default();
        match posts.iter_mut().find(|own| own.id == post.id) {
            Some(own) => *own = post.clone(),
            None => posts.insert(0, post.clone()),
        }
        drop(all);
        self.sent.lock().remove(share);
        self.woken.notify_one();
        Ok(post)
    }

    /// Begins and ends maintenances whose time has come, and tells it.
    pub(super) async fn tick(&self, now: UnixMillis) {
        for share in self.sources.shares.public(now) {
            let due = |post: &StatusPost| {
                post.updates.first().is_some_and(|last| last.state != state_at(post, now))
            };
            if !self.posts.read().get(share.id()).is_some_and(|posts| posts.iter().any(due)) {
                continue;
            }
            let _one = self.changing.lock().await;
            for post in self.posts_of(share.id()).into_iter().filter(due) {
                if let Err(error) = self.turn(&share, post, now).await {
                    tracing::warn!("a maintenance cannot be kept as it is: {error}");
                }
            }
        }
    }

    async fn turn(
        &self,
        share: &Arc<OpenShare>,
        mut post: StatusPost,
        now: UnixMillis,
    ) -> Result<(), StatusError> {
        let state = state_at(&post, now);
        let words = match state {
            PostState::InProgress => "The maintenance has begun.",
            _ => "The maintenance is over.",
        };
        post::push(&mut post, state, words.to_owned(), ITSELF, now);
        let told = post.updates.first().cloned();
        self.keep(share.id(), post, told.as_ref(), now).await.map(drop)
    }

    /// Forgets what is old.
    pub(super) fn prune(&self, now: UnixMillis) {
        self.sources.state.prune_status(now - UNCONFIRMED_MS, now - REMEMBERED_MS);
        let is_kept = |post: &StatusPost| {
            let last = post.updates.first().map_or(post.created_at, |update| update.at);
            last.max(post.ends_at.unwrap_or_default()) >= now - REMEMBERED_MS
        };
        self.posts.write().retain(|share, posts| {
            posts.retain(is_kept);
            self.sources.shares.get(share).is_some()
        });
    }
}
