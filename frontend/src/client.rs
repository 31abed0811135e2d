//! The only module that knows the network. Pages ask it for typed answers; errors say what, and what to do.

mod backoff;
mod live;
mod sse;
mod token;

use gloo_net::http::{Request, RequestBuilder, Response};
use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json::{Json, number, read, write};
use crate::shared::{placed, shared};

pub use live::{LiveEvent, Refusal, StreamUpdate, Trouble, follow, reopen, sleep_while_hidden, try_now};
pub use token::{forget_token, has_token, set_token};

/// Why a request gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// This browser has no network.
    Offline,
    /// Nothing answers where this page came from.
    NoProxy,
    /// The proxy wants a (different) token.
    Unauthorized,
    /// The proxy answered with an error.
    Http {
        /// The HTTP status.
        status: u16,
        /// What the proxy said, in words.
        detail: String,
    },
    /// The answer is not what this version of the app understands.
    Malformed(String),
}

impl ClientError {
    /// What went wrong and what to do, in one or two sentences.
    pub fn in_words(&self) -> String {
        match self {
            Self::Offline => "This browser is offline. Check its network connection.".to_owned(),
            Self::NoProxy => {
                "Fleetglass does not answer. Check that it runs and that this page can reach it.".to_owned()
            }
            Self::Unauthorized => "Fleetglass asks for a token.".to_owned(),
            Self::Http { status, detail } if detail.is_empty() => {
                format!("Fleetglass answered with HTTP status {status}.")
            }
            Self::Http { detail, .. } => detail.clone(),
            Self::Malformed(what) => {
                format!(
                    "The answer could not be read ({what}). Reload the page: it may be older than the proxy."
                )
            }
        }
    }
}

/// Asks for JSON, e.g. `/api/v1/nodes/eu-1`, with the viewer's token if there is one.
pub async fn get_json<T: DeserializeOwned>(path: &str) -> Result<T, ClientError> {
    let body = get_text(path).await?;
    read(&body).map_err(ClientError::Malformed)
}

/// Asks for JSON that is read member by member, e.g. `/api/v1/uptime?by=region`.
pub async fn get_value(path: &str) -> Result<Json, ClientError> {
    Json::parse(&get_text(path).await?).map_err(ClientError::Malformed)
}

/// A header of whatever is answered, also where that is an error.
pub async fn get_header(path: &str, name: &str) -> Result<Option<String>, ClientError> {
    let response = request(path).send().await.map_err(|_| lost())?;
    Ok(response.headers().get(name))
}

/// Asks for a text, e.g. `/api/v1/nodes/eu-1/metrics`.
pub async fn get_text(path: &str) -> Result<String, ClientError> {
    let response = send(request(path)).await?;
    response.text().await.map_err(|_| lost())
}

/// Sends JSON; gives the answer's text.
pub async fn post<T: Serialize>(path: &str, body: &T) -> Result<String, ClientError> {
    let body = write(body).map_err(ClientError::Malformed)?;
    sent(path, "POST", Some(body)).await
}

/// Changes a part of something.
pub async fn patch<T: Serialize>(path: &str, body: &T) -> Result<String, ClientError> {
    let body = write(body).map_err(ClientError::Malformed)?;
    sent(path, "PATCH", Some(body)).await
}

/// Takes something away.
pub async fn delete(path: &str) -> Result<String, ClientError> {
    sent(path, "DELETE", None).await
}

async fn sent(path: &str, method: &str, body: Option<String>) -> Result<String, ClientError> {
    let method = gloo_net::http::Method::from_bytes(method.as_bytes()).unwrap_or_default();
    let request = with_token(RequestBuilder::new(&placed(path)).method(method));
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body),
        None => request.build(),
    };
    let request = request.map_err(|error| ClientError::Malformed(error.to_string()))?;
    let response = request.send().await.map_err(|_| lost())?;
    answered(response).await?.text().await.map_err(|_| lost())
}

/// What a node answered, passed on by the proxy as it came, whatever its status.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeAnswer {
    /// The node's HTTP status.
    pub status: u16,
    /// How long the node took, in seconds.
    pub seconds: Option<f64>,
    /// The body.
    pub body: String,
}

/// Has the proxy ask a node now, e.g. `/api/v1/nodes/eu-1/health`. A 503 of the node is an answer; an error
/// is what the proxy itself says.
pub async fn get_node_answer(path: &str) -> Result<NodeAnswer, ClientError> {
    let response = request(path).send().await.map_err(|_| lost())?;
    let header = |name: &str| response.headers().get(name);
    let seconds =
        header("x-node-duration-seconds").map(|text| number(&text)).filter(|seconds| seconds.is_finite());
    let own = header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json"));
    match response.status() {
        401 if seconds.is_none() => Err(ClientError::Unauthorized),
        status => {
            let body = response.text().await.map_err(|_| lost())?;
            if own {
                return Err(ClientError::Http { status, detail: detail_of(&body) });
            }
            Ok(NodeAnswer { status, seconds, body })
        }
    }
}

fn request(path: &str) -> RequestBuilder {
    with_token(Request::get(&placed(path)))
}

fn with_token(request: RequestBuilder) -> RequestBuilder {
    // Whoever looks through a share link does so as nobody else.
    match token::token().filter(|_| shared().is_none_or(|link| link.is_preview)) {
        Some(token) => request.header("Authorization", &format!("Bearer {token}")),
        None => request,
    }
}

async fn send(request: RequestBuilder) -> Result<Response, ClientError> {
    answered(request.send().await.map_err(|_| lost())?).await
}

async fn answered(response: Response) -> Result<Response, ClientError> {
    match response.status() {
        200..=299 => Ok(response),
        401 => Err(ClientError::Unauthorized),
        status => {
            let body = response.text().await.unwrap_or_default();
            Err(ClientError::Http { status, detail: detail_of(&body) })
        }
    }
}

/// What a `fleetglass_shared::wire::Problem` says in words.
fn detail_of(body: &str) -> String {
    let Ok(problem) = Json::parse(body) else { return String::new() };
    // What is in Alertmanager's words is a text alone.
    problem.get("detail").text().or_else(|| problem.text()).unwrap_or_default()
}

/// The network failed: whose fault is it?
fn lost() -> ClientError {
    if window().navigator().on_line() { ClientError::NoProxy } else { ClientError::Offline }
}
