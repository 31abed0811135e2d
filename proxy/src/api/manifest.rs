//! `GET /manifest.webmanifest`: what the app is called where it is installed (W3C Web Application Manifest). A share link
//! has one of its own.

use axum::{
    Extension,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{api::problem::problem, assets, edge::Visit};

/// So much of a title stands below an icon.
const SHORT: usize = 24;

/// The app's manifest.
pub async fn manifest(Extension(visit): Extension<Visit>) -> Response {
    answer(assets::manifest().map(|mut manifest| {
        // An id is resolved against the origin, where there may be more than one of us.
        manifest["id"] = json!(format!("{}/", visit.base));
        manifest
    }))
}

/// The same for a share link that is at a path, and called so.
pub(super) fn of_link(mut manifest: Value, at: &str, title: &str) -> Value {
    for list in ["icons", "screenshots"] {
        for image in manifest[list].as_array_mut().into_iter().flatten() {
            let src = image["src"].as_str().unwrap_or_default().trim_start_matches("./");
            image["src"] = json!(format!("../../{src}"));
        }
    }
    if let Value::Object(members) = &mut manifest {
        members.remove("shortcuts");
        members.remove("screenshots");
    }
    for (name, value) in
        [("id", at), ("start_url", at), ("scope", at), ("name", title), ("short_name", &short(title))]
    {
        manifest[name] = json!(value);
    }
    manifest["description"] = json!("A part of a fleet of nodes, read-only.");
    manifest
}

/// As much of a title as stands below an icon.
pub(super) fn short(title: &str) -> String {
    title.chars().take(SHORT).collect::<String>().trim_end().to_owned()
}

/// A manifest, or that there is none.
pub(super) fn answer(manifest: Option<Value>) -> Response {
    match manifest {
        Some(manifest) => {
            let headers =
                [(header::CONTENT_TYPE, "application/manifest+json"), (header::CACHE_CONTROL, "no-cache")];
            (headers, manifest.to_string()).into_response()
        }
        None => problem(StatusCode::NOT_FOUND, "No manifest", "the app is not in this build").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_installed_as_what_it_is() {
        let app = json!({
            "name": "Fleetglass", "short_name": "Fleetglass", "start_url": "./", "scope": "./", "id": "./",
            "icons": [{"src": "./icons/a.png"}], "shortcuts": [{}], "screenshots": [{"src": "./icons/b.png"}],
        });
        let link = of_link(app, "/x/s/t/", "Validators of the northern region");
        assert_eq!(
            (&link["name"], &link["short_name"]),
            (&json!("Validators of the northern region"), &json!("Validators of the northe"))
        );
        assert!(["id", "start_url", "scope"].iter().all(|name| link[name] == "/x/s/t/"));
        assert_eq!(link["icons"][0]["src"], "../../icons/a.png");
        assert!(link["shortcuts"].is_null() && link["screenshots"].is_null());
    }
}
