//! Pages that a signed link opens without a login: one alert to acknowledge, and one chart.
//!
//! What opens a link by itself, such as a preview, sends `GET`: that only asks. `POST` acknowledges, once.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::{
    format::{age, utc},
    wire::{Acknowledge, Alert, AlertState},
};
use serde_json::json;

use crate::{
    app::App,
    clock,
    letters::escaped,
    notify::{
        chart,
        link::{AcknowledgeLink, LinkError},
    },
    small_page::small_page,
};

/// A name that somebody gives is no longer than this.
const NAME: usize = 80;
/// Charts that are drawn at one time.
static DRAWING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// Asks whether the alert of a link is to be acknowledged. Changes nothing.
pub async fn ask(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let now = clock::now();
    match looked_up(&app, &token, now) {
        Err(refused) => *refused,
        Ok((_, alert)) => {
            let node = alert.node.as_ref().map(|node| format!(" on {}", escaped(node))).unwrap_or_default();
            let summary = alert.annotations.get("summary").map(|text| escaped(text)).unwrap_or_default();
            let since = alert.fired_at.unwrap_or(alert.active_at);
            page(
                StatusCode::OK,
                "Acknowledge this alert?",
                &format!(
                    "<p><strong>{}</strong>{node}</p><p>{summary}</p><p>It fires since {} ({}).</p>\
                     <form method=\"post\"><label>Your name <input name=\"by\" maxlength=\"{NAME}\" autocomplete=\"name\"></label>\
                     <button>Acknowledge</button></form>\
                     <p class=\"aside\">Others are told no more of it until it ends. This link works once.</p>",
                    escaped(&alert.name),
                    utc(since / 1000),
                    age(now, since),
                ),
            )
        }
    }
}

/// Acknowledges the alert of a link, and uses the link up. A browser's worker asks for JSON: it has a number on the app's
/// icon to keep right.
pub async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = clock::now();
    let (link, alert) = match looked_up(&app, &token, now) {
        Ok(found) => found,
        Err(refused) => return *refused,
    };
    if let Err(error) = app.notify.links().use_up(&link, now) {
        return refused(&error);
    }
    let by = name_in(&body).unwrap_or_else(|| format!("the link sent to {}", link.receiver));
    let note = "by a link in a message".to_owned();
    match app.alerts.acknowledge(&alert.id, Acknowledge { by: by.clone(), note, until: None }, now) {
        Err(error) => page(
            StatusCode::GONE,
            "Nothing to acknowledge",
            &format!("<p>{}</p>", escaped(&error.to_string())),
        ),
        Ok(_) => {
            // Whoever reads "taken" must be able to rely on it.
            let _ = app.state.flush().await;
            if headers.get(header::ACCEPT).is_some_and(|kind| kind == "application/json") {
                let firing = app.alerts.all().iter().filter(|one| one.is_open()).count();
                let told = json!({"acknowledged": by, "firing": firing});
                return ([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response();
            }
            page(
                StatusCode::OK,
                "Acknowledged",
                &format!("<p>{} is {}'s now.</p>", escaped(&alert.name), escaped(&by)),
            )
        }
    }
}

/// The chart of a link.
pub async fn chart(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let token = token.strip_suffix(".png").unwrap_or(&token);
    let link = match app.notify.links().read_chart(token, clock::now()) {
        Ok(link) => link,
        Err(error) => return (status_of(&error), error.to_string()).into_response(),
    };
    let Ok(permit) = DRAWING.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let store = Arc::clone(&app.store);
    let drawn = tokio::task::spawn_blocking(move || chart::png(&store, &link)).await;
    drop(permit);
    match drawn {
        Ok(Some(png)) => {
            let cross = HeaderName::from_static("cross-origin-resource-policy");
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
                (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
                // The services that it was made for show it in their own pages.
                (cross, HeaderValue::from_static("cross-origin")),
            ];
            (headers, png).into_response()
        }
        _ => (StatusCode::NOT_FOUND, "there is nothing of that hour to show any more").into_response(),
    }
}

/// The alert that a link is about, as long as it is that firing.
fn looked_up(app: &App, token: &str, now: i64) -> Result<(AcknowledgeLink, Alert), Box<Response>> {
    let link = app.notify.links().read_acknowledge(token, now).map_err(|error| Box::new(refused(&error)))?;
    let gone = |words: &str| Box::new(nothing(words));
    let (alert, _) = app.alerts.get(&link.alert).ok_or_else(|| gone("This alert is over."))?;
    if alert.state != AlertState::Firing || alert.fired_at.unwrap_or(alert.active_at) != link.since {
        return Err(gone("What this link is about is over."));
    }
    if let Some(taken) = &alert.acknowledged {
        return Err(gone(&format!("{} has it already.", taken.by)));
    }
    Ok((link, alert))
}

fn nothing(words: &str) -> Response {
    page(StatusCode::GONE, "Nothing to acknowledge", &format!("<p>{}</p>", escaped(words)))
}

fn status_of(error: &LinkError) -> StatusCode {
    match error {
        LinkError::Wrong => StatusCode::NOT_FOUND,
        LinkError::Expired | LinkError::Used => StatusCode::GONE,
    }
}

fn refused(error: &LinkError) -> Response {
    page(status_of(error), "This link does not work", &format!("<p>{}</p>", escaped(&error.to_string())))
}

/// The name in a form.
fn name_in(body: &[u8]) -> Option<String> {
    let mut url = reqwest::Url::parse("http://form/").ok()?;
    url.set_query(std::str::from_utf8(body).ok());
    let name = url.query_pairs().find(|(name, _)| name == "by")?.1.into_owned();
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn page(status: StatusCode, title: &str, inside: &str) -> Response {
    small_page(status, title, &format!("<h1>{title}</h1>{inside}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_a_form_and_kept_short() {
        assert_eq!(name_in(b"by=Ada+L%C3%B6ve&x=1").as_deref(), Some("Ada L\u{f6}ve"));
        assert_eq!(name_in(b"by=+%0a"), None);
        assert_eq!(name_in(b""), None);
        assert_eq!(name_in(&[0xff]), None);
        assert_eq!(name_in(format!("by={}", "a".repeat(500)).as_bytes()).map(|name| name.len()), Some(NAME));
    }
}
