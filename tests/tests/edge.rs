//! The way to us: TLS and its certificates, HTTP/2, reverse proxies and what they may say, a base path.

#![allow(clippy::unwrap_used)]

#[path = "edge/nginx.rs"]
mod nginx;
#[path = "edge/trust.rs"]
mod trust;

use std::path::Path;

use fleetglass_tests::{
    command::run_in,
    node::{Node, Page},
    proxy::Fleetglass,
    tls::{Certificate, Client, over_http_2},
    wait::eventually,
};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The head of a config with TLS; the files lie beside it.
const TLS: &str = "
[server]
listen = \"127.0.0.1:0\"
[server.tls]
cert_file = \"tls/cert.pem\"
key_file = \"tls/key.pem\"
";

/// A folder as Kubernetes fills it: `tls/cert.pem` leads through `..data`, which is what is replaced.
fn put(folder: &Path, name: &str, certificate: &str, key: &str) {
    let tls = folder.join("tls");
    std::fs::create_dir_all(tls.join(name)).unwrap();
    std::fs::write(tls.join(name).join("cert.pem"), certificate).unwrap();
    std::fs::write(tls.join(name).join("key.pem"), key).unwrap();
    std::os::unix::fs::symlink(name, tls.join("..next")).unwrap();
    std::fs::rename(tls.join("..next"), tls.join("..data")).unwrap();
    for file in ["cert.pem", "key.pem"] {
        let link = tls.join(file);
        if !link.is_symlink() {
            std::os::unix::fs::symlink(Path::new("..data").join(file), link).unwrap();
        }
    }
}

async fn serving(certificate: &Certificate, config: &str) -> Fleetglass {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "..first", &certificate.pem, &certificate.key);
    Fleetglass::start_in(folder, config, &[]).await
}

fn get(url: &str) -> Request<Empty<hyper::body::Bytes>> {
    Request::get(url).body(Empty::new()).unwrap()
}

/// The end of what a raw connection says to what is sent.
async fn said(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn tls_of_our_own_speaks_http_2_and_1() {
    let certificate = Certificate::of(&["localhost", "fleet.example"], 2040);
    let fleetglass = serving(&certificate, TLS).await;
    assert!(fleetglass.url("/").starts_with("https://"), "{}", fleetglass.log());

    let h2 = Client::trusting(&certificate, "h2", &[&TLS13]).connect(fleetglass.address()).await.unwrap();
    assert_eq!(h2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (status, headers, body) = over_http_2(h2, get("https://localhost/api/v1/fleet")).await;
    assert_eq!(status, 200, "{body}");
    assert!(!headers.contains_key("strict-transport-security"), "it would hold for all of this machine");

    // HTTP/2 has no Host: what it has in its place is looked at like one.
    let h2 = Client::trusting(&certificate, "h2", &[&TLS12]).connect(fleetglass.address()).await.unwrap();
    let (status, headers, _) = over_http_2(h2, get("https://fleet.example/api/v1/fleet")).await;
    assert_eq!(status, 421);
    assert_eq!(headers["strict-transport-security"], "max-age=31536000");

    let plain = fleetglass.request("GET", "/healthz", &[("host", "fleet.example")]).await;
    assert_eq!((plain.status.as_u16(), plain.body.as_str()), (200, "ok\n"));
    assert_eq!(plain.header("strict-transport-security"), "max-age=31536000");

    // Over TLS alone, and never in words that a browser would take for a page.
    let mut stream = TcpStream::connect(fleetglass.address()).await.unwrap();
    let answer = said(&mut stream, "GET / HTTP/1.1\r\nHost: fleet.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("strict-transport-security"), "{answer}");
    fleetglass.ended().await;
}

#[tokio::test]
async fn an_end_is_a_good_one_for_a_stream_over_http_2() {
    let certificate = Certificate::of(&["localhost"], 2040);
    let fleetglass = serving(&certificate, TLS).await;
    let h2 = Client::trusting(&certificate, "h2", &[&TLS13]).connect(fleetglass.address()).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(h2)).await.unwrap();
    let talking = tokio::spawn(connection);
    let response = sender.send_request(get("https://localhost/api/v1/live")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.windows(8).any(|part| part == b"snapshot"), "{first:?}");
    let ending = tokio::task::spawn_blocking(move || fleetglass.end("TERM"));
    // Not cut off: the stream ends, then the connection.
    body.collect().await.unwrap();
    talking.await.unwrap().unwrap();
    ending.await.unwrap();
}

#[tokio::test]
async fn the_oldest_version_is_the_configs_and_hsts_can_be_left_out() {
    let certificate = Certificate::of(&["localhost"], 2040);
    let config = format!("{TLS}min_version = \"1.3\"\nhsts = \"\"\n");
    let fleetglass = serving(&certificate, &config).await;
    let old = Client::trusting(&certificate, "http/1.1", &[&TLS12]).connect(fleetglass.address()).await;
    assert!(old.is_err(), "TLS 1.2 was spoken");
    let new =
        Client::trusting(&certificate, "http/1.1", &[&TLS13]).connect(fleetglass.address()).await.unwrap();
    assert_eq!(new.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let answer = fleetglass.request("GET", "/healthz", &[("host", "fleet.example")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("strict-transport-security")), (200, ""));
}

#[tokio::test]
async fn http_2_without_tls_is_for_those_who_know() {
    let fleetglass = Fleetglass::start("[server]\nlisten = \"127.0.0.1:0\"\n", &[]).await;
    let stream = TcpStream::connect(fleetglass.address()).await.unwrap();
    let (status, _, body) = over_http_2(stream, get("http://localhost/healthz")).await;
    assert_eq!((status, body.as_str()), (200, "ok\n"));
    let stream = TcpStream::connect(fleetglass.address()).await.unwrap();
    let (status, _, body) = over_http_2(stream, get("http://evil.example/api/v1/fleet")).await;
    assert_eq!(status, 421, "{body}");
}

#[tokio::test]
async fn who_connects_and_says_nothing_keeps_nobody_out() {
    let certificate = Certificate::of(&["localhost"], 2040);
    let fleetglass = serving(&certificate, TLS).await;
    let mut silent = Vec::new();
    for index in 0..700 {
        let mut stream = TcpStream::connect(fleetglass.address()).await.unwrap();
        if index % 2 == 0 {
            // The begin of a handshake that does not go on.
            stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).await.unwrap();
        }
        silent.push(stream);
        if index % 100 == 99 {
            assert_eq!(fleetglass.get("/healthz").await.status, 200, "with {index} of them");
        }
    }
    // The first were turned out for the last, long before their time was over; the rest go when it is.
    for (index, stream) in silent.iter_mut().enumerate() {
        let mut rest = Vec::new();
        let ended =
            tokio::time::timeout(fleetglass_tests::wait::PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{index} is still there");
    }
    fleetglass.ended().await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let fleetglass = Fleetglass::start("[server]\nlisten = \"127.0.0.1:0\"\n", &[]).await;
    let mut stream = TcpStream::connect(fleetglass.address()).await.unwrap();
    let answer = tokio::time::timeout(
        fleetglass_tests::wait::PATIENCE,
        said(&mut stream, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "),
    );
    answer.await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_replaced_under_an_open_stream() {
    let [first, second, third] = [2040, 2041, 2042].map(|year| Certificate::of(&["localhost"], year));
    let node = Node::start([("/health", Page::json(200, r#"{"status":"ok"}"#))]).await;
    let target = format!(
        "[scrape]\ninterval = \"500ms\"\ntimeout = \"500ms\"\n[[target]]\nid = \"a\"\nfamily = \"generic\"\nurl = \"{}\"\n",
        node.url()
    );
    let fleetglass = serving(&first, &format!("{TLS}{target}")).await;
    let mut stream = fleetglass.live(None).await;
    assert_eq!(stream.next().await.name, "snapshot");
    let shows = async |certificate: &Certificate| {
        Client::trusting(certificate, "h2", &[&TLS13]).connect(fleetglass.address()).await.map(drop)
    };
    let until = async || fleetglass.own_metric("fleetglass_tls_certificate_not_after_seconds").await;
    shows(&first).await.unwrap();
    eventually("the metric says when it ends", async || match until().await {
        Some(2_208_988_800.0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    put(fleetglass.folder(), "..second", &second.pem, &second.key);
    eventually("the second is shown", async || shows(&second).await.map_err(|error| error.to_string())).await;
    assert!(shows(&first).await.is_err(), "the first is shown still");
    eventually("the metric follows", async || match until().await {
        Some(2_240_611_200.0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    // A pair that does not belong together.
    put(fleetglass.folder(), "..third", &third.pem, &second.key);
    fleetglass.signal("HUP");
    eventually("it is refused", async || {
        let log = fleetglass.log();
        if log.contains("certificate refused") && log.contains("key.pem: is not the key of the certificate") {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    shows(&second).await.unwrap();
    assert!(!fleetglass.log().contains("PRIVATE"), "{}", fleetglass.log());
    let checked = run_in(fleetglass.folder(), &["check", "--config", "fleetglass.toml"], &[]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    assert!(
        checked.err.contains("tls/key.pem: is not the key") && checked.err.contains("hint: "),
        "{checked:?}"
    );

    put(fleetglass.folder(), "..fourth", &third.pem, &third.key);
    eventually("the third is shown", async || shows(&third).await.map_err(|error| error.to_string())).await;
    let checked = run_in(fleetglass.folder(), &["check", "--config", "fleetglass.toml"], &[]);
    assert_eq!(checked.code, Some(0), "{checked:?}");

    // The stream was there all the time, and hears what happens now.
    node.says("/health", Page::json(503, r#"{"status":"unhealthy"}"#));
    let mut heard = String::new();
    while !heard.contains("unhealthy") {
        heard = stream.next_named("delta").await.data.to_string();
    }
    drop(stream);
    fleetglass.ended().await;
}

#[tokio::test]
async fn a_start_with_files_that_are_no_pair_says_which_and_what_to_do() {
    let [one, other] = ["a.example", "b.example"].map(|name| Certificate::of(&[name], 2040));
    let past = Certificate::of(&["localhost"], 2021);
    for (certificate, key, words) in [
        (one.pem.as_str(), other.key.as_str(), "tls/key.pem: is not the key of the certificate in"),
        (&one.key, &one.key, "tls/cert.pem: there is no certificate in it"),
        (&one.pem, "nonsense", "tls/key.pem: there is no private key in it"),
    ] {
        let folder = TempDir::new().unwrap();
        put(folder.path(), "..first", certificate, key);
        std::fs::write(folder.path().join("fleetglass.toml"), TLS).unwrap();
        for command in ["serve", "check"] {
            let said = run_in(folder.path(), &[command, "--config", "fleetglass.toml"], &[]);
            assert_eq!(said.code, Some(2), "{command}: {said:?}");
            assert!(said.err.contains(words) && said.err.contains("hint: "), "{command}: {said:?}");
        }
    }
    let folder = TempDir::new().unwrap();
    put(folder.path(), "..first", &past.pem, &past.key);
    std::fs::write(folder.path().join("fleetglass.toml"), TLS).unwrap();
    let said = run_in(folder.path(), &["check", "--config", "fleetglass.toml"], &[]);
    assert!(said.code == Some(2) && said.err.contains("ran out on 2021-01-01"), "{said:?}");

    for (setting, words) in [
        ("min_version = \"1.1\"", "fleetglass.toml:7:"),
        ("hsts = \"a\\nb\"", "fleetglass.toml:7:"),
        ("certfile = \"x\"", "did you mean `cert_file`"),
    ] {
        std::fs::write(folder.path().join("fleetglass.toml"), format!("{TLS}{setting}\n")).unwrap();
        let said = run_in(folder.path(), &["check", "--config", "fleetglass.toml"], &[]);
        assert!(said.code == Some(2) && said.err.contains(words), "{setting}: {said:?}");
    }
}
