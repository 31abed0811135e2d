//! Sound and notification when a new alert opens: on request, per severity, in this browser alone.

use std::collections::HashSet;

use fleetglass_shared::wire::{Alert, Severity};
use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::app::ALARM;
use crate::dom::{El, effect, group};
use crate::kept::{keep, kept};
use crate::shared::file;
use crate::state::alerts::summary;
use crate::state::use_fleet;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sound.
    Sound,
    /// The browser's own notification.
    Notify,
}

impl Kind {
    /// What a person reads.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sound => "Sound",
            Self::Notify => "Notification",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Notify => "notify",
        }
    }
}

/// What was asked for: words such as `sound:critical`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(Vec<String>);

impl Settings {
    /// Reads words; the unknown ones stay.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// What this browser keeps.
    pub fn kept() -> Self {
        Self::parse(&kept(ALARM).unwrap_or_default())
    }

    /// Keeps it.
    pub fn keep(&self) {
        keep(ALARM, &self.0.join(" "));
    }

    /// Whether this is asked for.
    pub fn has(&self, kind: Kind, severity: Severity) -> bool {
        self.0.contains(&word(kind, severity))
    }

    /// Asks for it, or no more.
    pub fn set(&mut self, kind: Kind, severity: Severity, on: bool) {
        let word = word(kind, severity);
        self.0.retain(|other| *other != word);
        if on {
            self.0.push(word);
        }
    }
}

fn word(kind: Kind, severity: Severity) -> String {
    format!("{}:{}", kind.word(), severity.as_str())
}

/// Watches the alerts for as long as the app lives. What is open at first is not new.
pub fn alarm() -> El {
    let fleet = use_fleet();
    let mut seen: Option<HashSet<String>> = None;
    effect(move || {
        let loaded = fleet.loaded().get();
        let open: Vec<_> =
            fleet.alerts().with(|alerts| alerts.iter().filter(|alert| alert.is_open()).cloned().collect());
        if !loaded {
            return;
        }
        let ids: HashSet<String> = open.iter().map(|alert| alert.id.clone()).collect();
        let Some(before) = seen.replace(ids) else { return };
        let mut new: Vec<_> = open.into_iter().filter(|alert| !before.contains(&alert.id)).collect();
        new.sort_by_key(|alert| alert.severity);
        let settings = Settings::kept();
        let heard = new.iter().find(|alert| settings.has(Kind::Sound, alert.severity));
        if let Some(worst) = heard {
            beep(worst.severity);
        }
        let told: Vec<_> = new.iter().filter(|alert| settings.has(Kind::Notify, alert.severity)).collect();
        match told.as_slice() {
            [] => {}
            [one] => notify(&title(one), summary(one)),
            [first, rest @ ..] => {
                notify(&format!("{} and {} more alerts", title(first), rest.len()), summary(first));
            }
        }
    });
    group()
}

fn title(alert: &Alert) -> String {
    match &alert.node {
        Some(node) => format!("{}: {} on {node}", alert.severity.as_str(), alert.name),
        None => format!("{}: {}", alert.severity.as_str(), alert.name),
    }
}

fn global(name: &str) -> Option<Function> {
    Reflect::get(&js_sys::global(), &JsValue::from_str(name)).ok()?.dyn_into().ok()
}

fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn call(of: &JsValue, name: &str, with: &[JsValue]) -> Option<JsValue> {
    let function: Function = get(of, name).dyn_into().ok()?;
    Reflect::apply(&function, of, &with.iter().collect()).ok()
}

/// Asks the browser to allow notifications.
pub fn allow() -> impl Future<Output = bool> {
    let asked = global("Notification").and_then(|class| call(&class, "requestPermission", &[]));
    async move {
        let Some(promise) = asked.and_then(|promise| promise.dyn_into::<Promise>().ok()) else {
            return false;
        };
        JsFuture::from(promise).await.is_ok_and(|answer| answer.as_string().as_deref() == Some("granted"))
    }
}

fn notify(title: &str, words: &str) {
    let Some(class) = global("Notification") else { return };
    if get(&class, "permission").as_string().as_deref() != Some("granted") {
        return;
    }
    let options = Object::new();
    let icon = file("/icons/favicon-critical.svg");
    for (name, value) in [("body", words), ("tag", "fleetglass"), ("icon", &icon)] {
        let _ = Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    let _ = Reflect::construct(&class, &[JsValue::from_str(title), options.into()].iter().collect());
}

/// A short sound, made here: two high tones for what is critical, one for a warning, a low one for the rest.
pub fn beep(severity: Severity) {
    let tones: &[f64] = match severity {
        Severity::Critical => &[880.0, 1174.7, 880.0, 1174.7],
        Severity::Warning => &[659.3, 659.3],
        Severity::Info => &[440.0],
    };
    // A browser that has no sound, or none before a press, stays quiet.
    let _ = play(tones);
}

fn play(tones: &[f64]) -> Option<()> {
    let class = global("AudioContext")?;
    let context = Reflect::construct(&class, &js_sys::Array::new()).ok()?;
    let start = get(&context, "currentTime").as_f64()?;
    for (index, tone) in tones.iter().enumerate() {
        let at = start + index as f64 * 0.18;
        let voice = call(&context, "createOscillator", &[])?;
        let volume = call(&context, "createGain", &[])?;
        let gain = get(&volume, "gain");
        call(&gain, "setValueAtTime", &[0.0001.into(), at.into()])?;
        call(&gain, "exponentialRampToValueAtTime", &[0.2.into(), (at + 0.02).into()])?;
        call(&gain, "exponentialRampToValueAtTime", &[0.0001.into(), (at + 0.15).into()])?;
        call(&get(&voice, "frequency"), "setValueAtTime", &[(*tone).into(), at.into()])?;
        call(&voice, "connect", std::slice::from_ref(&volume))?;
        call(&volume, "connect", &[get(&context, "destination")])?;
        call(&voice, "start", &[at.into()])?;
        call(&voice, "stop", &[(at + 0.16).into()])?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_words() {
        let mut settings = Settings::parse(" sound:critical later:word ");
        assert!(
            settings.has(Kind::Sound, Severity::Critical) && !settings.has(Kind::Notify, Severity::Critical)
        );
        settings.set(Kind::Notify, Severity::Warning, true);
        settings.set(Kind::Notify, Severity::Warning, true);
        settings.set(Kind::Sound, Severity::Critical, false);
        assert_eq!(settings, Settings::parse("later:word notify:warning"));
    }
}
