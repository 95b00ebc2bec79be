//! `nm`, for toolchains that bring none: lists the symbols of objects, programs and archives, for every system that
//! the `object` crate reads.
//!
//! In: nm's arguments, of which build systems use few (POSIX.1-2024, nm; GNU's manual). Out: the traditional format, or
//! POSIX's with `-P`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use object::read::archive::ArchiveFile;
use object::{
    File, Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolSection,
};

/// What is listed, and how.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of nm's")]
struct Options {
    posix: bool,
    global: bool,
    undefined: bool,
    defined: bool,
    dynamic: bool,
    names_only: bool,
    as_it_stands: bool,
    by_value: bool,
    file_names: bool,
    files: Vec<PathBuf>,
}

/// Runs with the arguments. The code is 1 when a file could not be read, as other nms have it.
pub(super) fn run(args: Vec<OsString>) -> ExitCode {
    let options = match parse(args) {
        Ok(options) => options,
        Err(option) => {
            let said = "supported are -g -u -U -D -P -p -n -j -A -B";
            let _ = writeln!(io::stderr(), "error: nm does not know `{option}`: {said}");
            return ExitCode::FAILURE;
        }
    };
    let mut code = ExitCode::SUCCESS;
    for path in &options.files {
        let listed = fs_err::read(path)
            .map_err(|e| e.to_string())
            .and_then(|bytes| list(&options, path, &bytes));
        match listed {
            Ok(text) => {
                // Nobody listens any more: `nm | head`.
                let _ = io::stdout().write_all(text.as_bytes());
            }
            Err(why) => {
                let _ = writeln!(io::stderr(), "nm: {}: {why}", path.display());
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn parse(args: Vec<OsString>) -> Result<Options, String> {
    let mut options = Options::default();
    for arg in args {
        let text = arg.to_string_lossy().into_owned();
        match text.as_str() {
            "--extern-only" => options.global = true,
            "--undefined-only" => options.undefined = true,
            "--defined-only" => options.defined = true,
            "--dynamic" => options.dynamic = true,
            "--no-sort" => options.as_it_stands = true,
            "--print-file-name" => options.file_names = true,
            "--portability" | "--format=posix" => options.posix = true,
            "--format=bsd" | "--demangle" | "--no-demangle" => {}
            _ if text.starts_with("--") => return Err(text),
            _ if text.starts_with('-') && text.len() > 1 => letters(&mut options, &text)?,
            _ => options.files.push(arg.into()),
        }
    }
    if options.files.is_empty() {
        options.files.push("a.out".into());
    }
    Ok(options)
}

fn letters(options: &mut Options, text: &str) -> Result<(), String> {
    for letter in text[1..].chars() {
        match letter {
            'g' => options.global = true,
            'u' => options.undefined = true,
            'U' => options.defined = true,
            'D' => options.dynamic = true,
            'P' => options.posix = true,
            'p' => options.as_it_stands = true,
            'j' => options.names_only = true,
            'A' | 'o' => options.file_names = true,
            // What is so already, or changes only how names look.
            'B' | 'C' | 'a' => {}
            'v' | 'n' => options.by_value = true,
            _ => return Err(text.to_owned()),
        }
    }
    Ok(())
}

/// The text for one file.
fn list(options: &Options, path: &Path, bytes: &[u8]) -> Result<String, String> {
    let name = path.display().to_string();
    let mut out = String::new();
    let Ok(archive) = ArchiveFile::parse(bytes) else {
        let file = File::parse(bytes).map_err(|_| "file format not recognized".to_owned())?;
        if options.files.len() > 1 && !options.file_names {
            let _ = writeln!(out, "\n{name}:");
        }
        out.push_str(&symbols(options, &name, &file));
        return Ok(out);
    };
    for member in archive.members() {
        let member = member.map_err(|e| e.to_string())?;
        let member_name = String::from_utf8_lossy(member.name()).into_owned();
        let Ok(file) = member.data(bytes).and_then(File::parse) else {
            // What is no object (a list of names) has no symbols.
            continue;
        };
        if !options.file_names {
            let head = if options.posix {
                format!("{name}[{member_name}]:")
            } else {
                format!("\n{member_name}:")
            };
            let _ = writeln!(out, "{head}");
        }
        out.push_str(&symbols(options, &format!("{name}:{member_name}"), &file));
    }
    Ok(out)
}

fn symbols(options: &Options, file_name: &str, file: &File<'_>) -> String {
    let width = if file.is_64() { 16 } else { 8 };
    let symbols: Vec<_> = if options.dynamic {
        file.dynamic_symbols().collect()
    } else {
        file.symbols().collect()
    };
    let mut lines: Vec<(u64, String, String)> = Vec::new();
    for symbol in symbols {
        let Some(letter) = letter(file, &symbol) else {
            continue;
        };
        let name = String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned();
        let undefined = symbol.is_undefined();
        let left_out = options.global && symbol.is_local()
            || options.undefined && !undefined
            || options.defined && undefined
            || name.is_empty();
        if left_out {
            continue;
        }
        let value = if undefined {
            " ".repeat(width)
        } else {
            format!("{:0width$x}", symbol.address())
        };
        let line = match (options.names_only, options.posix) {
            (true, _) => name.clone(),
            (_, true) if undefined => format!("{name} {letter}"),
            (_, true) => format!("{name} {letter} {} {:x}", value.trim(), symbol.size()),
            _ => format!("{value} {letter} {name}"),
        };
        let key = if options.by_value {
            symbol.address()
        } else {
            0
        };
        lines.push((key, name, line));
    }
    if !options.as_it_stands {
        lines.sort();
    }
    let mut out = String::new();
    for (_, _, line) in lines {
        if options.file_names {
            out.push_str(file_name);
            out.push_str(": ");
        }
        let _ = writeln!(out, "{line}");
    }
    out
}

/// What a symbol is: lower-case for a local one. `None` for what nm does not list (files, sections).
fn letter<'d>(file: &File<'d>, symbol: &object::Symbol<'d, '_>) -> Option<char> {
    use object::SymbolKind::{File as OfFile, Section};
    if matches!(symbol.kind(), OfFile | Section) {
        return None;
    }
    let letter = match symbol.section() {
        SymbolSection::Undefined if symbol.is_weak() => return Some('w'),
        SymbolSection::Undefined => return Some('U'),
        SymbolSection::Absolute => 'A',
        SymbolSection::Common => return Some('C'),
        SymbolSection::Section(_)
            if symbol.is_weak() && file.format() == object::BinaryFormat::Elf =>
        {
            return Some('W');
        }
        SymbolSection::Section(index) => of_section(file, index),
        SymbolSection::Unknown | SymbolSection::None => return None,
        _ => '?',
    };
    Some(if symbol.is_local() {
        letter.to_ascii_lowercase()
    } else {
        letter
    })
}

fn of_section(file: &File<'_>, index: object::SectionIndex) -> char {
    let kind = file.section_by_index(index).map(|section| section.kind());
    let mach_o = file.format() == object::BinaryFormat::MachO;
    match kind {
        Ok(SectionKind::Text) => 'T',
        Ok(SectionKind::Data | SectionKind::Tls | SectionKind::TlsVariables) => 'D',
        Ok(SectionKind::UninitializedData | SectionKind::UninitializedTls) => 'B',
        // Apple's nm has one letter for the rest.
        Ok(_) if mach_o => 'S',
        Ok(
            SectionKind::ReadOnlyData
            | SectionKind::ReadOnlyDataWithRel
            | SectionKind::ReadOnlyString,
        ) => 'R',
        _ => 'N',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        parse(args.iter().map(Into::into).collect())
    }

    #[test]
    fn options_join_and_unknown_ones_are_named() {
        let options = parsed(&["-BgP", "--no-sort", "a.o", "b.o"]).unwrap();
        assert!(options.global && options.posix && options.as_it_stands && !options.undefined);
        assert_eq!(options.files.len(), 2);
        assert_eq!(parsed(&[]).unwrap().files, [PathBuf::from("a.out")]);
        assert_eq!(parsed(&["--size-sort"]), Err("--size-sort".to_owned()));
        assert_eq!(parsed(&["-gZ"]), Err("-gZ".to_owned()));
    }

    #[test]
    fn what_is_no_object_is_said_with_its_name() {
        let options = Options::default();
        let said = list(&options, Path::new("/dev/null"), b"").unwrap_err();
        assert_eq!(said, "file format not recognized");
    }
}
