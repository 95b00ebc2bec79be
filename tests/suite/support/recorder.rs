//! A reporter that remembers.

use std::sync::Mutex;

use xtool::reporter::{Reporter, TaskId};

/// What a [`Recorder`] was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Started(String, Option<u64>),
    Progress(usize, u64),
    Finished(usize),
    Step(String),
    Warn(String),
}

/// Keeps everything it is told, in order.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().expect("events").clone()
    }

    pub fn warnings(&self) -> Vec<String> {
        let events = self.events().into_iter();
        events
            .filter_map(|e| match e {
                Event::Warn(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    pub fn steps(&self) -> Vec<String> {
        let events = self.events().into_iter();
        events
            .filter_map(|e| match e {
                Event::Step(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    fn push(&self, event: Event) -> usize {
        let mut events = self.0.lock().expect("events");
        events.push(event);
        events.len() - 1
    }
}

impl Reporter for Recorder {
    fn download_started(&self, name: &str, size: Option<u64>) -> TaskId {
        TaskId(self.push(Event::Started(name.to_owned(), size)))
    }

    fn download_progress(&self, task: TaskId, bytes: u64) {
        self.push(Event::Progress(task.0, bytes));
    }

    fn download_finished(&self, task: TaskId) {
        self.push(Event::Finished(task.0));
    }

    fn step(&self, message: &str) {
        self.push(Event::Step(message.to_owned()));
    }

    fn warn(&self, message: &str) {
        self.push(Event::Warn(message.to_owned()));
    }
}
