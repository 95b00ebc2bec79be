//! The linker's options as data: how many values each takes, and what zig's driver gets of it.
//!
//! zig's driver reads linker options itself and ends at each one that it does not know ("unsupported linker arg"). Tried
//! with 0.15.2, 0.16.0 and 0.17.1, every option of GNU ld's, lld's and Apple's manual pages that rustc, CMake, Meson,
//! libtool and Debian's `dpkg-buildflags` pass. An option that is not here is handed on as it is: zig takes it, or
//! ends with its name, and `explain/arguments.rs` says which toolchain has it. An option that takes a value stands
//! here in any case, so that the value is not taken for an input.

/// The formats that an option is for.
pub(super) const ELF: u8 = 1;
pub(super) const PE: u8 = 2;
pub(super) const MACH_O: u8 = 4;
pub(super) const WASM: u8 = 8;
const GNU: u8 = ELF | PE;
const ALL: u8 = ELF | PE | MACH_O | WASM;

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// zig's to take or to refuse.
    Pass,
    /// The result is as good without it.
    Drop,
    /// The same by a name that zig knows.
    As(&'static str),
    /// An option of the driver's, with the value behind it or joined to it.
    Driver(&'static str),
    /// A folder of libraries.
    Folder,
    /// A library by name.
    Library,
    /// Archives are taken whole from here on, or no longer.
    Whole(bool),
    /// Only static libraries from here on, or again either kind.
    Static(bool),
    /// Shared libraries count only where something uses them, or always.
    AsNeeded(bool),
    /// The three above are kept for later.
    Push,
    /// They are as they were kept.
    Pop,
    /// An output that is loaded, not linked: see `bundle.rs`.
    Bundle,
    /// Undefined symbols are looked up when the program runs; the value only says which.
    LookUp,
    /// `-undefined`, whose value decides.
    Undefined,
    /// `-z`, whose value decides.
    Z,
    /// Sections that nothing refers to are removed, unless all are to stay.
    Remove,
    /// A library's own functions are its own. zig has it for functions and variables together only.
    Symbolic,
    /// The version of a library, of which zig reads only the form with three numbers; libtool passes two.
    Version(&'static str),
    /// A list of exported symbols, for Mach-O. zig takes it from 0.16 on; before, it is left out: a library then
    /// exports every global symbol. That is wider than asked for, but nothing is missing.
    ExportList,
    /// Which symbols an ELF program exports. zig exports all or none of a program's: all, so that nothing is missing.
    /// In a library it says which calls another file may take over, which is zig's to take or to refuse.
    DynamicList,
    /// Symbols that an ELF program exports besides; a library exports them in any case.
    ExportSymbol,
    /// Symbols that are not exported. A program exports none anyhow; of a library it is zig's to take or to refuse.
    Unexport,
}

/// Options that have one fate.
pub(super) struct Row {
    /// Without dashes. GNU's long options take one or two.
    pub(super) names: &'static [&'static str],
    pub(super) values: u8,
    formats: u8,
    pub(super) fate: Fate,
}

const fn row(formats: u8, values: u8, fate: Fate, names: &'static [&'static str]) -> Row {
    Row {
        names,
        values,
        formats,
        fate,
    }
}

use Fate::{
    As, AsNeeded, Bundle, Driver, Drop, DynamicList, ExportList, ExportSymbol, Folder, Library,
    LookUp, Pass, Pop, Push, Remove, Static, Symbolic, Undefined, Unexport, Version, Whole, Z,
};

const ROWS: &[Row] = &[
    // Inputs and where they are.
    row(ALL, 1, Folder, &["L", "library-path"]),
    row(ALL, 1, Library, &["l", "library"]),
    row(ALL, 0, Whole(true), &["whole-archive"]),
    row(ALL, 0, Whole(false), &["no-whole-archive"]),
    row(
        GNU,
        0,
        Static(true),
        &["Bstatic", "dn", "non_shared", "static"],
    ),
    // zig would take a shared library or nothing; GNU ld takes either.
    row(GNU, 0, Static(false), &["Bdynamic", "dy", "call_shared"]),
    row(GNU, 0, AsNeeded(true), &["as-needed"]),
    row(GNU, 0, AsNeeded(false), &["no-as-needed"]),
    // CMake's `$<LINK_LIBRARY:WHOLE_ARCHIVE,…>`.
    row(GNU, 0, Push, &["push-state"]),
    row(GNU, 0, Pop, &["pop-state"]),
    row(GNU, 0, As("--start-group"), &["("]),
    row(GNU, 0, As("--end-group"), &[")"]),
    // What kind of output: the driver's to know.
    row(GNU, 0, Driver("-shared"), &["shared", "Bshareable"]),
    row(PE, 0, Driver("-shared"), &["dll"]),
    row(ELF, 0, Driver("-pie"), &["pie", "pic-executable"]),
    row(ELF, 0, Driver("-no-pie"), &["no-pie"]),
    row(GNU, 0, Driver("-r"), &["r", "relocatable"]),
    // The target says it.
    row(GNU | WASM, 1, Drop, &["m"]),
    // By the name that zig has. A symbol that is required and missing is then no error.
    row(
        ELF | PE | WASM,
        1,
        As("-u"),
        &["u", "undefined", "require-defined"],
    ),
    row(MACH_O, 1, As("-u"), &["u"]),
    row(ALL, 1, As("--entry"), &["e", "entry"]),
    row(ELF, 1, As("-soname"), &["h", "soname"]),
    row(ELF, 1, As("-rpath"), &["R", "rpath"]),
    row(ELF, 1, As("--dynamic-linker"), &["I", "dynamic-linker"]),
    row(ELF | MACH_O | WASM, 1, Z, &["z"]),
    row(PE, 1, Pass, &["z"]),
    // lld looks for no library that only another library names.
    row(ELF, 1, Drop, &["rpath-link"]),
    row(
        ELF,
        0,
        Drop,
        &[
            "copy-dt-needed-entries",
            "no-copy-dt-needed-entries",
            "add-needed",
            "no-add-needed",
        ],
    ),
    // How messages look, and which there are. lld's few warnings stay warnings.
    row(
        ALL,
        0,
        Drop,
        &[
            "demangle",
            "no-demangle",
            "color-diagnostics",
            "no-color-diagnostics",
            "fatal-warnings",
            "no-fatal-warnings",
            "no-warnings",
            "warn-common",
            "warn-once",
            "warn-shared-textrel",
            "warn-backrefs",
            "no-warn-backrefs",
            "warn-execstack",
            "no-warn-execstack",
            "warn-rwx-segments",
            "no-warn-rwx-segments",
            "warn-symbol-ordering",
            "no-warn-symbol-ordering",
            "no-warn-mismatch",
            "no-warn-search-mismatch",
            "warn-alternate-em",
            "warn-multiple-gp",
            "warn-constructors",
            "error-unresolved-symbols",
            "no-print-gc-sections",
        ],
    ),
    // Of GNU ld's, newer and older: what lld never makes (an executable stack, segments to write and to run) is no error
    // or warning of its.
    row(
        ELF,
        0,
        Drop,
        &[
            "w",
            "warn-textrel",
            "error-execstack",
            "no-error-execstack",
            "error-rwx-segments",
            "no-error-rwx-segments",
        ],
    ),
    row(ALL, 1, Drop, &["error-limit"]),
    // How the linker works, not what it makes: memory, threads, effort. lld has its own, and newer zigs warn about `-O`.
    row(
        ALL,
        0,
        Drop,
        &[
            "no-keep-memory",
            "reduce-memory-overheads",
            "mmap-output-file",
            "no-mmap-output-file",
            "map-whole-files",
            "no-map-whole-files",
            "threads",
            "no-threads",
            "optimize",
            "traditional-format",
            "check-sections",
            "no-check-sections",
            "accept-unknown-input-arch",
        ],
    ),
    row(
        ALL,
        1,
        Drop,
        &[
            "O",
            "thread-count",
            "thinlto-jobs",
            "thinlto-cache-dir",
            "thinlto-cache-policy",
        ],
    ),
    // GNU ld's plugin for GCC's LTO; zig's lld reads bitcode by itself.
    row(ALL, 1, Drop, &["plugin", "plugin-opt"]),
    row(ALL, 0, Drop, &["lto-O0", "lto-O1", "lto-O2", "lto-O3"]),
    // Where things lie in the file, and how tight; local names; an index for debuggers; a note for packagers.
    row(
        ELF,
        0,
        Drop,
        &[
            "relax",
            "no-relax",
            "rosegment",
            "no-rosegment",
            "no-call-graph-profile-sort",
            "apply-dynamic-relocs",
            "no-apply-dynamic-relocs",
            "use-android-relr-tags",
            "discard-locals",
            "X",
            "no-export-dynamic",
            "no-ld-generated-unwind-info",
            "ld-generated-unwind-info",
            "no-gnu-unique",
            "d",
            "dc",
            "dp",
            "g",
            "gdb-index",
            "debug-names",
            "secure-plt",
            "tls-optimize",
            "no-tls-optimize",
            "toc-optimize",
            "no-toc-optimize",
            "ctors-in-init-array",
            "strip-discarded",
            "no-strip-discarded",
            "enable-linker-version",
            "disable-linker-version",
            // lld's and GNU ld's defaults, or what the target says.
            "Bno-symbolic",
            "no-omagic",
            "no-accept-unknown-input-arch",
            "EL",
            "EB",
            "Qy",
        ],
    ),
    row(
        ELF,
        1,
        Drop,
        &[
            "pack-dyn-relocs",
            "icf",
            "call-graph-profile-sort",
            "symbol-ordering-file",
            "package-metadata",
            "hash-size",
            "spare-dynamic-tags",
            // GNU ld takes and ignores it, for SunOS's sake.
            "assert",
        ],
    ),
    row(PE, 1, Drop, &["icf"]),
    // Ubuntu's default. References inside a library then go the usual way, by the symbol: another file's function of
    // the same name can take its place, and the user is told. (zig's `-Bsymbolic` is no way out: it holds
    // for variables too, of which a program that is no PIE has its own copy.)
    row(ELF, 0, Symbolic, &["Bsymbolic-functions"]),
    row(ELF, 0, Remove, &["gc-sections"]),
    // rustc's for CPUs with these faults; zig's driver has no such option and its lld no such patch switched on.
    row(
        ELF | MACH_O | WASM,
        0,
        Drop,
        &[
            "fix-cortex-a53-843419",
            "fix-cortex-a53-835769",
            "no-fix-cortex-a53-843419",
            "no-fix-cortex-a53-835769",
        ],
    ),
    // rustc passes it to linkers that would let a version script name what is not there.
    row(ELF | MACH_O | WASM, 0, Drop, &["no-undefined-version"]),
    // Windows: zig's defaults, or libtool's and rustc's for GNU ld only.
    row(
        PE,
        0,
        Drop,
        &[
            "disable-auto-image-base",
            "enable-auto-image-base",
            "dynamicbase",
            "large-address-aware",
            "enable-auto-import",
            "enable-runtime-pseudo-reloc",
            "enable-runtime-pseudo-reloc-v2",
            "enable-stdcall-fixup",
            "no-seh",
            "no-insert-timestamp",
            "insert-timestamp",
            "enable-reloc-section",
            "no-leading-underscore",
            "warn-duplicate-exports",
            // A program for any address is zig's default; FFmpeg, x264 and VLC ask GNU ld for it.
            "pic-executable",
            // Both are in an object as it was compiled.
            "disable-auto-import",
            "disable-runtime-pseudo-reloc",
            "enable-long-section-names",
            "disable-long-section-names",
            "enable-extra-pe-debug",
            "compat-implib",
        ],
    ),
    // No run-time path in a PE file.
    row(PE, 1, Drop, &["rpath", "rpath-link", "soname"]),
    // macOS.
    row(MACH_O, 0, Bundle, &["bundle"]),
    // The symbols of the program that loads it: which program is not kept in the file.
    row(MACH_O, 1, LookUp, &["bundle_loader", "U"]),
    row(MACH_O, 1, Undefined, &["undefined"]),
    // One namespace is how `dynamic_lookup` looks.
    row(MACH_O, 0, Drop, &["flat_namespace", "twolevel_namespace"]),
    row(MACH_O, 0, Driver("-shared"), &["dylib"]),
    row(MACH_O, 0, Whole(true), &["all_load"]),
    // Behind `-Wl,` zig takes it for `-O` ("ignoring deprecated linker optimization setting 'bjC'").
    row(MACH_O, 0, Driver("-ObjC"), &["ObjC"]),
    row(MACH_O, 0, Driver("-rdynamic"), &["export_dynamic"]),
    row(MACH_O, 0, Drop, &["noall_load"]),
    row(
        MACH_O,
        1,
        ExportList,
        &[
            "exported_symbols_list",
            "exported_symbol",
            "unexported_symbols_list",
            "unexported_symbol",
            "dynamic-list",
        ],
    ),
    row(MACH_O, 1, As("-install_name"), &["dylib_install_name"]),
    row(
        MACH_O,
        1,
        Version("-current_version"),
        &["current_version", "dylib_current_version"],
    ),
    row(
        MACH_O,
        1,
        Version("-compatibility_version"),
        &["compatibility_version", "dylib_compatibility_version"],
    ),
    // Names that tell builds apart, the default, or obsolete in Apple's own (ld(1), "Obsolete Options").
    row(
        MACH_O,
        0,
        Drop,
        &[
            "no_uuid",
            "random_uuid",
            "no_deduplicate",
            "deduplicate",
            "no_compact_unwind",
            "ld_classic",
            "ld_new",
            "no_warn_duplicate_libraries",
            "no_fixup_chains",
            "fixup_chains",
            "function_starts",
            "no_function_starts",
            "no_data_in_code_info",
            "adhoc_codesign",
            "reproducible",
            "single_module",
            "multi_module",
            "bind_at_load",
            "pie",
            "w",
            "fatal_warnings",
            "no_data_const",
            "data_const",
            "no_application_extension",
            "application_extension",
            "mark_dead_strippable_dylib",
            "dynamic",
            "execute",
            "no_implicit_dylibs",
            "no_source_version",
            "not_for_dyld_shared_cache",
            "keep_private_externs",
            "no_branch_islands",
            "no_dead_strip_inits_and_terms",
            "no_objc_category_merging",
            "no_objc_relative_method_lists",
            "objc_stubs_small",
            "objc_stubs_fast",
            "no_warn_inits",
            "warn_weak_exports",
            "no_warn_weak_exports",
            "warn_compact_unwind",
            "no_order_data",
            "merge_zero_fill_sections",
            "no_merge_zero_fill_sections",
            "prebind",
            "noprebind",
            "encryptable",
            "no_encryption",
            "print_statistics",
        ],
    ),
    row(
        MACH_O,
        1,
        Drop,
        &[
            "oso_prefix",
            "multiply_defined",
            "multiply_defined_unused",
            "lto_library",
            "object_path_lto",
            "cache_path_lto",
            "prune_interval_lto",
            "prune_after_lto",
            "max_relative_cache_size_lto",
            "order_file",
            "dependency_info",
            "objc_abi_version",
            "source_version",
            "read_only_relocs",
            "add_ast_path",
            "segalign",
            "final_output",
            // The target and the SDK say them.
            "macos_version_min",
            "macosx_version_min",
            "sdk_version",
            "syslibroot",
            "arch",
        ],
    ),
    row(MACH_O, 3, Drop, &["platform_version"]),
    // zig's to take or to refuse, with values of their own.
    row(
        MACH_O,
        1,
        Pass,
        &[
            "force_load",
            "load_hidden",
            "lazy_library",
            "lazy_framework",
            "upward_library",
            "upward_framework",
            "framework",
            "weak_framework",
            "needed_framework",
            "reexport_framework",
            "weak_library",
            "needed_library",
            "reexport_library",
            "rpath",
            "install_name",
            "headerpad",
            "pagezero_size",
            "stack_size",
            "image_base",
            "init",
            "map",
            "alias_list",
            "umbrella",
            "client_name",
            "allowable_client",
            "sub_library",
            "F",
        ],
    ),
    row(ELF, 1, DynamicList, &["dynamic-list"]),
    row(
        ELF,
        1,
        ExportSymbol,
        &["export-dynamic-symbol", "export-dynamic-symbol-list"],
    ),
    row(GNU, 1, Unexport, &["exclude-libs"]),
    row(PE, 1, Unexport, &["exclude-symbols"]),
    row(PE, 0, Unexport, &["exclude-all-symbols"]),
    row(MACH_O, 2, Pass, &["alias"]),
    row(MACH_O, 3, Pass, &["sectcreate", "segprot"]),
    row(
        GNU | WASM,
        1,
        Pass,
        &[
            "Map",
            "wrap",
            "defsym",
            "version-script",
            "retain-symbols-file",
            "hash-style",
            "sort-section",
            "T",
            "script",
            "init",
            "fini",
            "Ttext",
            "Tdata",
            "Tbss",
            "section-start",
            "image-base",
            "trace-symbol",
            "y",
            "auxiliary",
            "f",
            "F",
            "filter",
            "A",
            "b",
            "format",
            "oformat",
            "sysroot",
            "Y",
            "dependency-file",
            "compress-debug-sections",
            "subsystem",
            "out-implib",
            "implib",
            "output-def",
            "heap",
            "stack",
            "major-os-version",
            "minor-os-version",
            "major-subsystem-version",
            "minor-subsystem-version",
            "major-image-version",
            "minor-image-version",
            "file-alignment",
            "section-alignment",
            "base-file",
            "delayload",
            "export",
            "initial-memory",
            "max-memory",
            "global-base",
        ],
    ),
];

/// What zig's driver does by itself, or makes no difference to how a program runs: sizes, layout and reports. Any other
/// keyword is zig's to take or to refuse.
pub(super) fn is_idle_keyword(keyword: &str) -> bool {
    matches!(
        keyword.split('=').next(),
        Some(
            "pack-relative-relocs"
                | "nopack-relative-relocs"
                | "text"
                | "combreloc"
                | "nocombreloc"
                | "mark-plt"
                | "nomark-plt"
                | "sectionheader"
                | "nounique-symbol"
                | "nomemory-seal"
                | "separate-code"
                | "noseparate-code"
                | "separate-loadable-segments"
                | "keep-text-section-prefix"
                | "start-stop-gc"
                | "nostart-stop-gc"
                | "cet-report"
                | "bti-report"
                | "dead-reloc-in-nonalloc"
        )
    )
}

/// The row of a name without dashes.
pub(super) fn find(format: u8, name: &str) -> Option<&'static Row> {
    ROWS.iter()
        .find(|row| row.formats & format != 0 && row.names.contains(&name))
}

/// Options of one letter that have their value joined: the name and the value. What could be the beginning of a longer
/// name is none. Apple's linker has few such; its long names have one dash (`-export_dynamic` is no `-e`).
pub(super) fn joined(format: u8, word: &str) -> Option<(&str, &str)> {
    let rest = word.strip_prefix('-')?;
    if rest.len() < 2 || !rest.is_char_boundary(1) {
        return None;
    }
    let (name, value) = rest.split_at(1);
    let is_symbol = |s: &str| {
        s.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$'))
    };
    let fits = match name {
        "l" | "L" | "z" => !value.starts_with('-'),
        _ if format == MACH_O => false,
        "u" | "e" => is_symbol(value),
        "m" => value.contains('_') || value.starts_with("i386"),
        "h" => value.contains(".so"),
        "R" | "I" => value.starts_with(['/', '.', '$']),
        "O" => value.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    fits.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_has_two_fates() {
        for format in [ELF, PE, MACH_O, WASM] {
            let mut names: Vec<&str> = ROWS
                .iter()
                .filter(|row| row.formats & format != 0)
                .flat_map(|row| row.names)
                .copied()
                .collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(all, names.len(), "{format}: {names:?}");
        }
    }

    #[test]
    fn a_joined_value_is_told_from_a_longer_name() {
        assert_eq!(joined(ELF, "-lfoo"), Some(("l", "foo")));
        assert_eq!(joined(ELF, "-znow"), Some(("z", "now")));
        assert_eq!(joined(ELF, "-umain"), Some(("u", "main")));
        assert_eq!(joined(ELF, "-melf_i386"), Some(("m", "elf_i386")));
        assert_eq!(joined(ELF, "-O2"), Some(("O", "2")));
        for long in [
            "-export-dynamic",
            "-rpath",
            "-init",
            "-Map",
            "-M",
            "--lfoo",
            "-é",
        ] {
            assert_eq!(joined(ELF, long), None, "{long}");
        }
        assert_eq!(joined(MACH_O, "-lfoo"), Some(("l", "foo")));
        for long in ["-export_dynamic", "-encryptable", "-unexported"] {
            assert_eq!(joined(MACH_O, long), None, "{long}");
        }
    }
}
