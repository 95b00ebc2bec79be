//! shadows
