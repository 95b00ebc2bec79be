//! Sources: which one answers, and what each asks of the host's package clients.

mod apt;
mod client;
mod provide;
mod pypi;
mod rig;
