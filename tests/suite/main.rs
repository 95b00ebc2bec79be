//! All integration tests, in one binary: one module a concept.

mod beyond;
mod fetch;
mod project;
mod real;
mod shim;
mod source;
mod support;
mod unpack;
