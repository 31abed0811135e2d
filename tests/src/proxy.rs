//! A running `fleetglass serve` with a config of its own in a folder of its own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;
use tempfile::TempDir;

use crate::{command, sse::Stream, wait::eventually};

/// The head of nearly every config of the stories: any free port, and nodes asked often.
pub const QUICK: &str = "
[server]
listen = \"127.0.0.1:0\"

[scrape]
interval = \"500ms\"
timeout = \"500ms\"
";

/// A running proxy. It ends when this is dropped.
#[derive(Debug)]
pub struct Fleetglass {
    child: Child,
    address: SocketAddr,
    /// With the base path.
    url: String,
    folder: Arc<TempDir>,
    log: Log,
    http: reqwest::Client,
    token: Option<String>,
}

/// What an HTTP answer came to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

/// What a process has written so far.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

impl Fleetglass {
    /// Starts a proxy and waits until it has asked every node of its config once.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn serve(config: &str) -> Self {
        let fleetglass = Self::start(config, &[]).await;
        fleetglass.ready().await;
        fleetglass
    }

    /// Starts a proxy, with further environment, and waits until it listens.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn start(config: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_in(TempDir::new().expect("a temporary folder can be made"), config, environment).await
    }

    /// As [`Self::start`], in a folder that holds files already.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn start_in(
        folder: impl Into<Arc<TempDir>>,
        config: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let folder = folder.into();
        write(&folder.path().join("fleetglass.toml"), config);
        let mut command = command::fleetglass(&["serve", "--config", "fleetglass.toml"]);
        command.envs(environment.iter().copied());
        Self::start_with(command, folder).await
    }

    /// Runs a command that becomes a proxy, in a folder with its config.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn start_with(mut command: Command, folder: Arc<TempDir>) -> Self {
        command.current_dir(folder.path());
        let (mut child, log) = spawn(&mut command);
        let (address, url) = eventually("the proxy listens", async || {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                panic!("the proxy ended ({status}) instead of serving:\n{}", log.text());
            }
            log.address().ok_or_else(|| log.text().clone())
        })
        .await;
        Self { child, address, url, folder, log, http: http_client(), token: None }
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// When it does not.
    pub async fn ended(mut self) {
        self.signal("TERM");
        eventually("the proxy has ended", async || match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Ends it as a power cut would, and starts it again in the same folder, at another port.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn killed_and_started(self, config: &str) -> Self {
        Self::start_in(self.end("KILL"), config, &[]).await
    }

    /// Waits until every node was asked.
    ///
    /// # Panics
    /// When it does not come to that.
    pub async fn ready(&self) {
        eventually("every node was asked", async || {
            let answer = self.get("/readyz").await;
            if answer.status == 200 { Ok(()) } else { Err(answer.body) }
        })
        .await;
    }

    /// Sends this bearer token from now on.
    pub fn log_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The whole URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The folder of its config.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.text().clone()
    }

    /// Writes a file beside the config; as a whole, as careful tools do.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        let partial = self.folder().join(format!(".{}.partial", name.replace('/', "_")));
        write(&partial, text);
        std::fs::rename(&partial, &path).expect("both are in the same folder");
    }

    /// Sends it a signal, e.g. `HUP`.
    ///
    /// # Panics
    /// When it runs no more.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "no process to send SIG{name} to:\n{}",
            self.log()
        );
    }

    /// Sends it a signal that ends it, waits until it has ended, and gives its folder for another run.
    ///
    /// # Panics
    /// When it runs no more, or cannot be waited for.
    pub fn end(mut self, signal: &str) -> Arc<TempDir> {
        self.signal(signal);
        self.child.wait().expect("a child can be waited for");
        Arc::clone(&self.folder)
    }

    /// A request with further headers, as a browser or a tool would send it.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let method = method.parse().expect("stories name methods that exist");
        let mut request = self.http.request(method, self.url(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{path}: {error:?}; its log:\n{}", self.log()));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        Answer { status, headers, body }
    }

    /// `GET`.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[]).await
    }

    /// `GET` of something that is JSON and there.
    ///
    /// # Panics
    /// When it is not.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// The fleet.
    ///
    /// # Panics
    /// As [`Self::json`].
    pub async fn fleet(&self) -> Value {
        self.json("/api/v1/fleet").await
    }

    /// The ids of the fleet's nodes.
    ///
    /// # Panics
    /// As [`Self::json`].
    pub async fn ids(&self) -> Vec<String> {
        let fleet = self.fleet().await;
        let nodes = fleet["nodes"].as_array().cloned().unwrap_or_default();
        nodes.iter().map(|node| text(&node["id"])).collect()
    }

    /// Everything about one node.
    ///
    /// # Panics
    /// As [`Self::json`].
    pub async fn node(&self, id: &str) -> Value {
        self.json(&format!("/api/v1/nodes/{id}")).await
    }

    /// Waits until a node's detail is as wanted, and gives it.
    ///
    /// # Panics
    /// When it does not come to that, with the node as it was last.
    pub async fn node_when(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("`{id}` {what}"), async || {
            let answer = self.get(&format!("/api/v1/nodes/{id}")).await;
            if answer.status != 200 {
                return Err(answer.body);
            }
            let node = answer.json();
            if wanted(&node) { Ok(node) } else { Err(short(&node)) }
        })
        .await
    }

    /// Waits until a node has a status.
    ///
    /// # Panics
    /// As [`Self::node_when`].
    pub async fn node_is(&self, id: &str, status: &str) -> Value {
        self.node_when(id, &format!("is {status}"), |node| node["summary"]["status"] == status).await
    }

    /// Waits until a node's series has a value that is wanted, and gives that series.
    ///
    /// # Panics
    /// When it does not come to that, with the values it had last.
    pub async fn series_when(&self, id: &str, metric: &str, wanted: impl Fn(&str) -> bool) -> Value {
        eventually(&format!("`{metric}` of `{id}` is as wanted"), async || {
            let all = self.json(&format!("/api/v1/nodes/{id}/series")).await;
            let all = all["series"].as_array().cloned().unwrap_or_default();
            let named: Vec<&Value> = all.iter().filter(|series| series["metric"] == metric).collect();
            let found = named.iter().find(|series| series["value"].as_str().is_some_and(&wanted));
            found.map(|series| (*series).clone()).ok_or_else(|| format!("{named:?} of {} series", all.len()))
        })
        .await
    }

    /// The value of one of its own metrics.
    ///
    /// # Panics
    /// When `/metrics` cannot be had.
    pub async fn own_metric(&self, series: &str) -> Option<f64> {
        let metrics = self.get("/metrics").await.body;
        let line = metrics
            .lines()
            .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Looks at the live stream, from `last_event_id` on if there is one.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn live(&self, last_event_id: Option<&str>) -> Stream {
        let mut request = self.http.get(self.url("/api/v1/live"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("no live stream: {error:?}"));
        Stream::of(response)
    }
}

impl Drop for Fleetglass {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("── log of the proxy ──\n{}", tail(&self.log()));
        }
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }

    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Log {
    fn text(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it listens: the address, and the URL with the base path.
    fn address(&self) -> Option<(SocketAddr, String)> {
        let text = self.text();
        let (_, rest) = text.split_once("listening on ")?;
        let url = rest.split_whitespace().next()?;
        let address = url.split_once("://")?.1.split('/').next()?.parse().ok()?;
        Some((address, url.to_owned()))
    }
}

/// The codes of the reasons of a node's detail, in their order.
pub fn reasons(node: &Value) -> Vec<String> {
    let reasons = node["summary"]["reasons"].as_array().cloned().unwrap_or_default();
    reasons.iter().map(|reason| text(&reason["code"])).collect()
}

/// The kinds of the failures of a node's detail, the newest first.
pub fn failure_kinds(node: &Value) -> Vec<String> {
    let failures = node["failures"].as_array().cloned().unwrap_or_default();
    failures.iter().map(|failure| text(&failure["kind"])).collect()
}

/// A fact of a node's detail, by its name.
pub fn fact<'a>(node: &'a Value, name: &str) -> Option<&'a str> {
    node["facts"].as_array()?.iter().find(|fact| fact["name"] == name)?["value"].as_str()
}

/// A port that nothing listens on just now.
///
/// # Panics
/// When the system has none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// An HTTP client that shows answers as they are.
///
/// # Panics
/// When the system's TLS cannot be used.
pub fn http_client() -> reqwest::Client {
    // Only fails when a test of this process installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    // Stories make their own certificates; those about them look closer, with `tls`.
    let client = client.tls_danger_accept_invalid_certs(true);
    client.build().expect("a client without certificates can be made")
}

/// The path of a file, made with its folders.
pub(crate) fn write(path: &PathBuf, text: &str) {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn spawn(command: &mut Command) -> (Child, Log) {
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let log = Log::default();
    let (errors, copy) = (child.stderr.take(), log.clone());
    std::thread::spawn(move || {
        for line in errors.into_iter().flat_map(|errors| BufReader::new(errors).lines().map_while(Result::ok))
        {
            let mut text = copy.text();
            text.push_str(&line);
            text.push('\n');
        }
    });
    (child, log)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn short(node: &Value) -> String {
    let summary = &node["summary"];
    format!(
        "status {}, reasons {}, failures {}, warnings {}, facts {}",
        summary["status"], summary["reasons"], node["failures"], node["warnings"], node["facts"]
    )
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
