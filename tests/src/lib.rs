//! The harness of the end-to-end tests: the real binary, real HTTP, real files, real peers.
//!
//! The stories in `tests/` read from top to bottom; how a process is started, asked and waited for is here.
//!
//! | module | what it gives |
//! |---|---|
//! | [`proxy`] | a running `fleetglass serve`, and what it answers |
//! | [`command`] | the other commands, run to their end |
//! | [`node`] | a node that answers as a story tells it to |
//! | [`inbox`], [`mail`] | a receiver of messages, by HTTP and by SMTP, that answers as a story tells it to |
//! | [`sse`] | a reader of the live stream |
//! | [`peers`] | Prometheus, Alertmanager, VictoriaMetrics and nginx of the system |
//! | [`push`] | a remote write request by hand |
//! | [`raw`] | a request byte by byte, and every byte of its answer |
//! | [`samples`] | samples of any Prometheus API, compared one by one |
//! | [`fixtures`] | the recorded answers of the families |
//! | [`tls`] | certificates, and clients that show which version of TLS and HTTP was spoken |
//! | [`wait`] | waiting for something to come true |

pub mod command;
pub mod fixtures;
pub mod inbox;
pub mod mail;
pub mod node;
pub mod peers;
pub mod proxy;
pub mod push;
pub mod raw;
pub mod samples;
pub mod sse;
pub mod tls;
pub mod wait;
