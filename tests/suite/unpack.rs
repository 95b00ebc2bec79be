//! Unpacking: what must come out, and above all what must not.
//!
//! The archives are written byte by byte in [`build`], since libraries refuse to make most of them.

mod broken;
pub mod build;
mod deb;
mod gate;
mod good;
mod hostile;
mod sandbox;
#[cfg(unix)]
mod several;
mod zipfile;
