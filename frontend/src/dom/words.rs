//! A text or attribute value: fixed, or read from signals again whenever they change.

use std::borrow::Cow;

use leptos::prelude::*;

use super::events::render;
use crate::shared::{base, placed};

/// What a person reads or an attribute holds; nothing takes the attribute away.
#[derive(Debug, PartialEq)]
pub struct Text(Option<Cow<'static, str>>);

/// Fixed words, or a closure that gives them anew when a signal it read has changed.
pub enum Words {
    /// Written once.
    Fixed(Text),
    /// Written whenever they differ.
    Live(Box<dyn Fn() -> Text>),
}

impl Words {
    /// A path of the app as the browser knows it.
    pub(super) fn placed(self) -> Self {
        let place = |Text(path): Text| Text(path.map(|path| Cow::Owned(placed(&path))));
        match self {
            _ if base().is_empty() => self,
            Self::Fixed(path) => Self::Fixed(place(path)),
            Self::Live(read) => Self::Live(Box::new(move || place(read()))),
        }
    }

    /// Writes them now and, if they live, whenever they differ from what was written last.
    pub(super) fn keep(self, write: impl Fn(Option<&str>) + 'static) {
        match self {
            Self::Fixed(Text(text)) => write(text.as_deref()),
            Self::Live(read) => follow(read, Box::new(write)),
        }
    }
}

/// What takes words into the page; nothing takes the attribute away.
type Write = Box<dyn Fn(Option<&str>)>;

fn follow(read: Box<dyn Fn() -> Text>, write: Write) {
    let mut written = None;
    render(Box::new(move || {
        let text = read();
        if written.as_ref() != Some(&text) {
            write(text.0.as_deref());
            written = Some(text);
        }
    }));
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Some(Cow::Borrowed(text)))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Some(Cow::Owned(text)))
    }
}

impl From<Option<&'static str>> for Text {
    fn from(text: Option<&'static str>) -> Self {
        Self(text.map(Cow::Borrowed))
    }
}

impl From<Option<String>> for Text {
    fn from(text: Option<String>) -> Self {
        Self(text.map(Cow::Owned))
    }
}

impl<F, T> From<F> for Words
where
    F: Fn() -> T + 'static,
    T: Into<Text>,
{
    fn from(read: F) -> Self {
        Self::Live(Box::new(move || read().into()))
    }
}

impl From<&'static str> for Words {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text.into())
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self::Fixed(text.into())
    }
}

impl From<&String> for Words {
    fn from(text: &String) -> Self {
        Self::Fixed(text.clone().into())
    }
}

impl From<Option<&'static str>> for Words {
    fn from(text: Option<&'static str>) -> Self {
        Self::Fixed(text.into())
    }
}

impl From<Option<String>> for Words {
    fn from(text: Option<String>) -> Self {
        Self::Fixed(text.into())
    }
}

impl From<Signal<String>> for Words {
    fn from(signal: Signal<String>) -> Self {
        Self::Live(Box::new(move || signal.get().into()))
    }
}

impl From<Memo<String>> for Words {
    fn from(memo: Memo<String>) -> Self {
        Self::Live(Box::new(move || memo.get().into()))
    }
}

impl From<RwSignal<String>> for Words {
    fn from(signal: RwSignal<String>) -> Self {
        Self::Live(Box::new(move || signal.get().into()))
    }
}
