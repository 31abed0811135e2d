//! The parameters of our own endpoints, each fault named.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, rejection::JsonRejection},
    http::{StatusCode, Uri},
};

use super::problem::{ProblemResponse, problem};

/// The parameters of a request.
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query string; only the parameters `known` may be in it.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, ProblemResponse> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| bad(format!("the parameters cannot be read: {error}")))?;
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                return Err(bad(format!("`{name}` is not a parameter; known are {}", known.join(", "))));
            }
            if params.contains_key(&name) {
                return Err(bad(format!("`{name}` is given twice")));
            }
            params.insert(name, value);
        }
        Ok(Self(params))
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A whole number, such as a time in Unix milliseconds.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, ProblemResponse> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| bad(format!("`{name}={text}` is not a whole number")))?;
        Ok(Some(number))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ProblemResponse> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let flag = text.parse().map_err(|_| bad(format!("`{name}={text}` is neither true nor false")))?;
        Ok(Some(flag))
    }
}

/// The answer to a request that is wrong.
pub(super) fn bad(detail: String) -> ProblemResponse {
    problem(StatusCode::BAD_REQUEST, "Bad parameter", detail)
}

/// The answer to a body that is not the JSON that it should be: 415 where it does not say that it is any.
pub(super) fn unread(error: &JsonRejection) -> ProblemResponse {
    let words = format!("the body: {}", error.body_text());
    match error {
        JsonRejection::MissingJsonContentType(_) => {
            problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not JSON", words)
        }
        _ => bad(words),
    }
}
