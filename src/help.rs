//! The `help:` line of an error: what to type next.

/// An error that knows the way out.
pub trait Help {
    /// The next command, or the next thing to look at, in one line; `None` when nothing useful can be said.
    fn help(&self) -> Option<String>;
}
