//! PromQL: a query is parsed once and evaluated over anything that can give series.
//!
//! It means what it means in Prometheus 3: ranges are open on the left, a sample counts for five minutes
//! unless a stale marker ends it, sums are compensated (Kahan), and what a user should know comes back as
//! warnings and infos in Prometheus's words. Pure: storage, times and the wish to stop are arguments.
//!
//! A query goes through these stages:
//!
//! | module | gives |
//! |---|---|
//! | `token` | the words of the text with their places, which the parser's tree does not keep |
//! | `parse` | [`Query::parse`]: checks what would hurt the parser, parses, and blames a place |
//! | `lower`, `plan` | the parser's tree as a plan, types checked, places put back |
//! | `invariant` | what is the same at every step, marked to be evaluated once |
//! | `function` | the functions, and which of them are only known by name |
//! | `eval` | the plan over a grid of steps; an instant query is a grid of one step |
//! | `answer` | [`Answer`]: what came out |
//! | `notes` | warnings and infos |
//! | `storage` | [`Storage`]: what a query reads from |
//! | `coarse` | a query over down-sampled history |
//! | `reads` | [`Read`]: what it will read, told beforehand |
//! | `local` | whether an expression can be worked out for one node alone |
//! | `threshold` | the numbers an expression compares with |
//! | `within` | a query with one matcher more in every selector |
//! | [`notation`] | series as test files write them |
//! | `print` | an expression written again, and its tree as JSON |

mod answer;
mod coarse;
mod error;
mod eval;
mod function;
mod invariant;
mod local;
mod lower;
pub mod notation;
mod notes;
mod parse;
mod plan;
mod print;
mod reads;
mod storage;
#[cfg(test)]
mod tests;
mod threshold;
mod token;
mod within;

pub use answer::{Answer, Line, Samples, Value};
pub use coarse::SLOT_VALUE;
pub use error::{EvalError, ParseError};
pub use eval::{Limits, Options, Steps};
pub use parse::Query;
pub use reads::Read;
pub use storage::{EachSeries, MemoryStorage, Only, SeriesRef, Storage, is_stale, stale_marker};
pub use token::duration_ms;
pub use within::SCOPE_MARK;
