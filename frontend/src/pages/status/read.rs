//! The proxy's answers: the status pages, and what is written on one.

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{Impact, PostKind, PostState};

use crate::json::Json;

/// A status page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) slug: String,
    pub(super) title: String,
    /// The names of its groups, or of its nodes where it has none.
    pub(super) parts: Vec<String>,
    pub(super) subscribers: usize,
}

/// What was said of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) at: UnixMillis,
    pub(super) state: PostState,
    pub(super) text: String,
    pub(super) by: String,
}

/// An incident or a maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) id: String,
    pub(super) kind: PostKind,
    pub(super) title: String,
    pub(super) impact: Impact,
    pub(super) affects: Vec<String>,
    pub(super) state: PostState,
    pub(super) starts_at: Option<UnixMillis>,
    pub(super) ends_at: Option<UnixMillis>,
    pub(super) updates: Vec<Update>,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscriber {
    pub(super) id: String,
    /// `email` or `webhook`.
    pub(super) kind: String,
    pub(super) address: String,
    pub(super) confirmed: bool,
    pub(super) waiting: usize,
}

/// A post about an alert, to go on from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) impact: Impact,
    pub(super) affects: Vec<String>,
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).text().unwrap_or_default()
}

fn time(json: &Json, name: &str) -> Option<UnixMillis> {
    json.get(name).number().map(|at| at as i64)
}

fn texts(json: &Json, name: &str) -> Vec<String> {
    json.get(name).items().unwrap_or_default().iter().filter_map(Json::text).collect()
}

fn impact(json: &Json) -> Impact {
    Impact::parse(&text(json, "impact")).unwrap_or_default()
}

/// Every status page.
pub(super) fn pages(json: &Json) -> Vec<Page> {
    let page = |json: &Json| Page {
        slug: text(json, "slug"),
        title: text(json, "title"),
        parts: json.get("parts").items().unwrap_or_default().iter().map(|part| text(part, "name")).collect(),
        subscribers: json.get("subscribers").number().unwrap_or_default() as usize,
    };
    json.get("pages").items().unwrap_or_default().iter().map(page).collect()
}

/// The posts of a page; those that are not over come first.
pub(super) fn posts(json: &Json) -> Vec<Post> {
    let mut posts: Vec<Post> =
        json.get("posts").items().unwrap_or_default().iter().filter_map(post).collect();
    posts.sort_by_key(|post| post.state.is_over());
    posts
}

fn post(json: &Json) -> Option<Post> {
    let updates = json.get("updates").items().unwrap_or_default();
    Some(Post {
        id: json.get("id").text()?,
        kind: if text(json, "kind") == "maintenance" { PostKind::Maintenance } else { PostKind::Incident },
        title: text(json, "title"),
        impact: impact(json),
        affects: texts(json, "affects"),
        state: PostState::parse(&text(json, "state"))?,
        starts_at: time(json, "starts_at"),
        ends_at: time(json, "ends_at"),
        updates: updates.iter().filter_map(update).collect(),
    })
}

fn update(json: &Json) -> Option<Update> {
    Some(Update {
        at: time(json, "at")?,
        state: PostState::parse(&text(json, "state"))?,
        text: text(json, "text"),
        by: text(json, "by"),
    })
}

/// Everybody who is told of a page.
pub(super) fn subscribers(json: &Json) -> Vec<Subscriber> {
    let one = |json: &Json| Subscriber {
        id: text(json, "id"),
        kind: text(json, "kind"),
        address: text(json, "address"),
        confirmed: time(json, "confirmed_at").is_some(),
        waiting: json.get("waiting").number().unwrap_or_default() as usize,
    };
    json.get("subscribers").items().unwrap_or_default().iter().map(one).collect()
}

/// A draft.
pub(super) fn draft(json: &Json) -> Draft {
    Draft {
        title: text(json, "title"),
        text: text(json, "text"),
        impact: impact(json),
        affects: texts(json, "affects"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn posts_that_are_not_over_come_first() {
        let json = Json::parse(
            r#"{"posts":[
                {"id":"b","kind":"maintenance","title":"B","impact":"none","state":"completed","starts_at":1,"ends_at":2,"updates":[]},
                {"id":"a","kind":"incident","title":"A","impact":"major","affects":["eu"],"state":"monitoring",
                 "updates":[{"id":"u","at":7,"state":"monitoring","text":"We watch.","by":"Ada"}]}]}"#,
        )
        .unwrap();
        let posts = posts(&json);
        assert_eq!(posts.iter().map(|post| post.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((posts[0].impact, posts[0].updates[0].at), (Impact::Major, 7));
        assert_eq!((posts[1].kind, posts[1].ends_at), (PostKind::Maintenance, Some(2)));
    }
}
