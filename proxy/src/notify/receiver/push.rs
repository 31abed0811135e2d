//! Web Push: RFC 8030 takes the message, RFC 8291 hides it from the push service, RFC 8292 says who sends it.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use reqwest::Url;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Outbound, Outcome};
use crate::{
    config::Secret,
    notify::{client, words::cut},
    state::KeptPush,
};

/// A push service takes 4,096 bytes (RFC 8030), of which RFC 8188 needs some: a header with a key, a delimiter, a tag.
const MOST_BYTES: usize = 4096 - 86 - 1 - 16;
const TITLE: usize = 120;
/// Letters of the text; where they are too many bytes, fewer of them.
const BODY: usize = 400;
const LABEL: usize = 80;
/// A message about an alert that is older is of no use.
const TTL_SECONDS: i64 = 4 * 3600;
/// How long what is signed can be used: RFC 8292 allows a day.
const SIGNED_SECONDS: i64 = 12 * 3600;

/// The key by which push services know us.
pub(crate) struct VapidKey {
    signing: SigningKey,
    /// The public key, as browsers want it: an uncompressed point in base64url.
    pub(crate) public: String,
}

impl std::fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl VapidKey {
    /// The key of these bytes; hardly any 32 bytes are none.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let signing = SigningKey::from_slice(bytes).ok()?;
        let public = URL_SAFE_NO_PAD.encode(signing.verifying_key().to_encoded_point(false).as_bytes());
        Some(Self { signing, public })
    }

    /// What the `Authorization` header says: `audience` is the origin of the push service.
    fn authorization(&self, audience: &str, contact: &str, now_seconds: i64) -> String {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let says = format!(
            "{}.{}",
            part(json!({"typ": "JWT", "alg": "ES256"})),
            part(json!({"aud": audience, "exp": now_seconds + SIGNED_SECONDS, "sub": contact}))
        );
        let signature: Signature = self.signing.sign(says.as_bytes());
        format!("vapid t={says}.{}, k={}", URL_SAFE_NO_PAD.encode(signature.to_bytes()), self.public)
    }
}

/// A browser, set up.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub(crate) to: KeptPush,
    pub(crate) key: Arc<VapidKey>,
    pub(crate) contact: String,
    pub(crate) allow_private: bool,
    pub(crate) client: client::Client,
}

impl PartialEq for Push {
    fn eq(&self, other: &Self) -> bool {
        self.to == other.to && self.contact == other.contact && self.allow_private == other.allow_private
    }
}

impl Push {
    pub(super) async fn send(&self, out: &Outbound<'_>) -> Result<Outcome, Outcome> {
        let refused = |words: String| Outcome::Refused(words);
        let url = endpoint(self.to.endpoint.reveal(), self.allow_private).map_err(refused)?;
        let key = web_push_native::p256::PublicKey::from_sec1_bytes(&self.to.p256dh)
            .map_err(|_| refused("the browser's key is none".to_owned()))?;
        let body = web_push_native::encrypt(payload(out, &self.to).into_bytes(), &key, &self.to.auth.into())
            .map_err(|error| refused(format!("it cannot be encrypted: {error}")))?;
        let audience = url.origin().ascii_serialization();
        let urgency = if out.message.fires() { "high" } else { "normal" };
        let request = self
            .client
            .post(url.as_str(), "application/octet-stream", body)?
            .header(header::AUTHORIZATION, self.key.authorization(&audience, &self.contact, out.now / 1000))
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header("ttl", TTL_SECONDS)
            .header("topic", topic(&out.message.incident()))
            .header("urgency", urgency);
        let secrets: [&Secret; 1] = [&self.to.endpoint];
        match client::reply(request, out.now).await {
            Err(words) => Ok(Outcome::Again(client::struck(&words, &secrets), None)),
            Ok(reply) if matches!(reply.status.as_u16(), 404 | 410) => {
                Ok(Outcome::Gone("the browser is not subscribed any more, and is forgotten".to_owned()))
            }
            Ok(reply) => Ok(client::judged(&reply, &secrets)),
        }
    }
}

/// What the service worker reads: see `static/sw.js`.
fn payload(out: &Outbound<'_>, to: &KeptPush) -> String {
    let (message, rendered) = (out.message, out.rendered);
    let body = match message.alerts.as_slice() {
        [_] => rendered.parts.first().map(|part| part.lines.join("\n")).unwrap_or_default(),
        _ => rendered.parts.iter().map(|part| part.head.as_str()).collect::<Vec<_>>().join("\n"),
    };
    let one = match message.alerts.as_slice() {
        [only] if message.truncated == 0 => Some(&only.alert),
        _ => None,
    };
    // One press takes one alert: of several it is not clear which.
    let acknowledge =
        rendered.acknowledge.as_deref().filter(|_| one.is_some()).and_then(|url| url.rsplit('/').next());
    let url = one.filter(|alert| !alert.labels.is_empty() && message.fires());
    let url = url.map_or("alerts".to_owned(), |alert| format!("alerts/{}", alert.id));
    let by = if to.owner.is_empty() { &to.label } else { &to.owner };
    let told = json!({
        "title": cut(&rendered.title, TITLE),
        "alert": one.map(|alert| &alert.id),
        "url": url,
        "acknowledge": acknowledge,
        "by": cut(by, LABEL),
        "severity": message.severity().as_str(),
        "tag": message.incident(),
        "firing": out.firing,
        "at": message.at,
    });
    fitting(told, body.trim())
}

/// What is told, with as much of the text as there is room for.
fn fitting(mut told: serde_json::Value, body: &str) -> String {
    let mut letters = BODY;
    loop {
        told["body"] = cut(body, letters).into();
        let payload = told.to_string();
        if payload.len() <= MOST_BYTES || letters == 0 {
            return payload;
        }
        letters /= 2;
    }
}

/// What a push service knows an incident by: of those that wait for a browser, the last one is delivered (RFC 8030, section
/// 5.4). It learns no name by that.
fn topic(incident: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(incident.as_bytes())[..24])
}

/// The address of a push service, if it is one that may be asked.
///
/// # Errors
/// Why it is not, in words without the address.
pub(crate) fn endpoint(text: &str, allow_private: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("the endpoint is no URL: {error}"))?;
    let Some(host) = url.host_str() else { return Err("the endpoint names no host".to_owned()) };
    let ip = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(ip) => Some(ip),
        Err(_) => {
            let host = host.trim_end_matches('.');
            let local = host == "localhost" || host.ends_with(".localhost");
            local.then_some(IpAddr::from([127, 0, 0, 1]))
        }
    };
    let is_own = ip.is_some_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_own && allow_private => {}
        _ => return Err("the endpoint is not https".to_owned()),
    }
    match ip {
        Some(ip) if !allow_private && !is_public(ip) => {
            Err("the endpoint is in a private network: [push] allow_private lets it be".to_owned())
        }
        _ => Ok(url),
    }
}

/// Whether an address is out there, and not of this machine or a private network.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            match ip.to_ipv4_mapped() {
                Some(ip) => is_public(ip.into()),
                // Global unicast but for the documentation's and the NAT's and tunnels of IPv4.
                None => {
                    (first & 0xe000) == 0x2000
                        && first != 0x2002
                        && !(first == 0x2001 && matches!(ip.segments()[1], 0 | 0x0db8))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use p256::ecdsa::{VerifyingKey, signature::Verifier};

    use super::*;

    #[test]
    fn a_push_service_is_out_there_and_speaks_tls() {
        for (text, open, private) in [
            ("https://push.example/abc", true, true),
            ("http://push.example/abc", false, false),
            ("https://127.0.0.1/abc", false, true),
            ("http://127.0.0.1:9/abc", false, true),
            ("http://10.0.0.1/abc", false, false),
            ("https://10.0.0.1/abc", false, true),
            ("https://[::1]/abc", false, true),
            ("https://[::ffff:10.0.0.1]/", false, true),
            ("https://169.254.169.254/latest", false, true),
            ("https://localhost/", false, true),
            ("https://localhost./", false, true),
            ("ftp://push.example/", false, false),
            ("nonsense", false, false),
        ] {
            assert_eq!(endpoint(text, false).is_ok(), open, "{text}");
            assert_eq!(endpoint(text, true).is_ok(), private, "{text} where private ones are allowed");
        }
        for (ip, public) in
            [("9.9.9.9", true), ("100.64.0.1", false), ("2620:fe::fe", true), ("fd00::1", false)]
        {
            assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        }
    }

    #[test]
    fn a_message_is_no_longer_than_a_push_service_takes() {
        // Each letter is of four bytes, or escaped in six.
        for letter in ["\u{1f525}", "\u{1}"] {
            let long = |letters: usize| cut(&letter.repeat(1_000), letters);
            let told = json!({"title": long(TITLE), "by": long(LABEL), "url": "x".repeat(100), "tag": "y".repeat(100)});
            let payload = fitting(told, &letter.repeat(1_000));
            assert!(payload.len() <= MOST_BYTES, "{}", payload.len());
            let read: serde_json::Value = serde_json::from_str(&payload).unwrap();
            assert!(read["body"].as_str().unwrap().chars().count() >= 50, "as much as there is room for");
        }
        assert_eq!(fitting(json!({}), "all of it"), r#"{"body":"all of it"}"#);
    }

    #[test]
    fn a_topic_is_what_rfc_8030_allows_and_says_no_name() {
        let topic = topic("BlacklistLag eu-1");
        assert!(topic.len() == 32 && !topic.contains(['=', '+', '/']), "{topic}");
        assert_ne!(topic, super::topic("BlacklistLag eu-2"));
    }

    #[test]
    fn what_is_signed_can_be_checked_with_the_public_key() {
        let key = VapidKey::of(&[7; 32]).unwrap();
        let header = key.authorization("https://push.example", "mailto:a@b.c", 1_000);
        let (token, public) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (says, signature) = token.rsplit_once('.').unwrap();
        let point = URL_SAFE_NO_PAD.decode(public).unwrap();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        VerifyingKey::from_sec1_bytes(&point).unwrap().verify(says.as_bytes(), &signature).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(says.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims, json!({"aud": "https://push.example", "exp": 44_200, "sub": "mailto:a@b.c"}));
        assert!(VapidKey::of(&[0; 32]).is_none());
    }
}
