//! patch: to be written.
