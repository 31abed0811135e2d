//! From the text of a `family.toml` to a checked [`Family`], or to where its fault is.

use std::collections::BTreeSet;
use std::fmt;

use super::expr::Expr;
use super::model::{DutySpec, FamilySpec, PanelSpec, RiskSpec, StakeSpec};
use super::risks::RiskQueries;
use super::{Family, pointer};

/// What is wrong with a `family.toml`, or with the use of a family: where, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyError {
    /// The line, from 1; 0 where no line is known.
    pub line: usize,
    /// The column, from 1; 0 where none is known.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl FamilyError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Puts the error where `needle` first stands in `text`.
    fn at(mut self, text: &str, needle: &str) -> Self {
        let quoted = format!("\"{needle}\"");
        if let Some(offset) = text.find(&quoted).or_else(|| text.find(needle)) {
            (self.line, self.column) = position(text, offset);
        }
        self
    }
}

impl fmt::Display for FamilyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for FamilyError {}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl Family {
    /// Reads a `family.toml` that stands alone (one with `extends` is read by a [`Registry`](super::Registry)).
    ///
    /// # Errors
    /// With line and column: no TOML, an unknown or ill-typed key, or a mapping that cannot work.
    pub fn from_toml(text: &str) -> Result<Self, FamilyError> {
        let spec: FamilySpec = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
        if spec.extends.is_some() {
            return Err(FamilyError::new("`extends` needs the family it names to be known")
                .at(text, "extends")
                .hint("put the folder among the configured family folders"));
        }
        Self::checked(spec, text)
    }

    /// Checks what the types cannot; `text` is only used to say where.
    pub(crate) fn checked(spec: FamilySpec, text: &str) -> Result<Self, FamilyError> {
        check(&spec).map_err(|(error, needle)| error.at(text, &needle))?;
        let queries = spec.risk.iter().map(|risk| RiskQueries::of(&spec, risk)).collect();
        Ok(Self { spec, queries })
    }
}

pub(crate) fn toml_error(text: &str, error: &toml::de::Error) -> FamilyError {
    let (line, column) = error.span().map_or((0, 0), |span| position(text, span.start));
    FamilyError { line, column, message: error.message().to_owned(), hint: String::new() }
}

type Fault = (FamilyError, String);

fn fault(message: String, hint: &str, needle: &str) -> Fault {
    (FamilyError::new(message).hint(hint), needle.to_owned())
}

fn check(spec: &FamilySpec) -> Result<(), Fault> {
    let well_named = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !well_named(&spec.name) {
        let hint = "use lower-case letters, digits and `-`";
        return Err(fault(format!("`{}` is no name for a family", spec.name), hint, &spec.name));
    }
    if spec.endpoint.is_empty() {
        let hint = "declare at least one [[endpoint]]";
        return Err(fault("the family asks nothing of a node".to_owned(), hint, &spec.name));
    }
    check_names(spec)?;
    check_references(spec)?;
    check_pointers(spec)?;
    check_numbers(spec)?;
    spec.panel.iter().try_for_each(check_panel)?;
    spec.duty.iter().try_for_each(|duty| check_duty(spec, duty))?;
    spec.stake.iter().try_for_each(|stake| check_stake(spec, stake))?;
    spec.risk.iter().try_for_each(|risk| check_risk(spec, risk))
}

fn check_names(spec: &FamilySpec) -> Result<(), Fault> {
    let lists: [(&str, Vec<&str>); 5] = [
        ("endpoint", spec.endpoint.iter().map(|e| e.name.as_str()).collect()),
        ("fact", spec.fact.iter().map(|f| f.name.as_str()).collect()),
        ("condition", spec.condition.iter().map(|c| c.name.as_str()).collect()),
        ("risk", spec.risk.iter().map(|r| r.name.as_str()).collect()),
        ("duty", spec.duty.iter().map(|d| d.name.as_str()).collect()),
    ];
    for (list, names) in lists {
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.into_iter().find(|name| !seen.insert(*name)) {
            return Err(fault(format!("two [[{list}]] are named `{twice}`"), "name each differently", twice));
        }
    }
    for endpoint in &spec.endpoint {
        if !endpoint.path.starts_with('/') {
            let message = format!("the path `{}` does not start with `/`", endpoint.path);
            return Err(fault(message, "write it as in the URL, e.g. `/health`", &endpoint.path));
        }
    }
    Ok(())
}

fn check_references(spec: &FamilySpec) -> Result<(), Fault> {
    let mut endpoints: Vec<&str> = Vec::new();
    endpoints.extend(spec.status.iter().map(|s| s.endpoint.as_str()));
    endpoints.extend(spec.status.iter().filter_map(|s| s.without.as_deref()));
    endpoints.extend(spec.fact.iter().flat_map(|f| f.endpoint.iter().map(String::as_str)));
    endpoints.extend(spec.checks.iter().map(|c| c.endpoint.as_str()));
    endpoints.extend(spec.mandatory.iter().filter_map(|m| m.endpoint.as_deref()));
    endpoints.extend(spec.recognise.iter().filter_map(|r| r.endpoint.as_deref()));
    if let Some(unknown) = endpoints.iter().find(|name| spec.endpoint.iter().all(|e| e.name != **name)) {
        let known: Vec<_> = spec.endpoint.iter().map(|e| e.name.as_str()).collect();
        let hint = format!("the endpoints are: {}", known.join(", "));
        return Err(fault(format!("no endpoint is named `{unknown}`"), &hint, unknown));
    }
    let of_duties = spec.duty.iter().flat_map(|d| std::iter::once(&d.fact).chain(&d.only_while));
    let facts = spec.condition.iter().map(|c| &c.fact).chain(spec.spark.iter().map(|s| &s.fact));
    let facts = facts.chain(of_duties);
    for name in facts {
        if spec.fact.iter().all(|fact| fact.name != *name) {
            return Err(fault(format!("no fact is named `{name}`"), "declare it as a [[fact]]", name));
        }
    }
    Ok(())
}

fn check_pointers(spec: &FamilySpec) -> Result<(), Fault> {
    let of_status = spec.status.iter().flat_map(|s| s.pointer.iter().chain(s.detail.iter()));
    let of_facts = spec.fact.iter().flat_map(|f| f.pointer.iter());
    let of_checks = spec
        .checks
        .iter()
        .flat_map(|c| [&c.pointer, &c.word].into_iter().chain(c.error.iter()).chain(c.time.iter()));
    let of_signs = spec.recognise.iter().flat_map(|r| r.fields.iter().chain(r.values.keys()));
    for text in of_status.chain(of_facts).chain(of_checks).chain(of_signs) {
        if let Some(why) = pointer::fault(text) {
            return Err(fault(format!("`{text}` is no JSON Pointer: {why}"), "see RFC 6901", text));
        }
    }
    for checks in &spec.checks {
        if !checks.pointer.ends_with("/*") {
            let message = format!("the pointer of checks `{}` does not end in `/*`", checks.pointer);
            return Err(fault(message, "end it in `/*`: each member is a check", &checks.pointer));
        }
    }
    for fact in &spec.fact {
        if fact.pointer.is_empty() && fact.metric.is_empty() {
            let message = format!("the fact `{}` has no source", fact.name);
            return Err(fault(message, "give it a `pointer`, a `metric`, or both", &fact.name));
        }
        let starred = fact.pointer.iter().any(|pointer| pointer.split('/').any(|token| token == "*"));
        if starred && !fact.name.contains("{name}") {
            let message = format!("the fact `{}` has a `*` in its pointer but no `{{name}}`", fact.name);
            return Err(fault(message, "put `{name}` into its name: there are several", &fact.name));
        }
    }
    Ok(())
}

fn check_numbers(spec: &FamilySpec) -> Result<(), Fault> {
    for condition in &spec.condition {
        let tests = usize::from(condition.below.is_some())
            + usize::from(condition.above.is_some())
            + usize::from(!condition.is.is_empty())
            + usize::from(condition.rising_for.is_some());
        if tests != 1 {
            let message = format!("the condition `{}` needs exactly one test", condition.name);
            return Err(fault(message, "`below`, `above`, `is` or `rising_for`", &condition.name));
        }
    }
    for code in spec.status.iter().flat_map(|status| status.http.keys()) {
        if !code.parse::<u16>().is_ok_and(|code| (100..600).contains(&code)) {
            let hint = "write it like \"503\"";
            return Err(fault(format!("`{code}` is no HTTP status"), hint, code));
        }
    }
    Ok(())
}

fn check_duty(spec: &FamilySpec, duty: &DutySpec) -> Result<(), Fault> {
    let tests = usize::from(duty.above.is_some())
        + usize::from(duty.below.is_some())
        + usize::from(!duty.is.is_empty())
        + usize::from(duty.due.is_some());
    if tests != 1 {
        let message = format!("the duty `{}` needs exactly one test", duty.name);
        return Err(fault(message, "`above`, `below`, `is` or `due`", &duty.name));
    }
    if duty.overdue && (duty.due.is_none() || duty.only_while.is_none()) {
        let message = format!("the duty `{}` can never be overdue", duty.name);
        return Err(fault(message, "`overdue` goes with `due` and `while`", &duty.name));
    }
    let looked_at = |fact: &&str| *fact == duty.fact || duty.only_while.as_deref() == Some(fact);
    let unseen = spec.fact.iter().filter(|fact| fact.hidden || fact.name.contains("{name}"));
    match unseen.map(|fact| fact.name.as_str()).find(looked_at) {
        None => Ok(()),
        Some(fact) => {
            let message = format!("the duty `{}` looks at `{fact}`, which is not one shown fact", duty.name);
            Err(fault(message, "take `hidden` away, or name a fact without `{name}`", &duty.name))
        }
    }
}

fn check_panel(panel: &PanelSpec) -> Result<(), Fault> {
    if panel.queries.is_empty() {
        let message = format!("the panel `{}` draws nothing", panel.title);
        return Err(fault(message, "give it at least one of `queries`", &panel.title));
    }
    panel.queries.iter().try_for_each(|query| check_expr(&query.expr))
}

fn check_risk(spec: &FamilySpec, risk: &RiskSpec) -> Result<(), Fault> {
    if risk.expr.is_empty() {
        let message = format!("the risk `{}` has no `expr`", risk.name);
        return Err(fault(message, "give it at least one expression", &risk.name));
    }
    let of_stake = risk.stake.iter().flat_map(|stake| stake.expr.iter());
    let all = risk.expr.iter().chain(risk.bound_expr.iter()).chain(risk.deadline.iter()).chain(of_stake);
    all.into_iter().try_for_each(|expr| check_expr(expr))?;
    if risk.window == Some(0) {
        let message = format!("the risk `{}` looks at no values", risk.name);
        return Err(fault(
            message,
            "`window` is a number of seconds; leave it out for a usual one",
            &risk.name,
        ));
    }
    let stake = risk.stake.as_ref().or(spec.stake.as_ref());
    if risk.stake.is_some() && risk.slash.is_none() {
        let message = format!("the risk `{}` has a `stake` that nothing is taken of", risk.name);
        return Err(fault(message, "add `slash = true`, or the part that a breach costs", &risk.name));
    }
    stake.map_or(Ok(()), |stake| check_stake(spec, stake))
}

fn check_stake(spec: &FamilySpec, stake: &StakeSpec) -> Result<(), Fault> {
    if stake.fact.is_empty() && stake.expr.is_empty() {
        let message = format!("the stake `{}` has no source", stake.title);
        return Err(fault(message, "give it a `fact`, an `expr`, or both", &stake.title));
    }
    if let Some(name) = stake.fact.iter().find(|name| spec.fact.iter().all(|fact| fact.name != **name)) {
        return Err(fault(format!("no fact is named `{name}`"), "declare it as a [[fact]]", name));
    }
    stake.expr.iter().try_for_each(|expr| check_expr(expr))
}

fn check_expr(text: &str) -> Result<(), Fault> {
    Expr::parse(text).map(drop).map_err(|why| {
        let hint = "docs/promql.md says what is";
        fault(format!("`{text}` is no expression that is understood here: {why}"), hint, text)
    })
}
