//! Links, without a network: what they publish, how they are found, tried and counted.
#![allow(clippy::unwrap_used)]

use fleetglass_shared::{
    health::Status,
    wire::{NodeSummary, ScopeSpec, View},
};

use super::*;

fn kept(change: impl FnOnce(&mut KeptShare)) -> KeptShare {
    let scope = ScopeSpec {
        select: vec!["{team=\"a\"}".into()],
        views: View::ALL.into(),
        oldest_seconds: None,
        addresses: false,
        drop_labels: Vec::new(),
        aliases: true,
        hide_metrics: Vec::new(),
    };
    let mut kept = KeptShare {
        id: "s".into(),
        token_hash: Sha256::digest(b"secret").into(),
        title: "T".into(),
        by: "Ada".into(),
        ..KeptShare::blank(scope, [3; 32])
    };
    change(&mut kept);
    kept
}

fn node(id: &str, team: &str, peers: u64) -> Change {
    let mut node = NodeSummary::new(id.into(), format!("family-{team}"), Status::Healthy, 0, 15_000);
    node.labels.insert("team".into(), team.into());
    node.peers = Some(peers);
    (id.into(), Some(node))
}

/// What one viewer is sent while the fleet does this, tick by tick.
fn sent(ticks: &[Vec<Change>]) -> String {
    sent_by(&OpenShare::new(kept(|_| {})).unwrap(), ticks)
}

fn sent_by(share: &OpenShare, ticks: &[Vec<Change>]) -> String {
    let families: Vec<FamilyInfo> = ["family-a", "family-b"]
        .map(|name| FamilyInfo {
            name: name.into(),
            title: name.into(),
            spark_title: String::new(),
            spark_unit: String::new(),
        })
        .into();
    let (mut viewer, _) = share.subscribe(None, 0, "1", |_| {}).unwrap();
    let mut said = String::new();
    for (tick, changes) in ticks.iter().enumerate() {
        let at = 250 * (tick as i64 + 1);
        share.publish(changes, &|_| None, &families, at, |_, _| AlertChanges::new());
        while let Ok(frame) = viewer.frames.try_recv() {
            said.push_str(&format!("{at} {}", String::from_utf8_lossy(&frame)));
        }
    }
    // The name of the stream is random.
    let epoch = said.split("id: ").nth(1).and_then(|id| id.split('-').next()).unwrap_or("-").to_owned();
    said.replace(&epoch, "E")
}

#[test]
fn a_stream_is_the_same_whatever_happens_elsewhere() {
    let mut quiet: Vec<Vec<Change>> = vec![vec![node("in", "a", 1)]];
    let mut busy = vec![vec![node("out-1", "b", 1), node("in", "a", 1), node("out-2", "b", 1)]];
    for tick in 0..60_u64 {
        let own = if tick % 7 == 0 { vec![node("in", "a", tick)] } else { Vec::new() };
        quiet.push(own.clone());
        busy.push(
            [own, vec![node("out-1", "b", tick), ("out-2".into(), None), node("in-not", "b", tick)]].concat(),
        );
    }
    let of_role = || OpenShare::of_role(vec!["{team=\"a\"}".into()]).unwrap();
    let said = sent_by(&of_role(), &quiet);
    assert_eq!(said, sent_by(&of_role(), &busy), "of a limited role too");
    assert!(said.contains("\"in\"") && !said.contains("out-") && !said.contains("family-b"), "{said}");
    let said = sent(&quiet);
    assert_eq!(said, sent(&busy), "not a number, a ping or a moment differs");
    assert!(said.contains("E-9") && said.contains("family-a") && !said.contains("family-b"), "{said}");
    assert!(!said.contains("\"in\""), "its name is an alias: {said}");
}

#[test]
fn a_node_that_leaves_the_scope_leaves_the_stream() {
    let said = sent(&[vec![node("in", "a", 1)], vec![node("in", "b", 2)], vec![node("in", "b", 3)]]);
    let frames: Vec<&str> = said.split("\n\n").filter(|frame| frame.contains("event: delta")).collect();
    assert_eq!(frames.len(), 2, "{said}");
    assert!(frames[1].contains(":null}") && !frames[1].contains("\"peers\""), "{said}");
}

#[test]
fn an_id_of_another_stream_is_no_place_to_go_on_from() {
    let (one, other) = (OpenShare::new(kept(|_| {})).unwrap(), OpenShare::new(kept(|_| {})).unwrap());
    let (first, is_view) = one.subscribe(None, 0, "1", |_| {}).unwrap();
    assert!(is_view);
    let text = String::from_utf8(first.first[0].to_vec()).unwrap();
    let id = text.lines().next().unwrap().trim_start_matches("id: ").to_owned();
    let (again, is_view) = one.subscribe(Some(&id), 0, "1", |_| {}).unwrap();
    assert!(again.first.is_empty() && !is_view, "the same viewer, whose connection broke");
    for seen in [id.as_str(), "0-0", "", "-", "18bcfe5-4"] {
        let (begun, is_view) = other.subscribe(Some(seen), 0, "1", |_| {}).unwrap();
        assert!(is_view && begun.first[0].windows(8).any(|word| word == b"snapshot"), "{seen}");
    }
}

#[test]
fn a_link_opens_until_it_ends_is_taken_back_or_used_up() {
    let open = |change: fn(&mut KeptShare), at| OpenShare::new(kept(change)).unwrap().is_open(at);
    assert!(open(|_| {}, 0));
    assert!(open(|kept| kept.expires_at = Some(10), 9) && !open(|kept| kept.expires_at = Some(10), 10));
    assert!(!open(|kept| kept.revoked_at = Some(1), 0));
    assert!(!open(|kept| (kept.max_views, kept.views) = (Some(2), 2), 0));

    let share = OpenShare::new(kept(|kept| kept.max_views = Some(1))).unwrap();
    let (viewer, _) = share.subscribe(None, 0, "1", |_| {}).unwrap();
    share.viewed(0);
    assert_eq!(share.subscribe(None, 0, "1", |_| {}).unwrap_err(), Refused::Closed);
    assert!(share.is_open(1_000_000), "who looks goes on looking");
    drop(viewer);
    share.publish(&[], &|_| None, &[], 1_000_000, |_, _| AlertChanges::new());
    assert!(!share.is_open(1_000_000));
}

#[tokio::test]
async fn a_password_is_tried_ever_more_slowly() {
    let hashed = crate::auth::password::hash("correct horse".into()).await.unwrap();
    assert!(hashed.starts_with("$argon2id$"));
    let share = OpenShare::new(kept(|kept| kept.password = Some(hashed))).unwrap();
    let sessions = Sessions::default();
    for _ in 0..5 {
        assert_eq!(sessions.begin(&share, "wrong".into(), 0).await, Err(PasswordError::Wrong));
    }
    assert_eq!(sessions.begin(&share, "wrong".into(), 0).await, Err(PasswordError::Wrong));
    for now in [0, 999] {
        assert_eq!(
            sessions.begin(&share, "correct horse".into(), now).await,
            Err(PasswordError::TooSoon(1)),
            "{now}"
        );
    }
    let secret = sessions.begin(&share, "correct horse".into(), 1_000).await.unwrap();
    assert!(
        sessions.holds(&share, &secret, 1_000)
            && !sessions.holds(&share, &secret, 1_000 + password::SESSION_MS)
    );
    assert!(!sessions.holds(&share, "correct horse", 1_000));
    let other = OpenShare::new(kept(|kept| kept.id = "t".into())).unwrap();
    assert!(!sessions.holds(&other, &secret, 1_000), "a session is of one link");
    sessions.forget("s");
    assert!(!sessions.holds(&share, &secret, 1_000));
}

#[test]
fn origins_are_origins_and_nothing_that_ends_a_directive() {
    for (text, origin) in [
        ("https://portal.example", "https://portal.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        // The address of a page has its origin in it.
        (" HTTPS://Portal.Example:443/wiki/nodes?x=1#top ", "https://portal.example"),
        ("https://b\u{fc}ro.example/", "https://xn--bro-hoa.example"),
    ] {
        assert_eq!(wish::origin(text).as_deref(), Ok(origin), "{text}");
    }
    for (bad, word) in [
        ("", "neither https:// nor http://"),
        ("*", "neither https:// nor http://"),
        ("portal.example", "neither https:// nor http://"),
        ("ftp://a.example", "neither https:// nor http://"),
        ("https://", "is no address of a page"),
        ("https://a;script-src", "is no address of a page"),
        ("https://*.a", "is no address of a page"),
        ("https://ada:secret@a.example", "is no address of a page"),
        ("https://a b", "is more than one"),
        ("https://a.example,https://b.example", "is more than one"),
        ("https://a.example/\nhttps://b.example/", "is more than one"),
    ] {
        let words = wish::origin(bad).expect_err(bad);
        assert!(words.contains(word), "{bad}: {words}");
    }
}
