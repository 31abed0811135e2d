//! family: to be written.
