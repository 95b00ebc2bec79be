//! The command line, as types; no meaning here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What the help calls a target; completions know the arguments that are one by it.
pub const TRIPLE: &str = "TRIPLE";

/// Cross-compile with plain `cargo build --target T`: toolchains for Linux, Windows and macOS, from one host.
#[derive(Debug, Parser)]
#[command(
    name = "xtool",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Example:\n  xtool add x86_64-pc-windows-gnu\n  cargo build --target x86_64-pc-windows-gnu"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Global {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more; twice for a log
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Print JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Use only what is already here
    #[arg(long, global = true)]
    pub offline: bool,
    /// Use this manifest in place of the built-in one
    #[arg(long, global = true, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Allow what the project itself brings (its toolchains.toml, paths, runners); remembered until they change
    #[arg(long, global = true)]
    pub trust: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install what a target needs and configure the project for it
    #[command(
        after_help = "Examples:\n  xtool add x86_64-pc-windows-gnu\n  xtool add aarch64-unknown-linux-gnu --glibc 2.17\n  xtool add x86_64-pc-windows-gnu --toolchain zig@0.15.2"
    )]
    Add(Add),
    /// Take a target out of the project again; what was not ours stays as it is
    #[command(after_help = "Example:\n  xtool remove x86_64-pc-windows-gnu")]
    Remove(Remove),
    /// Install and configure everything that xtool.toml names
    #[command(after_help = "Example:\n  xtool sync --locked")]
    Sync(Sync),
    /// Take newer versions into xtool.lock
    #[command(after_help = "Example:\n  xtool update x86_64-pc-windows-gnu")]
    Update(Update),
    /// Fill the store without touching the project: what xtool.lock names, or the targets given
    #[command(
        after_help = "Examples:\n  xtool fetch --locked\n  XTOOL_HOME=/opt/xtool xtool fetch --locked --warm"
    )]
    Fetch(Fetch),
    /// List targets and their toolchains
    #[command(after_help = "Example:\n  xtool list --installed")]
    List(List),
    /// Show one target: toolchain, paths, variables, and what other hosts would get
    #[command(after_help = "Example:\n  xtool show x86_64-pc-windows-gnu")]
    Show(Show),
    /// Print the variables that a build that is not cargo's needs
    #[command(
        after_help = "Examples:\n  eval \"$(xtool env x86_64-unknown-linux-musl)\" && make\n  xtool env x86_64-pc-windows-gnu --format cmake > windows.cmake && cmake --toolchain windows.cmake -B build\n  xtool env aarch64-unknown-linux-musl --format meson > arm64.ini && meson setup --cross-file arm64.ini build"
    )]
    Env(Env),
    /// Show what a built binary needs to run, and where it will
    #[command(
        after_help = "Examples:\n  xtool inspect target/x86_64-unknown-linux-gnu/release/app\n  xtool inspect app.exe --require system-dlls-only --require 'windows<=10'\n  xtool inspect app --require 'glibc<=2.17' --require runs-on=rhel-7\n  xtool inspect app --strip app.small"
    )]
    Inspect(Inspect),
    /// Run a command with the variables that `env` prints
    #[command(
        after_help = "Examples:\n  xtool exec x86_64-unknown-linux-musl -- make\n  xtool exec x86_64-pc-windows-gnu -- go build\n  xtool exec x86_64-pc-windows-gnu -- ./configure --host=x86_64-w64-mingw32"
    )]
    Exec(Exec),
    /// Apple SDKs for macOS targets, which you bring yourself
    #[command(after_help = "Examples:\n  xtool sdk import MacOSX14.5.sdk.tar.xz\n  xtool sdk list")]
    Sdk(Sdk),
    /// The store's and the cache's folders and space
    #[command(after_help = "Example:\n  xtool cache prune --dry-run")]
    Cache(Cache),
    /// Write the lock's archives for hosts without a network: a folder for a file server, or one .tar.zst
    #[command(
        after_help = "Examples:\n  xtool mirror toolchains.tar.zst && XTOOL_MIRROR=$PWD/toolchains.tar.zst xtool sync --locked\n  xtool mirror /srv/www/xtool   (served: XTOOL_MIRROR=https://files.example/xtool)"
    )]
    Mirror(Mirror),
    /// Compile, link and, with a runner, run small C, C++ and Rust programs
    #[command(after_help = "Example:\n  xtool verify x86_64-pc-windows-gnu")]
    Verify(Verify),
    /// Look for what will not work on this machine, with the fix for each
    #[command(after_help = "Example:\n  xtool doctor")]
    Doctor,
    /// Print a completion script
    #[command(
        after_help = "Example:\n  xtool completions bash > ~/.local/share/bash-completion/completions/xtool"
    )]
    Completions(Completions),
    /// Print the manual, or write its pages into a folder
    #[command(
        after_help = "Examples:\n  xtool man | man -l -\n  xtool man ~/.local/share/man/man1 && man xtool-add"
    )]
    Man(Man),
}

/// `xtool man`
#[derive(Debug, Args)]
pub struct Man {
    /// Where the pages go, one a command: xtool.1, xtool-add.1, …
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// `xtool add`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Add {
    /// Target triples, as in `cargo build --target`
    #[arg(required = true, value_name = TRIPLE)]
    pub targets: Vec<String>,
    /// Take this toolchain, in this version
    #[arg(long, value_name = "NAME[@VERSION]")]
    pub toolchain: Option<String>,
    /// The oldest glibc that the programs must run on (Linux, zig)
    #[arg(long, value_name = "VERSION")]
    pub glibc: Option<String>,
    /// The Apple SDK to use: a name from `xtool sdk list`, or an absolute path (default: the newest)
    #[arg(long, value_name = "NAME")]
    pub sdk: Option<String>,
    /// Let cargo build the standard library where it cannot be had ready-made
    #[arg(long, conflicts_with = "no_rust_std")]
    pub build_std: bool,
    /// Leave Rust's standard library for the target alone
    #[arg(long)]
    pub no_rust_std: bool,
    /// Replace settings of your own for the same target; `remove` brings them back
    #[arg(long)]
    pub force: bool,
    /// Compile now the C library that zig compiles at the first build for a target
    #[arg(long)]
    pub warm: bool,
    /// Without a cargo project: install and make the shims, write only xtool.toml and xtool.lock here
    #[arg(long)]
    pub no_cargo: bool,
}

/// `xtool remove`
#[derive(Debug, Args)]
pub struct Remove {
    /// Target triples
    #[arg(required_unless_present = "all", value_name = TRIPLE)]
    pub targets: Vec<String>,
    /// Every target of the project
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
}

/// `xtool sync`
#[derive(Debug, Args)]
pub struct Sync {
    /// Fail rather than change xtool.lock
    #[arg(long)]
    pub locked: bool,
    /// Replace settings of your own for the same targets
    #[arg(long)]
    pub force: bool,
}

/// `xtool update`
#[derive(Debug, Args)]
pub struct Update {
    /// Only these targets
    #[arg(value_name = TRIPLE)]
    pub targets: Vec<String>,
}

/// `xtool fetch`
#[derive(Debug, Args)]
pub struct Fetch {
    /// Only these targets; without a project, any that the manifest has
    #[arg(value_name = TRIPLE)]
    pub targets: Vec<String>,
    /// Take what xtool.lock names, or fail
    #[arg(long)]
    pub locked: bool,
    /// Take this toolchain, in this version, whatever the project takes; its files stay as they are
    #[arg(long, value_name = "NAME[@VERSION]", conflicts_with = "locked")]
    pub toolchain: Option<String>,
    /// Compile now all that zig compiles of its own for a target: C and C++, with and without symbols
    #[arg(long)]
    pub warm: bool,
}

/// `xtool list`
#[derive(Debug, Args)]
pub struct List {
    /// Only toolchains that are in the store
    #[arg(long)]
    pub installed: bool,
}

/// `xtool show`
#[derive(Debug, Args)]
pub struct Show {
    /// The target triple
    #[arg(value_name = TRIPLE)]
    pub target: String,
}

/// `xtool env`
#[derive(Debug, Args)]
pub struct Env {
    /// The target triple, added before
    #[arg(value_name = TRIPLE)]
    pub target: String,
    /// What to print
    #[arg(long, value_enum, default_value_t = EnvFormat::Sh)]
    pub format: EnvFormat,
}

/// `xtool exec`
#[derive(Debug, Args)]
pub struct Exec {
    /// The target triple, added before
    #[arg(value_name = TRIPLE)]
    pub target: String,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

/// What `env` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnvFormat {
    /// `export NAME='value'` lines, for `eval`
    Sh,
    /// `set -gx NAME 'value'` lines, for `source`
    Fish,
    /// Assignments to the environment, for `Invoke-Expression`
    Powershell,
    /// Lines to append to the file of variables of GitHub Actions
    Github,
    /// One object
    Json,
    /// A toolchain file, for `cmake --toolchain`
    Cmake,
    /// A cross file, for `meson setup --cross-file`
    Meson,
    /// `export` lines with what `go build` needs for cgo
    Go,
}

/// `xtool sdk`
#[derive(Debug, Args)]
pub struct Sdk {
    /// What to do
    #[command(subcommand)]
    pub command: SdkCommand,
}

/// `xtool sdk …`
#[derive(Debug, Subcommand)]
pub enum SdkCommand {
    /// Check an SDK and take it into the store
    Import(SdkImport),
    /// List the SDKs of the store
    List,
}

/// `xtool sdk import`
#[derive(Debug, Args)]
pub struct SdkImport {
    /// The folder `MacOSX.sdk`, an archive of it (.tar.xz, .tar.gz, .tar.zst), or the address of one
    #[arg(value_name = "PATH|URL")]
    pub from: String,
    /// The archive's digest; an address needs one
    #[arg(long, value_name = "DIGEST")]
    pub sha256: Option<String>,
}

/// `xtool cache`
#[derive(Debug, Args)]
pub struct Cache {
    /// What to do; shows the folders and their sizes without one
    #[command(subcommand)]
    pub command: Option<CacheCommand>,
}

/// `xtool cache …`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum CacheCommand {
    /// Print the download cache's folder
    Dir,
    /// Print what the store and the cache take
    Size,
    /// Remove toolchains that no project uses
    Prune {
        /// Only say what would go
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove all downloads; toolchains stay. A part of one that a new target needs is then downloaded again
    Clean,
    /// Print a key for a CI cache, made from xtool.lock
    Key,
}

/// `xtool mirror`
#[derive(Debug, Args)]
pub struct Mirror {
    /// A folder, or a file that ends in `.tar.zst`
    #[arg(value_name = "DIR|FILE.tar.zst")]
    pub to: PathBuf,
    /// Only what this host needs; otherwise every host that the lock has, as far as it can be had from here
    #[arg(long)]
    pub this_host: bool,
}

/// `xtool verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// Target triples; all of the project's without any
    #[arg(value_name = TRIPLE)]
    pub targets: Vec<String>,
}

/// `xtool completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `xtool inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// Programs and libraries in ELF, PE or Mach-O format
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Fail unless every file meets this: glibc<=V, static, runs-on=SYSTEM, max-size=5MB, …; may be repeated
    #[arg(long, value_name = "REQUIREMENT", value_delimiter = ',')]
    pub require: Vec<String>,
    /// Look for a foreign binary's libraries in this folder, as if it were `/`
    #[arg(long, value_name = "DIR")]
    pub sysroot: Option<PathBuf>,
    /// Write a stripped copy of the one file to OUT
    #[arg(long, value_name = "OUT")]
    pub strip: Option<PathBuf>,
}
