//! Elements without a type each. Leptos's own builder compiles new code for every element, attribute and
//! closure of a view; ours has one type for all of them, so that the whole app stays a small download
//! (`docs/decisions/0008-one-element-type.md`). Signals, memos, effects, owners and contexts are Leptos's.
//!
//! | module | is |
//! |---|---|
//! | [`words`] | a text or attribute value: fixed, or read from signals again whenever they change |
//! | [`parts`] | children that come, go and change place |
//! | [`events`] | listeners on elements and on the window, effects |
//!
//! Whatever is bound here belongs to the reactive owner it was made under, and ends with it.

mod events;
mod parts;
mod words;

use leptos::prelude::document;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

pub use events::{effect, on_window};
pub use words::Words;

/// An element being made, or made: a handle, cheap to clone.
#[derive(Clone)]
pub struct El(SendWrapper<Element>);

/// Where words go.
#[derive(Clone, Copy)]
enum Sink {
    Attribute(&'static str),
    Style(&'static str),
    Property(&'static str),
}

/// An HTML element by its tag.
pub fn el(tag: &'static str) -> El {
    // Only an invalid name fails, and the names stand in this crate.
    let element = document().create_element(tag).unwrap_or_else(|_| unreachable!("{tag} is a tag"));
    El(SendWrapper::new(element))
}

/// An HTML element with a class.
pub fn with_class(tag: &'static str, class: &'static str) -> El {
    el(tag).class(class)
}

/// A `div` with a class.
pub fn div(class: &'static str) -> El {
    with_class("div", class)
}

/// A box that is not there for the layout: several parts where one element is asked for.
pub fn group() -> El {
    div("group")
}

/// A `span` with a class.
pub fn span(class: &'static str) -> El {
    with_class("span", class)
}

/// A `p` with a class.
pub fn p(class: &'static str) -> El {
    with_class("p", class)
}

/// A `button` that submits nothing.
pub fn button(class: &'static str) -> El {
    with_class("button", class).attr("type", "button")
}

/// A link; the router follows those within the app.
pub fn link(class: &'static str, to: impl Into<Words>) -> El {
    with_class("a", class).attr("href", to.into().placed())
}

/// A column's or row's head in a table.
pub fn head_cell(scope: &'static str, class: &'static str) -> El {
    with_class("th", class).attr("scope", scope)
}

/// Words for those who do not see what stands beside them.
pub fn unseen(words: impl Into<Words>) -> El {
    span("sr-only").text(words)
}

/// A drawing that is decoration: of one path, in the colour of the text around it.
pub fn drawing(class: impl Into<Words>, view_box: &'static str, path: impl Into<Words>) -> El {
    svg("svg")
        .class(class)
        .attr("viewBox", view_box)
        .attr("aria-hidden", "true")
        .child(svg("path").attr("d", path))
}

/// An SVG element by its tag.
pub fn svg(tag: &'static str) -> El {
    let element = document().create_element_ns(Some("http://www.w3.org/2000/svg"), tag);
    El(SendWrapper::new(element.unwrap_or_else(|_| unreachable!("{tag} is a tag"))))
}

impl El {
    /// The element itself.
    pub fn element(&self) -> &Element {
        &self.0
    }

    /// The element as what its tag makes it, e.g. `HtmlInputElement`.
    pub fn as_element<T: JsCast>(&self) -> T {
        self.0.clone().take().unchecked_into()
    }

    /// The whole `class` attribute.
    pub fn class(self, class: impl Into<Words>) -> Self {
        self.bind(class.into(), Sink::Attribute("class"))
    }

    /// An attribute; no value takes it away.
    pub fn attr(self, name: &'static str, value: impl Into<Words>) -> Self {
        self.bind(value.into(), Sink::Attribute(name))
    }

    /// An attribute that is there or not, such as `hidden`.
    pub fn flag(self, name: &'static str, holds: impl Fn() -> bool + 'static) -> Self {
        self.attr(name, move || holds().then_some(""))
    }

    /// An ARIA state, which is a word and never absent: `true` or `false`.
    pub fn aria(self, name: &'static str, holds: impl Fn() -> bool + 'static) -> Self {
        self.attr(name, move || if holds() { "true" } else { "false" })
    }

    /// One declaration of the element's own style.
    pub fn style(self, name: &'static str, value: impl Into<Words>) -> Self {
        self.bind(value.into(), Sink::Style(name))
    }

    /// A property of the element that is a string, such as `value`.
    pub fn prop(self, name: &'static str, value: impl Into<Words>) -> Self {
        self.bind(value.into(), Sink::Property(name))
    }

    /// Appends text.
    pub fn text(self, words: impl Into<Words>) -> Self {
        let words = words.into();
        let node = document().create_text_node("");
        let _ = self.0.append_child(&node);
        words.keep(move |text| node.set_data(text.unwrap_or_default()));
        self
    }

    /// Appends an element.
    pub fn child(self, child: El) -> Self {
        let _ = self.0.append_child(&child.0);
        self
    }

    /// Appends an element, if there is one.
    pub fn maybe(self, child: Option<El>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Appends elements.
    pub fn children(self, children: impl IntoIterator<Item = El>) -> Self {
        for child in children {
            let _ = self.0.append_child(&child.0);
        }
        self
    }

    /// Gives it the focus.
    pub fn focus(&self) {
        let _ = self.as_element::<web_sys::HtmlElement>().focus();
    }

    fn bind(self, words: Words, sink: Sink) -> Self {
        let element = self.0.clone();
        words.keep(move |text| write(&element, sink, text));
        self
    }
}

fn write(element: &Element, sink: Sink, text: Option<&str>) {
    // The names are this crate's own and the elements HTML's or SVG's: none of these can fail.
    let _ = match (sink, text) {
        (Sink::Attribute(name), Some(text)) => element.set_attribute(name, text),
        (Sink::Attribute(name), None) => element.remove_attribute(name),
        (Sink::Style(name), text) => {
            let style = element.unchecked_ref::<web_sys::HtmlElement>().style();
            style.set_property(name, text.unwrap_or_default())
        }
        (Sink::Property(name), text) => {
            let text = JsValue::from_str(text.unwrap_or_default());
            let name = JsValue::from_str(name);
            // Setting what is there already would move the cursor of a field.
            match js_sys::Reflect::get(element, &name) {
                Ok(held) if held == text => Ok(()),
                _ => js_sys::Reflect::set(element, &name, &text).map(drop),
            }
        }
    };
}
