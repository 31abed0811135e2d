//! Who is told: asked, confirmed, told with retries over a restart, and told no more.

use base64::{Engine, engine::general_purpose::STANDARD};
use fleetglass_tests::{
    inbox::{Inbox, Letter, Reply},
    mail::{MailServer, Talk, authority},
};
use hmac::{Hmac, Mac};

use super::*;

const POSTS: &str = "/api/v1/status/acme/posts";

fn config(server: &MailServer, more: &str) -> String {
    format!(
        "[status]\nmail = \"team\"\n{more}\n[[receiver]]\nname = \"team\"\n[[receiver.email]]\nto = [\"ops@example.org\"]\n\
         from = \"Status <status@example.org>\"\nsmarthost = \"localhost:{}\"\nca_file = \"{}\"\n",
        server.port(),
        authority().display()
    )
}

async fn mail(server: &MailServer, what: &str, wanted: impl Fn(&Talk) -> bool) -> Talk {
    eventually(&format!("a mail came: {what}"), async || {
        let talks = server.talks();
        talks.iter().find(|talk| wanted(talk)).cloned().ok_or_else(|| format!("{talks:?}"))
    })
    .await
}

fn is_to(talk: &Talk, address: &str) -> bool {
    talk.said.contains(&format!("RCPT TO:<{address}>"))
}

/// The path of the link in a mail, however its lines were broken.
fn link(talk: &Talk, purpose: char) -> String {
    let whole = talk.mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let mark = format!("/n/status/{purpose}.");
    let at = whole.find(&mark).unwrap_or_else(|| panic!("no link in {whole}"));
    whole[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.')).collect()
}

fn incident(title: &str) -> Value {
    json!({"kind": "incident", "title": title, "text": "We look into it."})
}

async fn write(fleetglass: &Fleetglass, title: &str) {
    let written = send(fleetglass, "POST", POSTS, &incident(title)).await;
    assert_eq!(written.status, 201, "{}", written.body);
}

async fn confirmed(fleetglass: &Fleetglass) -> usize {
    let all = fleetglass.json("/api/v1/status/acme/subscribers").await;
    let all = all["subscribers"].as_array().unwrap();
    all.iter().filter(|one| one["confirmed_at"].is_i64()).count()
}

#[tokio::test]
async fn mail_is_sent_to_whom_confirmed_it_over_a_restart_and_until_they_end_it() {
    let server = MailServer::start().await;
    let story = story(&config(&server, "")).await;
    let fleetglass = story.fleetglass;
    made(&fleetglass, "acme", &["--aliases"]);
    assert!(fleetglass.get("/status/acme").await.body.contains("Subscribe by e-mail"));
    for bad in ["email=nonsense", "email=a%40b%0d%0aBcc%3aeve%40x.example", "email=", "other=1"] {
        assert_eq!(form(&fleetglass, "/status/acme/subscribe", bad).await.status, 400, "{bad}");
    }
    let asked = form(&fleetglass, "/status/acme/subscribe", "email=reader%40example.com").await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let talk = mail(&server, "to confirm", |talk| is_to(talk, "reader@example.com")).await;
    assert!(talk.mail.contains("Subject: Confirm"), "{}", talk.mail);
    let confirm = link(&talk, 'c');

    // What only looks changes nothing, and nobody is told before.
    let page = fleetglass.get(&confirm).await;
    assert!(page.status == 200 && page.body.contains("Yes, tell me"), "{}", page.body);
    assert_eq!(confirmed(&fleetglass).await, 0);
    let forged = confirm.replacen("/c.", "/e.", 1);
    assert_eq!(fleetglass.get(&forged).await.status, 404, "a link is for one thing");
    assert_eq!(form(&fleetglass, &confirm, "").await.status, 200);
    assert_eq!(confirmed(&fleetglass).await, 1);

    // Whoever asks for that address again learns nothing.
    let again = form(&fleetglass, "/status/acme/subscribe", "email=reader%40example.com").await;
    let other = form(&fleetglass, "/status/acme/subscribe", "email=nobody%40example.com").await;
    assert_eq!(told(&asked), told(&again));
    assert_eq!(told(&asked), told(&other));
    mail(&server, "to the other", |talk| is_to(talk, "nobody@example.com")).await;

    // An update waits on the disk while the mail server is busy.
    server.is_busy(1_000);
    write(&fleetglass, "Slow answers").await;
    eventually("it waits", async || {
        let all = fleetglass.json("/api/v1/status/acme/subscribers").await.to_string();
        if all.contains("\"waiting\":1") { Ok(()) } else { Err(all) }
    })
    .await;
    let fleetglass = fleetglass.killed_and_started(&story.config).await;
    server.is_busy(0);
    let talk = mail(&server, "the update", |talk| talk.mail.contains("Slow answers")).await;
    assert!(is_to(&talk, "reader@example.com"), "{:?}", talk.said);
    clean("the mail", &talk.mail.replace("=\r\n", "").replace("=\n", ""));
    for head in [
        "List-Unsubscribe: <http",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(talk.mail.contains(head), "no `{head}` in {}", talk.mail);
    }

    // One press in a mail program ends it.
    let end = link(&talk, 'e');
    assert!(fleetglass.get(&end).await.body.contains("Unsubscribe"));
    assert_eq!(confirmed(&fleetglass).await, 1);
    assert_eq!(form(&fleetglass, &end, "List-Unsubscribe=One-Click").await.status, 200);
    assert_eq!(confirmed(&fleetglass).await, 0);
    assert_eq!(fleetglass.get(&end).await.status, 404, "their address is forgotten");
    let log = fleetglass.log();
    assert!(!log.contains("reader@example.com") && !log.contains("nobody@example.com"), "{log}");
}

#[tokio::test]
async fn a_closed_page_tells_nobody_and_an_operator_can_take_somebody_away() {
    let server = MailServer::start().await;
    let story = story(&config(&server, "")).await;
    let fleetglass = &story.fleetglass;
    let id = made(fleetglass, "acme", &[]);
    for name in ["one", "two"] {
        let body = format!("email={name}%40example.com");
        assert_eq!(form(fleetglass, "/status/acme/subscribe", &body).await.status, 202);
        let talk = mail(&server, name, |talk| is_to(talk, &format!("{name}@example.com"))).await;
        assert_eq!(form(fleetglass, &link(&talk, 'c'), "").await.status, 200);
    }
    let all = fleetglass.json("/api/v1/status/acme/subscribers").await;
    let one = all["subscribers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["address"] == "one@example.com")
        .unwrap();
    let path = format!("/api/v1/status/acme/subscribers/{}", one["id"].as_str().unwrap());
    assert_eq!(fleetglass.request("DELETE", &path, &[]).await.status, 204);
    write(fleetglass, "First").await;
    mail(&server, "the first", |talk| talk.mail.contains("First") && is_to(talk, "two@example.com")).await;
    // What is on its way when the page closes is not told.
    server.is_busy(1_000);
    write(fleetglass, "Second").await;
    eventually("it is put off", async || {
        let log = fleetglass.log();
        if log.contains("not told yet") { Ok(()) } else { Err(log) }
    })
    .await;
    assert_eq!(fleetglass.request("DELETE", &format!("/api/v1/shares/{id}"), &[]).await.status, 200);
    server.is_busy(0);
    eventually("it is given up", async || {
        let log = fleetglass.log();
        if log.contains("its page is closed") { Ok(()) } else { Err(log) }
    })
    .await;
    let told: Vec<_> = server.talks().into_iter().filter(|talk| talk.mail.contains("Second")).collect();
    assert!(told.is_empty(), "{told:?}");
    assert!(!server.talks().iter().any(|talk| talk.mail.contains("First") && is_to(talk, "one@example.com")));
}

fn signed(letter: &Letter, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (letter.header("webhook-id"), letter.header("webhook-timestamp"));
    mac.update(format!("{id}.{at}.{}", letter.text()).as_bytes());
    letter.header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_webhook_is_told_once_it_sends_its_challenge_back() {
    let (server, inbox, deaf) = (MailServer::start().await, Inbox::start().await, Inbox::start().await);
    let story = story(&config(&server, "allow_private = true")).await;
    let fleetglass = &story.fleetglass;
    made(fleetglass, "acme", &["--aliases"]);
    inbox.answers([Reply::Challenge, Reply::Status(503, Vec::new(), "later")]);
    let asked =
        send(fleetglass, "POST", "/status/acme/subscribe", &json!({"webhook": inbox.url("/hook")})).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    // A form in a browser gets a page; a program that asks for JSON gets that.
    assert!(asked.body.contains("whsec_"), "{}", asked.body);
    let secret = asked.body.split("<pre>").nth(1).unwrap().split("</pre>").next().unwrap().to_owned();
    let letter = inbox.letter("the challenge", |letter| letter.text().contains("status.challenge")).await;
    assert!(signed(&letter, &secret), "{letter:?}");
    assert_eq!(
        send(fleetglass, "POST", "/status/acme/subscribe", &json!({"webhook": deaf.url("/hook")}))
            .await
            .status,
        202
    );
    deaf.letter("a challenge", |letter| letter.text().contains("challenge")).await;
    eventually("it is confirmed", async || match confirmed(fleetglass).await {
        1 => Ok(()),
        n => Err(n.to_string()),
    })
    .await;
    write(fleetglass, "Slow answers").await;
    let told = eventually("it is told, after a refusal", async || {
        let letters = inbox.letters();
        let told: Vec<Letter> =
            letters.into_iter().filter(|letter| letter.text().contains("status.update")).collect();
        if told.len() == 2 { Ok(told) } else { Err(format!("{told:?}")) }
    })
    .await;
    assert_eq!(told[0].header("webhook-id"), told[1].header("webhook-id"), "a second copy can be told");
    assert!(signed(&told[1], &secret));
    let body = told[1].json();
    assert_eq!(body["data"]["post"]["title"], "Slow answers");
    assert_eq!(body["data"]["update"]["text"], "We look into it.");
    clean("the request", &told[1].text());
    assert!(!deaf.letters().iter().any(|letter| letter.text().contains("status.update")));
    let end = body["data"]["unsubscribe_url"].as_str().unwrap().replace(&fleetglass.url(""), "");
    assert_eq!(form(fleetglass, &end, "").await.status, 200);
    assert_eq!(confirmed(fleetglass).await, 0);
    // A secret is told once: neither the log nor the state file has it.
    assert!(!fleetglass.log().contains(&secret));
    let state = std::fs::read(fleetglass.folder().join("fleetglass-data/state.db")).unwrap();
    let plain = secret.strip_prefix("whsec_").unwrap().as_bytes();
    assert!(!state.windows(plain.len()).any(|part| part == plain));
}

#[tokio::test]
async fn no_stranger_has_us_ask_a_private_address() {
    let (server, inbox) = (MailServer::start().await, Inbox::start().await);
    let story = story(&config(&server, "")).await;
    let fleetglass = &story.fleetglass;
    made(fleetglass, "acme", &[]);
    for url in [
        inbox.url("/"),
        "https://127.0.0.1/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "https://[::1]/".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://0x7f.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let refused = send(fleetglass, "POST", "/status/acme/subscribe", &json!({"webhook": url})).await;
        assert_eq!(refused.status, 400, "{url}: {}", refused.body);
    }
    // A name is looked up before it is asked, and says as little: the answer is that of any other.
    let port = inbox.url("").rsplit(':').next().unwrap().to_owned();
    let named = json!({"webhook": format!("https://localhost:{port}/")});
    assert_eq!(send(fleetglass, "POST", "/status/acme/subscribe", &named).await.status, 202);
    eventually("it is refused", async || {
        let log = fleetglass.log();
        if log.contains("not at public addresses") { Ok(()) } else { Err(log) }
    })
    .await;
    assert!(inbox.letters().is_empty());
    // So often an hour, whatever is asked for.
    let mut last = 202;
    for n in 0..12 {
        last = form(fleetglass, "/status/acme/subscribe", &format!("email=r{n}%40example.com"))
            .await
            .status
            .as_u16();
    }
    assert_eq!(last, 429);
}
