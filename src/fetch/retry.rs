//! What to do after a failed try: pure decisions.

use std::time::{Duration, SystemTime};

use super::error::Cause;
use super::settings::Timeouts;

/// What a failed try means for the download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same source again, not before so long a wait.
    Retry {
        /// As the server asked.
        after: Option<Duration>,
    },
    /// This source will not do; another may.
    NextSource,
    /// No source will do: the fault is this host's.
    Fatal,
}

/// What a cause means.
///
/// Statuses: 408, 425, 429, 500, 502, 503 and 504 may pass (RFC 9110 §15, RFC 6585 §4, RFC 8470 §5.2); any other is the server's
/// last word. Bytes with a wrong digest are never asked for again at the same place.
pub fn classify(cause: &Cause) -> Verdict {
    match cause {
        Cause::Connect(_)
        | Cause::Stalled { .. }
        | Cause::Broken { .. }
        | Cause::EndedEarly { .. }
        | Cause::CannotResume { .. } => Verdict::Retry { after: None },
        Cause::Status {
            status,
            retry_after,
        } => match status.as_u16() {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => Verdict::Retry {
                after: *retry_after,
            },
            _ => Verdict::NextSource,
        },
        Cause::Scheme { .. }
        | Cause::Certificate(_)
        | Cause::Redirect(_)
        | Cause::TooLong { .. }
        | Cause::Html(_)
        | Cause::Digest(_)
        | Cause::Encoded { .. }
        | Cause::NotText
        | Cause::OutOfTime { .. }
        | Cause::Request(_) => Verdict::NextSource,
        Cause::Write { .. } => Verdict::Fatal,
    }
}

/// Counts a download's tries and says when the next one is due.
#[derive(Debug)]
pub(super) struct Tries {
    timeouts: Timeouts,
    /// In all, for the message.
    pub(super) made: u32,
    /// In a row that brought nothing.
    barren: u32,
    /// In a row that reached no server.
    unreached: u32,
    /// The most bytes that were ever at hand.
    best: u64,
}

/// Bytes by which a try must get further than all before it, so that the count of barren ones starts again: an
/// archive of 1 GB over a line that breaks every 50 MB arrives, a server that gives a few bytes a time is left.
const PROGRESS: u64 = 1 << 20;

impl Tries {
    /// None made yet, with `received` bytes at hand from an earlier run.
    pub(super) fn new(timeouts: &Timeouts, received: u64) -> Self {
        Self {
            timeouts: timeouts.clone(),
            made: 0,
            barren: 0,
            unreached: 0,
            best: received,
        }
    }

    /// How long to wait before the next try; `None`: no further one.
    ///
    /// `received` counts the bytes at hand, `jitter` is random in 0..1.
    pub(super) fn failed(&mut self, cause: &Cause, received: u64, jitter: f64) -> Option<Duration> {
        self.made += 1;
        let Verdict::Retry { after } = classify(cause) else {
            return None;
        };
        if received >= self.best.saturating_add(PROGRESS) {
            self.barren = 0;
        }
        self.best = self.best.max(received);
        self.barren += 1;
        self.unreached = match cause {
            Cause::Connect(_) => self.unreached + 1,
            _ => 0,
        };
        let t = &self.timeouts;
        if self.barren >= t.tries || self.unreached >= t.connect_tries {
            return None;
        }
        match after {
            // Waiting less than it asks would only be refused again.
            Some(wait) if wait > t.max_retry_after => None,
            _ if matches!(cause, Cause::CannotResume { .. }) => Some(Duration::ZERO),
            _ => Some(
                backoff(self.barren, t.retry_base, t.retry_cap, jitter)
                    .max(after.unwrap_or_default()),
            ),
        }
    }
}

/// `base` doubled from try to try (the first failed one is 1), at most `cap`, of which a random half is taken off so
/// that many hosts do not come back at the same moment.
fn backoff(barren: u32, base: Duration, cap: Duration, jitter: f64) -> Duration {
    let doubled = base.saturating_mul(1 << barren.saturating_sub(1).min(16));
    doubled.min(cap).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

/// A random number in 0..1, good enough to spread retries: std's hash keys are random.
pub(super) fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher as _};
    let random = std::hash::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// The wait that a `Retry-After` asks for: seconds or a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a u64 holds is a very long wait, not none.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(http_date(value)?);
    Some(date.duration_since(now).unwrap_or_default())
}

/// Seconds since 1970 of an HTTP date in the form that servers must send, `Sun, 06 Nov 1994 08:49:37 GMT`
/// (IMF-fixdate, RFC 9110 §5.6.7).
pub(super) fn http_date(value: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_weekday, rest) = value.trim().split_once(", ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let &[day, month, year, time, "GMT"] = fields.as_slice() else {
        return None;
    };
    let number = |text: &str, digits: usize| -> Option<u64> {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())?
    };
    let month = MONTHS.iter().position(|m| *m == month)? as u64 + 1;
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let clock: Vec<&str> = time.split(':').collect();
    let &[hour, minute, second] = clock.as_slice() else {
        return None;
    };
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    if year < 1970 || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days in a calendar whose year begins in March, so that the leap day comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    let since_1970 = days.checked_sub(719_468)?;
    Some(since_1970 * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, retry_after: Option<u64>) -> Cause {
        Cause::Status {
            status: reqwest::StatusCode::from_u16(code).unwrap(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn tries() -> Tries {
        Tries::new(&Timeouts::default(), 0)
    }

    /// F9, F11: what may pass is tried again, the rest is the server's last word.
    #[test]
    fn statuses_are_classified() {
        for code in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(
                classify(&status(code, None)),
                Verdict::Retry { after: None },
                "{code}"
            );
        }
        for code in [204, 304, 400, 401, 403, 404, 407, 410, 451, 501, 505] {
            assert_eq!(classify(&status(code, None)), Verdict::NextSource, "{code}");
        }
        let full = Cause::Write {
            path: "x".into(),
            needed: None,
            source: std::io::ErrorKind::StorageFull.into(),
        };
        assert_eq!(classify(&full), Verdict::Fatal);
    }

    /// F12: a wait that is asked for is kept, one beyond the limit ends the source.
    #[test]
    fn retry_after_is_kept_up_to_the_limit() {
        let wait = tries().failed(&status(429, Some(2)), 0, 0.0).unwrap();
        assert!(wait >= Duration::from_secs(2), "{wait:?}");
        assert_eq!(tries().failed(&status(429, Some(86_400)), 0, 0.0), None);
    }

    /// F10: a server that never recovers is left after five tries.
    #[test]
    fn barren_tries_are_bounded() {
        let mut tries = tries();
        let waits: Vec<_> = (0..5)
            .map(|_| tries.failed(&status(500, None), 0, 1.0))
            .collect();
        let seconds: Vec<_> = waits.iter().map(|w| w.map(|w| w.as_secs_f64())).collect();
        assert_eq!(seconds, [Some(0.5), Some(1.0), Some(2.0), Some(4.0), None]);
        assert_eq!(tries.made, 5);
    }

    #[test]
    fn a_try_that_gets_further_is_not_barren() {
        let early = Cause::EndedEarly {
            received: 0,
            expected: 0,
        };
        let mut tries = tries();
        for n in 1..=50 {
            assert!(tries.failed(&early, n * PROGRESS, 0.0).is_some(), "{n}");
        }
        for _ in 0..3 {
            assert!(tries.failed(&early, 50 * PROGRESS + 1, 0.0).is_some());
        }
        assert!(tries.failed(&early, 10 * PROGRESS, 0.0).is_none());
    }

    #[test]
    fn backoff_doubles_up_to_the_cap_and_keeps_at_least_half() {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(1));
        assert_eq!(backoff(1, base, cap, 1.0), base);
        assert_eq!(backoff(3, base, cap, 1.0), base * 4);
        assert_eq!(backoff(3, base, cap, 0.0), base * 2);
        assert_eq!(backoff(u32::MAX, base, cap, 1.0), cap);
        let j = jitter();
        assert!((0.0..=1.0).contains(&j), "{j}");
    }

    #[test]
    fn retry_after_reads_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:37 GMT", SystemTime::now()),
            Some(Duration::ZERO)
        );
        assert_eq!(
            retry_after("99999999999999999999999", now),
            Some(Duration::from_secs(u64::MAX))
        );
        for bad in [
            "",
            "-1",
            "soon",
            "Sun, 06 Nov 1994",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
    }

    #[test]
    fn http_dates_count_leap_years() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            http_date("Thu, 29 Feb 2024 12:00:00 GMT"),
            Some(1_709_208_000)
        );
        assert_eq!(
            http_date("Wed, 01 Jan 2025 00:00:00 GMT"),
            Some(1_735_689_600)
        );
    }
}
