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
        bar.set_message(name.to_owned());
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

/// Columns of the terminal; 80 where it does not say.
fn columns() -> u16 {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stderr())
        && size.ws_col > 0
    {
        return size.ws_col;
    }
    80
}

/// What fits into a line: the name gives way first, then the bar.
fn sized_template(columns: u16) -> &'static str {
    match columns {
        0..70 => "  {wide_msg} {decimal_bytes:>9}/{decimal_total_bytes:9} {left:>9}",
        70..100 => {
            "  {wide_msg} [{bar:16.green}] {decimal_bytes:>9}/{decimal_total_bytes:9} {left:>9}"
        }
        _ => {
            "  {wide_msg} [{bar:24.green}] {decimal_bytes:>9}/{decimal_total_bytes:9} \
             {decimal_bytes_per_sec:>11} {left:>9}"
        }
    }
}

fn sized_style() -> ProgressStyle {
    ProgressStyle::with_template(sized_template(columns()))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key(
            "left",
            |state: &ProgressState, w: &mut dyn std::fmt::Write| {
                let _ = write!(w, "{}", left(state.eta()));
            },
        )
        .progress_chars("=> ")
}

/// `42s left`, `3m left`
fn left(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds}s left"),
        seconds @ 120..7200 => format!("{}m left", seconds / 60),
        seconds => format!("{}h left", seconds / 3600),
    }
}

fn unsized_style() -> ProgressStyle {
    ProgressStyle::with_template(
        "  {wide_msg} {spinner} {decimal_bytes:>9} {decimal_bytes_per_sec:>11}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_templates_are_right() {
        for (seconds, text) in [(5, "5s left"), (300, "5m left"), (10_000, "2h left")] {
            assert_eq!(left(Duration::from_secs(seconds)), text);
        }
        for columns in [40, 80, 200] {
            assert!(ProgressStyle::with_template(sized_template(columns)).is_ok());
        }
    }
}
