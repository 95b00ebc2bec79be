//! Versions of rustc and cargo, as far as they are compared.

use std::fmt;
use std::str::FromStr;

/// `major.minor.patch`; a missing part is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
}

/// Text that does not begin with a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a version: expected `1.95.0`", .0.escape_debug())]
pub struct InvalidVersion(String);

impl Version {
    /// From its parts.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Reads the leading version of `1.95.0-nightly (59807616e 2026-04-14)`, `1.85`, `1.80-x86_64-…`.
    fn from_str(s: &str) -> Result<Self, InvalidVersion> {
        let bad = || InvalidVersion(s.chars().take(80).collect());
        let end = s
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(s.len());
        let mut parts = s[..end].split('.').map(str::parse::<u64>);
        let mut next = || parts.next().transpose().map_err(|_| bad());
        let major = next()?.ok_or_else(bad)?;
        // `1` alone is a channel name of no toolchain.
        let minor = next()?.ok_or_else(bad)?;
        let patch = next()?.unwrap_or(0);
        Ok(Self::new(major, minor, patch))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_version_is_read() {
        for (text, version) in [
            ("1.95.0 (f2d3ce0bd 2026-03-21)", Version::new(1, 95, 0)),
            ("1.85", Version::new(1, 85, 0)),
            ("1.97.0-nightly", Version::new(1, 97, 0)),
        ] {
            assert_eq!(text.parse(), Ok(version));
        }
        for bad in ["", "stable", "nightly-2026-01-01", "1", "1..2", "v1.2"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert!(Version::new(1, 94, 0) > Version::new(1, 85, 1));
    }
}
