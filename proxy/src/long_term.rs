//! The far past, read from another store.
