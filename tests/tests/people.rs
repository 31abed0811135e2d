//! People: who signs in, how long that lasts, what ends it, and what is written down of it.

#![allow(clippy::unwrap_used)]

#[path = "people/browser.rs"]
mod browser;
#[path = "people/programs.rs"]
mod programs;
#[path = "people/renewal.rs"]
mod renewal;

use std::sync::Arc;

use browser::{Browser, OTHER, PAGE, PASSWORD, ends, signed_in, with_ada};
use fleetglass_tests::raw::encoded;
use fleetglass_tests::{
    proxy::{Fleetglass, QUICK},
    wait::eventually,
};
use serde_json::{Value, json};
use tempfile::TempDir;

#[tokio::test]
async fn with_the_first_user_everybody_signs_in_and_out() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    let mut browser = Browser::new(&fleetglass);
    let me = browser.get("/api/v1/me").await.json();
    assert_eq!((&me["via"], &me["login_needed"]), (&json!("local"), &json!(false)));
    assert_eq!(me["ways"], json!({"password": false, "oidc": null}));
    assert!(browser.get("/login").await.body.contains("No sign-in is needed"));
    let viewer = json!({"name": "vic", "password": PASSWORD, "role": "viewer"});
    let first = browser.ask("POST", "/api/v1/users", viewer).await;
    assert_eq!(first.status, 400, "{}", first.body);
    assert!(first.body.contains("must be an admin"), "{}", first.body);
    let elsewhere = [("origin", "https://evil.example"), ("content-type", "text/plain")];
    let planted = browser.send("POST", "/api/v1/events", &elsewhere, r#"{"text": "planted"}"#).await;
    assert_eq!(planted.status, 403, "not even where nobody is asked: {}", planted.body);
    with_ada(&fleetglass).await;

    assert_eq!(browser.get("/api/v1/fleet").await.status, 401);
    let me = browser.get("/api/v1/me").await;
    assert_eq!(me.status, 200);
    assert_eq!(me.json()["name"], Value::Null);
    assert_eq!(me.json()["login_needed"], true);
    assert_eq!(me.json()["ways"], json!({"password": true, "oidc": null}));

    let page = browser.get("/login?next=/risks").await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        page.body.contains("action=\"/login\"") && page.body.contains("value=\"/risks\""),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<script"), "{}", page.body);

    let answer = browser.sign_in("ada", PASSWORD).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/risks"));
    let cookie = answer.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let secret = pair.strip_prefix("fleetglass_session=").unwrap();
    assert!(secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()), "256 bits: {pair}");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax");

    assert_eq!(browser.get("/api/v1/fleet").await.status, 200);
    let me = browser.get("/api/v1/me").await.json();
    assert_eq!((&me["name"], &me["role"], &me["via"]), (&json!("ada"), &json!("admin"), &json!("password")));
    assert!(browser.get("/logout").await.body.contains("signed in as <strong>ada</strong>"));
    let origin = browser.origin();
    let out = browser.send("POST", "/logout", &[("origin", &origin)], "").await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/login"));
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    assert_eq!(browser.get("/api/v1/fleet").await.status, 401, "the old cookie opens nothing");
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same_and_soon_slow() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let mut browser = Browser::new(&fleetglass);
    let no_name = browser.sign_in("nobody", PASSWORD).await;
    let no_password = browser.sign_in("ada", OTHER).await;
    assert_eq!((no_name.status.as_u16(), no_password.status.as_u16()), (403, 403));
    assert!(no_name.body.contains("The name or the password is not right."), "{}", no_name.body);
    assert_eq!(no_name.body.replace("nobody", "ada"), no_password.body);
    for _ in 0..3 {
        assert_eq!(browser.sign_in("ada", OTHER).await.status, 403);
    }
    let slowed = browser.sign_in("ada", PASSWORD).await;
    assert_eq!(slowed.status, 429, "even the right one, from the sixth try on: {}", slowed.body);
    assert_eq!(slowed.header("retry-after"), "1");
    eventually("it is taken again after the wait", async || {
        let answer = Browser::new(&fleetglass).sign_in("ada", PASSWORD).await;
        if answer.status == 303 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}

#[tokio::test]
async fn a_session_changes_things_only_from_a_page_of_ours() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let browser = signed_in(&fleetglass, "ada", PASSWORD).await;
    let own = browser.origin();
    let mark = json!({"text": "a mark"}).to_string();
    for (headers, status) in [
        (vec![], 403),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("origin", own.as_str()), ("sec-fetch-site", "same-site")], 403),
        (vec![("origin", own.as_str())], 202),
        (vec![("sec-fetch-site", "same-origin")], 202),
    ] {
        let sent = [&headers[..], &[("content-type", "application/json")]].concat();
        let answer = browser.send("POST", "/api/v1/events", &sent, &mark).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
    }
    let form = format!("name=ada&password={}", encoded(PASSWORD));
    let foreign = [("origin", "https://evil.example"), ("content-type", PAGE)];
    let answer = Browser::new(&fleetglass).send("POST", "/login", &foreign, &form).await;
    assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, ""));
    let answer = browser.send("POST", "/logout", &[("origin", "https://evil.example")], "").await;
    assert_eq!(answer.status, 200, "it asks");
    assert_eq!(browser.get("/api/v1/fleet").await.status, 200, "and nobody was signed out");
}

#[tokio::test]
async fn signing_in_ends_the_session_that_was_there_before() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let mut browser = signed_in(&fleetglass, "ada", PASSWORD).await;
    let before = browser.cookie.clone();
    browser.sign_in("ada", PASSWORD).await;
    assert_ne!(browser.cookie, before);
    assert_eq!(browser.get("/api/v1/fleet").await.status, 200);
    browser.cookie = before;
    assert_eq!(browser.get("/api/v1/fleet").await.status, 401);
    browser.cookie = Some("fleetglass_session=planted".to_owned());
    browser.sign_in("ada", PASSWORD).await;
    assert_ne!(
        browser.cookie.as_deref(),
        Some("fleetglass_session=planted"),
        "a planted one is not taken over"
    );
}

#[tokio::test]
async fn a_stolen_cookie_is_revoked_and_its_stream_ends() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let browser = signed_in(&fleetglass, "ada", PASSWORD).await;
    let thief =
        Browser { cookie: signed_in(&fleetglass, "ada", PASSWORD).await.cookie, ..Browser::new(&fleetglass) };
    let mut stream = thief.live().await;
    assert_eq!(stream.status(), 200);
    assert!(stream.chunk().await.unwrap().is_some(), "it shows the fleet");

    let sessions = browser.get("/api/v1/sessions").await.json();
    let all = sessions["sessions"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{sessions}");
    let stolen = all.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!((&stolen["user"], &stolen["ip"]), (&json!("ada"), &json!("127.0.0.1")));
    let path = format!("/api/v1/sessions/{}", stolen["id"].as_str().unwrap());
    assert_eq!(browser.ask("DELETE", &path, json!({})).await.status, 200);
    ends(stream).await;
    assert_eq!(thief.get("/api/v1/fleet").await.status, 401);
    assert_eq!(browser.get("/api/v1/fleet").await.status, 200);
    assert_eq!(browser.ask("DELETE", &path, json!({})).await.status, 404);

    let other = signed_in(&fleetglass, "ada", PASSWORD).await;
    let stream = other.live().await;
    assert_eq!(browser.ask("DELETE", "/api/v1/sessions", json!({})).await.json(), json!({"ended": 1}));
    ends(stream).await;
    assert_eq!(browser.get("/api/v1/fleet").await.status, 200);
}

#[tokio::test]
async fn sessions_end_unused_and_at_the_latest() {
    for (settings, uses) in [
        ("session_idle = \"2s\"\nsession_max = \"1h\"", false),
        ("session_idle = \"3s\"\nsession_max = \"3s\"", true),
    ] {
        let fleetglass = Fleetglass::start(&format!("{QUICK}\n[auth]\n{settings}\n"), &[]).await;
        with_ada(&fleetglass).await;
        let browser = signed_in(&fleetglass, "ada", PASSWORD).await;
        let stream = browser.live().await;
        assert_eq!(stream.status(), 200, "{settings}");
        if uses {
            eventually("it ends though it is used", async || {
                let answer = browser.get("/api/v1/fleet").await;
                if answer.status == 401 { Ok(()) } else { Err(answer.status.to_string()) }
            })
            .await;
        }
        ends(stream).await;
        assert_eq!(browser.get("/api/v1/fleet").await.status, 401, "{settings}");
    }
}

#[tokio::test]
async fn who_is_changed_or_removed_is_signed_out_and_an_admin_is_left() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let ada = signed_in(&fleetglass, "ada", PASSWORD).await;
    for (body, status) in [
        (json!({"name": "bob", "password": "short"}), 400),
        (json!({"name": "bob", "password": "password1234"}), 400),
        (json!({"name": "bob the builder", "password": OTHER}), 400),
        (json!({"name": "bob", "password": OTHER, "role": "root"}), 400),
        (json!({"name": "bob", "password": OTHER, "select": ["{"]}), 400),
        (json!({"name": "bob", "password": OTHER, "surprise": 1}), 400),
        (json!({"name": "bob", "password": OTHER, "role": "operator"}), 201),
        (json!({"name": "bob", "password": OTHER}), 409),
    ] {
        let answer = ada.ask("POST", "/api/v1/users", body.clone()).await;
        let answered = if answer.status == 422 { 400 } else { answer.status.as_u16() };
        assert_eq!(answered, status, "{body}: {}", answer.body);
    }
    for (change, still_in) in [
        (json!({}), true),
        (json!({"role": "viewer"}), false),
        (json!({"select": ["{team=\"a\"}"]}), false),
        (json!({"password": "nine lamps in a row"}), false),
        (json!({"disabled": true}), false),
    ] {
        let password = if change["disabled"] == true { "nine lamps in a row" } else { OTHER };
        let bob = signed_in(&fleetglass, "bob", password).await;
        let stream = bob.live().await;
        let answer = ada.ask("PATCH", "/api/v1/users/bob", change.clone()).await;
        assert_eq!(answer.status, 200, "{change}: {}", answer.body);
        if still_in {
            assert_eq!(bob.get("/api/v1/me").await.json()["name"], "bob", "{change}");
        } else {
            ends(stream).await;
            assert_eq!(bob.get("/api/v1/me").await.json()["name"], Value::Null, "{change}");
        }
    }
    let refused = Browser::new(&fleetglass).sign_in("bob", "nine lamps in a row").await;
    assert_eq!(refused.status, 403, "a disabled user");
    assert!(refused.body.contains("The name or the password is not right."));

    for change in [json!({"role": "operator"}), json!({"disabled": true}), json!({"select": ["{a=\"b\"}"]})] {
        let answer = ada.ask("PATCH", "/api/v1/users/ada", change.clone()).await;
        assert_eq!(answer.status, 409, "{change}: {}", answer.body);
    }
    assert_eq!(ada.ask("DELETE", "/api/v1/users/ada", json!({})).await.status, 409);
    assert_eq!(ada.ask("DELETE", "/api/v1/users/bob", json!({})).await.status, 200);
    assert_eq!(ada.ask("DELETE", "/api/v1/users/bob", json!({})).await.status, 404);
    let users = ada.get("/api/v1/users").await;
    assert_eq!(users.json()["users"].as_array().unwrap().len(), 1);
    assert!(!users.body.contains("argon2"), "{}", users.body);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let mut ada = signed_in(&fleetglass, "ada", PASSWORD).await;
    let elsewhere = signed_in(&fleetglass, "ada", PASSWORD).await;
    for (old, new, status) in
        [(OTHER, "nine lamps in a row", 403), (PASSWORD, "short", 400), (PASSWORD, PASSWORD, 400)]
    {
        let answer = ada.ask("POST", "/api/v1/me/password", json!({"old": old, "new": new})).await;
        assert_eq!(answer.status, status, "{old} {new}: {}", answer.body);
    }
    let answer = ada.ask("POST", "/api/v1/me/password", json!({"old": PASSWORD, "new": OTHER})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(elsewhere.get("/api/v1/fleet").await.status, 401);
    ada.cookie = answer.header("set-cookie").split(';').next().map(str::to_owned);
    assert_eq!(ada.get("/api/v1/fleet").await.status, 200, "whoever changed it goes on");
    assert_eq!(Browser::new(&fleetglass).sign_in("ada", PASSWORD).await.status, 403);
}

#[tokio::test]
async fn a_restart_keeps_who_is_signed_in_and_the_file_holds_no_secret() {
    let fleetglass = Fleetglass::start(QUICK, &[("RUST_LOG", "trace")]).await;
    with_ada(&fleetglass).await;
    let cookie = signed_in(&fleetglass, "ada", PASSWORD).await.cookie;
    let secret = cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    let log = fleetglass.log();
    let folder: Arc<TempDir> = fleetglass.end("TERM");
    let data = folder.path().join("fleetglass-data");
    for file in
        std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [secret.as_bytes(), PASSWORD.as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{}", file.display());
        }
    }
    assert!(!log.contains(&secret) && !log.contains(PASSWORD), "the log holds a secret");

    let fleetglass = Fleetglass::start_in(folder, QUICK, &[]).await;
    let browser = Browser { cookie, ..Browser::new(&fleetglass) };
    assert_eq!(browser.get("/api/v1/me").await.json()["name"], "ada");
    assert_eq!(
        Browser::new(&fleetglass).get("/api/v1/fleet").await.status,
        401,
        "and everybody else is asked"
    );
}

#[tokio::test]
async fn who_makes_people_signed_in_not_long_ago() {
    let fleetglass = Fleetglass::start(&format!("{QUICK}\n[auth]\nfresh_login = \"5s\"\n"), &[]).await;
    with_ada(&fleetglass).await;
    let mut ada = signed_in(&fleetglass, "ada", PASSWORD).await;
    let body = |name: &str| json!({"name": name, "password": OTHER});
    let refused = eventually("the sign-in is no longer fresh", async || {
        let answer = ada.ask("DELETE", "/api/v1/users/nobody", json!({})).await;
        if answer.status == 403 { Ok(answer.body) } else { Err(answer.body) }
    })
    .await;
    assert!(refused.contains("Sign in again at /login?again"), "{refused}");
    assert_eq!(ada.ask("POST", "/api/v1/users", body("bob")).await.status, 403);
    let token = json!({"name": "ci", "expires_at": 0});
    assert_eq!(ada.ask("POST", "/api/v1/tokens", token).await.status, 403);
    assert_eq!(ada.get("/api/v1/users").await.status, 200, "whoever only looks is not asked");
    assert_eq!(ada.get("/login?next=/people").await.status, 303);
    assert!(ada.get("/login?again&next=/people").await.body.contains("name=\"password\""));
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, 303);
    let made = ada.ask("POST", "/api/v1/users", body("bob")).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

#[tokio::test]
async fn login_may_be_asked_for_before_there_is_anybody() {
    let config = format!("{QUICK}\n[auth]\nlogin = true\n");
    let fleetglass = Fleetglass::start(&config, &[]).await;
    let browser = Browser::new(&fleetglass);
    assert_eq!(browser.get("/api/v1/fleet").await.status, 401);
    let page = browser.get("/login").await;
    assert!(page.body.contains("There is no user yet"), "{}", page.body);
    assert_eq!(browser.get("/api/v1/me").await.json()["login_needed"], true);
    // Taken at a reload, both ways.
    fleetglass.write("fleetglass.toml", QUICK);
    eventually("nobody is asked any more", async || {
        let answer = browser.get("/api/v1/fleet").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    fleetglass.write("fleetglass.toml", &config);
    eventually("everybody is asked again", async || {
        let answer = browser.get("/api/v1/fleet").await;
        if answer.status == 401 { Ok(()) } else { Err(answer.status.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn a_state_file_that_was_set_aside_opens_nothing() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let folder = fleetglass.end("TERM");
    let file = folder.path().join("fleetglass-data/state.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // SQLite's user version: a newer Fleetglass made it.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&file, bytes).unwrap();
    for _ in 0..2 {
        let fleetglass = Fleetglass::start_in(Arc::clone(&folder), QUICK, &[]).await;
        assert_eq!(Browser::new(&fleetglass).get("/api/v1/fleet").await.status, 401);
        let log = fleetglass.log();
        assert!(log.contains("was set aside, and users are in it"), "{log}");
        fleetglass.end("TERM");
    }
}
