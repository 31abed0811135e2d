//! Posts and subscribers in the state file.
#![allow(clippy::unwrap_used)]
use super::*;

fn subscriber(id: &str, address: &str) -> KeptSubscriber {
    let (id, share, address) = (id.to_owned(), "s".to_owned(), address.to_owned());
    KeptSubscriber { id, share, kind: SubscriberKind::Email, address, created_at: 1, confirmed_at: None }
}

fn update(id: &str, at: i64, state: PostState) -> StatusUpdate {
    StatusUpdate { id: id.to_owned(), at, state, text: "T".to_owned(), by: "Ada".to_owned() }
}

#[tokio::test]
async fn posts_outlive_a_restart_and_only_those_who_confirmed_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateFile::open(Some(folder.path()));
    let mut post = StatusPost {
        id: "p".into(),
        kind: PostKind::Incident,
        title: "Slow".into(),
        impact: Impact::Major,
        affects: vec!["eu".into()],
        state: PostState::Investigating,
        starts_at: None,
        ends_at: None,
        created_at: 5,
        updates: vec![update("u1", 5, PostState::Investigating)],
    };
    assert!(state.record_subscriber(&subscriber("a", "a@x")));
    assert!(state.record_subscriber(&subscriber("b", "b@x")));
    assert!(state.record_subscriber(&subscriber("c", "a@x")), "the same mailbox again");
    assert_eq!(state.status_due(1, 9).await.unwrap().0.len(), 2, "it is asked once");
    assert!(state.confirm_subscriber("a", 7));
    assert!(state.record_status_post("s", &post, Some(&post.updates[0]), 8));
    post.updates.insert(0, update("u2", 9, PostState::Resolved));
    post.state = PostState::Resolved;
    assert!(state.record_status_post("s", &post, Some(&post.updates[0]), 9));
    state.flush().await.unwrap();
    drop(state);
    let state = StateFile::open(Some(folder.path()));
    assert_eq!(state.status_posts().await.unwrap()["s"], [post]);
    let (due, next) = state.status_due(9, 9).await.unwrap();
    let told: Vec<(&str, &str)> = due.iter().map(|due| (due.to.id.as_str(), due.what.as_str())).collect();
    assert_eq!(told, [("a", CONFIRM), ("b", CONFIRM), ("a", "u1"), ("a", "u2")]);
    assert_eq!(next, Some(1));
    state.record_status_attempt(due[2].id, After::Again(50));
    state.record_status_attempt(due[0].id, After::Done);
    let left = state.status_due(60, 9).await.unwrap().0;
    assert_eq!(left.iter().map(|due| due.attempts).collect::<Vec<_>>(), [0, 0, 1]);
    state.remove_subscriber("a");
    assert_eq!(state.status_due(60, 9).await.unwrap().0.len(), 1);
    assert_eq!(state.subscriber_counts().await.unwrap(), (1, BTreeMap::new()));
    assert!(!format!("{left:?}").contains("a@x"), "an address is in no log");
}

#[tokio::test]
async fn nothing_is_left_of_a_link_that_is_no_more() {
    let state = StateFile::open(None);
    state.record_subscriber(&subscriber("a", "a@x"));
    state.prune_status(0, 0);
    assert_eq!(state.subscriber_counts().await.unwrap().0, 0);
    assert_eq!(state.status_due(60, 9).await.unwrap(), (Vec::new(), None));
}
