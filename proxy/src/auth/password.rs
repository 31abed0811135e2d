//! Passwords: argon2id, few at one time, and which ones are too easy to guess.

use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use tokio::sync::{OnceCell, Semaphore};

/// How many characters a password has.
pub const LENGTH: RangeInclusive<usize> = 12..=200;
/// Each takes 19 MiB and tens of milliseconds: no more at one time.
static HASHING: Semaphore = Semaphore::const_new(2);
/// So many may wait for that; a second of work of one core in a release build.
const MOST_WAITING: usize = 64;
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// What is tried where there is no user, so that it takes as long.
static NOBODY: OnceCell<String> = OnceCell::const_new();

/// One that waits, or is at work.
struct Waiting;

impl Waiting {
    fn one() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether so many wait already that another one should come again later.
pub fn is_busy() -> bool {
    WAITING.load(Ordering::Relaxed) >= MOST_WAITING
}

/// What argon2id makes of a password, in PHC form.
///
/// # Errors
/// The system gives no randomness, or no thread.
pub async fn hash(password: String) -> Result<String, String> {
    let _waiting = Waiting::one();
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| "the system gives no randomness".to_owned())?;
    let _permit = HASHING.acquire().await.map_err(|error| error.to_string())?;
    let hashed = tokio::task::spawn_blocking(move || {
        let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|error| format!("the password cannot be hashed: {error}"))
    });
    hashed.await.map_err(|error| error.to_string())?
}

/// Whether a password is the one that was hashed.
pub async fn fits(password: String, held: String) -> bool {
    let _waiting = Waiting::one();
    let Ok(_permit) = HASHING.acquire().await else { return false };
    let fits = tokio::task::spawn_blocking(move || {
        let Ok(held) = PasswordHash::new(&held) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &held).is_ok()
    });
    fits.await.unwrap_or(false)
}

/// Takes as long as [`fits`], and never does.
pub async fn fits_nobody(password: String) -> bool {
    let made = NOBODY.get_or_try_init(|| hash("nobody has this one".to_owned())).await;
    if let Ok(held) = made {
        fits(password, held.clone()).await;
    }
    false
}

/// What is wrong with a password that somebody chose; each reason is a sentence's end.
///
/// # Errors
/// Why another should be chosen.
pub fn acceptable(password: &str, user: &str) -> Result<(), String> {
    let length = password.chars().count();
    if !LENGTH.contains(&length) {
        return Err(format!("a password has {} to {} characters", LENGTH.start(), LENGTH.end()));
    }
    let (plain, user) = (plain(password), plain(user));
    if user.chars().count() >= 3 && plain.replace(&user, "").chars().count() < 8 {
        return Err("it is hardly more than the user name".to_owned());
    }
    if is_common(password, &plain) {
        return Err("it is one of the first that are tried: too common".to_owned());
    }
    Ok(())
}

/// In small letters, with the usual signs for letters put back.
fn plain(text: &str) -> String {
    let letter = |c: char| match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    };
    text.to_lowercase().chars().map(letter).collect()
}

fn is_common(password: &str, plain: &str) -> bool {
    let lower = password.to_lowercase();
    let different = lower.chars().collect::<std::collections::BTreeSet<char>>().len();
    if different < 4 || is_a_run(&lower) || WHOLE.contains(&lower.as_str()) || WHOLE.contains(&plain) {
        return true;
    }
    // `Password2026!`, `letmein-letmein`, `admin_admin_123`: words of the list with little beside them.
    let rest = |text: &str| {
        let mut text = text.to_owned();
        for word in WORDS {
            text = text.replace(word, " ");
        }
        text.chars().filter(|c| c.is_alphabetic()).count()
    };
    let letters = lower.chars().filter(|c| c.is_alphabetic()).count();
    let left = rest(&lower).min(rest(plain));
    (letters == 0 && length_without_runs(&lower) < 8) || (left < 3 && left < letters)
}

/// `123456789012`, `abcdefghijkl`, `qwertyuiop[]`, forwards or backwards, over and over.
fn is_a_run(text: &str) -> bool {
    length_without_runs(text) < 4
}

/// How many characters do not follow from the one before.
fn length_without_runs(text: &str) -> usize {
    let follows = |a: char, b: char| {
        let next = (a as u32).abs_diff(b as u32) <= 1;
        let on_a_keyboard = ROWS.iter().any(|row| {
            let at = |c: char| row.chars().position(|own| own == c);
            at(a).zip(at(b)).is_some_and(|(a, b)| a.abs_diff(b) <= 1)
        });
        next || on_a_keyboard
    };
    let chars: Vec<char> = text.chars().collect();
    1 + chars.windows(2).filter(|pair| !follows(pair[0], pair[1])).count()
}

const ROWS: [&str; 5] =
    ["1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qazwsxedcrfvtgbyhnujmikolp"];

/// What most passwords are made of that are found in every list of stolen ones.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "password", "passwort", "passwd", "passphrase", "passw", "pass", "motdepasse", "contraseña", "contrasena", "senha",
    "letmein", "welcome", "willkommen", "bienvenue", "iloveyou", "iloveu", "admin", "administrator", "root", "toor",
    "superuser", "superman", "batman", "spiderman", "starwars", "pokemon", "naruto", "minecraft", "dragon", "monkey",
    "football", "baseball", "basketball", "soccer", "hockey", "liverpool", "chelsea", "arsenal", "barcelona", "juventus",
    "sunshine", "princess", "shadow", "master", "login", "secret", "changeme", "default", "trustno", "whatever",
    "qwertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "asdf", "zxcvbnm", "qazwsx", "abcdef", "abc",
    "michael", "jennifer", "jordan", "hunter", "ashley", "daniel", "charlie", "jessica", "andrew", "thomas", "nicole",
    "mustang", "corvette", "ferrari", "porsche", "google", "facebook", "linkedin", "microsoft", "windows", "ubuntu",
    "computer", "internet", "samsung", "server", "system", "network", "service", "manager", "operator", "monitor",
    "january", "february", "april", "june", "july", "august", "september", "october", "november", "december",
    "spring", "summer", "autumn", "winter", "monday", "friday", "sunday", "hello", "love", "angel", "test", "temp", "demo",
    "user", "guest", "company", "bitcoin", "ethereum", "crypto", "validator", "blockchain", "grafana", "prometheus",
    "fleetglass", "fleet",
];

/// Long ones that are common as a whole.
#[rustfmt::skip]
const WHOLE: &[&str] = &[
    "correcthorsebatterystaple", "correct horse battery staple", "thequickbrownfox", "maytheforcebewithyou",
    "ihatepasswords", "nothingtoseehere", "openthedoorplease", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u8i", "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv", "q1w2e3r4t5y6", "zaq12wsxcde3", "zaq1xsw2cde3", "a1b2c3d4e5f6", "aa12345678910", "mynameisjohn",
    "iamthebest123", "jesuslovesme1", "letsgoyankees", "onedirection1", "givemeliberty", "unbelievable1",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for common in [
            "short",
            "password1234",
            "Passw0rd2026!",
            "P@ssw0rdP@ssw0rd",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "123456789012",
            "210987654321",
            "abcdefghijklm",
            "qwertyuiop[]",
            "qwertyuiopqwertyuiop",
            "Letmein-letmein",
            "admin_admin_123",
            "correcthorsebatterystaple",
            "Fleetglass123",
            "Winter2026!!!",
            "1q2w3e4r5t6y",
            "20262026202620262026",
            "ada.lovelace",
            "Ada.Lovelace1",
            "ada.lovelaceada.lovelace",
            &"x7-".repeat(70),
        ] {
            assert!(acceptable(common, "ada.lovelace").is_err(), "{common}");
        }
    }

    #[test]
    fn what_nobody_tries_is_taken() {
        for good in [
            "seven boats at dusk",
            "kF9#vq2Lw-pT",
            "mein Rad ist grün",
            "тихий океан зимой",
            "passing trains at noon",
            "483920175562",
            &"Vierzig Möwen. ".repeat(13),
        ] {
            assert_eq!(acceptable(good, "ada"), Ok(()), "{good}");
        }
    }

    #[tokio::test]
    async fn a_password_fits_its_hash_and_no_other() {
        let held = hash("seven boats at dusk".to_owned()).await.unwrap();
        assert!(held.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{held}");
        assert!(fits("seven boats at dusk".to_owned(), held.clone()).await);
        assert!(!fits("seven boats at dawn".to_owned(), held).await);
        assert!(!fits_nobody("nobody has this one".to_owned()).await);
        assert!(!fits("x".to_owned(), "no hash".to_owned()).await);
        assert!(!is_busy());
        let many: Vec<Waiting> = (0..MOST_WAITING).map(|_| Waiting::one()).collect();
        assert!(is_busy());
        drop(many);
        assert!(!is_busy());
    }
}
