//! Signatures of a publisher's, in minisign's format, over an archive whose digest is already checked.

use std::io::Read as _;

use minisign_verify::{PublicKey, Signature};

use super::error::FetchError;
use crate::archive::{VerifiedArchive, VerifyError};

/// Checks that `signature_text` (a `.minisig` file) was made by `public_key` (its base64 line) over the archive's
/// bytes, and that its trusted comment names exactly `expected_file`.
///
/// The name is what keeps a mirror from serving an old release, properly signed, in place of a new one. Only
/// prehashed signatures are accepted (minisign's default since 0.11): the older form would need the whole archive in
/// memory.
pub fn verify_minisign(
    archive: &VerifiedArchive,
    public_key: &str,
    signature_text: &str,
    expected_file: &str,
) -> Result<(), FetchError> {
    let file = &archive.archive().file;
    let refused = |reason: String| FetchError::Signature {
        file: file.clone(),
        reason,
    };
    let key = PublicKey::from_base64(public_key.trim())
        .map_err(|e| refused(format!("the public key is malformed ({e})")))?;
    let signature = Signature::decode(signature_text)
        .map_err(|e| refused(format!("the signature is malformed ({e})")))?;
    let mut verifier = key
        .verify_stream(&signature)
        .map_err(|e| refused(e.to_string()))?;
    let unreadable = |source| {
        FetchError::Verify(VerifyError::Read {
            path: archive.path().to_owned(),
            source,
        })
    };
    let mut reader = archive.content();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => verifier.update(&buffer[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(e)),
        }
    }
    verifier.finalize().map_err(|e| refused(e.to_string()))?;
    match signed_file(signature.trusted_comment()) {
        Some(name) if name == expected_file => Ok(()),
        Some(name) => Err(refused(format!(
            "the signature is for `{}`, not for `{expected_file}`",
            name.escape_debug()
        ))),
        None => Err(refused(
            "its trusted comment does not name one file".to_owned(),
        )),
    }
}

/// The file that a trusted comment names: fields are separated by tabs, `timestamp:1\tfile:NAME\thashed`.
fn signed_file(trusted_comment: &str) -> Option<&str> {
    let mut names = trusted_comment
        .trim_end_matches(['\r', '\n'])
        .split('\t')
        .filter_map(|field| field.strip_prefix("file:"));
    let name = names.next()?;
    names.next().is_none().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F25: the name is compared whole, and two are none.
    #[test]
    fn the_trusted_comment_names_one_file() {
        assert_eq!(
            signed_file("timestamp:1\tfile:a-1.0.tar.xz\thashed"),
            Some("a-1.0.tar.xz")
        );
        assert_eq!(signed_file("file:a b"), Some("a b"));
        assert_eq!(signed_file("timestamp:1\thashed"), None);
        assert_eq!(signed_file("file:a\tfile:b"), None);
    }
}
