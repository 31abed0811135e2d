//! The real peers, as Debian packages them: Prometheus, promtool, Alertmanager, VictoriaMetrics, nginx.
//!
//! `cargo xtask setup` installs them. Without them the tests that need them fail and say so, unless
//! `FLEETGLASS_SKIP_PEERS=1` is set.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    proxy::{free_port, http_client, write},
    tls::Certificate,
    wait::eventually,
};

/// Whether tests with real peers are left out, as the environment asks. Says so.
pub fn are_skipped() -> bool {
    let skipped = std::env::var_os("FLEETGLASS_SKIP_PEERS").is_some_and(|value| value == "1");
    if skipped {
        eprintln!("not run: FLEETGLASS_SKIP_PEERS=1");
    }
    skipped
}

/// A running peer. It ends when this is dropped.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    program: PathBuf,
    args: Vec<String>,
    ready: String,
    port: u16,
    scheme: &'static str,
    folder: TempDir,
}

impl Peer {
    /// Prometheus, with a config.
    pub async fn prometheus(config: &str) -> Self {
        Self::start(&["prometheus"], "/-/ready", |folder, port| {
            write(&folder.join("prometheus.yml"), config);
            vec![
                format!("--config.file={}/prometheus.yml", folder.display()),
                format!("--storage.tsdb.path={}/data", folder.display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ]
        })
        .await
    }

    /// Prometheus without a memory of its own: it only scrapes and pushes.
    pub async fn prometheus_agent(config: &str) -> Self {
        Self::start(&["prometheus"], "/-/ready", |folder, port| {
            write(&folder.join("prometheus.yml"), config);
            vec![
                "--enable-feature=agent".to_owned(),
                format!("--config.file={}/prometheus.yml", folder.display()),
                format!("--storage.agent.path={}/data", folder.display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ]
        })
        .await
    }

    /// Prometheus that scrapes nothing and takes what is pushed.
    pub async fn prometheus_receiver() -> Self {
        Self::start(&["prometheus"], "/-/ready", |folder, port| {
            write(&folder.join("prometheus.yml"), "scrape_configs: []\n");
            vec![
                "--web.enable-remote-write-receiver".to_owned(),
                format!("--config.file={}/prometheus.yml", folder.display()),
                format!("--storage.tsdb.path={}/data", folder.display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ]
        })
        .await
    }

    /// Prometheus over samples that lie on the disk already, however old; it scrapes nothing.
    pub async fn prometheus_over(data: &Path) -> Self {
        Self::start(&["prometheus"], "/-/ready", |folder, port| {
            write(&folder.join("prometheus.yml"), "scrape_configs: []\n");
            vec![
                format!("--config.file={}/prometheus.yml", folder.display()),
                format!("--storage.tsdb.path={}", data.display()),
                "--storage.tsdb.retention.time=100y".to_owned(),
                "--enable-feature=promql-at-modifier,promql-negative-offset".to_owned(),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ]
        })
        .await
    }

    /// Alertmanager, alone and with a receiver that does nothing.
    pub async fn alertmanager() -> Self {
        Self::alertmanager_with("route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n").await
    }

    /// Alertmanager, alone, with a config.
    pub async fn alertmanager_with(config: &str) -> Self {
        Self::start(&["prometheus-alertmanager", "alertmanager"], "/-/ready", |folder, port| {
            write(&folder.join("alertmanager.yml"), config);
            vec![
                format!("--config.file={}/alertmanager.yml", folder.display()),
                format!("--storage.path={}/data", folder.display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
                "--cluster.listen-address=".to_owned(),
            ]
        })
        .await
    }

    /// VictoriaMetrics, a single node.
    pub async fn victoria_metrics() -> Self {
        Self::start(&["victoria-metrics", "victoria-metrics-prod"], "/health", |folder, port| {
            vec![
                format!("-storageDataPath={}/data", folder.display()),
                format!("-httpListenAddr=127.0.0.1:{port}"),
                "-memory.allowedBytes=64MB".to_owned(),
                // Else what came in the last half minute is not in the answers.
                "-search.latencyOffset=1ms".to_owned(),
            ]
        })
        .await
    }

    /// nginx, with the inside of a `server` block; `listen` and the temporary paths are added.
    pub async fn nginx(server: &str) -> Self {
        Self::start(&["nginx"], "/nginx-is-up", |folder, port| {
            write(&folder.join("nginx.conf"), &nginx_config(folder, port, "", server));
            vec!["-p".to_owned(), folder.display().to_string(), "-c".to_owned(), "nginx.conf".to_owned()]
        })
        .await
    }

    /// The same over TLS, with a certificate of its own.
    pub async fn nginx_tls(server: &str, certificate: &Certificate) -> Self {
        Self::start_as("https", &["nginx"], "/nginx-is-up", |folder, port| {
            write(&folder.join("cert.pem"), &certificate.pem);
            write(&folder.join("key.pem"), &certificate.key);
            let folder_name = folder.display();
            let server = format!("ssl_certificate {folder_name}/cert.pem;\nssl_certificate_key {folder_name}/key.pem;\n{server}");
            write(&folder.join("nginx.conf"), &nginx_config(folder, port, " ssl http2", &server));
            vec!["-p".to_owned(), folder_name.to_string(), "-c".to_owned(), "nginx.conf".to_owned()]
        })
        .await
    }

    /// Where it listens.
    pub fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    async fn start(names: &[&str], ready: &str, set_up: impl Fn(&Path, u16) -> Vec<String>) -> Self {
        Self::start_as("http", names, ready, set_up).await
    }

    async fn start_as(
        scheme: &'static str,
        names: &[&str],
        ready: &str,
        set_up: impl Fn(&Path, u16) -> Vec<String>,
    ) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let port = free_port();
        let args = set_up(folder.path(), port);
        let program = find(names);
        let child = spawn(&program, &args, folder.path());
        let mut peer = Self { child, program, args, ready: ready.to_owned(), port, scheme, folder };
        peer.is_ready().await;
        peer
    }

    /// Asks it to end, and waits for that; its folder stays.
    pub fn stop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return; // Its number may be another's by now.
        }
        // nginx has a worker, which only its master ends; SIGTERM asks for that, and all peers obey it.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }

    /// Starts it again after [`Self::stop`], at the same port and in the same folder.
    pub async fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.args, self.folder.path());
        self.is_ready().await;
    }

    async fn is_ready(&mut self) {
        let http = http_client();
        let (name, ready) = (self.program.display().to_string(), self.url(&self.ready));
        eventually(&format!("{name} is ready"), async || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{name} ended ({status}):\n{}", self.log());
            }
            let answer = http.get(&ready).send().await.map_err(|error| format!("{error:?}"))?;
            if answer.status() == 200 { Ok(()) } else { Err(answer.status().to_string()) }
        })
        .await;
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(program: &Path, args: &[String], folder: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log"));
    let log = log.expect("the folder is ours");
    let errors = log.try_clone().expect("a file can be opened twice");
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(log).stderr(errors);
    command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

/// Runs promtool; gives what it prints.
///
/// # Errors
/// What it complains about, when it fails.
///
/// # Panics
/// When it cannot be run.
pub fn promtool(args: &[&str]) -> Result<String, String> {
    let output = Command::new(find(&["promtool"])).args(args).output().expect("promtool was found");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(said) } else { Err(said + &String::from_utf8_lossy(&output.stderr)) }
}

/// Runs `promtool check metrics` over an exposition; gives what it complains about.
///
/// # Errors
/// Its complaints.
///
/// # Panics
/// When it cannot be run.
pub fn promtool_check_metrics(exposition: &str) -> Result<(), String> {
    let mut promtool = Command::new(find(&["promtool"]))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool was found");
    let mut input = promtool.stdin.take().expect("its input is a pipe");
    let text = exposition.to_owned();
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = promtool.wait_with_output().expect("promtool was started");
    writing.join().expect("writing does not panic").expect("promtool reads its input");
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.trim().is_empty() { Ok(()) } else { Err(said) }
}

fn nginx_config(folder: &Path, port: u16, listen: &str, server: &str) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|part| format!("  {part}_temp_path {folder}/{part};\n"))
        .concat();
    format!(
        "user root root;\ndaemon off;\nmaster_process on;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n\
         events {{ worker_connections 2048; }}\nhttp {{\n  access_log off;\n{temporary}\
         server {{\n  listen 127.0.0.1:{port}{listen};\n  location = /nginx-is-up {{ return 200; }}\n{server}\n}}\n}}\n"
    )
}

fn find(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps nginx where the path of an ordinary user does not lead.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("`{}` is not installed: run `cargo xtask setup` (or set FLEETGLASS_SKIP_PEERS=1)", names[0])
    })
}
