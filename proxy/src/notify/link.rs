//! Links in messages that need no login: signed, and for as long as they say. One takes an alert, once; the
//! other shows a chart.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fleetglass_shared::health::UnixMillis;
use hmac::{Hmac, Mac};
use parking_lot::Mutex;
use sha2::Sha256;

use crate::letters::hex;
use crate::state::StateFile;

/// Under this name the state file keeps the key.
const KEY: &str = "link_key";

/// Signs links, and reads them.
pub struct Links {
    key: [u8; 32],
    used: Mutex<BTreeMap<String, UnixMillis>>,
    state: Arc<StateFile>,
}

/// Why a link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is none of ours.
    #[error("this link is not valid: copy it whole")]
    Wrong,
    /// Its time is over.
    #[error("this link is too old; the alert in the dashboard can still be acknowledged")]
    Expired,
    /// It was pressed before.
    #[error("this link was used before, and works once")]
    Used,
}

/// What a link that takes an alert says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgeLink {
    /// The alert's id.
    pub alert: String,
    /// Since when it fired: the link is about that firing only.
    pub since: UnixMillis,
    /// Whom it was sent to.
    pub receiver: String,
    expires_at: UnixMillis,
    mark: String,
}

/// What a link to a chart says.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartLink {
    /// PromQL.
    pub query: String,
    /// The bound to draw.
    pub bound: Option<f64>,
    /// How to show values.
    pub unit: String,
    /// What stands above.
    pub title: String,
    /// The end of its hour.
    pub at: UnixMillis,
}

/// A token's parts, as JSON; the first says what it is for, so that none serves for another.
type Acknowledge = (String, String, UnixMillis, String, UnixMillis);
type Chart = (String, String, Option<f64>, String, String, UnixMillis, UnixMillis);

impl Links {
    /// With the key of the state file, or a new one.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub async fn open(state: Arc<StateFile>) -> Result<Self, getrandom::Error> {
        let kept = state.kept(KEY).await.ok().flatten().and_then(|text| from_hex(&text));
        let key = match kept {
            Some(key) => key,
            None => {
                let mut key = [0; 32];
                getrandom::fill(&mut key)?;
                state.keep(KEY, &hex(&key));
                key
            }
        };
        let used = state.used_links().await.unwrap_or_default();
        Ok(Self { key, used: Mutex::new(used), state })
    }

    /// A token that takes an alert once.
    pub fn acknowledge(&self, alert: &str, since: UnixMillis, receiver: &str, until: UnixMillis) -> String {
        let says: Acknowledge = ("ack".to_owned(), alert.to_owned(), since, receiver.to_owned(), until);
        self.signed(&says)
    }

    /// A token that shows a chart.
    pub fn chart(&self, chart: &ChartLink, until: UnixMillis) -> String {
        let ChartLink { query, bound, unit, title, at } = chart.clone();
        let says: Chart = ("png".to_owned(), query, bound, unit, title, at, until);
        self.signed(&says)
    }

    /// What a token that takes an alert says.
    ///
    /// # Errors
    /// It is none, or its time is over, or it was used.
    pub fn read_acknowledge(&self, token: &str, now: UnixMillis) -> Result<AcknowledgeLink, LinkError> {
        let (says, mark): (Acknowledge, String) = self.read(token)?;
        let (kind, alert, since, receiver, expires_at) = says;
        if kind != "ack" {
            return Err(LinkError::Wrong);
        }
        if expires_at <= now {
            return Err(LinkError::Expired);
        }
        if self.used.lock().contains_key(&mark) {
            return Err(LinkError::Used);
        }
        Ok(AcknowledgeLink { alert, since, receiver, expires_at, mark })
    }

    /// What a token that shows a chart says.
    ///
    /// # Errors
    /// It is none, or its time is over.
    pub fn read_chart(&self, token: &str, now: UnixMillis) -> Result<ChartLink, LinkError> {
        let ((kind, query, bound, unit, title, at, until), _): (Chart, String) = self.read(token)?;
        match () {
            () if kind != "png" => Err(LinkError::Wrong),
            () if until <= now => Err(LinkError::Expired),
            () => Ok(ChartLink { query, bound, unit, title, at }),
        }
    }

    /// Uses a link up. Of two who press at the same time one is told that it was used.
    ///
    /// # Errors
    /// It was used before.
    pub fn use_up(&self, link: &AcknowledgeLink, now: UnixMillis) -> Result<(), LinkError> {
        let mut used = self.used.lock();
        used.retain(|_, expires_at| *expires_at > now);
        if used.insert(link.mark.clone(), link.expires_at).is_some() {
            return Err(LinkError::Used);
        }
        self.state.record_used_link(&link.mark, link.expires_at, now);
        Ok(())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key);
        let mut mac = mac.expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    }

    fn signed(&self, says: &impl serde::Serialize) -> String {
        let says = serde_json::to_vec(says).expect("texts and numbers can be written as JSON");
        let says = URL_SAFE_NO_PAD.encode(says);
        let mac = URL_SAFE_NO_PAD.encode(self.mac(&says).finalize().into_bytes());
        format!("{says}.{mac}")
    }

    fn read<T: serde::de::DeserializeOwned>(&self, token: &str) -> Result<(T, String), LinkError> {
        let (says, mac) = token.split_once('.').ok_or(LinkError::Wrong)?;
        let bytes = URL_SAFE_NO_PAD.decode(mac).map_err(|_| LinkError::Wrong)?;
        self.mac(says).verify_slice(&bytes).map_err(|_| LinkError::Wrong)?;
        let says = URL_SAFE_NO_PAD.decode(says).map_err(|_| LinkError::Wrong)?;
        let says = serde_json::from_slice(&says).map_err(|_| LinkError::Wrong)?;
        Ok((says, mac.to_owned()))
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut key = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, two) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chart() -> ChartLink {
        let (query, unit, title) = ("lag{instance=\"a\"}".to_owned(), "seconds".to_owned(), "Lag".to_owned());
        ChartLink { query, bound: Some(5.0), unit, title, at: 100 }
    }

    #[tokio::test]
    async fn a_link_takes_one_alert_once_and_in_its_time() {
        let state = Arc::new(StateFile::open(None));
        let links = Links::open(Arc::clone(&state)).await.unwrap();
        let token = links.acknowledge("a1", 7, "team", 1000);
        let link = links.read_acknowledge(&token, 999).unwrap();
        assert_eq!((link.alert.as_str(), link.since, link.receiver.as_str()), ("a1", 7, "team"));
        assert_eq!(links.read_acknowledge(&token, 1000), Err(LinkError::Expired));
        links.use_up(&link, 10).unwrap();
        assert_eq!(links.use_up(&link, 10), Err(LinkError::Used));
        assert_eq!(links.read_acknowledge(&token, 11), Err(LinkError::Used));
        // Another run has the same key, and knows what was used.
        let again = Links::open(state).await.unwrap();
        assert_eq!(again.read_acknowledge(&token, 11), Err(LinkError::Used));
        assert!(again.read_acknowledge(&links.acknowledge("a1", 8, "team", 1000), 11).is_ok());
    }

    #[tokio::test]
    async fn what_was_changed_or_signed_for_something_else_is_wrong() {
        let links = Links::open(Arc::new(StateFile::open(None))).await.unwrap();
        let other = Links::open(Arc::new(StateFile::open(None))).await.unwrap();
        let token = links.chart(&chart(), 1000);
        assert_eq!(links.read_chart(&token, 5), Ok(chart()));
        assert_eq!(links.read_chart(&token, 1000), Err(LinkError::Expired));
        assert_eq!(links.read_acknowledge(&token, 5), Err(LinkError::Wrong));
        assert_eq!(other.read_chart(&token, 5), Err(LinkError::Wrong));
        let (says, mac) = token.split_once('.').unwrap();
        let longer = URL_SAFE_NO_PAD.encode(
            String::from_utf8(URL_SAFE_NO_PAD.decode(says).unwrap()).unwrap().replace("1000", "9000"),
        );
        for wrong in
            [format!("{longer}.{mac}"), says.to_owned(), format!("{says}."), ".".to_owned(), "é.é".to_owned()]
        {
            assert_eq!(links.read_chart(&wrong, 5), Err(LinkError::Wrong), "{wrong}");
        }
    }
}
