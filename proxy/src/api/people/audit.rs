//! `/api/v1/audit`: who did what, for admins.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{Uri, header},
    response::IntoResponse,
};
use bytes::Bytes;
use fleetglass_shared::{health::UnixMillis, wire::AuditEntry};
use futures_util::stream;

use super::{Answer, NO_STORE, needs_admin};
use crate::{
    api::{
        events::unavailable,
        params::{Params, bad},
    },
    app::App,
    auth::Who,
    clock,
    state::{AuditQuery, StateFile},
};

const MOST: i64 = 1_000;
/// So many are read from the state file at one time.
const PAGE: usize = 1_000;
const COLUMNS: &str = "id,at,time,who,via,ip,what,of,outcome\r\n";

/// The newest entries, the newest first.
///
/// # Errors
/// 403 for whoever is no admin, 400 for a parameter that is wrong.
pub async fn list(State(app): State<Arc<App>>, Extension(who): Extension<Who>, uri: Uri) -> Answer {
    needs_admin(&who)?;
    let params = Params::read(&uri, &["since", "until", "who", "what", "before", "limit"])?;
    let limit = params.number("limit")?.unwrap_or(200).clamp(1, MOST);
    let before = params.number("before")?.unwrap_or(i64::MAX);
    let query = AuditQuery { limit: usize::try_from(limit).unwrap_or(1), before, ..asked(&params)? };
    let audit = app.state.audit(query).await.map_err(|error| unavailable(&error))?;
    Ok((NO_STORE, Json(audit)).into_response())
}

/// All entries, the newest first, as a file: JSON lines, or CSV.
///
/// # Errors
/// As [`list`].
pub async fn export(State(app): State<Arc<App>>, Extension(who): Extension<Who>, uri: Uri) -> Answer {
    needs_admin(&who)?;
    let params = Params::read(&uri, &["since", "until", "who", "what", "format"])?;
    let form = match params.get("format").unwrap_or("jsonl") {
        "jsonl" => Form::Lines,
        "csv" => Form::Csv,
        other => return Err(bad(format!("`format={other}` is neither jsonl nor csv"))),
    };
    let query = AuditQuery { limit: PAGE, ..asked(&params)? };
    let rest =
        stream::unfold((Arc::clone(&app.state), Some(query)), move |(state, query)| page(state, query, form));
    let head =
        Ok::<_, Infallible>(Bytes::from_static(if form == Form::Csv { COLUMNS.as_bytes() } else { b"" }));
    let all = futures_util::StreamExt::chain(stream::iter([head]), rest);
    let (kind, name) = match form {
        Form::Lines => ("application/jsonl", "attachment; filename=\"fleetglass-audit.jsonl\""),
        Form::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"fleetglass-audit.csv\""),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((NO_STORE, headers, Body::from_stream(all)).into_response())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Csv,
}

type Reading = (Arc<StateFile>, Option<AuditQuery>);

/// The next page, and what to ask after it.
async fn page(
    state: Arc<StateFile>,
    query: Option<AuditQuery>,
    form: Form,
) -> Option<(Result<Bytes, Infallible>, Reading)> {
    let query = query?;
    match state.audit(query.clone()).await {
        Ok(audit) => {
            let text: String = audit.entries.iter().map(|entry| line(entry, form)).collect();
            let last = audit.entries.last().map(|entry| entry.id).filter(|_| audit.more);
            let next = last.map(|before| AuditQuery { before, ..query });
            Some((Ok(Bytes::from(text)), (state, next)))
        }
        Err(error) => {
            // Whoever reads it must see that it is not whole.
            tracing::error!("the export of the audit log broke off: {error}");
            let words = format!("\"the export broke off here: {error}\"\n");
            Some((Ok(Bytes::from(words)), (state, None)))
        }
    }
}

fn asked(params: &Params) -> Result<AuditQuery, crate::api::problem::ProblemResponse> {
    let text = |name: &str| params.get(name).map(str::to_owned);
    Ok(AuditQuery {
        since: params.number("since")?.unwrap_or(UnixMillis::MIN),
        until: params.number("until")?.unwrap_or(UnixMillis::MAX),
        who: text("who"),
        what: text("what"),
        ..AuditQuery::default()
    })
}

fn line(entry: &AuditEntry, form: Form) -> String {
    if form == Form::Lines {
        return serde_json::to_string(entry).unwrap_or_default() + "\n";
    }
    let AuditEntry { id, at, who, via, ip, what, of, outcome } = entry;
    let texts = [&clock::rfc3339(Some(*at)), who, via, ip, what, of, outcome].map(|text| cell(text));
    format!("{id},{at},{}\r\n", texts.join(","))
}

/// A text as a cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_line_breaks_out() {
        for (text, cell_of) in [
            ("ada", "\"ada\""),
            ("=cmd|'/c calc'!A1", "\"'=cmd|'/c calc'!A1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("a\",=1", "\"a\"\",=1\""),
        ] {
            assert_eq!(cell(text), cell_of);
        }
        let entry = AuditEntry { id: 7, at: 1_700_000_000_000, who: "=x".into(), ..AuditEntry::default() };
        let csv = line(&entry, Form::Csv);
        assert_eq!(csv, "7,1700000000000,\"2023-11-14T22:13:20.000Z\",\"'=x\",\"\",\"\",\"\",\"\",\"\"\r\n");
        assert_eq!(csv.matches(',').count(), COLUMNS.matches(',').count());
        assert!(line(&entry, Form::Lines).starts_with("{\"id\":7,"));
    }
}
