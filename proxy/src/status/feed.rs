//! What machines read of a status page: RSS 2.0, JSON Feed 1.1, and the state in short.

use std::time::{Duration, UNIX_EPOCH};

use fleetglass_shared::{
    health::UnixMillis,
    status::moment_name,
    wire::{PostKind, StatusPost, StatusUpdate},
};
use maud::{PreEscaped, html};
use serde_json::{Value, json};

use super::{
    board::{Board, Part},
    page::{headline, impact, text},
};
use crate::clock::rfc3339;

const MOST_ITEMS: usize = 50;

/// Where a page is, as others reach it: `https://example.org/status/acme`.
pub(super) struct Place<'a>(pub(super) &'a str);

/// Updates of all posts that are shown, the newest first.
fn items(board: &Board) -> Vec<(&StatusPost, &StatusUpdate)> {
    let mut all: Vec<_> =
        board.posts().flat_map(|post| post.updates.iter().map(move |update| (post, update))).collect();
    all.sort_by(|(_, a), (_, b)| b.at.cmp(&a.at).then_with(|| b.id.cmp(&a.id)));
    all.truncate(MOST_ITEMS);
    all
}

/// When something was written last.
pub(super) fn modified(board: &Board) -> Option<UnixMillis> {
    items(board).first().map(|(_, update)| update.at)
}

fn rfc822(at: UnixMillis) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(at).unwrap_or_default()));
    // The form that HTTP has is one of RFC 822, too.
    at.map(httpdate::fmt_http_date).unwrap_or_default()
}

/// What an update says, as plain text.
pub(super) fn plain(post: &StatusPost, update: &StatusUpdate) -> String {
    let mut words = update.text.clone();
    if let (Some(start), Some(end)) = (post.starts_at, post.ends_at) {
        words += &format!("\n\n{} to {}", moment_name(start), moment_name(end));
    }
    if !post.affects.is_empty() {
        words += &format!("\n\nAffects {}", post.affects.join(", "));
    }
    words
}

/// Characters that no XML may hold.
fn xml(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}

/// RSS 2.0.
pub(super) fn rss(board: &Board, place: &Place<'_>) -> String {
    let url = place.0;
    let built = modified(board).map(rfc822);
    let feed = html! {
        rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" {
            channel {
                title { (xml(&board.title)) }
                (PreEscaped(format!("<link>{}</link>", escaped(url))))
                description { "Incidents and planned maintenance, shared by " (xml(&board.by)) }
                language { "en" }
                ttl { "5" }
                @if let Some(built) = built { lastBuildDate { (built) } }
                (PreEscaped(format!("<atom:link href=\"{}/feed.rss\" rel=\"self\" type=\"application/rss+xml\"/>", escaped(url))))
                @for (post, update) in items(board) {
                    item {
                        title { (xml(&headline(post, update))) }
                        (PreEscaped(format!("<link>{}</link>", escaped(&post_url(url, post)))))
                        guid isPermaLink="false" { (guid(update)) }
                        pubDate { (rfc822(update.at)) }
                        category { (post.kind.as_str()) }
                        // HTML in XML: escaped once more.
                        description { (text(&xml(&plain(post, update))).into_string()) }
                    }
                }
            }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", feed.into_string())
}

fn escaped(text: &str) -> String {
    html! { (text) }.into_string()
}

/// The place of a post on its page.
pub(super) fn post_url(url: &str, post: &StatusPost) -> String {
    format!("{url}#p{}", post.id)
}

fn guid(update: &StatusUpdate) -> String {
    format!("fleetglass:status:{}", update.id)
}

/// JSON Feed 1.1.
pub(super) fn json_feed(board: &Board, place: &Place<'_>) -> Value {
    let url = place.0;
    let item = |(post, update): (&StatusPost, &StatusUpdate)| {
        json!({
            "id": guid(update),
            "url": post_url(url, post),
            "title": headline(post, update),
            "content_text": plain(post, update),
            "content_html": text(&plain(post, update)).into_string(),
            "date_published": rfc3339(Some(update.at)),
            "tags": [post.kind.as_str(), update.state.as_str()],
        })
    };
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": board.title,
        "home_page_url": url,
        "feed_url": format!("{url}/feed.json"),
        "description": "Incidents and planned maintenance",
        "language": "en",
        "authors": [{"name": board.by}],
        "items": items(board).into_iter().map(item).collect::<Vec<_>>(),
    })
}

/// The state in short, for programs.
pub(super) fn summary(board: &Board, place: &Place<'_>) -> Value {
    json!({
        "page": {"title": board.title, "url": place.0, "by": board.by},
        "at": rfc3339(Some(board.at)),
        "state": board.health.key(),
        "sentence": board.sentence,
        "parts": board.parts.iter().map(|part| self::part(part, board.is_grouped)).collect::<Vec<_>>(),
        "incidents": board.open.iter().map(|post| told(post, place)).collect::<Vec<_>>(),
        "maintenances": board.planned.iter().map(|post| told(post, place)).collect::<Vec<_>>(),
    })
}

fn part(part: &Part, is_group: bool) -> Value {
    let total = part.total();
    let known = total.known_ms();
    let mut value = json!({
        "name": part.name,
        "state": part.health.key(),
        "kind": if is_group { "group" } else { "node" },
        "days": part.days.len(),
        "up_ms": total.up_ms,
        "down_ms": total.down_ms,
        "unknown_ms": total.all_ms.saturating_sub(known),
        "uptime": (known > 0).then(|| total.up_ms as f64 / known as f64),
    });
    if !part.nodes.is_empty() {
        value["nodes"] = part.nodes.iter().map(|node| self::part(node, false)).collect();
    }
    value
}

/// A post, as feeds and web hooks have it.
pub(super) fn told(post: &StatusPost, place: &Place<'_>) -> Value {
    let mut value = json!({
        "id": post.id,
        "kind": post.kind.as_str(),
        "title": post.title,
        "state": post.state.as_str(),
        "affects": post.affects,
        "url": post_url(place.0, post),
        "created_at": rfc3339(Some(post.created_at)),
        "updates": post.updates.iter().map(said).collect::<Vec<_>>(),
    });
    match post.kind {
        PostKind::Incident => value["impact"] = post.impact.as_str().into(),
        PostKind::Maintenance => {
            value["starts_at"] = rfc3339(post.starts_at).into();
            value["ends_at"] = rfc3339(post.ends_at).into();
        }
    }
    value
}

/// An update, without who wrote it.
pub(super) fn said(update: &StatusUpdate) -> Value {
    json!({"id": update.id, "at": rfc3339(Some(update.at)), "state": update.state.as_str(), "text": update.text})
}

/// The first line of a mail about an update.
pub(super) fn subject(title: &str, post: &StatusPost, update: &StatusUpdate) -> String {
    let how = match post.kind {
        PostKind::Incident if !update.state.is_over() => format!(" ({})", impact(post.impact).to_lowercase()),
        _ => String::new(),
    };
    format!("{title}: {}{how}", headline(post, update))
}
