//! Mach-O bundles, which zig's linker does not make: a file that programs load (`dlopen`) and none links with, such as
//! CMake's `MODULE` libraries and Python's extensions (`-bundle`).
//!
//! A bundle is a dynamic library but for two things (Apple's `mach-o/loader.h`): the file type in its header, and that it
//! has no name of its own (`LC_ID_DYLIB`), which dyld takes in libraries alone. So zig links a library, and this makes it
//! a bundle and brings the ad-hoc signature up to date, whose code directory has a digest for each page
//! (`osfmk/kern/cs_blobs.h` of XNU).

use std::io::{self, Error, ErrorKind};
use std::ops::Range;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::ShimError;

const MAGIC_64: u32 = 0xFEED_FACF;
const HEADER: usize = 32;
const FILE_TYPE: usize = 12;
const COMMANDS: usize = 16;
const FLAGS: usize = 24;
const MH_DYLIB: u32 = 6;
const MH_BUNDLE: u32 = 8;
/// Said of libraries only.
const MH_NO_REEXPORTED_DYLIBS: u32 = 0x0010_0000;
const LC_ID_DYLIB: u32 = 0xD;
const LC_CODE_SIGNATURE: u32 = 0x1D;
const CODE_DIRECTORY: u32 = 0xFADE_0C02;
const SIGNATURE: u32 = 0xFADE_0CC0;
const BY_SHA256: u8 = 2;

/// Makes a library that was just linked a bundle. The file is replaced by rename: macOS keeps what it knows of a signed
/// file's inode.
pub(super) fn make(path: &Path) -> Result<(), ShimError> {
    let failed = |source| ShimError::Bundle {
        path: path.to_owned(),
        source,
    };
    let change = || -> io::Result<()> {
        let mut bytes = fs_err::read(path)?;
        from_library(&mut bytes)
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "it is no Mach-O library"))?;
        let folder = path
            .parent()
            .filter(|f| !f.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut staged = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut staged, &bytes)?;
        fs_err::set_permissions(staged.path(), fs_err::metadata(path)?.permissions())?;
        staged.persist(path)?;
        Ok(())
    };
    change().map_err(failed)
}

/// `None` where the bytes are no library for a 64-bit CPU.
fn from_library(bytes: &mut [u8]) -> Option<()> {
    if little(bytes, 0)? != MAGIC_64 || little(bytes, FILE_TYPE)? != MH_DYLIB {
        return None;
    }
    let commands = commands(bytes)?;
    let end = commands.last()?.1.end;
    set(bytes, FILE_TYPE, MH_BUNDLE);
    let flags = little(bytes, FLAGS)?;
    set(bytes, FLAGS, flags & !MH_NO_REEXPORTED_DYLIBS);
    let signature = commands.iter().find(|(kind, _)| *kind == LC_CODE_SIGNATURE);
    let signature = match signature {
        Some((_, at)) => Some(as_usize(little(bytes, at.start + 8)?)?),
        None => None,
    };
    if let Some((_, name)) = commands.iter().find(|(kind, _)| *kind == LC_ID_DYLIB) {
        let size = name.len();
        bytes.copy_within(name.end..end, name.start);
        bytes.get_mut(end - size..end)?.fill(0);
        let (count, all) = (little(bytes, COMMANDS)?, little(bytes, COMMANDS + 4)?);
        set(bytes, COMMANDS, count - 1);
        set(bytes, COMMANDS + 4, all - u32::try_from(size).ok()?);
    }
    match signature {
        Some(at) => sign(bytes, at),
        None => Some(()),
    }
}

/// Each load command's kind and place.
fn commands(bytes: &[u8]) -> Option<Vec<(u32, Range<usize>)>> {
    let mut out = Vec::new();
    let mut at = HEADER;
    for _ in 0..little(bytes, COMMANDS)? {
        let size = as_usize(little(bytes, at + 4)?)?;
        // A smaller one would lead nowhere.
        if size < 8 || bytes.len() < at + size {
            return None;
        }
        out.push((little(bytes, at)?, at..at + size));
        at += size;
    }
    Some(out)
}

/// Writes the digests of the pages before the signature at `start`.
fn sign(bytes: &mut [u8], start: usize) -> Option<()> {
    if big(bytes, start)? != SIGNATURE {
        return None;
    }
    for n in 0..as_usize(big(bytes, start + 8)?)? {
        let at = start + as_usize(big(bytes, start + 12 + n * 8 + 4)?)?;
        if big(bytes, at)? != CODE_DIRECTORY {
            continue;
        }
        let digests = at + as_usize(big(bytes, at + 16)?)?;
        let pages = as_usize(big(bytes, at + 28)?)?;
        let end = as_usize(big(bytes, at + 32)?)?;
        let (size, kind, shift) = (
            *bytes.get(at + 36)?,
            *bytes.get(at + 37)?,
            *bytes.get(at + 39)?,
        );
        if usize::from(size) != Sha256::output_size() || kind != BY_SHA256 || end > start {
            return None;
        }
        let page = 1_usize.checked_shl(shift.into())?;
        for n in 0..pages {
            let digest = Sha256::digest(bytes.get(n * page..end.min((n + 1) * page))?);
            let at = digests + n * digest.len();
            bytes
                .get_mut(at..at + digest.len())?
                .copy_from_slice(&digest);
        }
    }
    Some(())
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    four(bytes, at).map(u32::from_le_bytes)
}

/// A signature's numbers are big-endian.
fn big(bytes: &[u8], at: usize) -> Option<u32> {
    four(bytes, at).map(u32::from_be_bytes)
}

/// In the header or a load command, which have been read before.
fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn as_usize(value: u32) -> Option<usize> {
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 4096;

    /// A library of a header, a command before the name and one behind it, and a signature over two pages.
    fn library() -> Vec<u8> {
        let mut out = vec![0; 2 * PAGE];
        for (at, value) in [
            (0, MAGIC_64),
            (FILE_TYPE, MH_DYLIB),
            (COMMANDS, 3),
            (COMMANDS + 4, 16 + 24 + 16),
            (FLAGS, MH_NO_REEXPORTED_DYLIBS | 4),
            (32, 0x1B),
            (36, 16),
            (48, LC_ID_DYLIB),
            (52, 24),
            (72, LC_CODE_SIGNATURE),
            (76, 16),
            (80, 2 * 4096),
        ] {
            set(&mut out, at, value);
        }
        let mut signature = Vec::new();
        for word in [SIGNATURE, 0, 1, 0, 20] {
            signature.extend(word.to_be_bytes());
        }
        // Length, version, flags; where the digests are; identifier, special slots; pages, limit.
        for word in [CODE_DIRECTORY, 44 + 64, 0x2_0400, 2, 44, 0, 0, 2, 2 * 4096] {
            signature.extend(word.to_be_bytes());
        }
        signature.extend([32, BY_SHA256, 0, 12, 0, 0, 0, 0]);
        signature.extend([0; 64]);
        out.extend(signature);
        out
    }

    #[test]
    fn a_library_becomes_a_signed_bundle() {
        let mut bytes = library();
        from_library(&mut bytes).unwrap();
        assert_eq!(little(&bytes, FILE_TYPE), Some(MH_BUNDLE));
        assert_eq!(little(&bytes, FLAGS), Some(4));
        let kinds: Vec<u32> = commands(&bytes)
            .unwrap()
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert_eq!(kinds, [0x1B, LC_CODE_SIGNATURE]);
        assert_eq!(little(&bytes, COMMANDS + 4), Some(32));
        assert!(bytes[64..88].iter().all(|byte| *byte == 0));
        let digests = 2 * PAGE + 20 + 44;
        for n in 0..2 {
            let of_page = Sha256::digest(&bytes[n * PAGE..(n + 1) * PAGE]);
            assert_eq!(bytes[digests + n * 32..][..32], of_page[..], "page {n}");
        }
    }

    #[test]
    fn what_is_no_library_is_left_alone() {
        let mut program = library();
        set(&mut program, FILE_TYPE, 2);
        let before = program.clone();
        assert_eq!(from_library(&mut program), None);
        assert_eq!(program, before);
        assert_eq!(from_library(&mut [0; 40]), None);
        let mut cut = library();
        set(&mut cut, 36, 0);
        assert_eq!(from_library(&mut cut), None);
    }
}
