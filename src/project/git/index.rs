//! The index, as gitformat-index(5) has it: which paths git tracks. Versions 2 to 4, split and sparse ones too.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;

use super::odd;

/// Longer than any path that a system takes.
const NAME_LIMIT: u64 = 1 << 16;

/// Whether the index has an entry for a path; `None` where only git itself could tell.
pub(super) fn holds(git_dir: &Path, digest_len: usize, path: &[u8]) -> io::Result<Option<bool>> {
    let mut file = git_dir.join("index");
    match fs_err::metadata(&file) {
        Ok(meta) if meta.is_file() => {}
        // Before the first `git add`.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Some(false)),
        Ok(_) => return Err(odd(&file)),
        Err(e) => return Err(e),
    }
    // The second one is what the first shares with earlier ones. An entry there that the first deletes is counted
    // all the same: a file that was tracked a moment ago is no place for paths of this machine either.
    for _ in 0..2 {
        match scan(&file, digest_len, path)? {
            Scan::Answer(answer) => return Ok(answer),
            Scan::Shared(name) => file = git_dir.join(name),
        }
    }
    Err(odd(&file))
}

enum Scan {
    Answer(Option<bool>),
    /// The path is not in it, but it builds upon the file of this name.
    Shared(String),
}

fn scan(file: &Path, digest_len: usize, path: &[u8]) -> io::Result<Scan> {
    let opened = File::open(file)?;
    let len = opened.metadata()?.len();
    let mut reader = BufReader::new(opened);
    let mut magic = [0; 4];
    reader.read_exact(&mut magic)?;
    let version = number(&mut reader)?;
    let count = number(&mut reader)?;
    if magic != *b"DIRC" || !(2..=4).contains(&version) {
        return Err(odd(file));
    }
    let mut name = Vec::new();
    for _ in 0..count {
        let mut stat = [0; 40];
        reader.read_exact(&mut stat)?;
        let mut rest = vec![0; digest_len + 2];
        reader.read_exact(&mut rest)?;
        let mut fixed = stat.len() + rest.len();
        if rest[digest_len] & 0x40 != 0 {
            reader.read_exact(&mut [0; 2])?;
            fixed += 2;
        }
        if version == 4 {
            // The path before it, without so many bytes at its end.
            let cut = offset(&mut reader)?;
            name.truncate(name.len().checked_sub(cut).ok_or_else(|| odd(file))?);
        } else {
            name.clear();
        }
        let kept = name.len();
        (&mut reader).take(NAME_LIMIT).read_until(0, &mut name)?;
        if name.pop() != Some(0) || name.len() as u64 > NAME_LIMIT {
            return Err(odd(file));
        }
        if version != 4 {
            // Zeros up to the next multiple of eight; the first has been read.
            let padding = 7 - (fixed + name.len() - kept) % 8;
            reader.read_exact(&mut [0; 8][..padding])?;
        }
        if name == path {
            return Ok(Scan::Answer(Some(true)));
        }
        // A sparse index has a folder in place of all that is in it.
        if stat[24..28] == [0, 0, 0x40, 0] && path.starts_with(&name) {
            return Ok(Scan::Answer(None));
        }
    }
    extensions(file, reader, len, digest_len)
}

/// What follows the entries. One that begins with a small letter changes what the entries mean.
fn extensions(
    file: &Path,
    mut reader: BufReader<File>,
    len: u64,
    digest_len: usize,
) -> io::Result<Scan> {
    let end = len
        .checked_sub(digest_len as u64)
        .ok_or_else(|| odd(file))?;
    if reader.stream_position()? > end {
        return Err(odd(file));
    }
    while reader.stream_position()? < end {
        let mut name = [0; 4];
        reader.read_exact(&mut name)?;
        let size = u64::from(number(&mut reader)?);
        let after = reader.stream_position()? + size;
        if after > end {
            return Err(odd(file));
        }
        match &name {
            b"link" => {
                let mut digest = vec![0; digest_len];
                reader.read_exact(&mut digest)?;
                if digest.iter().any(|b| *b != 0) {
                    let mut name = "sharedindex.".to_owned();
                    for byte in digest {
                        let _ = write!(name, "{byte:02x}");
                    }
                    return Ok(Scan::Shared(name));
                }
            }
            b"sdir" => {}
            other if other[0].is_ascii_uppercase() => {}
            _ => return Ok(Scan::Answer(None)),
        }
        reader.seek(SeekFrom::Start(after))?;
    }
    Ok(Scan::Answer(Some(false)))
}

fn number(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}

/// git's number of variable length, in which no value has two forms.
fn offset(reader: &mut impl Read) -> io::Result<usize> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    let mut value = usize::from(byte[0] & 127);
    while byte[0] & 128 != 0 {
        reader.read_exact(&mut byte)?;
        value = value
            .checked_add(1)
            .and_then(|v| v.checked_mul(128))
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?
            + usize::from(byte[0] & 127);
    }
    Ok(value)
}
