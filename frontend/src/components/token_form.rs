//! Asks who looks: leads to the sign-in page where there is one, and takes a token.

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{HtmlInputElement, SubmitEvent};

use crate::client::{get_value, has_token, set_token, try_now};
use crate::dom::{El, effect, el, link, p, with_class};
use crate::shared::{shared, within};
use crate::state::{Link, use_fleet};

/// Where a name and a password, or an OpenID provider, are taken.
fn sign_in() -> El {
    let location = window().location();
    let (path, query) = (location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    let here = format!("{}{query}", within(&path));
    let to = format!("/login?next={}", String::from(js_sys::encode_uri_component(&here)));
    link("button button-primary", to).attr("rel", "external").text("Sign in")
}

/// A form of one field. The token is kept for this tab only. It stays while a token is tried, so that what
/// is typed meanwhile is not lost.
pub fn token_form() -> El {
    let link = use_fleet().link();
    let refused = move || link.with(|link| *link == Link::Unauthorized) && has_token();
    let field = with_class("input", "field")
        .attr("id", "token")
        .attr("type", "password")
        .attr("autocomplete", "current-password")
        .attr("spellcheck", "false")
        .attr("aria-describedby", "token-help")
        .attr("aria-invalid", move || refused().then_some("true"));
    let focused = field.clone();
    let typed = StoredValue::new(field.clone());
    effect(move || focused.focus());
    let enter = move |event: SubmitEvent| {
        event.prevent_default();
        let token = typed.with_value(El::as_element::<HtmlInputElement>).value();
        if !token.trim().is_empty() {
            set_token(token.trim());
            match shared() {
                // What a preview shows is asked before anything is shown.
                Some(_) => drop(window().location().reload()),
                None => try_now(),
            }
        }
    };
    // Whether there is another way in.
    let can_sign_in = RwSignal::new(false);
    spawn_local(async move {
        if let Ok(me) = get_value("/api/v1/me").await {
            let ways = me.get("ways");
            can_sign_in.try_set(ways.get("password").flag() == Some(true) || !ways.get("oidc").is_null());
        }
    });
    let help = p("muted")
        .attr("id", "token-help")
        .text("A token works too: whoever runs this makes one with ")
        .child(el("code").text("fleetglass token new"))
        .text(". It is kept in this tab only, and forgotten when you close it.");
    let words = "This token is not accepted. Is it whole, and does the config list its hash?";
    let form = with_class("form", "token-form")
        .on("submit", enter)
        .child(el("h1").class("token-title").text("This Fleetglass asks who you are"))
        .when(move || can_sign_in.get(), sign_in)
        .child(help)
        .child(with_class("label", "field-label").attr("for", "token").text("Token"))
        .child(field)
        .when(refused, move || p("token-refused").attr("role", "alert").text(words))
        .child(
            with_class("button", "button button-primary").attr("type", "submit").text("Open with the token"),
        );
    with_class("main", "token-page").attr("id", "main").attr("tabindex", "-1").child(form)
}
