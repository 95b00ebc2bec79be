//! Whole commands: the real program with a store, a cache and a manifest of its own, against a server on loopback.

mod chosen;
mod clone;
mod concurrent;
mod consent;
mod disk;
mod input;
mod interrupt;
mod json;
mod killed;
mod layers;
mod manual;
mod modes;
mod network;
mod odd_files;
mod output;
mod parts;
mod programs;
mod prune;
mod rig;
mod sdk;
mod secrets;
mod upgrade;
