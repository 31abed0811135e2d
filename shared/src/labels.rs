//! labels: to be written.
