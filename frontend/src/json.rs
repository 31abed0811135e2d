//! JSON as the browser reads it: its own parser is faster than one we would ship, and costs no download.
//! Outside of a browser, which is where the tests run, `serde_json` stands in for it.
//!
//! The browser's numbers are exact up to 2^53. Whatever may be larger comes as text
//! (`fleetglass_shared::wire`).

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(target_arch = "wasm32")]
pub use browser::{Json, number, read, write};
#[cfg(not(target_arch = "wasm32"))]
pub use native::{Json, number, read, write};

/// A value that is not what it should be: which member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl Json {
    /// A member that must be a text.
    pub fn text_of(&self, name: &'static str) -> Result<String, Malformed> {
        self.get(name).text().ok_or(Malformed(name))
    }

    /// A member that must be a number.
    pub fn number_of(&self, name: &'static str) -> Result<f64, Malformed> {
        self.get(name).number().ok_or(Malformed(name))
    }

    /// A member that must be a list.
    pub fn items_of(&self, name: &'static str) -> Result<Vec<Json>, Malformed> {
        self.get(name).items().ok_or(Malformed(name))
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use js_sys::{Array, JSON, Object, Reflect};
    use wasm_bindgen::{JsCast, JsValue};

    use super::{DeserializeOwned, Serialize};

    /// A JSON value; a member that is not there is a value, too: [`Json::is_null`].
    #[derive(Clone, Debug, PartialEq)]
    pub struct Json(JsValue);

    impl Json {
        /// What another script gave.
        pub fn of(value: JsValue) -> Self {
            Self(value)
        }

        /// For another script.
        pub fn raw(&self) -> JsValue {
            self.0.clone()
        }

        /// Reads a text; the error is the browser's, in words.
        pub fn parse(text: &str) -> Result<Self, String> {
            JSON::parse(text).map(Self).map_err(|error| {
                error
                    .dyn_into::<js_sys::Error>()
                    .map_or_else(|_| String::new(), |error| error.message().into())
            })
        }

        /// A member of an object.
        pub fn get(&self, name: &str) -> Self {
            Self(Reflect::get(&self.0, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED))
        }

        /// Whether it is `null`, or not there.
        pub fn is_null(&self) -> bool {
            self.0.is_null() || self.0.is_undefined()
        }

        /// A text.
        pub fn text(&self) -> Option<String> {
            self.0.as_string()
        }

        /// A number.
        pub fn number(&self) -> Option<f64> {
            self.0.as_f64()
        }

        /// `true` or `false`.
        pub fn flag(&self) -> Option<bool> {
            self.0.as_bool()
        }

        /// The items of a list.
        pub fn items(&self) -> Option<Vec<Self>> {
            self.0.dyn_ref::<Array>().map(|items| items.iter().map(Self).collect())
        }

        /// The members of an object.
        pub fn members(&self) -> Option<Vec<(String, Self)>> {
            let object = self.0.dyn_ref::<Object>().filter(|_| !self.0.is_array())?;
            let member = |entry: JsValue| {
                let entry: Array = entry.unchecked_into();
                (entry.get(0).as_string().unwrap_or_default(), Self(entry.get(1)))
            };
            Some(Object::entries(object).iter().map(member).collect())
        }
    }

    /// Reads a whole answer; the error is in words.
    pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        serde_wasm_bindgen::from_value(Json::parse(text)?.0).map_err(|error| error.to_string())
    }

    /// Writes a whole body.
    pub fn write<T: Serialize>(value: &T) -> Result<String, String> {
        let value = serde_wasm_bindgen::to_value(value).map_err(|error| error.to_string())?;
        JSON::stringify(&value).map(String::from).map_err(|_| "not JSON".to_owned())
    }

    /// A number from its text, as exact as a `f64` can be; not a number when it is none.
    pub fn number(text: &str) -> f64 {
        match text {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            _ => JSON::parse(text).ok().and_then(|number| number.as_f64()).unwrap_or(f64::NAN),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use serde_json::Value;

    use super::{DeserializeOwned, Serialize};

    /// A JSON value; a member that is not there is a value, too: [`Json::is_null`].
    #[derive(Clone, Debug, PartialEq)]
    pub struct Json(pub Value);

    impl Json {
        /// What another script gave: there is none here.
        pub fn of(_: wasm_bindgen::JsValue) -> Self {
            Self(Value::Null)
        }

        /// For another script: there is none here.
        pub fn raw(&self) -> wasm_bindgen::JsValue {
            wasm_bindgen::JsValue::NULL
        }

        /// Reads a text; the error is in words.
        pub fn parse(text: &str) -> Result<Self, String> {
            serde_json::from_str(text).map(Self).map_err(|error| error.to_string())
        }

        /// A member of an object.
        pub fn get(&self, name: &str) -> Self {
            Self(self.0.get(name).cloned().unwrap_or_default())
        }

        /// Whether it is `null`, or not there.
        pub fn is_null(&self) -> bool {
            self.0.is_null()
        }

        /// A text.
        pub fn text(&self) -> Option<String> {
            self.0.as_str().map(str::to_owned)
        }

        /// A number.
        pub fn number(&self) -> Option<f64> {
            self.0.as_f64()
        }

        /// `true` or `false`.
        pub fn flag(&self) -> Option<bool> {
            self.0.as_bool()
        }

        /// The items of a list.
        pub fn items(&self) -> Option<Vec<Self>> {
            self.0.as_array().map(|items| items.iter().cloned().map(Self).collect())
        }

        /// The members of an object.
        pub fn members(&self) -> Option<Vec<(String, Self)>> {
            let members = self.0.as_object()?.iter();
            Some(members.map(|(name, value)| (name.clone(), Self(value.clone()))).collect())
        }
    }

    /// Reads a whole answer; the error is in words.
    pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Writes a whole body.
    pub fn write<T: Serialize>(value: &T) -> Result<String, String> {
        serde_json::to_string(value).map_err(|error| error.to_string())
    }

    /// A number from its text, as exact as a `f64` can be; not a number when it is none.
    pub fn number(text: &str) -> f64 {
        text.parse().unwrap_or(f64::NAN)
    }
}
