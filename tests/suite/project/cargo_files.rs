//! cargo_files
