//! query: to be written.
