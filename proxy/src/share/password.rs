//! Passwords of share links: tried no faster than is told here, remembered in a session.

use std::collections::BTreeMap;

use fleetglass_shared::health::UnixMillis;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::{OpenShare, random};
use crate::auth::password;
use crate::letters::hex;

/// So many tries are free; after each further one the next waits twice as long.
const FREE: u32 = 5;
const LONGEST_WAIT_MS: i64 = 60_000;
/// A session ends after so long.
pub(super) const SESSION_MS: i64 = 12 * 3_600_000;
const MOST_SESSIONS: usize = 10_000;

/// Tries of a link's password.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failed: u32,
    not_before: UnixMillis,
}

/// Why a password does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// It is another.
    Wrong,
    /// Try again after so many seconds.
    TooSoon(u64),
}

/// Those who gave a password. They are forgotten when the proxy ends.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<[u8; 32], Session>>);

#[derive(Debug)]
struct Session {
    share: String,
    until: UnixMillis,
}

/// Whether a password opens a link.
///
/// # Errors
/// It does not, or it was tried too often.
pub(super) async fn check(share: &OpenShare, password: String, now: UnixMillis) -> Result<(), PasswordError> {
    {
        let mut tries = share.tries().lock();
        if now < tries.not_before {
            return Err(PasswordError::TooSoon((tries.not_before - now).unsigned_abs().div_ceil(1000)));
        }
        // Counted before it is looked at, so that many at one time are many.
        tries.failed += 1;
        if tries.failed > FREE {
            let doubled = 1_000_i64 << (tries.failed - FREE - 1).min(10);
            tries.not_before = now + doubled.min(LONGEST_WAIT_MS);
        }
    }
    let Some(held) = share.password().map(str::to_owned) else { return Ok(()) };
    if !password::fits(password, held).await {
        return Err(PasswordError::Wrong);
    }
    *share.tries().lock() = Tries::default();
    Ok(())
}

impl Sessions {
    /// Opens a link with its password; gives what the session's cookie holds.
    ///
    /// # Errors
    /// It is wrong, or was tried too often.
    pub async fn begin(
        &self,
        share: &OpenShare,
        password: String,
        now: UnixMillis,
    ) -> Result<String, PasswordError> {
        check(share, password, now).await?;
        let secret = hex(&random().map_err(|_| PasswordError::TooSoon(1))?);
        let mut sessions = self.0.lock();
        sessions.retain(|_, session| session.until > now);
        while sessions.len() >= MOST_SESSIONS {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.until).map(|(hash, _)| *hash);
            oldest.map(|hash| sessions.remove(&hash));
        }
        let session = Session { share: share.id().to_owned(), until: now + SESSION_MS };
        sessions.insert(Sha256::digest(secret.as_bytes()).into(), session);
        Ok(secret)
    }

    /// Whether a cookie is of a session of this link.
    pub fn holds(&self, share: &OpenShare, secret: &str, now: UnixMillis) -> bool {
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let sessions = self.0.lock();
        sessions.get(&hash).is_some_and(|session| session.share == share.id() && now < session.until)
    }

    /// Ends the sessions of a link.
    pub(super) fn forget(&self, share: &str) {
        self.0.lock().retain(|_, session| session.share != share);
    }
}
