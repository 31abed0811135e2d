//! What a person may write of a link, checked.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleetglass_shared::{health::UnixMillis, wire::ShareChange};
use sha2::{Digest, Sha256};

use super::{ShareError, random};
use crate::auth::password::hash;
use crate::letters::hex;
use crate::state::KeptShare;

/// Characters of a title or a name.
const MOST_TEXT: usize = 200;
/// Characters of a note.
const MOST_NOTE: usize = 500;
const MOST_ORIGINS: usize = 20;
/// Bytes of a picture.
const MOST_LOGO: usize = 64 << 10;
/// A password has at least so many characters, and no more than are worth hashing.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=200;

/// A link that is not kept yet, and its token.
///
/// # Errors
/// What is wrong with it.
pub async fn drafted(
    wish: ShareChange,
    by: &str,
    now: UnixMillis,
) -> Result<(KeptShare, String), ShareError> {
    let (blank, token) = blank(&wish, by, now)?;
    Ok((changed(blank, wish, now).await?, token))
}

/// A link of which nothing else is known yet, and its token.
pub(super) fn blank(
    wish: &ShareChange,
    by: &str,
    now: UnixMillis,
) -> Result<(KeptShare, String), ShareError> {
    let scope =
        wish.scope.clone().ok_or_else(|| ShareError::Bad("`scope` is missing: what is shown?".into()))?;
    let title = wish.title.clone().ok_or_else(|| ShareError::Bad("`title` is missing".into()))?;
    let token = hex(&random()?);
    let blank = KeptShare {
        id: hex(&random()?[..8]),
        token_hash: Sha256::digest(token.as_bytes()).into(),
        title,
        by: by.to_owned(),
        created_at: now,
        ..KeptShare::blank(scope, random()?)
    };
    Ok((blank, token))
}

/// A link as it is wished: what is absent stays as it was.
pub(super) async fn changed(
    kept: KeptShare,
    mut wish: ShareChange,
    now: UnixMillis,
) -> Result<KeptShare, ShareError> {
    let password = wish.password.take();
    let mut kept = checked(kept, ShareChange { password: password.clone(), ..wish }, now)?;
    match password {
        None => {}
        Some(password) if password.is_empty() => kept.password = None,
        Some(password) => kept.password = Some(hash(password).await.map_err(ShareError::Bad)?),
    }
    super::slug::public(&kept).map_err(ShareError::Bad)?;
    Ok(kept)
}

/// As [`changed`]; a password is looked at, and not hashed.
pub(super) fn checked(
    mut kept: KeptShare,
    wish: ShareChange,
    now: UnixMillis,
) -> Result<KeptShare, ShareError> {
    let ShareChange {
        title,
        scope,
        expires_at,
        password,
        max_views,
        origins,
        by,
        note,
        logo,
        slug,
        group_by,
        groups_only,
    } = wish;
    let bad = |words: String| Err(ShareError::Bad(words));
    kept.title = title.unwrap_or(kept.title).trim().to_owned();
    kept.by = by.unwrap_or(kept.by).trim().to_owned();
    for (name, text) in [("title", &kept.title), ("by", &kept.by)] {
        let fits = (1..=MOST_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if !fits {
            return bad(format!("`{name}` is empty, or longer than {MOST_TEXT} characters on one line"));
        }
    }
    kept.note = note.unwrap_or(kept.note).trim().to_owned();
    let odd = |c: char| c.is_control() && c != '\n';
    if kept.note.chars().count() > MOST_NOTE || kept.note.chars().any(odd) {
        return bad(format!("`note` is longer than {MOST_NOTE} characters of plain text"));
    }
    match logo {
        None => {}
        Some(text) if text.is_empty() => kept.logo = None,
        Some(text) => kept.logo = Some(picture(&text)?),
    }
    kept.scope = scope.unwrap_or(kept.scope);
    match expires_at {
        None => {}
        Some(0) => kept.expires_at = None,
        Some(at) if at <= now => return bad("`expires_at` is in the past".to_owned()),
        Some(at) => kept.expires_at = Some(at),
    }
    kept.max_views = max_views.map_or(kept.max_views, |most| Some(most).filter(|most| *most > 0));
    if let Some(origins) = origins {
        if origins.len() > MOST_ORIGINS {
            return bad(format!("`origins` has more than {MOST_ORIGINS} entries"));
        }
        kept.origins = Vec::new();
        for entry in &origins {
            let origin = origin(entry).map_err(|words| ShareError::Bad(format!("`origins`: {words}")))?;
            if !kept.origins.contains(&origin) {
                kept.origins.push(origin);
            }
        }
    }
    if let Some(password) = password.filter(|password| !password.is_empty())
        && !PASSWORD.contains(&password.chars().count())
    {
        return bad(format!("`password` has {} to {} characters", PASSWORD.start(), PASSWORD.end()));
    }
    kept.slug = slug.map_or(kept.slug, |slug| Some(slug).filter(|slug| !slug.is_empty()));
    kept.group_by = group_by.map_or(kept.group_by, |label| Some(label).filter(|label| !label.is_empty()));
    kept.groups_only = groups_only.unwrap_or(kept.groups_only);
    Ok(kept)
}

fn picture(text: &str) -> Result<Arc<[u8]>, ShareError> {
    let wrong =
        || ShareError::Bad(format!("`logo` is no PNG, JPEG or WebP of at most {MOST_LOGO} bytes in base64"));
    // Four letters are three bytes: what is too long is not even read.
    if text.len() > MOST_LOGO * 4 / 3 + 4 {
        return Err(wrong());
    }
    let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
    let fits = bytes.len() <= MOST_LOGO && picture_type(&bytes).is_some();
    if fits { Ok(bytes.into()) } else { Err(wrong()) }
}

/// The content type of a picture, by its first bytes. SVG is none of these: it may hold scripts.
pub(super) fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The origin of a page's address, `https://portal.example:8443`: no path, and nothing that would end the directive of a
/// policy.
///
/// # Errors
/// What is wrong with it.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let cut: String = text.chars().take(MOST_TEXT).collect();
    let of_web = |text: &str| ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    if !of_web(&text.to_ascii_lowercase()) {
        return Err(format!(
            "`{cut}` begins with neither https:// nor http://; write https://portal.example"
        ));
    }
    if text.matches("://").count() > 1 || text.contains(char::is_whitespace) {
        return Err(format!("`{cut}` is more than one; write each as an entry of its own"));
    }
    let origin =
        reqwest::Url::parse(text).ok().filter(|url| url.username().is_empty() && url.password().is_none());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '/');
    origin
        .map(|url| url.origin().ascii_serialization())
        .filter(|origin| origin.len() <= MOST_TEXT && origin.chars().all(plain) && of_web(origin))
        .ok_or_else(|| format!("`{cut}` is no address of a page, such as https://portal.example"))
}
