//! A browser that signs in, as the stories need it.

use fleetglass_tests::raw::encoded;
use fleetglass_tests::{
    proxy::{Answer, Fleetglass, http_client},
    wait::PATIENCE,
};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "seven boats at dusk";
pub(crate) const OTHER: &str = "eleven crows on ice";
pub(crate) const PAGE: &str = "application/x-www-form-urlencoded";

/// A browser: it keeps its cookie, and says where its requests come from.
pub(crate) struct Browser<'a> {
    pub(crate) fleetglass: &'a Fleetglass,
    pub(crate) http: reqwest::Client,
    pub(crate) cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(fleetglass: &'a Fleetglass) -> Self {
        Self { fleetglass, http: http_client(), cookie: None }
    }

    pub(crate) fn origin(&self) -> String {
        self.fleetglass.url("")
    }

    /// A request with its cookie and nothing else but what is named.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self.http.request(method.parse().unwrap(), self.fleetglass.url(path));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_owned()).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// As the app asks: JSON, from a page of ours.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("origin", self.origin()), ("content-type", "application/json".to_owned())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(method, path, &headers, &body.to_string()).await
    }

    /// The form of the sign-in page.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let form = format!("name={}&password={}&next=%2Frisks", encoded(name), encoded(password));
        let origin = self.origin();
        let answer = self.send("POST", "/login", &[("origin", &origin), ("content-type", PAGE)], &form).await;
        if answer.status == 303 {
            self.cookie = answer.header("set-cookie").split(';').next().map(str::to_owned);
        }
        answer
    }

    /// As a program with a token asks.
    pub(crate) async fn with_token(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.send(method, path, &headers, &body.to_string()).await
    }

    pub(crate) async fn live(&self) -> reqwest::Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        self.http.get(self.fleetglass.url("/api/v1/live")).header("cookie", cookie).send().await.unwrap()
    }
}

/// Makes the first user through the open listener.
pub(crate) async fn with_ada(fleetglass: &Fleetglass) {
    let ada = json!({"name": "ada", "password": PASSWORD, "role": "admin"});
    let made = Browser::new(fleetglass).ask("POST", "/api/v1/users", ada).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

pub(crate) async fn signed_in<'a>(fleetglass: &'a Fleetglass, name: &str, password: &str) -> Browser<'a> {
    let mut browser = Browser::new(fleetglass);
    let answer = browser.sign_in(name, password).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}

/// Reads a stream until it ends.
pub(crate) async fn ends(mut stream: reqwest::Response) {
    // One that is cut off in the middle of what is compressed is an end, too.
    let to_the_end = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(PATIENCE, to_the_end).await.expect("the stream ends");
}
