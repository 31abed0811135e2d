//! Signing in with an OpenID provider, against a conforming one (`oidc-provider`, through its own forms), and everything
//! that must not sign anybody in.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use fleetglass_tests::{
    command::run,
    node::{Node, Page},
    proxy::{Fleetglass, QUICK, free_port, http_client},
};
use serde_json::Value;

/// The provider, until it is dropped.
struct Provider {
    child: Child,
    port: u16,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `cargo xtask setup` put the node packages that have the provider.
fn node_modules() -> PathBuf {
    let has_it = |folder: &PathBuf| folder.join("oidc-provider").is_dir();
    let named = std::env::var_os("FLEETGLASS_NODE_MODULES").map(PathBuf::from);
    let cache = PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/fleetglass");
    let kept = std::fs::read_dir(cache).into_iter().flatten().flatten();
    let kept = kept.map(|entry| entry.path().join("node_modules"));
    let found = named.into_iter().chain(kept).find(has_it);
    found.expect("the node package oidc-provider is there; `cargo xtask setup` installs it")
}

impl Provider {
    fn start(port: u16, redirect: &str, left: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc/provider.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(node_modules()).args([&port.to_string(), redirect, left]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_ready = lines.map_while(Result::ok).any(|line| line == "ready");
        assert!(is_ready, "the provider ended instead of listening");
        Self { child, port }
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A browser without scripts: cookies, and one redirect after the other.
#[derive(Default)]
struct Browser {
    /// By host and port, as a browser keeps them apart by path and host.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page, and how it was come to.
struct Arrived {
    url: String,
    status: u16,
    body: String,
    set_cookies: Vec<String>,
    location: Option<String>,
}

fn place(url: &str) -> String {
    url.split('/').nth(2).unwrap().to_owned()
}

impl Browser {
    async fn once(&mut self, method: &str, url: &str, form: &str) -> Arrived {
        let jar = self.cookies.entry(place(url)).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            http_client().request(method.parse().unwrap(), url).header("cookie", cookies.join("; "));
        if method == "POST" {
            let origin = format!("http://{}", place(url));
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", origin)
                .body(form.to_owned());
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let set_cookies: Vec<String> = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        for line in &set_cookies {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(jar.remove(name)),
                value => drop(jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let location = location.map(|to| match to.starts_with('/') {
            true => format!("http://{}{to}", place(url)),
            false => to,
        });
        let status = answer.status().as_u16();
        Arrived { url: url.to_owned(), status, location, set_cookies, body: answer.text().await.unwrap() }
    }

    /// Follows redirects until there is a page, or until one leads to `stop`.
    async fn go(&mut self, method: &str, url: &str, form: &str, stop: &str) -> Arrived {
        let mut arrived = self.once(method, url, form).await;
        while let Some(to) = arrived.location.clone().filter(|to| !to.starts_with(stop)) {
            arrived = self.once("GET", &to, "").await;
        }
        arrived
    }

    /// Signs in at the provider whose page it is on, and gives the URL that leads back.
    async fn through_forms(&mut self, first: &str, name: &str, stop: &str) -> String {
        let mut page = self.go("GET", first, "", stop).await;
        for _ in 0..3 {
            if let Some(back) = page.location.clone() {
                return back;
            }
            assert_eq!(page.status, 200, "{}: {}", page.url, page.body);
            let form = match page.body.contains("name=\"login\"") {
                true => format!("prompt=login&login={name}&password=any"),
                false => "prompt=consent".to_owned(),
            };
            let action = page.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            page = self.go("POST", &action, &form, stop).await;
        }
        page.location.unwrap_or_else(|| panic!("it leads nowhere: {}", page.body))
    }
}

struct Story {
    fleetglass: Fleetglass,
    provider: Provider,
    _nodes: Vec<Node>,
    token: String,
}

impl Story {
    async fn begin() -> Self {
        let port = free_port();
        let own = format!("http://127.0.0.1:{port}");
        let provider =
            Provider::start(free_port(), &format!("{own}/login/oidc/callback"), &format!("{own}/login"));
        let made = run(&["token", "new", "--name", "ops"]);
        let (text, lines) = made.out.split_once("[[auth.token]]").unwrap();
        let token = text.split_whitespace().find(|word| word.starts_with("fg_")).unwrap().to_owned();
        let mut config = QUICK.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        assert!(config.contains(&port.to_string()), "{config}");
        config += &format!(
            "\n[[auth.token]]{lines}\n[auth.oidc]\nissuer = \"{}\"\nclient_id = \"fleetglass\"\n\
             client_secret_file = \"secret.txt\"\nscopes = [\"profile\", \"groups\"]\nlabel = \"Stories\"\n\
             [[auth.oidc.role]]\ngroup = \"acme\"\nrole = \"operator\"\nselect = ['{{team=\"acme\"}}']\n\
             [[auth.oidc.role]]\ngroup = \"root\"\nrole = \"admin\"\n",
            provider.issuer()
        );
        let mut nodes = Vec::new();
        for (id, team) in [("in-1", "acme"), ("out-secret", "other")] {
            let health = Page::json(200, r#"{"status":"ok"}"#);
            let node = Node::start([("/health", health), ("/metrics", Page::metrics("up_to 1\n"))]).await;
            config += &format!(
                "\n[[target]]\nid = \"{id}\"\nfamily = \"paraloom\"\nurl = \"{}\"\nlabels = {{ team = \"{team}\" }}\n",
                node.url()
            );
            nodes.push(node);
        }
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret.txt"), "a-secret-of-the-stories\n").unwrap();
        let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
        fleetglass.ready().await;
        Self { fleetglass, provider, _nodes: nodes, token }
    }

    fn callback(&self) -> String {
        self.fleetglass.url("/login/oidc/callback")
    }

    /// Where the provider sends this browser back to, with a code for that name.
    async fn with_code(&self, browser: &mut Browser, name: &str) -> String {
        browser.through_forms(&self.fleetglass.url("/login/oidc"), name, &self.callback()).await
    }

    async fn json(&self, browser: &mut Browser, path: &str) -> (u16, Value) {
        let answer = browser.once("GET", &self.fleetglass.url(path), "").await;
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    async fn audit(&self) -> String {
        self.fleetglass
            .request("GET", "/api/v1/audit", &[("authorization", &format!("Bearer {}", self.token))])
            .await
            .body
    }
}

#[tokio::test]
async fn a_group_of_the_provider_is_a_limited_role_here() {
    let mut story = Story::begin().await;
    let mut browser = Browser::default();
    let login = browser.once("GET", &story.fleetglass.url("/login?next=/nodes/in-1"), "").await;
    assert!(
        login.body.contains("Sign in with Stories") && login.body.contains("/login/oidc?next="),
        "{}",
        login.body
    );
    assert_eq!(story.json(&mut browser, "/api/v1/fleet").await.0, 401);

    let begun = story.fleetglass.url("/login/oidc?next=/nodes/in-1");
    let first = browser.once("GET", &begun, "").await;
    let to = first.location.clone().unwrap();
    for part in ["code_challenge_method=S256", "response_type=code", "state=", "nonce=", "scope=openid"] {
        assert!(to.contains(part), "{to}");
    }
    let bound = &first.set_cookies[0];
    for part in ["fleetglass_oidc=", "HttpOnly", "SameSite=Lax", "Path=/login/oidc", "Max-Age=600"] {
        assert!(bound.contains(part), "{bound}");
    }
    let back = browser.through_forms(&to, "ada", &story.callback()).await;
    assert!(back.contains("iss="), "the provider names itself: {back}");
    let entered = browser.once("GET", &back, "").await;
    assert_eq!(
        (entered.status, entered.location.as_deref()),
        (303, Some(&*story.fleetglass.url("/nodes/in-1")))
    );
    let session = entered.set_cookies.iter().find(|line| line.starts_with("fleetglass_session=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax"), "{session}");
    assert!(
        entered.set_cookies.iter().any(|line| line.starts_with("fleetglass_oidc=;")),
        "{:?}",
        entered.set_cookies
    );

    let (_, me) = story.json(&mut browser, "/api/v1/me").await;
    assert_eq!(
        (&me["name"], &me["role"], &me["via"]),
        (&"ada".into(), &"operator".into(), &"oidc".into()),
        "{me}"
    );
    let (_, fleet) = story.json(&mut browser, "/api/v1/fleet").await;
    assert!(
        fleet["nodes"].as_array().unwrap().len() == 1 && !fleet.to_string().contains("out-secret"),
        "{fleet}"
    );
    assert_eq!(story.json(&mut browser, "/api/v1/users").await.0, 403);
    let audit = story.audit().await;
    assert!(audit.contains("\"login\"") && audit.contains("ada") && audit.contains("oidc"), "{audit}");

    let left = browser.once("POST", &story.fleetglass.url("/logout"), "").await;
    let end =
        format!("{}/session/end?client_id=fleetglass&amp;post_logout_redirect_uri=", story.provider.issuer());
    assert!(left.status == 200 && left.body.contains(&end), "{}", left.body);
    assert_eq!(story.json(&mut browser, "/api/v1/fleet").await.0, 401);

    // The provider comes back with other keys: they are asked for when they are needed.
    let port = story.provider.port;
    drop(std::mem::replace(
        &mut story.provider,
        Provider { child: Command::new("true").spawn().unwrap(), port },
    ));
    story.provider = Provider::start(port, &story.callback(), &story.fleetglass.url("/login"));
    let mut browser = Browser::default();
    let back = story.with_code(&mut browser, "root").await;
    assert_eq!(browser.once("GET", &back, "").await.status, 303);
    assert_eq!(story.json(&mut browser, "/api/v1/users").await.0, 200, "root is admin");
    let log = story.fleetglass.log();
    assert!(!log.contains("a-secret-of-the-stories") && !log.contains("code="), "{log}");
}

#[tokio::test]
async fn nothing_but_the_login_that_a_browser_began_signs_it_in() {
    let story = Story::begin().await;
    let code = |url: &str| url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let state = |url: &str| url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let refused = async |browser: &mut Browser, url: &str, status: u16, words: &str| {
        let page = browser.once("GET", url, "").await;
        assert!(page.status == status && page.body.contains(words), "{url}: {} {}", page.status, page.body);
        assert!(!page.set_cookies.iter().any(|line| line.starts_with("fleetglass_session=")), "{url}");
        assert_eq!(story.json(browser, "/api/v1/fleet").await.0, 401, "{url}");
    };
    const STRAY: &str = "was not begun by this browser";

    // Known to the provider, and in no group that counts.
    let mut guest = Browser::default();
    let back = story.with_code(&mut guest, "guest").await;
    refused(&mut guest, &back, 403, "nobody gave any of your groups a role").await;

    // Another browser's answer, another state, none, another provider's name, an error.
    let (mut ada, mut other) = (Browser::default(), Browser::default());
    let back = story.with_code(&mut ada, "ada").await;
    refused(&mut other, &back, 403, STRAY).await;
    story.with_code(&mut other, "ada").await;
    refused(&mut other, &back, 403, STRAY).await;
    for (from, to, words) in [
        (format!("state={}", state(&back)), "state=x".to_owned(), STRAY),
        (format!("state={}", state(&back)), String::new(), STRAY),
    ] {
        let mut own = Browser::default();
        let back = story.with_code(&mut own, "ada").await;
        let wrong = back.replace(&from, &to).replace(&format!("state={}", state(&back)), &to);
        refused(&mut own, &wrong, 403, words).await;
        refused(&mut own, &back, 403, STRAY).await;
    }
    let mut own = Browser::default();
    let theirs = story.with_code(&mut own, "ada").await;
    let wrong = format!("{}?code=x&state={}&iss=https://other.example", story.callback(), state(&theirs));
    refused(&mut own, &wrong, 403, "another provider").await;
    let mut own = Browser::default();
    let theirs = story.with_code(&mut own, "ada").await;
    let error = format!("{}?error=%3Cscript%3Eaccess_denied&state={}", story.callback(), state(&theirs));
    refused(&mut own, &error, 403, "did not sign you in: scriptaccess_denied").await;
    for wrong in ["", "?code=", "?state=&code=x", "?code=%ff", "?error=x"] {
        refused(&mut Browser::default(), &format!("{}{wrong}", story.callback()), 403, "Not signed in").await;
    }

    // A code is used once: not twice in one login, and not in another one.
    let entered = ada.once("GET", &back, "").await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    let mut thief = Browser::default();
    let own = story.with_code(&mut thief, "guest").await;
    let stolen = format!("{}?code={}&state={}", story.callback(), code(&back), state(&own));
    refused(&mut thief, &stolen, 403, "could not be proved").await;
    let again = ada.once("GET", &back, "").await;
    assert!(again.status == 403 && again.body.contains(STRAY), "{}", again.body);
    // A code that nobody used yet is bound to the verifier of the browser that asked for it.
    let (mut victim, mut thief) = (Browser::default(), Browser::default());
    let (fresh, own) =
        (story.with_code(&mut victim, "ada").await, story.with_code(&mut thief, "guest").await);
    let stolen = format!("{}?code={}&state={}", story.callback(), code(&fresh), state(&own));
    refused(&mut thief, &stolen, 403, "could not be proved").await;

    // Another nonce than the one that was asked for.
    let mut own = Browser::default();
    let first = own.once("GET", &story.fleetglass.url("/login/oidc"), "").await.location.unwrap();
    let nonce = first.split("nonce=").nth(1).unwrap().split('&').next().unwrap();
    let back = own.through_forms(&first.replace(nonce, "another"), "ada", &story.callback()).await;
    refused(&mut own, &back, 403, "could not be proved").await;

    let audit = story.audit().await;
    for outcome in ["no role", "stray", "refused", "proof"] {
        assert!(audit.contains(outcome), "{outcome}: {audit}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_in_words() {
    let config = format!(
        "{QUICK}\n[auth.oidc]\nissuer = \"http://127.0.0.1:{}\"\nclient_id = \"f\"\n[[auth.oidc.role]]\nrole = \"viewer\"\n",
        free_port()
    );
    let fleetglass = Fleetglass::start(&config, &[]).await;
    assert_eq!(fleetglass.get("/api/v1/fleet").await.status, 401, "with a provider everybody is asked");
    let page = fleetglass.get("/login/oidc").await;
    assert!(page.status == 502 && page.body.contains("does not answer as it should"), "{}", page.body);
    assert!(page.body.contains("href=\"/login\""), "{}", page.body);
    assert!(fleetglass.log().contains("discovery document"), "{}", fleetglass.log());
}
