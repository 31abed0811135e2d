//! What the proxy and the browser both need. No I/O, and no clock of its own: time comes in as an argument.
//!
//! The modules follow the way of the data:
//!
//! | module | stage | gives |
//! |---|---|---|
//! | [`exposition`] | parse | Prometheus text 0.0.4 and OpenMetrics 1.0 as samples, with positions in errors |
//! | [`family`] | normalise | a family's `family.toml`, and what a round of answers means by it |
//! | [`health`] | normalise | the normalised status, reasons, facts and checks of a node |
//! | [`labels`] | store | label sets and matchers |
//! | [`sample`] | store | when a sample counts, the stale marker, how a value is written |
//! | [`promql`] | query | PromQL over whatever holds series |
//! | [`template`] | evaluate | the templates of alerts and notifications: Go's `text/template` as Prometheus uses it |
//! | [`restart`] | evaluate | whether a node, or some nodes, may be restarted now |
//! | [`risk`] | evaluate | how far a node is from a slash, when it will be there, what it costs |
//! | [`rule`] | evaluate | rule files, alerts, thresholds, unit tests of rules |
//! | [`incident`] | evaluate | which alerts have one cause, and the evidence for it |
//! | [`maintenance`] | evaluate | windows of time in which alerts are muted |
//! | [`route`] | notify | who hears of which alert, and when |
//! | [`scope`] | publish | what a share link shows: everything it sends is cut here |
//! | [`status`] | publish | public status pages: posts, days and percentages in words |
//! | [`wire`] | publish | what the proxy's API answers and the browser reads |
//! | [`patch`] | publish | RFC 7396 merge patches, the body of a live delta |
//! | [`attention`] | publish | which nodes need a person, in which order |
//! | [`natural`] | | names in the order in which a person counts them |
//! | [`calendar`] | | days and dates |
//! | [`format`] | render | numbers, durations, bytes and money in words |

pub mod attention;
pub mod calendar;
pub mod exposition;
#[cfg(feature = "families")]
pub mod family;
pub mod format;
pub mod health;
#[cfg(feature = "rules")]
pub mod incident;
#[cfg(any(feature = "families", feature = "promql"))]
pub mod labels;
#[cfg(feature = "rules")]
pub mod maintenance;
pub mod natural;
pub mod patch;
#[cfg(feature = "promql")]
pub mod promql;
#[cfg(feature = "families")]
pub mod restart;
pub mod risk;
#[cfg(feature = "rules")]
pub mod route;
#[cfg(feature = "rules")]
pub mod rule;
pub mod sample;
#[cfg(feature = "scope")]
pub mod scope;
pub mod status;
#[cfg(feature = "rules")]
pub mod template;
pub mod wire;
