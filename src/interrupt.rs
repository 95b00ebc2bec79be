//! Ctrl-C: exit code 130 within a moment, whatever this process is waiting for.
//!
//! Nothing is undone on the way out: every file of the store and of the projects is made complete under another name
//! and renamed, so an end by a signal is as harmless as one by a power cut. Locks are freed by the system, parts of
//! downloads stay to be resumed, and folders in the making are cleared away by the next run.
//!
//! [`watch`] is called by whatever may wait for long: it costs a thread, which a run with nothing to do does not need.
//! Before that the system's own way of ending a process applies.

use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

/// What shells give for a process that SIGINT ended: 128 + 2.
pub const EXIT_CODE: u8 = 130;

/// Programs that were started are looked at every 50 ms, and this is the time that their ends are given.
const GRACE: Duration = Duration::from_millis(150);

type Hook = Box<dyn Fn() + Send>;

static HOOKS: Mutex<Vec<Hook>> = Mutex::new(Vec::new());
static WATCH: Once = Once::new();

/// Has something done on the way out. It must not wait.
pub fn before_exit(hook: impl Fn() + Send + 'static) {
    HOOKS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Box::new(hook));
}

/// From now on SIGINT ends this process with [`EXIT_CODE`]. Any number of calls do what one does.
pub fn watch() {
    WATCH.call_once(|| {
        // Without the thread or its signal handler SIGINT ends the process all the same, by itself.
        let _ = std::thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(wait_and_exit);
    });
}

fn wait_and_exit() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    if runtime.block_on(tokio::signal::ctrl_c()).is_err() {
        return;
    }
    let hooks = std::mem::take(&mut *HOOKS.lock().unwrap_or_else(PoisonError::into_inner));
    if !hooks.is_empty() {
        for hook in &hooks {
            hook();
        }
        std::thread::sleep(GRACE);
    }
    std::process::exit(i32::from(EXIT_CODE));
}
