//! All integration tests, in one binary: one module a concept.

mod beyond;
mod command;
mod fetch;
mod inspect;
mod layouts;
mod manifest;
mod project;
mod real;
mod shim;
mod source;
mod support;
mod unpack;
