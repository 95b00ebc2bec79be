//! What a built binary needs to run, and where it will.
//!
//! In: a file, and optionally a sysroot. Out: a [`Report`]. The way: bytes → [`Facts`](facts::Facts) (what the file
//! says, one for each slice of a universal binary) → [`Library`](libraries::Library) (where what it loads is found) →
//! [`Verdict`](verdict::Verdict) (where it runs, from [`Tables`](tables::Tables) of distributions) → text or JSON.
//! All but the reading and the search are pure.

pub mod elf;
pub mod facts;
pub mod input;
pub mod libraries;
pub mod macho;
pub mod pe;
pub mod problem;
pub mod recognise;
pub mod render;
pub mod require;
pub mod size;
pub mod strip;
pub mod tables;
pub mod verdict;
pub mod version;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::read::{FileKind, ReadRef};
use serde::Serialize;

use crate::help::Help;
use facts::Facts;
use libraries::Library;
use problem::Problem;
use size::Advice;
use tables::Tables;
use verdict::Verdict;

/// Everything about one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// What is in it: one, but for universal Mach-O files.
    pub slices: Vec<Slice>,
}

/// Everything about one slice of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Slice {
    /// What the file says.
    pub facts: Facts,
    /// What it loads, and where that is.
    pub libraries: Vec<Library>,
    /// Where it runs.
    pub verdicts: Vec<Verdict>,
    /// The `id` of the smallest container base that runs it.
    pub smallest_base: Option<String>,
    /// What would make it smaller.
    pub advice: Advice,
}

impl Slice {
    /// Whether it was made for another machine, and its libraries were not looked for.
    pub fn is_foreign(&self) -> bool {
        let status = |l: &Library| l.status == libraries::Status::NotChecked;
        !self.libraries.is_empty() && self.libraries.iter().all(status)
    }
}

/// Inspects a file. `sysroot`: where a foreign binary's libraries are looked for, as if it were `/`.
pub fn inspect(
    path: &Path,
    sysroot: Option<&Path>,
    tables: &Tables,
) -> Result<Report, InspectError> {
    let (cache, size) = input::open(path)?;
    let slices = facts_of(path, &cache)?
        .into_iter()
        .map(|facts| {
            let verdicts = verdict::verdicts(&facts, tables);
            Slice {
                libraries: libraries::find(path, &facts, sysroot, tables),
                smallest_base: verdict::smallest_base(&verdicts, tables).map(|v| v.id.clone()),
                advice: size::advice(&facts),
                verdicts,
                facts,
            }
        })
        .collect();
    Ok(Report {
        path: path.to_owned(),
        size,
        slices,
    })
}

/// Why a file could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The system does not let us read it.
    #[error("Cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is something else.
    #[error("`{}` is {what}: expected a program or library in ELF, PE or Mach-O format", path.display())]
    NotABinary {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// It begins like a program.
    #[error("`{}` begins as {format} but cannot be read as a program or library", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// `an ELF file`, ….
        format: &'static str,
        /// Why.
        #[source]
        source: Problem,
    },
}

impl Help for InspectError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
                Some("name the built program, such as `target/<triple>/release/<name>`".into())
            }
            Self::Read { .. } => None,
            Self::NotABinary { .. } => {
                Some("name the built program, such as `target/<triple>/release/<name>`".into())
            }
            Self::Malformed { source, .. } => match source {
                Problem::Truncated { .. } => Some("build or copy the file again".into()),
                Problem::NotLinked(_) => {
                    Some("name the linked program or library that it becomes part of".into())
                }
                Problem::Parse(_) => Some(
                    "it is damaged or cut short, if it was one: build or copy the file again"
                        .into(),
                ),
            },
        }
    }
}

/// Reads a file's facts: one for each slice, more than one in a universal Mach-O file only.
pub fn read_facts(path: &Path) -> Result<Vec<Facts>, InspectError> {
    let (cache, _) = input::open(path)?;
    facts_of(path, &cache)
}

/// The same from bytes in memory, or anything else that can be read from; `path` is for messages.
pub fn facts_of<'d, R: ReadRef<'d>>(path: &Path, data: R) -> Result<Vec<Facts>, InspectError> {
    let kind = recognise::recognise(data).map_err(|foreign| InspectError::NotABinary {
        path: path.to_owned(),
        what: foreign.0,
    })?;
    let (format, result) = match kind {
        FileKind::Elf32 => (
            "an ELF file",
            elf::read::<object::elf::FileHeader32<Endianness>, R>(data).map(one),
        ),
        FileKind::Elf64 => (
            "an ELF file",
            elf::read::<object::elf::FileHeader64<Endianness>, R>(data).map(one),
        ),
        FileKind::Pe32 => (
            "a PE file",
            pe::read::<object::pe::ImageNtHeaders32, R>(data).map(one),
        ),
        FileKind::Pe64 => (
            "a PE file",
            pe::read::<object::pe::ImageNtHeaders64, R>(data).map(one),
        ),
        FileKind::MachO32 | FileKind::MachO64 => ("a Mach-O file", read_mach_o(data).map(one)),
        FileKind::MachOFat32 => (
            "a universal Mach-O file",
            macho::slices::<object::macho::FatArch32, R>(data).and_then(|s| read_slices(data, s)),
        ),
        _ => (
            "a universal Mach-O file",
            macho::slices::<object::macho::FatArch64, R>(data).and_then(|s| read_slices(data, s)),
        ),
    };
    result.map_err(|source| InspectError::Malformed {
        path: path.to_owned(),
        format,
        source,
    })
}

/// What a loader needs of a shared ELF library; none if it is not one.
fn read_links(path: &Path) -> Option<elf::Links> {
    let (cache, _) = input::open(path).ok()?;
    let data = &cache;
    match FileKind::parse(data).ok()? {
        FileKind::Elf32 => elf::links::<object::elf::FileHeader32<Endianness>, _>(data).ok(),
        FileKind::Elf64 => elf::links::<object::elf::FileHeader64<Endianness>, _>(data).ok(),
        _ => None,
    }
}

fn one(facts: Facts) -> Vec<Facts> {
    vec![facts]
}

fn read_mach_o<'d, R: ReadRef<'d>>(data: R) -> Result<Facts, Problem> {
    match FileKind::parse(data)? {
        FileKind::MachO32 => macho::read::<object::macho::MachHeader32<Endianness>, R>(data),
        FileKind::MachO64 => macho::read::<object::macho::MachHeader64<Endianness>, R>(data),
        _ => Err(Problem::NotLinked(
            "a universal file of something other than programs",
        )),
    }
}

fn read_slices<'d, R: ReadRef<'d>>(
    data: R,
    slices: Vec<(u64, u64)>,
) -> Result<Vec<Facts>, Problem> {
    if slices.is_empty() {
        return Err(Problem::NotLinked("a universal file with nothing in it"));
    }
    slices
        .into_iter()
        .map(|(offset, size)| read_mach_o(Window { data, offset, size }))
        .collect()
}

/// A part of a file, as a file.
#[derive(Debug, Clone, Copy)]
struct Window<R> {
    data: R,
    offset: u64,
    size: u64,
}

impl<'d, R: ReadRef<'d>> ReadRef<'d> for Window<R> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'d [u8], ()> {
        if offset.checked_add(size).ok_or(())? > self.size {
            return Err(());
        }
        self.data
            .read_bytes_at(self.offset.checked_add(offset).ok_or(())?, size)
    }

    fn read_bytes_at_until(
        self,
        range: std::ops::Range<u64>,
        delimiter: u8,
    ) -> Result<&'d [u8], ()> {
        if range.end > self.size {
            return Err(());
        }
        let start = self.offset.checked_add(range.start).ok_or(())?;
        let end = self.offset.checked_add(range.end).ok_or(())?;
        self.data.read_bytes_at_until(start..end, delimiter)
    }
}

/// Text of a file, safe to print: control characters are escaped, and it is not endless.
fn lossy(bytes: &[u8]) -> String {
    const MOST: usize = 4096;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]);
    if text.chars().any(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.into_owned()
    }
}

/// Whether `needle` is somewhere in `haystack`.
fn bytes_contain(haystack: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return true;
    };
    let mut rest = haystack;
    while let Some(at) = rest.iter().position(|b| b == first) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}
