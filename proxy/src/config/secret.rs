//! What must not be shown: tokens, keys, and URLs with a token in them.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Deserializer, de};

use super::LoadedConfig;

/// A text that prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A secret from elsewhere than the config.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        // Serde's own errors would show the value.
        const WRONG: &str = "a secret must be a text in quotes";
        impl de::Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom(WRONG))
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom(WRONG))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In the config.
    Here(Secret),
    /// In a file of its own, read anew each time.
    File(PathBuf),
}

impl SecretSource {
    /// Where a setting says that its secret is; `None` where it says nothing.
    pub fn of(here: Option<&Secret>, file: Option<&PathBuf>, loaded: &LoadedConfig) -> Option<Self> {
        match (here, file) {
            (Some(secret), _) => Some(Self::Here(secret.clone())),
            (None, Some(file)) => Some(Self::File(loaded.resolve(file))),
            (None, None) => None,
        }
    }

    /// The secret, without the line break that files end with.
    ///
    /// # Errors
    /// The file cannot be read, or is empty; the words name the file only.
    pub async fn read(&self) -> Result<Secret, String> {
        match self {
            Self::Here(secret) => Ok(secret.clone()),
            Self::File(file) => {
                let text = tokio::fs::read_to_string(file).await;
                let text = text.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
                match text.trim() {
                    "" => Err(format!("{} is empty, and should hold a secret", file.display())),
                    text => Ok(Secret::new(text)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        #[derive(Debug, Deserialize)]
        struct Has {
            token: Secret,
        }
        let has: Has = toml::from_str("token = \"hunter2\"").unwrap();
        assert_eq!((format!("{has:?}"), has.token.to_string()), ("Has { token: *** }".into(), "***".into()));
        assert_eq!(has.token.reveal(), "hunter2");
        for wrong in ["token = 4711", "token = 47.11"] {
            let error = toml::from_str::<Has>(wrong).unwrap_err();
            assert!(!error.message().contains("47"), "{error}");
        }
    }
}
