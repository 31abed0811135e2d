//! What an operator writes on a status page, checked before it is kept.

use std::collections::BTreeSet;

use fleetglass_shared::{
    health::UnixMillis,
    wire::{PostChange, PostDraft, PostKind, PostState, StatusPart, StatusPost, StatusUpdate, UpdateDraft},
};

/// Characters of a title, and of a text.
const MOST_TITLE: usize = 200;
const MOST_TEXT: usize = 5_000;
const MOST_AFFECTED: usize = 100;
/// A post has no more updates than this.
const MOST_UPDATES: usize = 200;
/// A maintenance is planned no further ahead, and lasts no longer.
const MOST_AHEAD_MS: i64 = 400 * 86_400_000;

/// What a page shows, and which words would tell more than that.
pub(super) struct Names {
    pub(super) parts: Vec<StatusPart>,
    /// Ids of nodes that readers do not know by these.
    pub(super) hidden: BTreeSet<String>,
}

/// A post that is not kept yet, or what is wrong with it.
pub(super) fn drafted(
    draft: PostDraft,
    names: &Names,
    id: String,
    by: &str,
    now: UnixMillis,
) -> Result<StatusPost, String> {
    let PostDraft { kind, title, text, state, impact, affects, starts_at, ends_at } = draft;
    let state = state.unwrap_or(kind.states()[0]);
    let update = StatusUpdate {
        id: format!("{id}0"),
        at: now,
        state: fitting(kind, state)?,
        text: text_of(&text, names)?,
        by: by.to_owned(),
    };
    let post = StatusPost {
        id,
        kind,
        title: title_of(&title, names)?,
        impact,
        affects: affected(affects, names)?,
        state,
        starts_at,
        ends_at,
        created_at: now,
        updates: vec![update],
    };
    timed(&post, now)?;
    Ok(post)
}

/// A post as it is wished: what is absent stays as it was.
pub(super) fn changed(
    mut post: StatusPost,
    change: PostChange,
    names: &Names,
    now: UnixMillis,
) -> Result<StatusPost, String> {
    let PostChange { title, impact, affects, starts_at, ends_at } = change;
    if let Some(title) = title {
        post.title = title_of(&title, names)?;
    }
    post.impact = impact.unwrap_or(post.impact);
    if let Some(affects) = affects {
        post.affects = affected(affects, names)?;
    }
    let is_moved = starts_at.is_some() || ends_at.is_some();
    post.starts_at = starts_at.or(post.starts_at);
    post.ends_at = ends_at.or(post.ends_at);
    if is_moved {
        timed(&post, now)?;
    }
    Ok(post)
}

/// A post with one more update.
pub(super) fn updated(
    mut post: StatusPost,
    draft: UpdateDraft,
    names: &Names,
    by: &str,
    now: UnixMillis,
) -> Result<StatusPost, String> {
    let UpdateDraft { state, text } = draft;
    let state = fitting(post.kind, state.unwrap_or(post.state))?;
    let text = text_of(&text, names)?;
    if post.updates.len() >= MOST_UPDATES {
        return Err(format!("a post has at most {MOST_UPDATES} updates; write another one"));
    }
    push(&mut post, state, text, by, now);
    Ok(post)
}

/// Adds an update that is newer than all others.
pub(super) fn push(post: &mut StatusPost, state: PostState, text: String, by: &str, now: UnixMillis) {
    let at = post.updates.first().map_or(now, |last| now.max(last.at + 1));
    // Updates are never taken away one by one.
    let id = format!("{}{:x}", post.id, post.updates.len());
    post.updates.insert(0, StatusUpdate { id, at, state, text, by: by.to_owned() });
    post.state = state;
}

fn fitting(kind: PostKind, state: PostState) -> Result<PostState, String> {
    if kind.states().contains(&state) {
        return Ok(state);
    }
    let known: Vec<&str> = kind.states().iter().map(|state| state.as_str()).collect();
    Err(format!("`state`: of an {} it is one of {}", kind.as_str(), known.join(", "))
        .replace("an maintenance", "a maintenance"))
}

fn timed(post: &StatusPost, now: UnixMillis) -> Result<(), String> {
    match (post.kind, post.starts_at, post.ends_at) {
        (PostKind::Incident, None, None) => Ok(()),
        (PostKind::Incident, _, _) => Err("`starts_at` and `ends_at` are a maintenance's".to_owned()),
        (PostKind::Maintenance, Some(start), Some(end)) => match () {
            () if end <= start => Err("`ends_at` is not after `starts_at`".to_owned()),
            () if end <= now => Err("`ends_at` is in the past".to_owned()),
            () if start > now + MOST_AHEAD_MS || end - start > MOST_AHEAD_MS => {
                Err("`starts_at` or `ends_at` is more than 400 days away".to_owned())
            }
            () => Ok(()),
        },
        (PostKind::Maintenance, _, _) => {
            Err("a maintenance needs `starts_at` and `ends_at`, in Unix milliseconds".to_owned())
        }
    }
}

fn title_of(text: &str, names: &Names) -> Result<String, String> {
    let text = text.trim();
    if !(1..=MOST_TITLE).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(format!("`title` is empty, or longer than {MOST_TITLE} characters on one line"));
    }
    tells_no_more("title", text, names)?;
    Ok(text.to_owned())
}

fn text_of(text: &str, names: &Names) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !(1..=MOST_TEXT).contains(&text.chars().count()) || text.chars().any(is_bad) {
        return Err(format!(
            "`text` is empty, longer than {MOST_TEXT} characters, or has control characters"
        ));
    }
    tells_no_more("text", text, names)?;
    Ok(text.to_owned())
}

fn affected(mut affects: Vec<String>, names: &Names) -> Result<Vec<String>, String> {
    affects.sort();
    affects.dedup();
    if affects.len() > MOST_AFFECTED {
        return Err(format!("`affects` has more than {MOST_AFFECTED} entries; name the groups"));
    }
    let known = |name: &&String| {
        names.parts.iter().any(|part| part.name == **name || part.nodes.iter().any(|node| node == *name))
    };
    match affects.iter().find(|name| !known(name)) {
        Some(name) => Err(format!("`affects`: `{name}` is not on this page; /api/v1/status lists what is")),
        None => Ok(affects),
    }
}

/// Whether a text names a node by an id that the page keeps back. Ids of a few letters are words of any language.
pub(super) fn tells_no_more(field: &str, text: &str, names: &Names) -> Result<(), String> {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let words: BTreeSet<String> = text
        .split(|c| !joins(c))
        .map(|word| word.trim_matches(|c| matches!(c, '.' | ':')).to_lowercase())
        .filter(|word| word.chars().count() >= 4)
        .collect();
    match names.hidden.iter().find(|id| words.contains(&id.to_lowercase())) {
        Some(id) => {
            Err(format!("`{field}` names `{id}`, which readers of this page do not know; leave it out"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fleetglass_shared::wire::Impact;

    use super::*;

    fn names() -> Names {
        let parts = vec![StatusPart { name: "eu".to_owned(), nodes: vec!["node-1".to_owned()] }];
        Names { parts, hidden: BTreeSet::from(["secret-7".to_owned(), "db".to_owned()]) }
    }

    fn draft(kind: PostKind) -> PostDraft {
        PostDraft {
            kind,
            title: " Slow ".to_owned(),
            text: "We look\r\ninto it.".to_owned(),
            state: None,
            impact: Impact::Minor,
            affects: vec!["node-1".to_owned(), "eu".to_owned(), "eu".to_owned()],
            starts_at: None,
            ends_at: None,
        }
    }

    fn refused(change: impl FnOnce(&mut PostDraft)) -> String {
        let mut draft = draft(PostKind::Incident);
        change(&mut draft);
        drafted(draft, &names(), "p".to_owned(), "Ada", 100).unwrap_err()
    }

    #[test]
    fn what_is_written_is_kept_as_plain_text_with_names_of_the_page() {
        let post = drafted(draft(PostKind::Incident), &names(), "p".to_owned(), "Ada", 100).unwrap();
        assert_eq!((post.title.as_str(), post.affects.join()), ("Slow", "eunode-1".to_owned()));
        assert_eq!(post.updates[0].text, "We look\ninto it.");
        let more = UpdateDraft { state: Some(PostState::Resolved), text: "Done".to_owned() };
        let post = updated(post, more, &names(), "Ada", 50).unwrap();
        assert_eq!(
            (post.state, post.updates[0].at),
            (PostState::Resolved, 101),
            "newer though a clock went back"
        );
        assert_ne!(post.updates[0].id, post.updates[1].id);
    }

    trait Joined {
        fn join(&self) -> String;
    }

    impl Joined for Vec<String> {
        fn join(&self) -> String {
            self.concat()
        }
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        assert!(refused(|draft| draft.title = "a\nb".to_owned()).contains("`title`"));
        assert!(refused(|draft| draft.text = " \n ".to_owned()).contains("`text` is empty"));
        assert!(refused(|draft| draft.text = "x".repeat(5_001)).contains("longer than 5000"));
        assert!(refused(|draft| draft.affects = vec!["us".to_owned()]).contains("`us` is not on this page"));
        assert!(
            refused(|draft| draft.state = Some(PostState::Scheduled)).contains("an incident it is one of")
        );
        assert!(refused(|draft| draft.starts_at = Some(1)).contains("are a maintenance's"));
        assert!(refused(|draft| draft.kind = PostKind::Maintenance).contains("needs `starts_at`"));
        let at = |start, end| {
            refused(|draft| {
                (draft.kind, draft.starts_at, draft.ends_at) =
                    (PostKind::Maintenance, Some(start), Some(end));
            })
        };
        assert!(at(200, 200).contains("not after"));
        assert!(at(10, 20).contains("in the past"));
        assert!(at(200, i64::MAX).contains("400 days"));
    }

    #[test]
    fn a_name_that_the_page_keeps_back_is_not_written_by_mistake() {
        for text in ["Secret-7 is down.", "see (secret-7)", "secret-7"] {
            assert!(refused(|draft| draft.text = text.to_owned()).contains("names `secret-7`"), "{text}");
        }
        let fine = |text: &str| {
            let mut draft = draft(PostKind::Incident);
            draft.text = text.to_owned();
            drafted(draft, &names(), "p".to_owned(), "Ada", 100).is_ok()
        };
        assert!(fine("a db of ours") && fine("secret-77 and the eu"));
    }
}
