//! What the linker gets through the driver, as one list of words in every dress: `-Wl,a,b`, `-Wl,a -Wl,b`,
//! `-Xlinker a -Xlinker b`, with the value of an option in the same argument, the next, or a plain one.
//!
//! To GNU ld inputs and options are one list. zig's driver keeps two, and takes no input through `-Wl,` (rustc's
//! `+whole-archive` passes one: "unsupported linker arg: …/libx.a"), so inputs become arguments of their own.
//! Libraries by name (`-lfoo`, `-l:libfoo.a`) are looked up here where zig would find another file or none.

use std::ffi::OsString;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use crate::shim::ShimError;
use crate::shim::rules::takes_value;
use crate::target::{TargetOs, Triple};

mod libraries;
mod options;

/// Said of a library.
const NOT_SYMBOLIC: &str = "zig's linker has no -Bsymbolic-functions: a function of the same name in the program takes \
                            the place of this library's own   (-w hides this)";

use libraries::Libraries;
use options::{ELF, Fate, MACH_O, PE, WASM};

/// The arguments of a link as zig takes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub args: Vec<OsString>,
    /// The output is to be a bundle: a Mach-O file that programs load and none links with.
    pub bundle: bool,
    /// What the user is to know of an option that was left out.
    pub note: Option<&'static str>,
}

/// Rewrites the arguments of a driver that links. `is_file` says which files there are.
pub(super) fn rewrite(
    triple: &Triple,
    minor: u32,
    args: Vec<OsString>,
    is_file: &dyn Fn(&Path) -> bool,
) -> Result<Link, ShimError> {
    let format = match triple.os() {
        TargetOs::Windows => PE,
        TargetOs::MacOs => MACH_O,
        TargetOs::Wasi => WASM,
        TargetOs::Linux | TargetOs::Other => ELF,
    };
    let items = items(format, args);
    let mut pass = Pass {
        triple,
        format,
        minor,
        exports: exports(&items),
        sections: sections(format, &items),
        libraries: Libraries::new(triple, folders(format, &items), is_file),
        state: State::default(),
        kept: Vec::new(),
        link: Link::default(),
    };
    if format == MACH_O
        && items
            .iter()
            .any(|item| matches!(item, Item::Word(w) if w == "-all_load"))
    {
        // It holds for what stands before it too.
        pass.whole(true);
    }
    let mut rest = items.into_iter().peekable();
    while let Some(item) = rest.next() {
        match item {
            Item::Driver(args) => pass.link.args.extend(args),
            Item::Library(name) => pass.library(&name)?,
            Item::Word(word) => pass.word(&word, &mut rest)?,
        }
    }
    if pass.sections == Sections::Stay {
        pass.push("-Wl,--no-gc-sections");
    }
    Ok(pass.link)
}

/// An argument of the driver with its value, or a part of what goes to the linker.
#[derive(Debug)]
enum Item {
    Driver(Vec<OsString>),
    Word(String),
    /// `-lNAME`, joined or not.
    Library(String),
}

/// Options that clang's driver for macOS hands to the linker as they are. zig's does not know them or, worse, takes them
/// for unused (`-bundle`).
const OF_APPLES_LINKER: [&str; 18] = [
    "-compatibility_version",
    "-current_version",
    "-all_load",
    "-noall_load",
    "-force_load",
    "-bundle",
    "-bundle_loader",
    "-undefined",
    "-flat_namespace",
    "-twolevel_namespace",
    "-exported_symbols_list",
    "-unexported_symbols_list",
    "-multiply_defined",
    "-multiply_defined_unused",
    "-single_module",
    "-multi_module",
    "-bind_at_load",
    "-sectcreate",
];

fn items(format: u8, args: Vec<OsString>) -> Vec<Item> {
    let mut out = Vec::with_capacity(args.len());
    let mut rest = args.into_iter().peekable();
    while let Some(arg) = rest.next() {
        let Some(text) = arg.to_str() else {
            out.push(Item::Driver(vec![arg]));
            continue;
        };
        let next = rest
            .peek()
            .and_then(|next| next.to_str())
            .map(str::to_owned);
        if let Some(words) = text.strip_prefix("-Wl,") {
            out.extend(
                words
                    .split(',')
                    .filter(|w| !w.is_empty())
                    .map(|w| Item::Word(w.to_owned())),
            );
        } else if text == "-l"
            && let Some(name) = next
        {
            rest.next();
            out.push(Item::Library(name));
        } else if let Some(name) = text.strip_prefix("-l").filter(|name| !name.is_empty()) {
            out.push(Item::Library(name.to_owned()));
        } else if text == "-Xlinker"
            && let Some(word) = next
        {
            rest.next();
            out.push(Item::Word(word));
        } else if text == "-z"
            && let Some(keyword) = next
        {
            rest.next();
            out.extend([Item::Word("-z".to_owned()), Item::Word(keyword)]);
        } else if format == MACH_O && OF_APPLES_LINKER.contains(&text) {
            let row = options::find(format, &text[1..]);
            let values = row.map_or(0, |row| row.values);
            out.push(Item::Word(text.to_owned()));
            let values = (0..values).filter_map(|_| rest.next()?.into_string().ok());
            out.extend(values.map(Item::Word));
        } else {
            let value = takes_value(text).then(|| rest.next()).flatten();
            out.push(Item::Driver(std::iter::once(arg).chain(value).collect()));
        }
    }
    out
}

/// Where libraries are looked for: every `-L`, wherever it stands.
fn folders(format: u8, items: &[Item]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut words = items.iter().peekable();
    while let Some(item) = words.next() {
        match item {
            Item::Driver(args) => match (args[0].to_str(), args.get(1)) {
                (Some("-L"), Some(folder)) => out.push(folder.into()),
                (Some(text), None) => out.extend(text.strip_prefix("-L").map(PathBuf::from)),
                _ => {}
            },
            Item::Word(word) => {
                let option = Written::new(format, word);
                if option.row.is_some_and(|row| row.fate == Fate::Folder) {
                    match (option.value, words.peek()) {
                        (Some(value), _) => out.push(value.into()),
                        (None, Some(Item::Word(value))) => out.push(value.into()),
                        _ => {}
                    }
                }
            }
            Item::Library(_) => {}
        }
    }
    out.retain(|folder| !folder.as_os_str().is_empty());
    out
}

/// Which symbols an output exports where nothing is said of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exports {
    /// None: a program.
    None,
    /// All: a program that was told to.
    All,
    /// All: a library.
    Library,
}

/// What becomes of sections that nothing refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sections {
    /// What zig does by itself, or is told to.
    Zigs,
    /// They stay, whatever else is said.
    Stay,
}

/// Every other linker removes sections only when asked (`--gc-sections`, `-dead_strip`). zig does so too where the
/// driver has an `-O`, as CMake's and autotools' links have: "undefined symbol: `__start_…`" for a table that is
/// only known by its borders, or an empty one where that symbol is weak.
///
/// `-z nostart-stop-gc` keeps such tables; zig does not know it, so all stay. rustc always passes it to lld, mostly for
/// nothing: there a link that needs it fails and `explain/sections.rs` helps, as otherwise each program would be
/// several times as large.
fn sections(format: u8, items: &[Item]) -> Sections {
    let is = |names: &[&str]| {
        items
            .iter()
            .any(|item| matches!(item, Item::Word(word) if names.contains(&word.as_str())))
    };
    let drivers = |wanted: &dyn Fn(&str) -> bool| {
        items
            .iter()
            .any(|item| matches!(item, Item::Driver(args) if args[0].to_str().is_some_and(wanted)))
    };
    if !matches!(format, ELF | MACH_O) || drivers(&|text| text == "-r") {
        return Sections::Zigs;
    }
    let keeps_tables = is(&["nostart-stop-gc", "-znostart-stop-gc"]);
    let asked = is(&["--gc-sections", "-gc-sections", "-dead_strip"])
        || drivers(&|text| text == "-dead_strip");
    let optimises = drivers(&|text| text.starts_with("-O") && !matches!(text, "-O0" | "-ObjC"));
    let stay = if asked {
        keeps_tables && !items.iter().any(is_rustcs_object)
    } else {
        optimises
    };
    if stay { Sections::Stay } else { Sections::Zigs }
}

/// Its code generator names objects so.
fn is_rustcs_object(item: &Item) -> bool {
    matches!(item, Item::Driver(args)
        if args[0].to_str().is_some_and(|text| text.ends_with(".rcgu.o")))
}

fn exports(items: &[Item]) -> Exports {
    let texts = items.iter().filter_map(|item| match item {
        Item::Driver(args) => args[0].to_str(),
        Item::Word(word) => Some(word.as_str()),
        Item::Library(_) => None,
    });
    let mut exports = Exports::None;
    for text in texts {
        match text.trim_start_matches('-') {
            "shared" | "Bshareable" | "dll" | "mdll" if text.starts_with('-') => {
                return Exports::Library;
            }
            "rdynamic" | "E" | "export-dynamic" | "export-all-symbols" if text.starts_with('-') => {
                exports = Exports::All;
            }
            _ => {}
        }
    }
    exports
}

/// An option as it was written.
struct Written<'a> {
    row: Option<&'static options::Row>,
    /// The value, where it is joined to the name.
    value: Option<&'a str>,
}

impl<'a> Written<'a> {
    fn new(format: u8, word: &'a str) -> Self {
        let name = word
            .strip_prefix("--")
            .or(word.strip_prefix('-'))
            .unwrap_or_default();
        if let Some(row) = options::find(format, name) {
            return Self {
                row: Some(row),
                value: None,
            };
        }
        if let Some((name, value)) = name.split_once('=')
            && let Some(row) = options::find(format, name)
        {
            return Self {
                row: Some(row),
                value: Some(value),
            };
        }
        if let Some((name, value)) = options::joined(format, word)
            && let Some(row) = options::find(format, name)
        {
            return Self {
                row: Some(row),
                value: Some(value),
            };
        }
        Self {
            row: None,
            value: None,
        }
    }
}

/// What holds for the inputs that follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    whole: bool,
    /// `None` until an option says.
    fixed: Option<bool>,
    as_needed: bool,
}

struct Pass<'a> {
    triple: &'a Triple,
    format: u8,
    minor: u32,
    /// What kind of output it is to the loader, as far as symbols go.
    exports: Exports,
    sections: Sections,
    libraries: Libraries<'a>,
    state: State,
    /// What `--push-state` keeps.
    kept: Vec<State>,
    link: Link,
}

impl Pass<'_> {
    fn word(&mut self, word: &str, rest: &mut Peekable<IntoIter<Item>>) -> Result<(), ShimError> {
        if !word.starts_with('-') {
            self.input(word);
            return Ok(());
        }
        let written = Written::new(self.format, word);
        let Some(row) = written.row else {
            self.hand_on(&[word.to_owned()]);
            return Ok(());
        };
        let joined = written.value.map(str::to_owned);
        let mut values: Vec<String> = joined.iter().cloned().collect();
        while values.len() < usize::from(row.values) {
            match value(rest) {
                Some(value) => values.push(value),
                None => break,
            }
        }
        let as_written = || match joined {
            Some(_) => vec![word.to_owned()],
            None => std::iter::once(word.to_owned())
                .chain(values.iter().cloned())
                .collect(),
        };
        match row.fate {
            Fate::Remove if self.sections == Sections::Stay => {}
            Fate::Unexport if self.exports == Exports::None => {}
            Fate::Pass | Fate::Remove | Fate::Unexport => self.hand_on(&as_written()),
            Fate::Symbolic => {
                if self.exports == Exports::Library {
                    self.link.note = Some(NOT_SYMBOLIC);
                }
            }
            Fate::ExportList if self.minor >= 16 => self.hand_on(&as_written()),
            Fate::Drop | Fate::ExportList => {}
            Fate::DynamicList if self.exports == Exports::Library => self.hand_on(&as_written()),
            Fate::ExportSymbol if self.exports == Exports::Library => {}
            Fate::DynamicList | Fate::ExportSymbol => self.push("-rdynamic"),
            Fate::As(name) => {
                let renamed: Vec<String> = std::iter::once(name.to_owned()).chain(values).collect();
                self.hand_on(&renamed);
            }
            Fate::Driver(option) => self.push(option),
            Fate::Folder => self.push(format!("-L{}", values.concat())),
            Fate::Library => self.library(&values.concat())?,
            Fate::Z => {
                if !options::is_idle_keyword(&values.concat()) {
                    self.hand_on(&["-z".to_owned(), values.concat()]);
                }
            }
            Fate::Bundle => {
                self.link.bundle = true;
                self.push("-shared");
            }
            Fate::Version(name) => {
                self.hand_on(&[name.to_owned(), three_numbers(&values.concat())]);
            }
            Fate::LookUp => self.look_up(),
            Fate::Undefined => match values.first().map(String::as_str) {
                // `suppress` and `warning` build the same file.
                Some("dynamic_lookup" | "suppress" | "warning") => self.look_up(),
                _ => self.hand_on(&as_written()),
            },
            Fate::Whole(_) | Fate::Static(_) | Fate::AsNeeded(_) | Fate::Push | Fate::Pop => {
                self.switch(row.fate);
            }
        }
        Ok(())
    }

    fn switch(&mut self, fate: Fate) {
        match fate {
            Fate::Whole(on) => self.whole(on),
            Fate::Static(on) => self.fixed(on),
            Fate::AsNeeded(on) => self.as_needed(on),
            Fate::Push => self.kept.push(self.state),
            _ => {
                let Some(kept) = self.kept.pop() else {
                    return;
                };
                if kept.whole != self.state.whole {
                    self.whole(kept.whole);
                }
                if kept.fixed != self.state.fixed {
                    self.fixed(kept.fixed.unwrap_or_default());
                    self.state.fixed = kept.fixed;
                }
                if kept.as_needed != self.state.as_needed {
                    self.as_needed(kept.as_needed);
                }
            }
        }
    }

    fn whole(&mut self, on: bool) {
        self.state.whole = on;
        self.push(if on {
            "-Wl,--whole-archive"
        } else {
            "-Wl,--no-whole-archive"
        });
    }

    fn fixed(&mut self, on: bool) {
        self.state.fixed = Some(on);
        self.push(if on {
            "-Wl,-Bstatic"
        } else {
            "-Wl,-search_paths_first"
        });
    }

    fn as_needed(&mut self, on: bool) {
        self.state.as_needed = on;
        self.push(if on {
            "-Wl,--as-needed"
        } else {
            "-Wl,--no-as-needed"
        });
    }

    /// A file, or one of the few options of Microsoft's linker that zig takes.
    fn input(&mut self, word: &str) {
        let microsofts = ["/subsystem:", "/implib:", "/pdb:", "/version:"];
        if self.format == PE && microsofts.iter().any(|option| word.starts_with(option)) {
            self.push(format!("-Wl,{word}"));
        } else {
            self.push(word);
        }
    }

    /// A library by name. zig takes none of them whole, and looks none up by its file's name.
    fn library(&mut self, name: &str) -> Result<(), ShimError> {
        let found = match name.strip_prefix(':') {
            Some(file) => match self.libraries.by_file_name(file) {
                None if libraries::of_toolchain(self.triple, file).is_some() => None,
                None => return Err(self.libraries.missing(file)),
                found => found,
            },
            None if self.state.whole => {
                self.libraries.archive(name, self.state.fixed == Some(true))
            }
            None => None,
        };
        if let Some(path) = found {
            self.link.args.push(path.into_os_string());
            return Ok(());
        }
        let file = name.strip_prefix(':').unwrap_or_default();
        match libraries::of_toolchain(self.triple, file) {
            // rustc's. Windows' threads need none of winpthread's functions.
            Some("pthread") if self.format == PE => {}
            of_toolchain => self.push(format!("-l{}", of_toolchain.unwrap_or(name))),
        }
        Ok(())
    }

    fn look_up(&mut self) {
        self.push("-undefined");
        self.push("dynamic_lookup");
    }

    /// Words for zig's linker. One with a comma in it cannot stand behind `-Wl,`.
    fn hand_on(&mut self, words: &[String]) {
        if words.iter().any(|word| word.contains(',')) {
            for word in words {
                self.push("-Xlinker");
                self.push(word);
            }
        } else {
            self.push(format!("-Wl,{}", words.join(",")));
        }
    }

    fn push(&mut self, arg: impl Into<OsString>) {
        self.link.args.push(arg.into());
    }
}

/// `1.0.0` of `1.0`. What has three numbers, or more, stays.
fn three_numbers(version: &str) -> String {
    let numbers = version.split('.').count();
    version.to_owned() + &".0".repeat(3_usize.saturating_sub(numbers))
}

/// The value of an option whose name has come: the linker's next word, or, as GNU ld sees it, the next input
/// (`-Wl,-force_load libx.a`).
fn value(rest: &mut Peekable<IntoIter<Item>>) -> Option<String> {
    let is_value = match rest.peek()? {
        Item::Word(_) => true,
        Item::Driver(args) => {
            args.len() == 1 && args[0].to_str().is_some_and(|text| !text.starts_with('-'))
        }
        Item::Library(_) => false,
    };
    match is_value.then(|| rest.next()).flatten()? {
        Item::Word(word) => Some(word),
        Item::Driver(args) => args.into_iter().next()?.into_string().ok(),
        Item::Library(_) => None,
    }
}

#[cfg(test)]
mod tests;
