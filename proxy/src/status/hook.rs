//! Requests to addresses that strangers give us: only to public ones, looked up by us, without redirects, and with
//! little patience. What comes back is told to nobody.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use fleetglass_shared::health::UnixMillis;
use hmac::{Hmac, Mac};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use sha2::Sha256;

use crate::notify::client::{Outcome, Reply, judged, reply};

const TIMEOUT: Duration = Duration::from_secs(10);
/// A longer address is none that a person gave.
pub(super) const MOST_URL: usize = 1_000;

/// The client for web hooks of subscribers.
#[derive(Clone, Debug)]
pub(super) struct Hooks {
    public: reqwest::Client,
    any: reqwest::Client,
}

impl Hooks {
    /// # Errors
    /// The TLS set-up of this machine cannot be used.
    pub(super) fn new() -> reqwest::Result<Self> {
        let client = || {
            reqwest::Client::builder()
                .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
                // Each would lead to where nobody has looked.
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .pool_max_idle_per_host(0)
                .timeout(TIMEOUT)
        };
        Ok(Self { public: client().dns_resolver(Arc::new(PublicOnly)).build()?, any: client().build()? })
    }

    /// Posts a signed body once.
    pub(super) async fn post(
        &self,
        message: &Message<'_>,
        allow_private: bool,
        now: UnixMillis,
    ) -> Result<Reply, Outcome> {
        let url = checked(message.url, allow_private).map_err(|words| Outcome::Refused(words.to_owned()))?;
        let client = if allow_private { &self.any } else { &self.public };
        let (at, body) = (now / 1000, message.body);
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature(message.secret, message.id, at, body))
            .body(body.to_owned());
        reply(request, now).await.map_err(|words| Outcome::Again(words, None))
    }

    /// Posts a signed body once, and judges the answer.
    pub(super) async fn send(&self, message: &Message<'_>, allow_private: bool, now: UnixMillis) -> Outcome {
        match self.post(message, allow_private, now).await {
            Ok(reply) => judged(&reply, &[]),
            Err(outcome) => outcome,
        }
    }
}

/// What is posted, by the Standard Webhooks specification.
pub(super) struct Message<'a> {
    pub(super) url: &'a str,
    /// The same for each attempt.
    pub(super) id: &'a str,
    pub(super) secret: &'a [u8],
    pub(super) body: &'a str,
}

/// `v1,` and an HMAC-SHA256 of id, time and body in base64.
fn signature(secret: &[u8], id: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// An address that may be posted to; names are looked up only when it is.
///
/// # Errors
/// What is wrong with it.
pub(super) fn checked(text: &str, allow_private: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "that is no URL such as https://example.org/hook")?;
    let is_private = url
        .host_str()
        .and_then(|host| host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok());
    match () {
        () if text.len() > MOST_URL => Err("that URL is too long"),
        () if url.scheme() != "https" && !(allow_private && url.scheme() == "http") => {
            Err("the URL must begin with https://")
        }
        () if !url.has_host() => Err("that URL has no host"),
        () if !url.username().is_empty() || url.password().is_some() => {
            Err("the URL must hold no user and no password")
        }
        () if !allow_private && is_private.is_some_and(|ip| !is_public(ip)) => {
            Err("that address is not a public one")
        }
        () => Ok(url),
    }
}

/// Looks names up, and gives no address that is not public. The connection goes to the very address that was looked
/// at, so a name that says something else a moment later gains nothing.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
                return Err("it is not at public addresses alone".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the Internet's, and not of a machine, a network, or a purpose of its own.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b)) // shared by carriers
        || (a == 192 && b == 0 && c == 0) // protocols
        || (a == 192 && b == 88 && c == 99) // relays
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || a >= 224) // multicast, reserved, broadcast
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, ..] = ip.segments();
    // Global unicast is 2000::/3; mapped, translated and local addresses all lie outside of it.
    (a & 0xe000) == 0x2000
        && !(a == 0x2001 && b < 0x0200) // protocols, Teredo among them
        && !(a == 0x2001 && b == 0x0db8) // documentation
        && a != 0x2002 // 6to4: another address hides in it
        && !(a == 0x3fff && b < 0x1000) // documentation
        && !(a == 0x2620 && b == 0x4f && c == 0x8000) // AS112
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_public_addresses_are_asked() {
        for ip in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "172.32.0.1",
            "100.128.0.1",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "ff02::1",
            "::127.0.0.1",
            "fec0::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn an_address_is_checked_before_it_is_kept() {
        assert!(checked("https://example.org/hook?a=b", false).is_ok());
        assert!(checked("http://127.0.0.1:9/hook", true).is_ok());
        for text in [
            "http://example.org/",
            "ftp://example.org/",
            "https://",
            "nonsense",
            "https://u:p@example.org/",
            "https://u@example.org/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://127.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://0177.0.0.1/",
        ] {
            assert!(checked(text, false).is_err(), "{text}");
        }
        assert!(checked(&format!("https://example.org/{}", "x".repeat(MOST_URL)), false).is_err());
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_when_it_is_looked_up() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let hooks = Hooks::new().unwrap();
        let message = Message { url: "https://localhost:1/", id: "i", secret: b"s", body: "{}" };
        match hooks.send(&message, false, 0).await {
            Outcome::Again(words, _) => assert!(words.contains("not at public addresses"), "{words}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of the specification.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
