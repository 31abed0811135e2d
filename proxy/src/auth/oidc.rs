//! People who sign in with an OpenID provider: OpenID Connect's code flow with PKCE. What a login in progress needs is
//! bound to the browser that began it by a cookie, and is used once.
//!
//! | module | is |
//! |---|---|
//! | this file | [`Oidc`]: the provider, logins in progress, the code and its claims |
//! | `http` | the client that asks the provider |
//! | `rules` | claims become a name, a role and selectors |
//! | `page` | `/login/oidc` and its callback |

mod http;
mod page;
mod rules;

use std::{collections::HashMap, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError,
    ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    SubjectIdentifier, TokenResponse, UserInfoClaims,
    core::{
        CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim,
        CoreIdToken, CoreJwsSigningAlgorithm,
    },
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use http::Http;
pub use http::HttpError;
pub use page::{begin, callback};

use super::{Identity, PeopleError, hex, random};
use crate::{
    clock,
    config::{LoadedConfig, OidcConfig, SecretSource},
};

/// A login in progress is given up after so long.
const PENDING_MS: i64 = 600_000;
/// So many are in progress; the oldest gives way.
const MOST_PENDING: usize = 1_000;
/// What the provider says of itself is asked for anew after so long.
const KNOWN_MS: i64 = 3_600_000;
/// A provider that gives no answer is asked again after so long.
const AGAIN_MS: i64 = 2_000;
/// What anybody can cause without being known is written down no more often.
const NOTED_EVERY_MS: i64 = 1_000;
/// Signatures that a provider may make: those that its secret alone can make.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An OpenID provider, as the config names it.
pub struct Oidc {
    config: OidcConfig,
    secret: Option<SecretSource>,
    http: Http,
    provider: Mutex<Option<Arc<Provider>>>,
    /// It is asked by one at a time. When it gave no answer, and what was wrong.
    asking: tokio::sync::Mutex<Option<(i64, String)>>,
    /// When each failure that anybody can cause was written down last.
    noted: Mutex<HashMap<&'static str, i64>>,
    pending: Mutex<HashMap<[u8; 32], Pending>>,
}

/// What the provider says of itself.
struct Provider {
    metadata: ProviderMetadataWithLogout,
    known_at: i64,
}

/// A login in progress: what the answer must fit.
struct Pending {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
    next: String,
    begun_at: i64,
}

/// A login that begins: where to, and the secret that binds it to the browser.
struct Begun {
    url: String,
    secret: String,
}

/// Claims beside those that OpenID names.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Claims(Map<String, Value>);

impl AdditionalClaims for Claims {}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer as it should.
    #[error("the provider: {0}")]
    Provider(String),
    /// What came back fits no login that this browser began.
    #[error("{0}")]
    Stray(&'static str),
    /// The provider says that it did not sign them in.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// What the provider says of them is not proved.
    #[error("the provider's proof: {0}")]
    Proof(String),
    /// No rule is for them.
    #[error("no [[auth.oidc.role]] is for any of their groups")]
    NoRole,
    /// It is not kept.
    #[error(transparent)]
    People(#[from] PeopleError),
}

impl Oidc {
    /// The provider of a config, if it has one.
    ///
    /// # Errors
    /// The TLS of this machine cannot be used.
    pub fn of(loaded: &LoadedConfig) -> anyhow::Result<Option<Self>> {
        let Some(config) = loaded.config.auth.oidc.clone() else { return Ok(None) };
        let secret =
            SecretSource::of(config.client_secret.as_ref(), config.client_secret_file.as_ref(), loaded);
        let http = Http::new()?;
        Ok(Some(Self {
            config,
            secret,
            http,
            provider: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            noted: Mutex::default(),
            pending: Mutex::default(),
        }))
    }

    /// Its words on the sign-in page.
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// Whether another config names the same provider, to be asked in the same way.
    pub fn is_same(&self, other: &Self) -> bool {
        self.config == other.config && self.secret == other.secret
    }

    /// Where somebody signs out at the provider, where it can be done. It leads to `back` then.
    pub async fn end_session(&self, back: String) -> Option<String> {
        if !self.config.end_session {
            return None;
        }
        let provider = self.provider(false).await.ok()?;
        let end = provider.metadata.additional_metadata().end_session_endpoint.clone()?;
        let back = PostLogoutRedirectUrl::new(back).ok()?;
        let id = ClientId::new(self.config.client_id.clone());
        let request = LogoutRequest::from(end).set_client_id(id).set_post_logout_redirect_uri(back);
        Some(request.http_get_url().into())
    }

    /// What the provider says of itself; asked for `anew`, or when it was asked long ago.
    async fn provider(&self, anew: bool) -> Result<Arc<Provider>, OidcError> {
        let begun = clock::now();
        let known = |since: i64| self.provider.lock().clone().filter(|known| known.known_at >= since);
        if let Some(known) = known(begun - KNOWN_MS).filter(|_| !anew) {
            return Ok(known);
        }
        let mut failed = self.asking.lock().await;
        // Somebody else may have asked meanwhile.
        if let Some(known) = known(if anew { begun } else { begun - KNOWN_MS }) {
            return Ok(known);
        }
        if let Some((_, why)) = failed.as_ref().filter(|(at, _)| clock::now() - at < AGAIN_MS) {
            return Err(OidcError::Provider(why.clone()));
        }
        match self.discovered().await {
            Ok(metadata) => {
                let provider = Arc::new(Provider { metadata, known_at: clock::now() });
                *self.provider.lock() = Some(Arc::clone(&provider));
                *failed = None;
                Ok(provider)
            }
            Err(error) => {
                let why = format!("its discovery document: {error}");
                *failed = Some((clock::now(), why.clone()));
                Err(OidcError::Provider(why))
            }
        }
    }

    async fn discovered(&self) -> Result<ProviderMetadataWithLogout, String> {
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|error| error.to_string())?;
        let found = ProviderMetadataWithLogout::discover_async(issuer, &self.http).await;
        found.map_err(|error| in_full(&error))
    }

    /// Whether a failure is to be written down: what anybody can cause, only now and then.
    fn is_noted(&self, outcome: &'static str) -> bool {
        let now = clock::now();
        let mut noted = self.noted.lock();
        let is_due = noted.get(outcome).is_none_or(|at| now - at >= NOTED_EVERY_MS);
        if is_due {
            noted.insert(outcome, now);
        }
        is_due
    }

    async fn client(&self, provider: &Provider, redirect: &RedirectUrl) -> Result<Client, OidcError> {
        let secret = match &self.secret {
            Some(source) => {
                let secret = source.read().await.map_err(OidcError::Provider)?;
                Some(ClientSecret::new(secret.reveal().to_owned()))
            }
            None => None,
        };
        let methods = provider.metadata.token_endpoint_auth_methods_supported();
        let takes_basic = methods.is_none_or(|all| all.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let id = ClientId::new(self.config.client_id.clone());
        let client = CoreClient::from_provider_metadata(provider.metadata.clone(), id, secret)
            .set_redirect_uri(redirect.clone());
        Ok(if takes_basic { client } else { client.set_auth_type(AuthType::RequestBody) })
    }

    /// A login begins; it ends at `redirect`, and goes on to `next`. Who is signed in already is to prove `again` who they
    /// are.
    async fn begun(&self, redirect: String, next: String, again: bool) -> Result<Begun, OidcError> {
        let redirect = RedirectUrl::new(redirect)
            .map_err(|error| OidcError::Provider(format!("`redirect_url`: {error}")))?;
        let provider = self.provider(false).await?;
        let client = self.client(&provider, &redirect).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let scopes = self.config.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let mut request =
            client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random).add_scopes(scopes);
        if again {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let secret = hex(&random()?);
        let begun_at = clock::now();
        let own = Pending { state, nonce, verifier, redirect, next, begun_at };
        let mut pending = self.pending.lock();
        pending.retain(|_, own| begun_at - own.begun_at < PENDING_MS);
        if pending.len() >= MOST_PENDING
            && let Some(oldest) = pending.iter().min_by_key(|(_, own)| own.begun_at).map(|(hash, _)| *hash)
        {
            pending.remove(&oldest);
        }
        pending.insert(Sha256::digest(secret.as_bytes()).into(), own);
        Ok(Begun { url: url.into(), secret })
    }

    /// The login that a browser's secret is of. It is used up.
    fn taken(&self, secret: &str) -> Option<Pending> {
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let own = self.pending.lock().remove(&hash)?;
        (clock::now() - own.begun_at < PENDING_MS).then_some(own)
    }

    /// Who came back from the provider, and where they go on to.
    async fn proved(
        &self,
        secret: Option<&str>,
        answer: &crate::query::Params,
    ) -> Result<(Identity, String), OidcError> {
        const STRAY: &str = "This sign-in was not begun by this browser, or it took longer than ten minutes.";
        let pending = secret.and_then(|secret| self.taken(secret)).ok_or(OidcError::Stray(STRAY))?;
        let state = answer.get("state").unwrap_or_default();
        // Of equal length, so that the time tells nothing.
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        if !bool::from(digest(state).ct_eq(&digest(pending.state.secret()))) {
            return Err(OidcError::Stray(STRAY));
        }
        if answer.get("iss").is_some_and(|issuer| issuer != self.config.issuer) {
            return Err(OidcError::Stray("The answer is of another provider."));
        }
        if let Some(error) = answer.get("error") {
            return Err(OidcError::Refused(word(error)));
        }
        let code = answer.get("code").filter(|code| !code.is_empty());
        let code = code.ok_or(OidcError::Stray("The answer has no code in it."))?;
        let provider = self.provider(false).await?;
        let client = self.client(&provider, &pending.redirect).await?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Provider(error.to_string()))?
            .set_pkce_verifier(pending.verifier)
            .request_async(&self.http)
            .await
            .map_err(|error| {
                let words = format!("the code: {}", in_full(&error));
                match error {
                    RequestTokenError::ServerResponse(_) => OidcError::Proof(words),
                    _ => OidcError::Provider(words),
                }
            })?;
        let token = tokens.id_token().ok_or_else(|| OidcError::Proof("there is no ID token".to_owned()))?;
        let access = tokens.access_token();
        let mut claims = match verified(&client, token, access, &pending.nonce) {
            // Its keys are others than those we know.
            Err(Unproved::UnknownKey) => {
                let client = self.client(&*self.provider(true).await?, &pending.redirect).await?;
                verified(&client, token, access, &pending.nonce)
            }
            other => other,
        }
        .map_err(|error| OidcError::Proof(error.to_string()))?;
        if !claims.contains_key(&self.config.groups_claim) {
            self.add_user_info(&client, access, &mut claims).await?;
        }
        Ok((rules::identity(&self.config, &claims).ok_or(OidcError::NoRole)?, pending.next))
    }

    /// Many providers tell groups and names only here. What the ID token says stays.
    async fn add_user_info(
        &self,
        client: &Client,
        access: &AccessToken,
        claims: &mut Map<String, Value>,
    ) -> Result<(), OidcError> {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Ok(request) = client.user_info(access.clone(), Some(SubjectIdentifier::new(subject))) else {
            return Ok(());
        };
        let found: UserInfoClaims<Claims, CoreGenderClaim> = request
            .request_async(&self.http)
            .await
            .map_err(|error| OidcError::Provider(format!("user info: {}", in_full(&error))))?;
        let told = serde_json::to_value(&found).unwrap_or_default();
        for (name, value) in told.as_object().into_iter().flatten() {
            claims.entry(name).or_insert_with(|| value.clone());
        }
        Ok(())
    }
}

/// Why an ID token proves nothing.
#[derive(Debug, thiserror::Error)]
enum Unproved {
    #[error("no key of the provider's fits")]
    UnknownKey,
    #[error("{0}")]
    Other(String),
}

/// The claims of an ID token of which the signature, issuer, audience, times, nonce and access token are right.
fn verified(
    client: &Client,
    token: &CoreIdToken,
    access: &AccessToken,
    nonce: &Nonce,
) -> Result<Map<String, Value>, Unproved> {
    let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES);
    let other = |error: &dyn std::error::Error| Unproved::Other(in_full(error));
    let claims = token.claims(&verifier, nonce).map_err(|error| match &error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            Unproved::UnknownKey
        }
        error => other(error),
    })?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|error| other(&error))?;
        let key = token.signing_key(&verifier).map_err(|error| other(&error))?;
        let actual = AccessTokenHash::from_token(access, algorithm, key).map_err(|error| other(&error))?;
        if actual != *expected {
            return Err(Unproved::Other("the access token is of somebody else".to_owned()));
        }
    }
    // What was verified, with the claims that OpenID has no names for.
    let text = token.to_string();
    let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    payload
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Unproved::Other("its claims cannot be read".to_owned()))
}

/// An error with those that it comes from.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// An error's code, as far as it is one: what else stands there may be anybody's text.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc").field("config", &self.config).finish_non_exhaustive()
    }
}
