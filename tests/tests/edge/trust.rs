//! What others may say of a request: listed reverse proxies, and nobody else.

use fleetglass_tests::{command::run_in, proxy::Fleetglass, wait::eventually};
use tempfile::TempDir;

const LISTEN: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";

#[tokio::test]
async fn a_name_that_a_proxy_was_asked_for_counts_and_nobody_elses_word() {
    let hosts = "hosts = [\"fleet.example\"]\n";
    let behind = "trusted_proxies = [\"127.0.0.0/8\"]\n";
    let open = Fleetglass::start(&format!("{LISTEN}{hosts}"), &[]).await;
    let proxied = Fleetglass::start(&format!("{LISTEN}{hosts}{behind}"), &[]).await;
    let elsewhere = ("x-forwarded-for", "203.0.113.7");
    for (headers, of_open, of_proxied) in [
        (&[][..], 200, 200),
        (&[elsewhere], 200, 421),
        (&[elsewhere, ("x-forwarded-host", "evil.example")], 200, 421),
        (&[("x-forwarded-host", "evil.example")], 200, 421),
        (&[("forwarded", "for=203.0.113.7;host=evil.example")], 200, 421),
        (&[elsewhere, ("x-forwarded-host", "localhost")], 200, 421),
        (&[elsewhere, ("x-forwarded-host", "fleet.example")], 200, 200),
        (&[("forwarded", "for=203.0.113.7;host=fleet.example")], 200, 200),
        (&[("x-forwarded-for", "nonsense"), ("x-forwarded-host", "<b>")], 200, 200),
        // Nobody but a listed proxy makes a foreign name a known one.
        (&[("host", "evil.example"), ("x-forwarded-host", "fleet.example")], 421, 200),
    ] {
        for (fleetglass, status) in [(&open, of_open), (&proxied, of_proxied)] {
            let answer = fleetglass.request("GET", "/api/v1/fleet", headers).await;
            assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_proxys_word_for_who_asks_is_taken_from_its_address_alone() {
    let login = |from: &str| {
        format!(
            "{LISTEN}trusted_proxies = [\"127.0.0.1\"]\n[auth.trusted_header]\ngroups = \"X-Forwarded-Groups\"\nfrom = [\"{from}\"]\n\
             [[auth.trusted_header.role]]\ngroup = \"ops\"\nrole = \"operator\"\n"
        )
    };
    let here = Fleetglass::start(&login("127.0.0.1"), &[]).await;
    let elsewhere = Fleetglass::start(&login("192.0.2.1"), &[]).await;
    let (user, groups) = (("x-forwarded-user", "ada"), ("x-forwarded-groups", "dev, ops"));
    for (headers, status) in [
        (&[user, groups][..], 200),
        (&[], 401),
        (&[user], 403),
        (&[groups], 401),
        (&[user, ("x-forwarded-user", "eve"), groups], 401),
        (&[user, groups, ("x-forwarded-groups", "admins")], 401),
        (&[("x-forwarded-user", " "), groups], 401),
        // A claim about the way does not make another sender of it.
        (&[user, groups, ("x-forwarded-for", "203.0.113.7")], 200),
    ] {
        let answer = here.request("GET", "/api/v1/fleet", headers).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
        let with_claim: Vec<_> = headers.iter().copied().chain([("x-forwarded-for", "192.0.2.1")]).collect();
        let refused = elsewhere.request("GET", "/api/v1/fleet", &with_claim).await;
        assert_eq!(refused.status, 401, "{headers:?} from an address that is not listed: {}", refused.body);
    }
    assert_eq!(here.get("/readyz").await.body.lines().count(), 1);
    assert!(!here.get("/readyz").await.body.contains("nodes"), "how many there are is told after login");
    assert_eq!(here.get("/healthz").await.status, 200);

    // Another config gives them something to do, without a restart.
    let config = login("127.0.0.1").replace("\"ops\"", "\"dev\"");
    here.write("fleetglass.toml", &config);
    eventually("the other rule counts", async || {
        let answer = here.request("GET", "/api/v1/fleet", &[user, ("x-forwarded-groups", "ops")]).await;
        if answer.status == 403 { Ok(()) } else { Err(answer.status.to_string()) }
    })
    .await;

    // What is made bears the name.
    let wish = r#"{"title":"For Acme","scope":{"select":["{instance=\"a\"}"],"views":["fleet"]}}"#;
    // What a browser brings along by itself is no will of whoever it belongs to.
    let foreign = [user, groups, ("origin", "https://evil.example")];
    for headers in [&[user, groups][..], &foreign[..]] {
        let refused = reqwest_post(&here, "/api/v1/shares", wish, headers).await;
        assert!(refused.contains("Another origin"), "{refused}");
    }
    let own = [user, groups, ("sec-fetch-site", "same-origin")];
    let made = reqwest_post(&here, "/api/v1/shares", wish, &own).await;
    assert!(made.contains("\"by\":\"ada\""), "{made}");
}

async fn reqwest_post(fleetglass: &Fleetglass, path: &str, body: &str, headers: &[(&str, &str)]) -> String {
    let http = fleetglass_tests::proxy::http_client();
    let mut request =
        http.post(fleetglass.url(path)).header("content-type", "application/json").body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().text().await.unwrap()
}

#[test]
fn settings_that_would_let_everybody_in_are_refused_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let login = "[auth.trusted_header]\nfrom = [\"127.0.0.1\"]\n";
    let role = "[[auth.trusted_header.role]]\nrole = \"viewer\"\n";
    for (config, words) in [
        ("[server]\ntrusted_proxies = [\"proxy.example\"]\n".to_owned(), "names are not looked up"),
        ("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]\n".to_owned(), "is everybody"),
        ("[server]\nbase_path = \"fleet\"\n".to_owned(), "is no path such as /fleet/"),
        ("[server]\nbase_path = \"/a/../b\"\n".to_owned(), "is no path such as /fleet/"),
        ("[server]\nbase_path = \"/api/\"\n".to_owned(), "an address of the app's own"),
        (login.to_owned(), "whoever is named may do nothing"),
        (format!("[auth.trusted_header]\nfrom = []\n{role}"), "nobody's word is taken"),
        (format!("[auth.trusted_header]\n{role}"), "missing field `from`"),
        (format!("{login}user = \"Cookie\"\n{role}"), "cannot be that header"),
        (format!("{login}user = \"a b\"\n{role}"), "cannot be that header"),
        (format!("{login}groups = \"x-forwarded-user\"\n{role}"), "the same header"),
        (format!("{login}{role}group = \"ops\"\n"), "no header names groups"),
        (format!("{login}{role}select = [\"{{team=\"]\n"), "select"),
    ] {
        std::fs::write(folder.path().join("fg.toml"), &config).unwrap();
        let said = run_in(folder.path(), &["check", "--config", "fg.toml"], &[]);
        assert_eq!(said.code, Some(2), "{config}: {said:?}");
        assert!(said.err.contains("fg.toml:") && said.err.contains(words), "{config}: {said:?}");
    }
    // With a way to log in, others may reach it.
    let config = format!("[server]\nlisten = \"0.0.0.0:0\"\n{login}{role}");
    std::fs::write(folder.path().join("fg.toml"), config).unwrap();
    let said = run_in(folder.path(), &["check", "--config", "fg.toml"], &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
}
