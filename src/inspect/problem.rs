//! Why bytes that begin like a program could not be read as one.

/// A file is not what its headers say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// In the parser's own words.
    #[error(transparent)]
    Parse(#[from] object::read::Error),
    /// Parts lie beyond the end.
    #[error("it is cut short: {what} would end at byte {end}, the file has {len}")]
    Truncated {
        /// Which part.
        what: &'static str,
        /// Bytes that there should be.
        end: u64,
        /// Bytes that there are.
        len: u64,
    },
    /// The right format, but neither program nor library.
    #[error("it is {0}")]
    NotLinked(&'static str),
}

impl Problem {
    /// An error if a part that ends at `end` is not there whole.
    pub fn check_end(what: &'static str, end: u64, len: u64) -> Result<(), Self> {
        if end > len {
            return Err(Self::Truncated { what, end, len });
        }
        Ok(())
    }
}
