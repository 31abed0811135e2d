//! Links as they would be, for whoever makes them to look at: a link before it is made or changed, and one that is,
//! as its viewers see it. None of these has a token, is listed or kept, counts a view, or asks for a password.

use std::{collections::BTreeMap, sync::Arc};

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Share, ShareChange},
};
use parking_lot::Mutex;

use super::{OpenShare, ShareError, Shares, random, wish};
use crate::letters::hex;
use crate::state::KeptShare;

/// One that nobody looks at ends after so long.
const LIVES_MS: i64 = 10 * 60_000;
/// More are not needed at one time: the oldest goes.
const MOST: usize = 100;

/// By their ids; a link that is looked at has the id of the link.
#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<BTreeMap<String, Draft>>);

#[derive(Debug)]
struct Draft {
    share: Arc<OpenShare>,
    until: UnixMillis,
}

impl Drafts {
    fn put(&self, kept: KeptShare, now: UnixMillis) -> Result<Arc<OpenShare>, ShareError> {
        let (id, share) = (kept.id.clone(), Arc::new(OpenShare::preview(kept)?));
        let mut drafts = self.0.lock();
        while drafts.len() >= MOST && !drafts.contains_key(&id) {
            let oldest = drafts.iter().min_by_key(|(_, draft)| draft.until).map(|(id, _)| id.clone());
            if let Some(gone) = oldest.and_then(|id| drafts.remove(&id)) {
                gone.share.close();
            }
        }
        let draft = Draft { share: Arc::clone(&share), until: now + LIVES_MS };
        if let Some(before) = drafts.insert(id, draft) {
            before.share.close();
        }
        Ok(share)
    }

    fn get(&self, id: &str, now: UnixMillis) -> Option<Arc<OpenShare>> {
        let mut drafts = self.0.lock();
        let draft = drafts.get_mut(id).filter(|draft| now < draft.until)?;
        draft.until = now + LIVES_MS;
        Some(Arc::clone(&draft.share))
    }

    /// Those that live; the others end.
    pub(super) fn all(&self, now: UnixMillis) -> Vec<Arc<OpenShare>> {
        let mut drafts = self.0.lock();
        drafts.retain(|_, draft| {
            if draft.share.viewers() > 0 {
                draft.until = now + LIVES_MS;
            }
            if now >= draft.until {
                draft.share.close();
            }
            now < draft.until
        });
        drafts.values().map(|draft| Arc::clone(&draft.share)).collect()
    }

    /// Ends the one of a link.
    pub(super) fn end(&self, id: &str) {
        if let Some(draft) = self.0.lock().remove(id) {
            draft.share.close();
        }
    }

    /// Ends every one.
    pub(super) fn close(&self) {
        self.0.lock().values().for_each(|draft| draft.share.close());
    }
}

impl Shares {
    /// A link as it would be, or as the link `of` would be after a change; in place of the draft `instead`. Gives it
    /// with the id under which it is looked at.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn draft(
        &self,
        wish: ShareChange,
        (of, instead): (Option<&str>, Option<&str>),
        by: &str,
        now: UnixMillis,
    ) -> Result<Share, ShareError> {
        let kept = match of {
            None => wish::blank(&wish, by, now)?.0,
            Some(id) => self.get(id).ok_or(ShareError::NoSuchShare)?.kept_now(),
        };
        let mut kept = wish::checked(kept, wish, now)?;
        kept.id = hex(&random()?[..8]);
        // The id of a link would be that of its preview.
        if let Some(instead) = instead.filter(|id| self.get(id).is_none()) {
            self.drafts.end(instead);
        }
        Ok(self.tell(&*self.drafts.put(kept, now)?))
    }

    /// A draft, or a link as its viewers see it.
    pub fn preview(&self, id: &str, now: UnixMillis) -> Option<Arc<OpenShare>> {
        self.drafts.get(id, now).or_else(|| self.drafts.put(self.get(id)?.kept_now(), now).ok())
    }
}
