//! Alertmanager's API over the alerts inside. A silence that could reach further is not there, and is not made.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use fleetglass_shared::labels::{Matcher, Selector};
use serde_json::Value;

use super::{Asked, Member, Told};
use crate::{
    alerts::{Silence, SilenceError, WireMatcher},
    api::alertmanager::{self, Refused, named, refused},
};

impl Member<'_> {
    pub(super) fn alertmanager(&self, path: &str, asked: &Asked) -> Told {
        let alerts = || self.app.shares.alerts(self.part, self.now);
        // Who is told of alerts is the whole fleet's affair.
        let nobody = |_: &_| -> Value { named(&[]) };
        let told = match path {
            "/api/v2/alerts" => alertmanager::told_alerts(alerts(), asked.query(), &nobody),
            "/api/v2/alerts/groups" => alertmanager::told_groups(alerts(), asked.query(), &nobody),
            "/api/v2/receivers" => Ok(Json(named(&[])).into_response()),
            "/api/v2/silences" => alertmanager::told_silences(self.silences(), asked.query()),
            "/api/v2/silence/{id}" => {
                alertmanager::told_silence(self.silences(), asked.path("id").to_owned())
            }
            _ => return Err(super::nothing()),
        };
        Ok(told.unwrap_or_else(IntoResponse::into_response))
    }

    /// Those that can mute nothing outside.
    fn silences(&self) -> Vec<Silence> {
        let fence = self.fence.over_alerts();
        self.app.alerts.silences().into_iter().filter(|silence| fence.holds(silence.understood())).collect()
    }

    fn has_silence(&self, id: &str) -> Result<(), Refused> {
        match self.silences().iter().any(|silence| silence.id == id) {
            true => Ok(()),
            false => Err(refused(StatusCode::NOT_FOUND, SilenceError::NotFound(id.to_owned()))),
        }
    }

    pub(super) fn set_silence(&self, body: &[u8]) -> Told {
        let made = || -> Result<Response, Refused> {
            let silence = alertmanager::read_silence(body, |matchers| self.narrow(matchers))?;
            if !silence.id.is_empty() {
                self.has_silence(&silence.id)?;
            }
            alertmanager::keep_silence(self.app, silence)
        };
        Ok(made().unwrap_or_else(IntoResponse::into_response))
    }

    /// Adds what keeps a silence inside.
    fn narrow(&self, matchers: &mut Vec<WireMatcher>) -> Result<(), Refused> {
        let bad = |why: String| refused(StatusCode::BAD_REQUEST, why);
        let fence = self.fence.over_alerts();
        let given: Vec<Matcher> = matchers
            .iter()
            .map(WireMatcher::understood)
            .collect::<Result<_, _>>()
            .map_err(|why| bad(format!("silence invalid: invalid label matcher: {why}")))?;
        match fence.missing(&given) {
            Some(missing) if missing.is_empty() => Ok(()),
            // With no matcher of its own it is refused as everybody's is.
            Some(_) if given.is_empty() => Ok(()),
            Some(missing) => {
                matchers.extend(missing.iter().map(WireMatcher::from));
                Ok(())
            }
            None => {
                let ways = fence.ways();
                let ways: Vec<String> =
                    ways.iter().map(|own| Selector { matchers: own.clone() }.to_string()).collect();
                let words = format!(
                    "this silence could mute alerts of nodes that your role is not for; add the matchers of one of {}",
                    ways.join(" or ")
                );
                Err(refused(StatusCode::FORBIDDEN, words))
            }
        }
    }

    pub(super) fn expire_silence(&self, id: &str) -> Told {
        let ended = || -> Result<Response, Refused> {
            self.has_silence(id)?;
            self.app.alerts.expire_silence(id, self.now).map_err(|error| match error {
                SilenceError::NotFound(_) => refused(StatusCode::NOT_FOUND, error),
                _ => refused(StatusCode::INTERNAL_SERVER_ERROR, error),
            })?;
            Ok(StatusCode::OK.into_response())
        };
        Ok(ended().unwrap_or_else(IntoResponse::into_response))
    }
}
