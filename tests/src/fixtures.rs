//! The recorded answers of the families.
