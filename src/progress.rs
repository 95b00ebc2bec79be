//! Progress: bars on a terminal, one line a step elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use xtool::reporter::{Reporter, TaskId};

use crate::printer::{Printer, bytes};

/// Shows what the library reports.
pub struct Terminal {
    printer: Printer,
    bars: MultiProgress,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    next: usize,
    running: HashMap<usize, Task>,
}

struct Task {
    bar: ProgressBar,
}

impl Terminal {
    /// Bars if the printer says that they make sense.
    pub fn new(printer: Printer) -> Self {
        let target = if printer.bars() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            printer,
            bars: MultiProgress::with_draw_target(target),
            tasks: Mutex::default(),
        }
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Terminal {
    fn download_started(&self, name: &str, size: Option<u64>) -> TaskId {
        let bar = match size {
            Some(size) => ProgressBar::new(size).with_style(sized_style()),
            None => ProgressBar::new_spinner().with_style(unsized_style()),
        };
        let bar = self.bars.add(bar);
        bar.set_message(shorten(name, 36));
        bar.enable_steady_tick(Duration::from_millis(200));
        if !self.printer.bars() {
            let of = size.map(|n| format!(" ({})", bytes(n))).unwrap_or_default();
            self.printer.step("Downloading", &format!("{name}{of}"));
        }
        let mut tasks = self.tasks();
        tasks.next += 1;
        let id = tasks.next;
        tasks.running.insert(id, Task { bar });
        TaskId(id)
    }

    fn download_progress(&self, task: TaskId, done: u64) {
        if let Some(task) = self.tasks().running.get(&task.0) {
            task.bar.set_position(done);
        }
    }

    fn download_finished(&self, task: TaskId) {
        if let Some(task) = self.tasks().running.remove(&task.0) {
            task.bar.finish_and_clear();
            self.bars.remove(&task.bar);
        }
    }

    fn step(&self, message: &str) {
        let (verb, rest) = message.split_once(' ').unwrap_or((message, ""));
        self.bars.suspend(|| self.printer.step(verb, rest));
    }

    fn warn(&self, message: &str) {
        self.bars.suspend(|| self.printer.warn(message));
    }
}

fn sized_style() -> ProgressStyle {
    ProgressStyle::with_template(
        "  {msg:36} [{bar:24}] {bytes:>10}/{total_bytes:10} {bytes_per_sec:>12} {left}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
    .with_key(
        "left",
        |state: &ProgressState, w: &mut dyn std::fmt::Write| {
            let _ = write!(w, "{}s left", state.eta().as_secs());
        },
    )
    .progress_chars("=> ")
}

fn unsized_style() -> ProgressStyle {
    ProgressStyle::with_template("  {msg:36} {spinner} {bytes:>10} {bytes_per_sec:>12}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn shorten(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    let head: String = name.chars().take(width - 1).collect();
    format!("{head}…")
}
