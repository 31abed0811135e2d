//! format: to be written.
