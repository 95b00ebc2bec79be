//! Tells from a file's first bytes what it is, so that the error for a wrong one can name it.

use object::read::{FileKind, ReadRef};

/// What a file is, if it is none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign(pub String);

/// How many bytes of the beginning are looked at.
const HEAD: u64 = 512;

/// One of the kinds that can be inspected (`Elf*`, `Pe*`, `MachO*`, `MachOFat*`), or what it is instead.
pub fn recognise<'d, R: ReadRef<'d>>(data: R) -> Result<FileKind, Foreign> {
    let len = data.len().unwrap_or(0);
    let head = data.read_bytes_at(0, len.min(HEAD)).unwrap_or_default();
    if let Some(what) = by_magic(head) {
        return Err(Foreign(what));
    }
    match FileKind::parse(data) {
        Ok(
            kind @ (FileKind::Elf32
            | FileKind::Elf64
            | FileKind::Pe32
            | FileKind::Pe64
            | FileKind::MachO32
            | FileKind::MachO64
            | FileKind::MachOFat32
            | FileKind::MachOFat64),
        ) => Ok(kind),
        Ok(FileKind::Coff | FileKind::CoffBig) => {
            Err(Foreign("a Windows object file, not linked yet".into()))
        }
        Ok(FileKind::CoffImport) => Err(Foreign("a member of a Windows import library".into())),
        Ok(FileKind::DyldCache) => Err(Foreign("a cache of Apple's dynamic linker".into())),
        Ok(FileKind::Xcoff32 | FileKind::Xcoff64) => Err(Foreign("an AIX binary".into())),
        _ => Err(Foreign(by_content(head))),
    }
}

/// The formats that have a magic number and are not programs.
fn by_magic(head: &[u8]) -> Option<String> {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\0asm", "a WebAssembly module"),
        (b"!<arch>\ndebian-binary", "a Debian package"),
        (
            b"!<arch>\n",
            "an archive of object files (a static or import library)",
        ),
        (b"!<thin>\n", "a thin archive of object files"),
        (b"BC\xc0\xde", "LLVM bitcode"),
        (b"\xde\xc0\x17\x0b", "LLVM bitcode"),
        (b"\x1f\x8b", "a gzip-compressed file"),
        (b"\xfd7zXZ\0", "an xz-compressed file"),
        (b"\x28\xb5\x2f\xfd", "a zstd-compressed file"),
        (b"BZh", "a bzip2-compressed file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PK\x05\x06", "an empty zip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (
            b"Microsoft C/C++ MSF 7.00",
            "a PDB file, which holds debug information only",
        ),
        (b"\x89PNG", "a PNG picture"),
        (b"%PDF", "a PDF document"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"xar!", "an Apple installer package"),
        (b"--- !tapi-tbd", "a text stub of an Apple library (.tbd)"),
        (b"<?xml", "an XML file"),
        (b"\xed\xab\xee\xdb", "an RPM package"),
    ];
    if head.is_empty() {
        return Some("an empty file".into());
    }
    if head.starts_with(b"#!") {
        let line = head[2..].split(|b| *b == b'\n').next().unwrap_or_default();
        let interpreter = String::from_utf8_lossy(&line[..line.len().min(60)]);
        let interpreter = interpreter.trim();
        return Some(format!("a script for `{}`", interpreter.escape_debug()));
    }
    // Java's class files and Apple's universal binaries share four bytes; what follows is a version of 45 or more
    // in the one and a small count in the other (JVM specification, 4.1; mach-o/fat.h).
    if head.starts_with(&[0xca, 0xfe, 0xba, 0xbe])
        && let Some([a, b, c, d]) = head.get(4..8)
        && u32::from_be_bytes([*a, *b, *c, *d]) >= 45
    {
        return Some("a Java class file".into());
    }
    MAGIC
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, what)| (*what).to_owned())
}

/// What is left: programs cut short, text, and bytes that say nothing.
fn by_content(head: &[u8]) -> String {
    if head.starts_with(b"MZ") {
        return "a DOS program, or a Windows program cut short".into();
    }
    if head.starts_with(b"\x7fELF") {
        return "an ELF file cut short, or of an unknown class".into();
    }
    if head.len() < 16 && !is_text(head) {
        return format!("a file of {} bytes", head.len());
    }
    if is_text(head) {
        return "a text file".into();
    }
    let start: Vec<_> = head.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!(
        "of a format that is not known here (it begins with {})",
        start.join(" ")
    )
}

fn is_text(head: &[u8]) -> bool {
    // The head may end within a character of several bytes.
    let valid = match std::str::from_utf8(head) {
        Ok(s) => s,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid
        .chars()
        .any(|c| c.is_control() && !"\n\r\t\u{c}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8]) -> String {
        recognise(bytes).unwrap_err().0
    }

    #[test]
    fn foreign_files_are_named() {
        for (bytes, expected) in [
            (&b""[..], "an empty file"),
            (b"\0asm\x01\0\0\0", "WebAssembly"),
            (b"!<arch>\nfoo.o/  ", "archive of object files"),
            (b"!<arch>\ndebian-binary   ", "Debian package"),
            (b"#!/bin/sh -e\necho", "a script for `/bin/sh -e`"),
            (b"#!", "a script for ``"),
            (b"fn main() {}\nmore text follows", "a text file"),
            (b"MZ", "a DOS program"),
            (b"\x7fELF", "cut short"),
            (b"\xca\xfe\xba\xbe\0\0\0\x34more bytes here", "Java"),
            (
                b"\x64\x86\x01\0aaaaaaaaaaaaaaaaaaaaaaaaa",
                "Windows object file",
            ),
            (
                b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11",
                "begins with 01 02",
            ),
            (b"\xff\xfe", "a file of 2 bytes"),
        ] {
            assert!(
                what(bytes).contains(expected),
                "{} / {expected}",
                what(bytes)
            );
        }
    }
}
