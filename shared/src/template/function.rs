//! The functions of templates: Go's own, Prometheus's and Alertmanager's, in one table.

use Parameter::{Any, Sample, Samples, Text, Texts, Time};

use super::value::{SAMPLE, SAMPLES, Value};
use super::world::{Problem, World};

mod builtin;
mod compare;
mod humanize;
mod link;
mod replace;
mod sample;
mod text;
mod time;

/// What a function is given, and what it gives.
pub(super) type Call = fn(&mut World<'_>, &[Value]) -> Result<Value, Problem>;

/// A function by its name.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// What any further arguments are, where there may be any.
    pub(super) rest: Option<Parameter>,
    pub(super) kind: Kind,
}

/// How a function is evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Plain(Call),
    /// `and` and `or`: up to the first argument whose truth this is.
    Until(bool),
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    Any,
    Text,
    /// A list of texts.
    Texts,
    Sample,
    Samples,
    Time,
}

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    TABLE.iter().find(|function| function.name == name)
}

impl Function {
    /// What the argument at a place must be.
    pub(super) fn parameter(&self, at: usize) -> Parameter {
        self.parameters.get(at).copied().or(self.rest).unwrap_or(Parameter::Any)
    }
}

impl Parameter {
    pub(super) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _) | (Self::Text, Value::String(_)) | (Self::Time, Value::Time(_)) => true,
            (Self::Texts, Value::List(list)) => list.items.iter().all(|item| item.as_str().is_some()),
            (Self::Sample, Value::Record(record)) => record.type_name == SAMPLE,
            (Self::Samples, Value::List(list)) => list.type_name == SAMPLES,
            _ => false,
        }
    }

    /// # Errors
    /// Go's words for an argument of another type.
    pub(super) fn check(self, value: &Value) -> Result<(), Problem> {
        if self.takes(value) {
            return Ok(());
        }
        let wanted = self.type_name();
        Err(match value {
            Value::Nil => format!("invalid value; expected {wanted}"),
            other => format!("wrong type for value; expected {wanted}; got {}", other.type_name()),
        }
        .into())
    }

    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Texts => "[]string",
            Self::Sample => "*template.sample",
            Self::Samples => SAMPLES,
            Self::Time => "time.Time",
        }
    }
}

/// The text at a place. The table says that it is one; an argument that is none reads as empty.
fn text_at(arguments: &[Value], at: usize) -> &str {
    arguments.get(at).and_then(Value::as_str).unwrap_or("")
}

const fn plain(name: &'static str, parameters: &'static [Parameter], call: Call) -> Function {
    Function { name, parameters, rest: None, kind: Kind::Plain(call) }
}

const fn open(name: &'static str, parameters: &'static [Parameter], rest: Parameter, call: Call) -> Function {
    Function { name, parameters, rest: Some(rest), kind: Kind::Plain(call) }
}

const fn until(name: &'static str, stop: bool) -> Function {
    Function { name, parameters: &[Any], rest: Some(Any), kind: Kind::Until(stop) }
}

/// Every function.
static TABLE: &[Function] = &[
    // Go's own.
    until("and", false),
    until("or", true),
    plain("not", &[Any], compare::not),
    open("eq", &[Any], Any, compare::eq),
    plain("ne", &[Any, Any], compare::ne),
    plain("lt", &[Any, Any], compare::lt),
    plain("le", &[Any, Any], compare::le),
    plain("gt", &[Any, Any], compare::gt),
    plain("ge", &[Any, Any], compare::ge),
    plain("len", &[Any], builtin::len),
    open("index", &[Any], Any, builtin::index),
    open("slice", &[Any], Any, builtin::slice),
    open("print", &[], Any, builtin::print),
    open("printf", &[Text], Any, builtin::printf),
    open("println", &[], Any, builtin::println),
    open("html", &[], Any, builtin::html),
    open("js", &[], Any, builtin::js),
    open("urlquery", &[], Any, builtin::urlquery),
    open("call", &[Any], Any, builtin::call),
    // Prometheus's: queries and samples.
    plain("query", &[Text], sample::query),
    plain("first", &[Samples], sample::first),
    plain("label", &[Text, Sample], sample::label),
    plain("value", &[Sample], sample::value),
    plain("strvalue", &[Sample], sample::strvalue),
    plain("sortByLabel", &[Text, Samples], sample::sort_by_label),
    open("args", &[], Any, sample::args),
    // Numbers and times.
    plain("humanize", &[Any], humanize::humanize),
    plain("humanize1024", &[Any], humanize::humanize1024),
    plain("humanizeDuration", &[Any], humanize::humanize_duration),
    plain("humanizePercentage", &[Any], humanize::humanize_percentage),
    plain("humanizeTimestamp", &[Any], time::humanize_timestamp),
    plain("toTime", &[Any], time::to_time),
    plain("toDuration", &[Any], time::to_duration),
    plain("now", &[], time::now),
    plain("parseDuration", &[Text], time::parse_duration),
    // Texts.
    plain("title", &[Text], text::title),
    plain("toUpper", &[Text], text::to_upper),
    plain("toLower", &[Text], text::to_lower),
    plain("match", &[Text, Text], replace::matches),
    plain("reReplaceAll", &[Text, Text, Text], replace::replace_all),
    plain("safeHtml", &[Text], text::same),
    // Links.
    plain("graphLink", &[Text], link::graph_link),
    plain("tableLink", &[Text], link::table_link),
    plain("stripPort", &[Text], link::strip_port),
    plain("stripDomain", &[Text], link::strip_domain),
    plain("externalURL", &[], link::external_url),
    plain("pathPrefix", &[], link::path_prefix),
    plain("urlQueryEscape", &[Text], link::query_escape),
    // Alertmanager's.
    plain("join", &[Text, Texts], text::join),
    plain("trimSpace", &[Text], text::trim_space),
    open("stringSlice", &[], Text, text::string_slice),
    plain("safeUrl", &[Text], text::same),
    plain("date", &[Text, Time], time::date),
    plain("tz", &[Text, Time], time::tz),
    plain("since", &[Time], time::since),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_stands_in_the_table_once() {
        let mut names: Vec<&str> = TABLE.iter().map(|function| function.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(find("tmpl").is_none());
    }
}
