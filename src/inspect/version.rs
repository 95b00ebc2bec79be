//! Dotted versions, compared number by number: 2.9 < 2.10, 11 = 11.0.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Up to four numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    parts: [u32; 4],
    /// How many of the parts were given: 1 to 4. For display only.
    given: u8,
}

/// Not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: expected one to four numbers joined by `.`")]
pub struct InvalidVersion(String);

impl Version {
    /// From two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self {
            parts: [major, minor, 0, 0],
            given: 2,
        }
    }

    /// From three numbers; the last is shown if it is not zero.
    pub const fn new3(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            parts: [major, minor, patch, 0],
            given: if patch == 0 { 2 } else { 3 },
        }
    }

    /// The first number.
    pub const fn major(&self) -> u32 {
        self.parts[0]
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(s: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(s.escape_debug().to_string());
        let mut parts = [0; 4];
        let mut given = 0;
        for part in s.split('.') {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let slot = parts.get_mut(usize::from(given)).ok_or_else(invalid)?;
            *slot = digits
                .then(|| part.parse().ok())
                .flatten()
                .ok_or_else(invalid)?;
            given += 1;
        }
        Ok(Self { parts, given })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts[..usize::from(self.given)]
            .iter()
            .map(u32::to_string)
            .collect();
        f.pad(&parts.join("."))
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;

    fn try_from(s: String) -> Result<Self, InvalidVersion> {
        s.parse()
    }
}

impl From<Version> for String {
    fn from(v: Version) -> Self {
        v.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_not_letters() {
        let v = |s: &str| s.parse::<Version>().unwrap();
        assert!(v("2.9") < v("2.10"));
        assert_eq!(v("11"), v("11.0"));
        assert!(v("2.2.5") < v("2.17"));
        assert_eq!(v("10.0.14393").to_string(), "10.0.14393");
        for bad in [
            "",
            ".",
            "1.",
            "a",
            "1.2.3.4.5",
            "+1",
            "-1",
            "99999999999",
            "1 ",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
    }
}
