//! The certificate that we show, and its successors: read anew when its files change, and taken when they are good.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use fleetglass_shared::{format::utc, health::UnixMillis};
use parking_lot::Mutex;
use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use sha2::{Digest, Sha256};
use x509_cert::der::Decode;

use crate::config::{LoadedConfig, TlsConfig, TlsVersion};

/// With less than this left, the log says so each day.
const SOON_MS: i64 = 14 * 86_400_000;
const DAY_MS: i64 = 86_400_000;

/// Why a certificate and its key cannot be used: the file, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}\n  hint: {hint}", file.display())]
pub struct TlsError {
    file: PathBuf,
    what: String,
    hint: &'static str,
}

/// A certificate and its key that belong together.
pub struct Pair {
    key: Arc<CertifiedKey>,
    not_before: UnixMillis,
    not_after: UnixMillis,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

impl Pair {
    /// Reads that of a config; `None` where there is to be no TLS.
    ///
    /// # Errors
    /// A file cannot be read or is broken, or the two do not belong together.
    pub fn of(loaded: &LoadedConfig) -> Result<Option<Self>, TlsError> {
        let Some(config) = &loaded.config.server.tls else { return Ok(None) };
        let files = Files::of(config, loaded);
        let (certificate, key) = files.read();
        files.pair(&certificate?, &key?).map(Some)
    }

    /// When it runs out.
    pub fn not_after(&self) -> UnixMillis {
        self.not_after
    }

    /// What is wrong with its time, in words.
    pub fn untimely(&self, now: UnixMillis) -> Option<String> {
        if now > self.not_after {
            Some(format!("the certificate ran out on {}", utc(self.not_after / 1000)))
        } else if now < self.not_before {
            Some(format!("the certificate holds from {} on only", utc(self.not_before / 1000)))
        } else if self.not_after - now < SOON_MS {
            let days = (self.not_after - now) / DAY_MS;
            Some(format!("the certificate runs out in {days} days, on {}", utc(self.not_after / 1000)))
        } else {
            None
        }
    }

    /// Whether it holds at a time.
    pub fn holds(&self, now: UnixMillis) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Where the two are.
#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn of(config: &TlsConfig, loaded: &LoadedConfig) -> Self {
        Self { certificate: loaded.resolve(&config.cert_file), key: loaded.resolve(&config.key_file) }
    }

    fn read(&self) -> (Result<Vec<u8>, TlsError>, Result<Vec<u8>, TlsError>) {
        let read = |file: &Path, hint| {
            std::fs::read(file).map_err(|error| TlsError {
                file: file.to_owned(),
                what: format!("cannot be read: {error}"),
                hint,
            })
        };
        (
            read(&self.certificate, "[server.tls] cert_file is the certificate with its chain, as PEM"),
            read(
                &self.key,
                "[server.tls] key_file is the certificate's private key, as PEM; the user that Fleetglass runs as must be able to read it",
            ),
        )
    }

    fn pair(&self, certificate: &[u8], key: &[u8]) -> Result<Pair, TlsError> {
        let bad_chain = |what: String| TlsError {
            file: self.certificate.clone(),
            what,
            hint: "it must be PEM: the certificate first, then those that lead to its issuer (certbot's fullchain.pem)",
        };
        let bad_key = |what: String, hint| TlsError { file: self.key.clone(), what, hint };
        let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| bad_chain(format!("is no good PEM: {}", pem_fault(&error))))?;
        let Some(first) = chain.first() else {
            return Err(bad_chain("there is no certificate in it".to_owned()));
        };
        let read = x509_cert::Certificate::from_der(first)
            .map_err(|error| bad_chain(format!("its first certificate cannot be read: {error}")))?;
        let time = |time: &x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(UnixMillis::MAX)
        };
        let validity = &read.tbs_certificate.validity;
        let read_key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            if key.windows(9).any(|part| part == b"ENCRYPTED") {
                return bad_key(
                    "the key has a passphrase".to_owned(),
                    "take it away with `openssl pkey -in KEY -out PLAIN`, and let nobody else read the file",
                );
            }
            let words = match error {
                pem::Error::NoItemsFound => "there is no private key in it".to_owned(),
                error => format!("is no good PEM: {}", pem_fault(&error)),
            };
            bad_key(words, "it must be a PEM file with `BEGIN PRIVATE KEY` (certbot's privkey.pem)")
        })?;
        let key = CertifiedKey::from_der(chain, read_key, &ring::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => bad_key(
                format!("is not the key of the certificate in {}", self.certificate.display()),
                "the two are made together: give both of the same order, and replace both when it is renewed",
            ),
            error => bad_key(
                format!("cannot be used with the certificate in {}: {error}", self.certificate.display()),
                "keys may be RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519",
            ),
        })?;
        Ok(Pair {
            key: Arc::new(key),
            not_before: time(&validity.not_before),
            not_after: time(&validity.not_after),
        })
    }
}

/// What is wrong with a PEM file; nothing of what stands in it.
fn pem_fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a `BEGIN` line has no `END`",
        pem::Error::IllegalSectionStart { .. } => "a `BEGIN` line is malformed",
        pem::Error::Base64Decode(_) => "there is no Base64 between `BEGIN` and `END`",
        pem::Error::NoItemsFound => "there is nothing in it",
        _ => "it cannot be read",
    }
}

/// TLS of our own, with the certificate of now.
pub struct Tls {
    files: Files,
    config: Arc<rustls::ServerConfig>,
    current: Arc<Current>,
    seen: Mutex<Seen>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What the files held when they were looked at last.
struct Seen {
    mark: [u8; 32],
    warned_at: UnixMillis,
}

/// What a look at the files came to.
#[derive(Debug)]
pub enum Look {
    /// They are as they were.
    Same,
    /// Another certificate is shown from now on, until then.
    Taken(UnixMillis),
    /// They are not to be used, and the one before stays.
    Refused(TlsError),
}

#[derive(Debug)]
struct Current(ArcSwap<Pair>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().key))
    }
}

impl Tls {
    /// That of a config; `None` where there is to be none.
    ///
    /// # Errors
    /// As [`Pair::of`].
    pub fn of(loaded: &LoadedConfig) -> Result<Option<Self>, TlsError> {
        let Some(config) = &loaded.config.server.tls else { return Ok(None) };
        let files = Files::of(config, loaded);
        let (certificate, key) = files.read();
        let (certificate, key) = (certificate?, key?);
        let pair = files.pair(&certificate, &key)?;
        let seen = Seen { mark: mark(&certificate, &key), warned_at: UnixMillis::MIN };
        let current = Arc::new(Current(ArcSwap::from_pointee(pair)));
        let config = server_config(config.min_version, Arc::clone(&current)).map_err(|error| TlsError {
            file: loaded.path.clone(),
            what: format!("TLS cannot start: {error}"),
            hint: "this is a fault of Fleetglass's build",
        })?;
        Ok(Some(Self { files, config: Arc::new(config), current, seen: Mutex::new(seen) }))
    }

    /// For the handshakes.
    pub fn config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.config)
    }

    /// When the certificate that is shown runs out.
    pub fn not_after(&self) -> UnixMillis {
        self.current.0.load().not_after
    }

    /// Looks at the files again. Whoever is connected stays so, with the certificate of then. What was refused once is not
    /// told again before it changes, unless it is to be.
    pub fn look(&self, again: bool) -> Look {
        let (certificate, key) = self.files.read();
        let new = match (&certificate, &key) {
            (Ok(certificate), Ok(key)) => mark(certificate, key),
            _ => [0; 32],
        };
        let mut seen = self.seen.lock();
        if !again && new == seen.mark {
            return Look::Same;
        }
        seen.mark = new;
        let pair = certificate.and_then(|certificate| self.files.pair(&certificate, &key?));
        match pair {
            Ok(pair) if pair.key.cert == self.current.0.load().key.cert => Look::Same,
            Ok(pair) => {
                let not_after = pair.not_after;
                self.current.0.store(Arc::new(pair));
                seen.warned_at = UnixMillis::MIN;
                Look::Taken(not_after)
            }
            Err(error) => Look::Refused(error),
        }
    }

    /// What is wrong with the time of the certificate that is shown: told once a day.
    pub fn untimely(&self, now: UnixMillis) -> Option<String> {
        let words = self.current.0.load().untimely(now)?;
        let mut seen = self.seen.lock();
        if now.saturating_sub(seen.warned_at) < DAY_MS {
            return None;
        }
        seen.warned_at = now;
        Some(words)
    }
}

/// The folders in which these files, or the links that lead to them, may be replaced.
pub fn folders(loaded: &LoadedConfig) -> Vec<PathBuf> {
    let Some(config) = &loaded.config.server.tls else { return Vec::new() };
    let files = Files::of(config, loaded);
    let mut folders = Vec::new();
    for file in [files.certificate, files.key] {
        let behind = std::fs::canonicalize(&file).ok();
        for path in [Some(file), behind].into_iter().flatten() {
            match path.parent() {
                Some(folder) if folder != Path::new("") => folders.push(folder.to_owned()),
                _ => folders.push(PathBuf::from(".")),
            }
        }
    }
    folders
}

fn server_config(
    oldest: TlsVersion,
    certificate: Arc<Current>,
) -> Result<rustls::ServerConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let versions: &[_] = match oldest {
        TlsVersion::V12 => &[&TLS13, &TLS12],
        TlsVersion::V13 => &[&TLS13],
    };
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    Ok(config)
}

fn mark(certificate: &[u8], key: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((certificate.len() as u64).to_be_bytes());
    hash.update(certificate);
    hash.update(key);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(name: &str, until: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(certificate: &str, key: &str) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            folder.put(certificate, key);
            folder
        }

        fn put(&self, certificate: &str, key: &str) {
            std::fs::write(self.0.path().join("c.pem"), certificate).unwrap();
            std::fs::write(self.0.path().join("k.pem"), key).unwrap();
        }

        fn loaded(&self) -> LoadedConfig {
            let text = "[server.tls]\ncert_file = \"c.pem\"\nkey_file = \"k.pem\"\n";
            LoadedConfig::parse(&self.0.path().join("fg.toml"), text, []).unwrap()
        }
    }

    #[test]
    fn a_pair_that_cannot_be_used_is_refused_in_words() {
        let (certificate, key) = made("a.example", 2030);
        let (other, other_key) = made("b.example", 2030);
        let cut = &certificate[..certificate.len() / 2];
        let spoilt = certificate.replacen("MII", "AAA", 1);
        for (certificate, key, file, words) in [
            (certificate.as_str(), other_key.as_str(), "k.pem", "is not the key of the certificate"),
            (&other, &key, "k.pem", "is not the key of the certificate"),
            (&key, &key, "c.pem", "there is no certificate in it"),
            ("", &key, "c.pem", "there is no certificate in it"),
            (cut, &key, "c.pem", "no `END`"),
            (&spoilt, &key, "c.pem", "cannot be read"),
            (&certificate, "", "k.pem", "there is no private key in it"),
            (&certificate, &certificate, "k.pem", "there is no private key in it"),
            (
                &certificate,
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "k.pem",
                "has a passphrase",
            ),
            (
                &certificate,
                "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
                "k.pem",
                "cannot be used",
            ),
        ] {
            let folder = Folder::new(certificate, key);
            let error = Tls::of(&folder.loaded()).unwrap_err();
            let told = error.to_string();
            assert!(error.file.ends_with(file) && told.contains(words) && told.contains("hint: "), "{told}");
            assert!(!told.contains("MII"), "{told}");
        }
        let folder = Folder::new(&certificate, &key);
        std::fs::remove_file(folder.0.path().join("k.pem")).unwrap();
        assert!(Tls::of(&folder.loaded()).unwrap_err().to_string().contains("k.pem: cannot be read"));
    }

    #[test]
    fn a_good_successor_is_taken_and_a_bad_one_is_not() {
        let (first, second) = (made("a.example", 2030), made("a.example", 2031));
        let folder = Folder::new(&first.0, &first.1);
        let tls = Tls::of(&folder.loaded()).unwrap().unwrap();
        let before = tls.not_after();
        assert!(matches!(tls.look(false), Look::Same));
        folder.put(&second.0, &first.1);
        assert!(matches!(tls.look(false), Look::Refused(_)));
        assert!(matches!(tls.look(false), Look::Same), "it is told once");
        assert!(matches!(tls.look(true), Look::Refused(_)), "and when it is asked for");
        assert_eq!(tls.not_after(), before);
        folder.put(&second.0, &second.1);
        assert!(matches!(tls.look(false), Look::Taken(until) if until > before));
        assert!(tls.not_after() > before);
        std::fs::remove_file(folder.0.path().join("c.pem")).unwrap();
        assert!(matches!(tls.look(false), Look::Refused(_)));
        assert!(matches!(tls.look(false), Look::Same));
        folder.put(&second.0, &second.1);
        assert!(matches!(tls.look(false), Look::Same), "it is the one that is shown");
    }

    #[test]
    fn the_end_is_told_once_a_day_from_two_weeks_before() {
        let (certificate, key) = made("a.example", 2030);
        let folder = Folder::new(&certificate, &key);
        let tls = Tls::of(&folder.loaded()).unwrap().unwrap();
        let end = tls.not_after();
        assert_eq!(tls.untimely(end - 15 * DAY_MS), None);
        assert!(tls.untimely(end - 13 * DAY_MS).unwrap().contains("in 13 days, on 2030-01-01"));
        assert_eq!(tls.untimely(end - 13 * DAY_MS + 1000), None);
        assert!(tls.untimely(end + DAY_MS).unwrap().contains("ran out"));
        let pair = Pair::of(&folder.loaded()).unwrap().unwrap();
        assert!(pair.holds(end) && !pair.holds(end + 1) && !pair.holds(0));
    }
}
