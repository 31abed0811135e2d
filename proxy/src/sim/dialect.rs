//! What a node answers: pure functions of the node, the moment and the request. One module a family;
//! here are the parts that are alike, and the faults that any HTTP server can have.

mod datamgmt;
mod decdn;
mod genlayer;
mod paraloom;
mod the_block;

use serde_json::Value;

use super::exposition::{Exposition, Style};
use super::family::Family;
use super::faults::Fault;
use super::node::{Moment, NodeModel, Port, View};
use super::value::{between, mix, name_key, noise};

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// After how many simulated seconds it comes; infinite: never.
    pub delay: f64,
    /// The HTTP status.
    pub status: u16,
    /// Its Content-Type.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
    /// The connection is closed after so many bytes of the body.
    pub cut: Option<usize>,
}

impl Answer {
    fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self { delay: 0.0, status, content_type, headers: Vec::new(), body, cut: None }
    }

    /// A JSON document.
    fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An exposition.
    fn metrics(style: Style, expo: Exposition) -> Self {
        Self::new(200, style.content_type(), expo.finish())
    }

    /// No such path.
    fn not_found(body: &str) -> Self {
        Self::new(404, "text/plain; charset=utf-8", body.to_owned())
    }

    fn is_exposition(&self) -> bool {
        self.status == 200 && self.content_type.contains("version=")
    }
}

/// What `node` answers to `GET path` on `port` at a moment. A node that is down answers nothing; ask
/// [`NodeModel::at`] first.
pub fn answer(node: &NodeModel, moment: Moment, port: Port, path: &str) -> Answer {
    let view = node.at(moment);
    let mut answer = match node.family {
        Family::Paraloom => paraloom::answer(&view, path),
        Family::Decdn => decdn::answer(&view, port, path),
        Family::DataMgmt => datamgmt::answer(&view, port, path),
        Family::GenLayer => genlayer::answer(&view, port, path),
        Family::TheBlock => the_block::answer(&view),
    };
    let jitter = noise(mix(node.key, name_key(path)), moment.t / 3.0);
    answer.delay = node.place.latency * (0.8 + 0.6 * jitter) * view.load;
    distort(&view, &mut answer);
    answer
}

/// The faults that any HTTP server can have.
fn distort(view: &View<'_>, answer: &mut Answer) {
    if view.hit(Fault::ErrorPage).is_some() {
        *answer = Answer::new(502, "text/html", ERROR_PAGE.to_owned());
    }
    if let Some(hit) = view.hit(Fault::Malformed) {
        if answer.is_exposition() {
            answer.body = malformed(&answer.body, (hit.since / 25.0) as usize);
        } else if !view.node.traits.metrics && answer.status == 200 {
            answer.body.truncate(answer.body.len() / 2);
        }
    }
    if view.hit(Fault::Cut).is_some() {
        answer.cut = Some(answer.body.len() * 2 / 3);
    }
    if view.hit(Fault::Slow).is_some() {
        let key = mix(view.node.key, 77);
        answer.delay = 1.2 + 3.6 * noise(key, view.moment.t / 20.0) + between(key, 0.0, 0.4);
    }
    if let Some(hit) = view.hit(Fault::Stall) {
        // It answers in the end, to clients that still wait.
        answer.delay = hit.length - hit.since;
    }
}

/// What nginx says when the server behind it does not answer.
const ERROR_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";

/// An exposition that no parser accepts, in one of several ways.
fn malformed(body: &str, way: usize) -> String {
    let half = body.lines().count() / 2;
    let bad = match way % 4 {
        0 => "process_open_fds{pool=\"main} 12",
        1 => "process_open_fds twelve",
        2 => "process_open_fds{pool=main} 12",
        _ => "process_open_fds{pool=\"main\"}",
    };
    let mut out = String::with_capacity(body.len() + bad.len() + 1);
    for (number, line) in body.lines().enumerate() {
        if number == half {
            out.push_str(bad);
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// The synthetic series of a bench: a third are counters that move, a third gauges that move, a third
/// stay as they are.
fn pad(view: &View<'_>, expo: &mut Exposition) {
    let series = view.node.pad;
    if series == 0 {
        return;
    }
    let groups: [(&str, &str, u32); 3] = [
        ("synthetic_requests_total", "counter", 0),
        ("synthetic_queue_depth", "gauge", 1),
        ("synthetic_limit", "gauge", 2),
    ];
    let mut shard = String::new();
    for (name, kind, rest) in groups {
        expo.family(name, kind, "Synthetic series, for benches");
        for n in (0..series).filter(|n| n % 3 == rest) {
            shard.clear();
            let _ = std::fmt::Write::write_fmt(&mut shard, format_args!("{n:05}"));
            let value = match rest {
                0 => view.count(&shard, 0.4 + f64::from(n % 97)),
                1 => (view.gauge(&shard, 10.0 + f64::from(n % 89), 0.5) * 100.0).round() / 100.0,
                _ => f64::from(n % 7) * 1024.0,
            };
            expo.sample(name, &[("shard", &shard), ("pool", "main")], value);
        }
    }
}

/// Rounded to so many decimals, as a program that prints percentages does.
fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests;
