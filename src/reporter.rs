//! How the library tells what it is doing, without knowing a terminal.

/// One download under way, as its [`Reporter`] numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId(pub usize);

/// What the command line shows; the library calls it and never prints.
pub trait Reporter: Send + Sync {
    /// A download begins: the archive's file name, and its bytes where known.
    fn download_started(&self, name: &str, size: Option<u64>) -> TaskId;
    /// So many bytes of it are on disk now, counted from its start (a resumed one begins above zero).
    fn download_progress(&self, task: TaskId, bytes: u64);
    /// It ended, well or not.
    fn download_finished(&self, task: TaskId);
    /// A step of the work, in one line without a full stop.
    fn step(&self, message: &str);
    /// Something the user should know, in one line; the work goes on.
    fn warn(&self, message: &str);
}

/// Says nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn download_started(&self, _name: &str, _size: Option<u64>) -> TaskId {
        TaskId(0)
    }
    fn download_progress(&self, _task: TaskId, _bytes: u64) {}
    fn download_finished(&self, _task: TaskId) {}
    fn step(&self, _message: &str) {}
    fn warn(&self, _message: &str) {}
}
