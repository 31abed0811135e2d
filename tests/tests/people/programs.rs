//! Tokens for programs, the audit log, and the commands.

use std::sync::Arc;

use fleetglass_tests::{
    command::run_in,
    proxy::{Fleetglass, QUICK, http_client},
    samples::now,
    wait::eventually,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, OTHER, PASSWORD, ends, signed_in, with_ada};

#[tokio::test]
async fn a_token_is_narrower_than_its_maker_and_ends() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let ada = signed_in(&fleetglass, "ada", PASSWORD).await;
    let bob = json!({"name": "bob", "password": OTHER, "role": "operator", "select": ["{team=\"a\"}"]});
    assert_eq!(ada.ask("POST", "/api/v1/users", bob).await.status, 201);
    let bob = signed_in(&fleetglass, "bob", OTHER).await;
    let day = 86_400_000;
    for (wish, status) in [
        (json!({"name": "x", "role": "admin", "expires_at": now() + day}), 403),
        (json!({"name": "x", "expires_at": now() - 1}), 400),
        (json!({"name": "x", "expires_at": now() + 366 * day}), 400),
        (json!({"name": "x", "scopes": ["everything"], "expires_at": now() + day}), 400),
        (json!({"name": "x", "select": ["{"], "expires_at": now() + day}), 400),
        (json!({"name": "", "expires_at": now() + day}), 400),
    ] {
        let answer = bob.ask("POST", "/api/v1/tokens", wish.clone()).await;
        assert_eq!(answer.status, status, "{wish}: {}", answer.body);
    }
    let wish =
        json!({"name": "ci", "role": "operator", "select": ["{region=\"eu\"}"], "expires_at": now() + day});
    let made = bob.ask("POST", "/api/v1/tokens", wish).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (token, id) = (made.json()["token"].clone(), made.json()["made"]["id"].clone());
    let (token, id) = (token.as_str().unwrap(), id.as_str().unwrap());
    assert!(token.starts_with("fgt_") && token.len() == 68, "{token}");

    let program = Browser::new(&fleetglass);
    let me = program.with_token(token, "GET", "/api/v1/me", Value::Null).await.json();
    assert_eq!(
        (&me["name"], &me["via"], &me["role"]),
        (&json!("bob/ci"), &json!("token"), &json!("operator"))
    );
    assert_eq!(me["select"], json!(["{team=\"a\",region=\"eu\"}"]));
    let again = program
        .with_token(token, "POST", "/api/v1/tokens", json!({"name": "y", "expires_at": now() + day}))
        .await;
    assert_eq!(again.status, 403, "a token makes no tokens: {}", again.body);
    let mark = program.with_token(token, "POST", "/api/v1/events", json!({"text": "by a program"})).await;
    // It needs no origin; what it is refused for is what it is limited to.
    assert!(mark.status == 403 && mark.body.contains("not within your role"), "{}", mark.body);

    // What its maker may no longer do, it may no longer do.
    let change = json!({"role": "viewer", "select": ["{team=\"b\"}"]});
    assert_eq!(ada.ask("PATCH", "/api/v1/users/bob", change).await.status, 200);
    let me = program.with_token(token, "GET", "/api/v1/me", Value::Null).await.json();
    assert_eq!((&me["role"], &me["select"]), (&json!("viewer"), &json!(["{team=\"b\",region=\"eu\"}"])));

    // Everybody sees their own, an admin all, and nobody the token.
    let listed = ada.get("/api/v1/tokens").await;
    let ci = &listed.json()["tokens"][0];
    assert_eq!((&ci["user"], &ci["name"]), (&json!("bob"), &json!("ci")));
    assert!(
        ci["last_used_at"].as_i64().unwrap() > now() - day && ci["last_used_from"] == "127.0.0.1",
        "{ci}"
    );
    assert!(!listed.body.contains(&token[4..]));
    let other = json!({"name": "mine", "expires_at": now() + day});
    assert_eq!(ada.ask("POST", "/api/v1/tokens", other).await.status, 201);
    let bob = signed_in(&fleetglass, "bob", OTHER).await;
    let own = bob.get("/api/v1/tokens").await.json();
    assert_eq!(own["tokens"].as_array().unwrap().len(), 1, "{own}");

    // Revoked, and what was open for it ends.
    let request = http_client().get(fleetglass.url("/api/v1/live")).bearer_auth(token);
    let stream = request.send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert_eq!(bob.ask("DELETE", &format!("/api/v1/tokens/{id}"), json!({})).await.status, 200);
    ends(stream).await;
    assert_eq!(program.with_token(token, "GET", "/api/v1/fleet", Value::Null).await.status, 401);

    // It ends by itself, and with its maker.
    let soon = json!({"name": "soon", "expires_at": now() + 1_500});
    let soon = bob.ask("POST", "/api/v1/tokens", soon).await.json()["token"].as_str().unwrap().to_owned();
    eventually("it has ended", async || {
        let answer = program.with_token(&soon, "GET", "/api/v1/fleet", Value::Null).await;
        if answer.status == 401 { Ok(()) } else { Err(answer.status.to_string()) }
    })
    .await;
    let long = json!({"name": "long", "expires_at": now() + day});
    let long = bob.ask("POST", "/api/v1/tokens", long).await.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(program.with_token(&long, "GET", "/api/v1/fleet", Value::Null).await.status, 200);
    assert_eq!(ada.ask("PATCH", "/api/v1/users/bob", json!({"disabled": true})).await.status, 200);
    assert_eq!(program.with_token(&long, "GET", "/api/v1/fleet", Value::Null).await.status, 401);
}

#[tokio::test]
async fn what_people_do_is_written_down_and_holds_no_secret() {
    let fleetglass = Fleetglass::start(QUICK, &[]).await;
    with_ada(&fleetglass).await;
    let mut typed_wrong = Browser::new(&fleetglass);
    assert_eq!(typed_wrong.sign_in("ada", "not this one either").await.status, 403);
    assert_eq!(typed_wrong.sign_in("my secret in the wrong field", "x").await.status, 403);
    let ada = signed_in(&fleetglass, "ada", PASSWORD).await;
    let bob = json!({"name": "bob", "password": OTHER, "role": "operator"});
    assert_eq!(ada.ask("POST", "/api/v1/users", bob).await.status, 201);
    let bob = signed_in(&fleetglass, "bob", OTHER).await;
    for path in ["/api/v1/audit", "/api/v1/audit/export", "/api/v1/users"] {
        assert_eq!(bob.get(path).await.status, 403, "{path}");
    }
    let mark = json!({"text": "=SUM(A1)"});
    assert_eq!(bob.ask("POST", "/api/v1/events", mark).await.status, 202);
    let foreign = [("origin", "https://evil.example"), ("content-type", "application/json")];
    assert_eq!(bob.send("POST", "/api/v1/events", &foreign, "{}").await.status, 403);
    let share = json!({"title": "=For Acme", "scope": {"select": ["{team=\"a\"}"], "views": ["fleet"]}});
    let share = bob.ask("POST", "/api/v1/shares", share).await;
    assert_eq!(share.status, 201, "{}", share.body);
    let id = share.json()["share"]["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.ask("DELETE", &format!("/api/v1/shares/{id}"), json!({})).await.status, 200);
    let silence = json!({"matchers": [{"name": "a", "value": "b", "isRegex": false, "isEqual": true}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "bob", "comment": "c"});
    assert_eq!(bob.ask("POST", "/api/v2/silences", silence).await.status, 200);
    let wish = json!({"name": "ci", "expires_at": now() + 86_400_000});
    let token = ada.ask("POST", "/api/v1/tokens", wish).await.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(ada.ask("POST", "/api/v1/prune", json!({"before": 1})).await.status, 200);
    fleetglass.signal("HUP");
    let all = eventually("everything is written down", async || {
        let all = ada.get("/api/v1/audit").await.json();
        if all.to_string().contains("config_reloaded") { Ok(all) } else { Err(all.to_string()) }
    })
    .await;
    let entries = all["entries"].as_array().unwrap();
    let told: Vec<String> = entries
        .iter()
        .rev()
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap().to_owned();
            format!("{} {} {} {}", word("who"), word("via"), word("what"), word("outcome"))
        })
        .collect();
    let expected = [
        "the operator local user_added ok",
        "ada password login_failed wrong",
        " password login_failed wrong",
        "ada password login ok",
        "ada password user_added ok",
        "bob password login ok",
        "bob password denied refused",
        "bob password denied refused",
        "bob password denied refused",
        "bob password mark ok",
        "bob password denied another origin",
        "bob password share_made ok",
        "bob password share_revoked ok",
        "bob password silence_made ok",
        "ada password token_made ok",
        "ada password prune ok",
        "the operator local config_reloaded ok",
    ];
    assert_eq!(told, expected);
    let of = |what: &str| {
        let found = entries.iter().find(|entry| entry["what"] == what).unwrap();
        found["of"].as_str().unwrap().to_owned()
    };
    assert_eq!(of("share_made"), format!("{id} =For Acme"));
    assert_eq!(of("share_revoked"), id);
    assert_eq!(of("denied"), "POST /api/v1/events");
    assert!(entries.iter().all(|entry| entry["ip"] == "127.0.0.1" || entry["what"] == "config_reloaded"));

    // Found, in pages, and as files.
    let failed = ada.get("/api/v1/audit?what=login_failed&who=ada").await.json();
    assert_eq!(failed["entries"].as_array().unwrap().len(), 1);
    let page = ada.get("/api/v1/audit?limit=3").await.json();
    assert_eq!(page["more"], true);
    let before = &page["entries"][2]["id"];
    let next = ada.get(&format!("/api/v1/audit?limit=100&before={before}")).await.json();
    assert_eq!(next["entries"].as_array().unwrap().len(), expected.len() - 3);
    assert_eq!(ada.get("/api/v1/audit?limit=x").await.status, 400);
    let lines = ada.get("/api/v1/audit/export").await;
    assert_eq!(lines.header("content-type"), "application/jsonl");
    assert!(lines.header("content-disposition").contains("fleetglass-audit.jsonl"));
    let rows: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), expected.len() + 1, "and that it is exported: {}", lines.body);
    let csv = ada.get("/api/v1/audit/export?format=csv").await;
    assert!(csv.body.starts_with("id,at,time,who,via,ip,what,of,outcome\r\n"), "{}", csv.body);
    assert_eq!(csv.body.lines().count(), expected.len() + 3, "the head, and both exports");
    assert_eq!(ada.get("/api/v1/audit/export?format=xml").await.status, 400);
    for secret in [PASSWORD, OTHER, "not this one either", "wrong field", &token[4..]] {
        assert!(!csv.body.contains(secret) && !lines.body.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_commands_make_people_beside_and_within_a_running_proxy() {
    let folder = Arc::new(TempDir::new().unwrap());
    let said = |args: &[&str]| run_in(folder.path(), args, &[]);
    std::fs::write(folder.path().join("pw.txt"), format!("{PASSWORD}\n")).unwrap();
    std::fs::write(folder.path().join("weak.txt"), "password1234").unwrap();
    let config = QUICK.replace("127.0.0.1:0", "0.0.0.0:0");
    std::fs::write(folder.path().join("fleetglass.toml"), &config).unwrap();
    let refused = said(&["serve", "--config", "fleetglass.toml"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("fleetglass user add me --role admin --data-dir fleetglass-data"),
        "{refused:?}"
    );

    let checked = said(&["check", "--config", "fleetglass.toml"]);
    assert!(checked.code == Some(2) && checked.err.contains("fleetglass user add"), "{checked:?}");

    let data = ["--data-dir", "fleetglass-data"];
    let add = |name, role, file| {
        [&["user", "add", name, "--role", role, "--password-file", file], &data[..]].concat()
    };
    let weak = said(&add("ada", "admin", "weak.txt"));
    assert_eq!(weak.code, Some(1), "{weak:?}");
    assert!(weak.err.contains("too common"), "{weak:?}");
    let no_admin = said(&add("ada", "viewer", "pw.txt"));
    assert!(no_admin.err.contains("must be an admin"), "{no_admin:?}");
    let made = said(&add("ada", "admin", "pw.txt"));
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.out.contains("made: ada  admin  all nodes"), "{made:?}");
    let token =
        said(&[&["token", "create", "--name", "ops", "--role", "admin", "--json"], &data[..]].concat());
    let token: Value = serde_json::from_str(&token.out).unwrap();
    std::fs::write(folder.path().join("ops.token"), token["token"].as_str().unwrap()).unwrap();

    let fleetglass = Fleetglass::start_in(Arc::clone(&folder), &config, &[]).await;
    assert_eq!(said(&["check", "--config", "fleetglass.toml"]).code, Some(0));
    let busy = said(&[&["user", "list"], &data[..]].concat());
    assert!(busy.err.contains("--url"), "{busy:?}");
    let url = format!("http://127.0.0.1:{}", fleetglass.address().port());
    let asked = ["--url", &url, "--token-file", "ops.token"];
    let run = |args: &[&str]| said(&[args, &asked[..]].concat());
    let without = said(&["user", "list", "--url", &url]);
    assert!(without.err.contains("wants a token"), "{without:?}");
    let made =
        run(&["user", "add", "bob@example.org", "--select", "{team=\"a\"}", "--password-file", "pw.txt"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let set = run(&["user", "set", "bob@example.org", "--role", "operator", "--all-nodes", "--disable"]);
    assert!(set.out.contains("bob@example.org  operator  all nodes  may not sign in"), "{set:?}");
    let list = run(&["user", "list"]);
    assert_eq!(list.out.lines().count(), 2, "{list:?}");
    assert_eq!(run(&["user", "remove", "bob@example.org"]).code, Some(0));
    assert!(run(&["user", "remove", "ada"]).err.contains("last admin"));
    let made = run(&["token", "create", "--name", "ci", "--scope", "read,marks", "--expires", "30d"]);
    assert!(made.err.contains("A token makes no tokens"), "{made:?}");
    let list: Value = serde_json::from_str(&run(&["token", "list", "--json"]).out).unwrap();
    let id = list["tokens"][0]["id"].as_str().unwrap();
    assert_eq!(run(&["token", "revoke", id]).code, Some(0));
    assert!(run(&["token", "list"]).err.contains("wants a token"), "it took itself back");
}
