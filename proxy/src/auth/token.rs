//! Bearer tokens, kept as SHA-256 hashes and compared in constant time.
//!
//! A token is 256 random bits, so a fast hash is enough: there is nothing to guess.

use std::{fmt, fmt::Write as _, path::PathBuf};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Via, Who};
use crate::config::LoadedConfig;

/// The SHA-256 of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token's text.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads `sha256:` and 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().strip_prefix("sha256:")?;
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(***)")
    }
}

/// A fresh token: `fg_` and 256 random bits in hex.
///
/// # Errors
/// The operating system gives no randomness.
pub fn new_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    let mut token = String::with_capacity(3 + 64);
    token.push_str("fg_");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    Ok(token)
}

/// The bearer token that a request carries.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The tokens that are accepted. None at all means that everyone on this machine is.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<(Who, TokenHash)>);

/// A token's hash file is missing or holds no hash.
#[derive(Debug, thiserror::Error)]
#[error("token `{name}`: {}: {why}; it must hold the `sha256:…` that `fleetglass token new` prints", path.display())]
pub struct HashFileError {
    name: String,
    path: PathBuf,
    why: String,
}

impl Tokens {
    /// The tokens of a config, hash files read.
    ///
    /// # Errors
    /// A hash file cannot be read or holds no hash.
    pub fn of(loaded: &LoadedConfig) -> Result<Self, HashFileError> {
        let mut tokens = Vec::new();
        for token in &loaded.config.auth.tokens {
            let hash = match (&token.hash, &token.hash_file) {
                (Some(text), _) => TokenHash::parse(text),
                (None, Some(file)) => {
                    let path = loaded.resolve(file);
                    let fail =
                        |why: String| HashFileError { name: token.name.clone(), path: path.clone(), why };
                    let text = std::fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
                    Some(TokenHash::parse(&text).ok_or_else(|| fail("no hash in it".to_owned()))?)
                }
                (None, None) => None,
            };
            // A token without a readable hash was refused when the config was validated.
            let who = || Who {
                name: token.name.clone(),
                role: token.role,
                select: token.select.clone(),
                via: Via::Token,
            };
            tokens.extend(hash.map(|hash| (who(), hash)));
        }
        Ok(Self(tokens))
    }

    /// Whether no login is needed.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Who holds the token of a name; of several of that name the one that may least.
    pub(super) fn named(&self, name: &str) -> Option<&Who> {
        self.0.iter().map(|(who, _)| who).filter(|who| who.name == name).min_by_key(|who| who.role)
    }

    /// Who holds the token that a request carries, if it is one of these.
    pub(super) fn holder(&self, headers: &HeaderMap) -> Option<&Who> {
        let asked = TokenHash::of(bearer(headers)?);
        // Every hash is compared, so the time tells neither which nor how near.
        let mut holder = None;
        for (who, hash) in &self.0 {
            if bool::from(hash.0.ct_eq(&asked.0)) {
                holder = Some(who);
            }
        }
        holder
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_hash_reads_back_and_nothing_else_does() {
        let hash = TokenHash::of("fg_secret");
        assert_eq!(TokenHash::parse(&hash.to_string()), Some(hash.clone()));
        assert!(!format!("{hash:?}").contains(&hash.to_string()[7..]));
        for wrong in ["", "sha256:", "sha256:12", "md5:00", &"sha256:é".repeat(9)] {
            assert_eq!(TokenHash::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_listed_token_has_a_holder() {
        let who = |name: &str| Who { name: name.to_owned(), via: Via::Token, ..Who::local() };
        let tokens = Tokens(vec![(who("a"), TokenHash::of("one")), (who("b"), TokenHash::of("two"))]);
        for (header, holder) in [
            ("Bearer one", Some("a")),
            ("bearer two", Some("b")),
            ("Bearer three", None),
            ("Basic one", None),
            ("one", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, header.parse().unwrap());
            assert_eq!(tokens.holder(&headers).map(|who| who.name.as_str()), holder, "{header}");
        }
        assert_eq!(tokens.holder(&HeaderMap::new()), None);
    }

    #[test]
    fn tokens_differ_and_are_long() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 67);
    }
}
