//! The built-in families against recorded answers, the language's schema, and the rule that nothing outside a
//! family's folder knows its name.
#![allow(clippy::unwrap_used, missing_docs)]

mod families {
    pub(crate) mod fixture;
    mod hostile;
    mod names;
    mod recognised;
    mod recorded;
    mod restart;
    mod schema;
    mod shown;
    mod stories;
    mod user;
}
