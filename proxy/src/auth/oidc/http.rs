//! Asks an OpenID provider: bounded in time and size, and wherever it points to, nothing is followed.

use std::{future::Future, pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer.
const BODY_LIMIT: usize = 1 << 20;

/// The client.
#[derive(Clone, Debug)]
pub(super) struct Http(reqwest::Client);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// It cannot be reached, or breaks off.
    #[error("no answer: {0}")]
    Reqwest(#[from] reqwest::Error),
    /// It does not speak HTTP as it should.
    #[error("no HTTP: {0}")]
    Http(#[from] http::Error),
    /// It says too much.
    #[error("the answer has more than {BODY_LIMIT} bytes")]
    TooLarge,
}

impl Http {
    /// The client.
    ///
    /// # Errors
    /// The TLS of this machine cannot be used.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("fleetglass/", env!("CARGO_PKG_VERSION")))
            // A redirect could lead into our own network.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self(client))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let asked = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
        let mut answer = asked.send().await?;
        let mut bytes = Vec::new();
        let (status, headers) = (answer.status(), answer.headers().clone());
        while let Some(chunk) = answer.chunk().await? {
            if bytes.len() + chunk.len() > BODY_LIMIT {
                return Err(HttpError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut response = http::Response::builder().status(status);
        if let Some(own) = response.headers_mut() {
            *own = headers;
        }
        Ok(response.body(bytes)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
