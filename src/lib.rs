//! xtool: a cross-compilation toolchain manager.
//!
//! The data goes one way:
//!
//! ```text
//! toolchains.toml ─ manifest ─ resolve ─ fetch ─ unpack ─ store ─ project (.cargo/config.toml, xtool.toml, xtool.lock)
//!                                 └ source/{url,pypi,apt,path}        └ shim (what cargo runs as linker, cc, ar, runner)
//! ```
//!
//! Stages never call each other: [`install`] and the command line drive them, and each takes the value that the one
//! before it made. An [`archive::VerifiedArchive`] can only be made by comparing bytes with a pin, so unpacking
//! unverified bytes does not compile.

pub mod archive;
pub mod build_env;
pub mod digest;
pub mod disk;
pub mod doctor;
pub mod env_vars;
pub mod fetch;
pub mod file_lock;
pub mod glibc;
pub mod help;
pub mod inspect;
pub mod install;
pub mod interrupt;
pub mod manifest;
pub mod mirror;
pub mod owner;
pub mod parts;
pub mod pin;
pub mod project;
pub mod regular;
pub mod reporter;
pub mod resolve;
pub mod rust_std;
pub mod sdk;
pub mod shim;
pub mod smoke;
pub mod source;
pub mod store;
pub mod target;
pub mod unpack;
pub mod variant;
pub mod wrap;
