//! `fleetglass notify`, and what else is told to whom: heartbeat and tests.

use fleetglass_tests::{
    command,
    inbox::{Inbox, Reply},
    samples,
    wait::eventually,
};

use super::{hook, node, proxy};

#[tokio::test]
async fn a_test_says_what_was_sent_where_and_what_came_back_by_the_proxy_and_without_it() {
    let (well, ill, calm) = (Inbox::start().await, Inbox::start().await, node(1.0).await);
    ill.always(Reply::Status(403, Vec::new(), "no such token: hunter2"));
    let receivers = format!(
        "{}{}[[receiver.slack]]\nwebhook_url = \"{}\"\n",
        hook("team", &well.url("/w")),
        hook("other", &well.url("/o")),
        ill.url("/hunter2")
    );
    let fleetglass = proxy(&[&calm], &receivers).await;
    let url = fleetglass.url("");
    let run = |args: Vec<String>| {
        let folder = fleetglass.folder().to_owned();
        tokio::task::spawn_blocking(move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            command::run_in(&folder, &args, &[])
        })
    };
    let asked = |receiver: &str, how: [&str; 2]| {
        ["notify", "test", receiver, how[0], how[1]].map(str::to_owned).to_vec()
    };
    for how in [["--url", url.as_str()], ["--config", "fleetglass.toml"]] {
        let before = well.letters().len();
        let said = run(asked("team", how)).await.unwrap();
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        assert!(said.out.contains("team/webhook/0: delivered: HTTP 200"), "{}", said.out);
        assert!(said.out.contains("[TEST] FleetglassTest"), "{}", said.out);
        assert_eq!(well.letters().len(), before + 1);
        let said = run(asked("other", how)).await.unwrap();
        assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
        assert!(said.out.contains("other/slack/0: again: HTTP 403"), "{}", said.out);
        let said = run(asked("nobody", how)).await.unwrap();
        assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
        assert!(said.err.contains("there are: team, other"), "{}", said.err);
    }
}

#[tokio::test]
async fn the_heartbeat_beats_and_says_when_it_cannot() {
    let (inbox, calm) = (Inbox::start().await, node(1.0).await);
    let heart = format!("[notify.heartbeat]\nurl = \"{}\"\ninterval = \"1s\"\n", inbox.url("/ping/hunter2"));
    let fleetglass = proxy(&[&calm], &format!("{}{heart}", hook("team", "http://127.0.0.1:1/"))).await;
    let letters = inbox.count(2).await;
    assert_eq!(letters[0].line, "GET /ping/hunter2");
    inbox.always(Reply::Status(500, Vec::new(), "hunter2 is unwell"));
    eventually("its failure is told", async || {
        let all = fleetglass.json("/api/v1/notifications").await;
        let heart = &all["heartbeat"];
        if heart["ok"] == false { Ok(()) } else { Err(all.to_string()) }
    })
    .await;
    let calm = fleetglass.json("/api/v1/notifications").await;
    assert_eq!(calm["ways"][0]["queue"], 0, "nobody is told when nothing fires");
    assert!(!calm.to_string().contains("hunter2") && !fleetglass.log().contains("hunter2"));
}

#[tokio::test]
async fn once_a_day_it_says_that_all_is_well() {
    let (inbox, calm) = (Inbox::start().await, node(1.0).await);
    // In the minute that is now, or in the next where that is about to end.
    let soon = (samples::now() + 8_000) / 60_000;
    let at = format!("{:02}:{:02}", soon / 60 % 24, soon % 60);
    let summary = format!("[notify.summary]\nreceiver = \"team\"\nat = \"{at}\"\n");
    let _fleetglass = proxy(&[&calm], &format!("{}{summary}", hook("team", &inbox.url("/")))).await;
    let letters = inbox.count(1).await;
    assert!(
        letters[0].text().contains("All is well: healthy nodes 1, no alert fires"),
        "{}",
        letters[0].text()
    );
}
