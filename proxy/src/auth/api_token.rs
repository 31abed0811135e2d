//! Tokens that people make for programs: narrower than their makers, and with an end.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::http::HeaderMap;
use fleetglass_shared::{
    health::UnixMillis,
    labels::Selector,
    scope::node_selector,
    wire::{self, NewToken},
};
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    People, PeopleError, Role, Via, Who, hex, random,
    session::USE_KEPT_EVERY_MS,
    token::bearer,
    users::{role_of, selectors},
};
use crate::{clock, edge::Visit, state::KeptToken};

/// What a token begins with, so that it is known where it is found.
const PREFIX: &str = "fgt_";
/// What a token may be narrowed to. The words are those of the table of routes.
pub const SCOPES: [&str; 7] = ["read", "alerts", "marks", "shares", "write", "history", "people"];
/// A token ends after a year at the latest.
const LONGEST_MS: i64 = 365 * 86_400_000;
/// One that ended is shown for so long.
const REMEMBERED_MS: i64 = 30 * 86_400_000;
const MOST_OF_ONE: usize = 100;
const MOST_TOKENS: usize = 5_000;
/// Characters of a name.
const NAME: std::ops::RangeInclusive<usize> = 1..=64;

/// A token that somebody made.
pub struct ApiToken {
    kept: KeptToken,
    used: Mutex<Option<(UnixMillis, String)>>,
    use_kept_at: AtomicI64,
    /// What is open for it ends with it, or when its maker is changed.
    ended: Mutex<CancellationToken>,
}

/// Every token, by its hash.
#[derive(Default)]
pub(super) struct ApiTokens(RwLock<HashMap<[u8; 32], Arc<ApiToken>>>);

impl ApiToken {
    pub(super) fn new(kept: KeptToken) -> Self {
        let used = kept.used_at.zip(kept.used_from.clone());
        let kept_at = AtomicI64::new(kept.used_at.unwrap_or(UnixMillis::MIN));
        Self { kept, used: Mutex::new(used), use_kept_at: kept_at, ended: Mutex::default() }
    }

    /// Its id, which opens nothing.
    pub fn id(&self) -> &str {
        &self.kept.id
    }

    /// What it may be used for; everything that its role may, with none.
    pub fn scopes(&self) -> &[String] {
        &self.kept.scopes
    }

    /// Whether somebody made it.
    pub fn is_of(&self, name: &str, via: Via) -> bool {
        self.kept.owner == name && self.kept.owner_via == via
    }

    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.lock().clone()
    }

    /// Ends what is open for it.
    fn cut_off(&self) {
        std::mem::take(&mut *self.ended.lock()).cancel();
    }

    /// As it is told, but for the token itself.
    pub fn told(&self) -> wire::Token {
        let (used_at, used_from) = self.used.lock().clone().unzip();
        let kept = self.kept.clone();
        wire::Token {
            select: narrowed(&kept.owner_select, &kept.select),
            id: kept.id,
            name: kept.name,
            user: kept.owner,
            via: kept.owner_via.as_str().to_owned(),
            role: kept.role.as_str().to_owned(),
            scopes: kept.scopes,
            created_at: kept.created_at,
            expires_at: kept.expires_at,
            last_used_at: used_at,
            last_used_from: used_from,
        }
    }
}

impl ApiTokens {
    pub(super) fn put(&self, token: ApiToken) {
        self.0.write().insert(token.kept.token_hash, Arc::new(token));
    }

    fn all(&self) -> Vec<Arc<ApiToken>> {
        self.0.read().values().cloned().collect()
    }

    fn take(&self, meant: impl Fn(&ApiToken) -> bool) -> Vec<Arc<ApiToken>> {
        let mut taken = Vec::new();
        self.0.write().retain(|_, token| {
            let goes = meant(token);
            if goes {
                taken.push(Arc::clone(token));
            }
            !goes
        });
        taken
    }
}

impl People {
    /// Makes a token for whoever asks. Gives it with its text, which is told this once; it is on disk then.
    ///
    /// # Errors
    /// What is wrong with the wish, or it goes beyond its maker; nothing is made.
    pub async fn make_token(&self, wish: NewToken, who: &Who) -> Result<(wire::Token, String), PeopleError> {
        let _one = self.changing.lock().await;
        let all = self.api_tokens.all();
        let own = all.iter().filter(|token| token.is_of(&who.name, who.via)).count();
        if own >= MOST_OF_ONE || all.len() >= MOST_TOKENS {
            return Err(PeopleError::Conflict("there are too many tokens; revoke some".to_owned()));
        }
        let (kept, text) = drafted_token(wish, who, clock::now())?;
        self.kept(self.state.record_token(&kept))?;
        let token = ApiToken::new(kept);
        let told = token.told();
        self.api_tokens.put(token);
        self.state.flush().await?;
        Ok((told, text))
    }

    /// Every token, the newest first.
    pub fn api_tokens(&self) -> Vec<Arc<ApiToken>> {
        let mut all = self.api_tokens.all();
        all.sort_by(|a, b| b.kept.created_at.cmp(&a.kept.created_at).then_with(|| a.id().cmp(b.id())));
        all
    }

    /// Takes a token away, with what is open for it; whether there was one.
    ///
    /// # Errors
    /// It is not kept that it is gone: it opens nothing all the same.
    pub async fn revoke_token(&self, id: &str) -> Result<bool, PeopleError> {
        let was = self.drop_tokens(|token| token.id() == id) > 0;
        self.state.flush().await?;
        Ok(was)
    }

    /// Who a token is for that a request came with. It counts as used. `named` knows the tokens of the config.
    pub(super) fn token_of(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
        named: impl Fn(&str) -> Option<Who>,
    ) -> Option<(Who, Arc<ApiToken>)> {
        let text = bearer(headers).filter(|text| text.starts_with(PREFIX))?;
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        // A map by hash is enough: nobody gets nearer to 256 random bits by the time that a look-up takes.
        let token = self.api_tokens.0.read().get(&hash).cloned()?;
        let now = clock::now();
        if now >= token.kept.expires_at {
            return None;
        }
        let kept = &token.kept;
        // What its maker may do now, where that is known here.
        let (role, select) = match kept.owner_via {
            Via::Password => {
                let user = self.user(&kept.owner).filter(|user| user.disabled_at.is_none())?;
                (user.role, user.select)
            }
            Via::Token => named(&kept.owner).map(|who| (who.role, who.select))?,
            Via::Local | Via::Oidc | Via::Header => (kept.owner_role, kept.owner_select.clone()),
        };
        let who = Who {
            name: format!("{}/{}", kept.owner, kept.name),
            role: role.min(kept.role),
            select: narrowed(&select, &kept.select),
            via: Via::Token,
        };
        self.token_used(&token, visit, now);
        Some((who, token))
    }

    fn token_used(&self, token: &ApiToken, visit: &Visit, now: UnixMillis) {
        let from = visit.ip.to_canonical().to_string();
        *token.used.lock() = Some((now, from.clone()));
        if now.saturating_sub(token.use_kept_at.load(Ordering::Relaxed)) >= USE_KEPT_EVERY_MS {
            token.use_kept_at.store(now, Ordering::Relaxed);
            // The next use is kept, where this one is not.
            self.state.record_token_use(token.id(), now, &from);
        }
    }

    /// What is open for the tokens of a user ends; the tokens go on with what the user may now.
    pub(super) fn cut_off_tokens_of(&self, user: &str) {
        for token in self.api_tokens.all().iter().filter(|token| token.is_of(user, Via::Password)) {
            token.cut_off();
        }
    }

    /// Takes the tokens of a user away.
    pub(super) fn drop_tokens_of(&self, user: &str) {
        self.drop_tokens(|token| token.is_of(user, Via::Password));
    }

    /// Cuts off what ended, and forgets what ended long ago.
    pub(super) fn sweep_tokens(&self, now: UnixMillis) {
        for token in self.api_tokens.all().iter().filter(|token| now >= token.kept.expires_at) {
            token.cut_off();
        }
        self.drop_tokens(|token| now - REMEMBERED_MS >= token.kept.expires_at);
    }

    fn drop_tokens(&self, meant: impl Fn(&ApiToken) -> bool) -> usize {
        let taken = self.api_tokens.take(meant);
        for token in &taken {
            token.cut_off();
            self.state.remove_token(token.id());
        }
        taken.len()
    }
}

/// A token that is not kept yet, and its text.
///
/// # Errors
/// What is wrong with the wish, or it goes beyond its maker.
pub fn drafted_token(wish: NewToken, who: &Who, now: UnixMillis) -> Result<(KeptToken, String), PeopleError> {
    let bad = |words: String| Err(PeopleError::Bad(words));
    let NewToken { name, role, select, mut scopes, expires_at } = wish;
    let name = name.trim().to_owned();
    if !NAME.contains(&name.chars().count()) || name.chars().any(|c| c.is_control() || c == '/') {
        return bad(format!("`name` has 1 to {} characters on one line, and no /", NAME.end()));
    }
    let role = role.map_or(Ok(Role::Viewer), |word| role_of(&word))?;
    if role > who.role {
        return Err(PeopleError::Forbidden(format!(
            "`role`: a token may not do more than you, and you are {}",
            who.role.as_str()
        )));
    }
    if let Some(unknown) = scopes.iter().find(|word| !SCOPES.contains(&word.as_str())) {
        return bad(format!("`scopes`: `{unknown}` is none of {}", SCOPES.join(", ")));
    }
    scopes.sort_unstable();
    scopes.dedup();
    if expires_at <= now || expires_at > now.saturating_add(LONGEST_MS) {
        return bad("`expires_at` is in the past, or more than a year ahead".to_owned());
    }
    let text = format!("{PREFIX}{}", hex(&random()?));
    let kept = KeptToken {
        id: hex(&random()?[..8]),
        token_hash: Sha256::digest(text.as_bytes()).into(),
        name,
        owner: who.name.clone(),
        owner_via: who.via,
        owner_role: who.role,
        owner_select: who.select.clone(),
        role,
        select: selectors(select)?,
        scopes,
        created_at: now,
        expires_at,
        used_at: None,
        used_from: None,
    };
    Ok((kept, text))
}

/// The nodes that are in one of `outer` and in one of `inner`, as selectors. Empty means all on either side.
fn narrowed(outer: &[String], inner: &[String]) -> Vec<String> {
    if outer.is_empty() || inner.is_empty() {
        return if outer.is_empty() { inner.to_vec() } else { outer.to_vec() };
    }
    // All were read when they were kept. One that cannot be read now chooses nothing: no id has a line break.
    let nothing = || "{instance=\"\\n\"}".to_owned();
    let both = |a: &String, b: &String| match (node_selector(a), node_selector(b)) {
        (Ok(a), Ok(b)) => Selector { matchers: [a, b].concat() }.to_string(),
        _ => nothing(),
    };
    outer.iter().flat_map(|a| inner.iter().map(move |b| both(a, b))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_token_sees_what_is_in_both() {
        let (a, b) = (r#"{team="a"}"#, r#"{team="b"}"#);
        let eu = r#"{region=~"eu.*",host!="x"}"#;
        assert_eq!(narrowed(&[], &texts(&[eu])), [eu]);
        assert_eq!(narrowed(&texts(&[a, b]), &[]), [a, b]);
        assert_eq!(
            narrowed(&texts(&[a, b]), &texts(&[eu])),
            [r#"{team="a",region=~"eu.*",host!="x"}"#, r#"{team="b",region=~"eu.*",host!="x"}"#]
        );
        let quoted = r#"{team="a\"} or {x=\"y"}"#;
        let both = narrowed(&texts(&[a]), &texts(&[quoted]));
        assert_eq!(node_selector(&both[0]).unwrap().len(), 2, "{both:?}");
        assert_eq!(narrowed(&texts(&["{"]), &texts(&[a])), [r#"{instance="\n"}"#]);
    }

    #[test]
    fn a_token_is_never_more_than_its_maker() {
        let who = Who {
            name: "ada".into(),
            role: Role::Operator,
            select: texts(&[r#"{team="a"}"#]),
            via: Via::Password,
        };
        let wish = || NewToken { name: "ci".into(), expires_at: 1_000, ..NewToken::default() };
        let (kept, text) = drafted_token(wish(), &who, 0).unwrap();
        assert_eq!((kept.role, kept.owner_select.len()), (Role::Viewer, 1));
        assert_eq!((text.len(), text.starts_with("fgt_")), (68, true));
        assert_eq!(ApiToken::new(kept).told().select, who.select);
        for (wish, words) in [
            (NewToken { role: Some("admin".into()), ..wish() }, "may not do more than you"),
            (NewToken { role: Some("root".into()), ..wish() }, "`root` is none of"),
            (NewToken { name: "a/b".into(), ..wish() }, "`name`"),
            (NewToken { name: " ".into(), ..wish() }, "`name`"),
            (NewToken { scopes: texts(&["everything"]), ..wish() }, "`everything` is none of"),
            (NewToken { select: texts(&["{"]), ..wish() }, "`select`"),
            (NewToken { expires_at: 0, ..wish() }, "`expires_at`"),
            (NewToken { expires_at: LONGEST_MS + 1, ..wish() }, "`expires_at`"),
        ] {
            let error = drafted_token(wish, &who, 0).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
