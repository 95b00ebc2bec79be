//! rust_std
