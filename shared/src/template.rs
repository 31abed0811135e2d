//! The templates of alerts and notifications: Go's `text/template` with Prometheus's functions.
//!
//! Written from the public documentation of Go and Prometheus, and held against what Prometheus prints.
//! Pure: queries, the time and the external address come from a [`Host`]. Bounded: output, steps, queries and
//! nesting have limits, and an error names the one that was hit. No text and no data make it panic.
//!
//! | module | gives |
//! |---|---|
//! | `lex`, `parse` | the text as trees, or a [`TemplateError`] with its place |
//! | `ast` | what a tree is made of |
//! | `value` | [`Value`]: what a template works on |
//! | `exec` | runs the trees: blocks, pipelines, fields |
//! | `method` | the methods of times and of Alertmanager's maps |
//! | `function` | the functions by name: Go's, Prometheus's, Alertmanager's |
//! | `fmt` | values as Go's `fmt` writes them, and `printf` |
//! | `time` | times as Go writes them |
//! | `pattern` | Go's regular expressions |
//! | `host`, `world` | [`Host`], [`Limits`], and what is left of them while a template runs |
//! | `alert` | [`expand`], [`check`]: a label or an annotation of an alerting rule |
//!
//! What differs from Go: texts are UTF-8, so a slice through a character leaves `U+FFFD`; there are no complex
//! numbers, no functions as values, and no unsigned numbers (`index "abc" 0` is an int); a list of samples
//! prints the samples, where Go prints addresses; only the time zone UTC is known; errors count columns from 1.

mod alert;
mod ast;
mod error;
mod exec;
mod fmt;
mod function;
mod host;
mod lex;
mod method;
mod parse;
mod pattern;
#[cfg(test)]
mod tests;
mod time;
mod value;
mod world;

use std::sync::Arc;

pub use alert::{AlertData, check, expand};
pub use error::{Executing, TemplateError};
pub use host::{Host, Limits, Sample};
pub use time::{Duration, Time};
pub use value::{List, Map, Record, Value};

/// A text that has been read, with the templates that it defines.
#[derive(Clone, Debug)]
pub struct Template {
    name: Arc<str>,
    trees: parse::Trees,
}

impl Template {
    /// Reads a text. `name` stands in errors, and is the name of the text itself among its templates.
    ///
    /// # Errors
    /// When the text is no template, or nests or declares beyond the limits.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        Ok(Self { name: name.into(), trees: parse::parse(name, text, &[])? })
    }

    /// Adds the templates that another text defines, for `{{template "name"}}` to find. Those of the same
    /// name that are here already stay.
    pub fn include(&mut self, library: &Self) {
        for (name, tree) in &library.trees {
            self.trees.entry(Arc::clone(name)).or_insert_with(|| Arc::clone(tree));
        }
    }

    /// Whether there is a template of this name, the text itself among them.
    pub fn defines(&self, name: &str) -> bool {
        self.trees.contains_key(name)
    }

    /// Runs the text over `data`, which is its dot and its `$`.
    ///
    /// # Errors
    /// When a function or a field fails, or a limit is hit. Nothing of the output is kept then.
    pub fn render(&self, data: &Value, host: &mut dyn Host) -> Result<String, TemplateError> {
        self.render_named(&self.name, data, host)
    }

    /// The same with one of the templates that the text defines or includes.
    ///
    /// # Errors
    /// As [`Template::render`], and when there is no template of this name.
    pub fn render_named(
        &self,
        name: &str,
        data: &Value,
        host: &mut dyn Host,
    ) -> Result<String, TemplateError> {
        exec::run(&self.trees, name, data, Vec::new(), host)
    }
}
