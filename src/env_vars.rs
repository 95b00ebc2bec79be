//! Every environment variable that xtool reads, in one place.

/// The store's home; default: the platform's data folder for `xtool`.
pub const XTOOL_HOME: &str = "XTOOL_HOME";
/// A read-only store searched after the home; default `/opt/xtool` on Unix. Empty: none.
pub const XTOOL_SYSTEM_HOME: &str = "XTOOL_SYSTEM_HOME";
/// Where downloads are kept; default: the platform's cache folder for `xtool`, or `$XTOOL_HOME/cache` when
/// `XTOOL_HOME` is set.
pub const XTOOL_CACHE_DIR: &str = "XTOOL_CACHE_DIR";
/// A manifest that replaces the one compiled in (as `--manifest`).
pub const XTOOL_MANIFEST: &str = "XTOOL_MANIFEST";
/// A base URL, folder or `.tar.zst` that is asked first for every archive, at `sha256/<digest>`.
pub const XTOOL_MIRROR: &str = "XTOOL_MIRROR";
/// Another host than this machine: what `fetch`, `show` and `list` resolve for.
pub const XTOOL_HOST: &str = "XTOOL_HOST";
/// Set by a shim for its children, so that a shim never ends in itself.
pub const XTOOL_SHIM: &str = "XTOOL_SHIM";
/// Log filter in `tracing`'s syntax, over what `-v` sets.
pub const XTOOL_LOG: &str = "XTOOL_LOG";
/// Seconds that one download may take in all; default 1800.
pub const XTOOL_HTTP_TIMEOUT: &str = "XTOOL_HTTP_TIMEOUT";
/// Seconds without a byte after which a download is taken up anew; default 30.
pub const XTOOL_HTTP_READ_TIMEOUT: &str = "XTOOL_HTTP_READ_TIMEOUT";
/// Seconds that `rustup target add` may take; default 300.
pub const XTOOL_RUSTUP_TIMEOUT: &str = "XTOOL_RUSTUP_TIMEOUT";

/// Where git keeps the user's configuration and patterns, in its folder `git`; default `~/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// pip's index (JSON simple API), asked before uv's.
pub const PIP_INDEX_URL: &str = "PIP_INDEX_URL";
/// uv's index, when pip names none.
pub const UV_DEFAULT_INDEX: &str = "UV_DEFAULT_INDEX";
/// A certificate bundle in place of the platform's roots; must exist.
pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
/// Folders of certificates, separated as in `PATH`, in place of the platform's roots.
pub const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
/// Proxies for `http:` addresses; each of these four also in lower case.
pub const HTTP_PROXY: &str = "HTTP_PROXY";
/// Proxies for `https:` addresses.
pub const HTTPS_PROXY: &str = "HTTPS_PROXY";
/// Proxies for both, where the scheme's own is not set.
pub const ALL_PROXY: &str = "ALL_PROXY";
/// Hosts that are reached without a proxy, separated by commas.
pub const NO_PROXY: &str = "NO_PROXY";
/// rustup's choice of toolchain: part of the key under which rustc's answers are kept.
pub const RUSTUP_TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";
/// Where rustup keeps its toolchains and settings; default `~/.rustup`.
pub const RUSTUP_HOME: &str = "RUSTUP_HOME";
/// Allows `-Z` flags on stable: what build-std needs there.
pub const RUSTC_BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";
/// cargo's own test hook for the library source; honoured so that `build-std` is judged as cargo will.
pub const CARGO_TESTS_ONLY_SRC_ROOT: &str = "__CARGO_TESTS_ONLY_SRC_ROOT";
/// Flags that hide our `rustflags`.
pub const RUSTFLAGS: &str = "RUSTFLAGS";
/// The same, as cargo encodes them.
pub const CARGO_ENCODED_RUSTFLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";
/// The oldest macOS to run on: rustc's own variable, which the shims obey too.
pub const MACOSX_DEPLOYMENT_TARGET: &str = "MACOSX_DEPLOYMENT_TARGET";
/// Options that clang's driver adds to its command line.
pub const CCC_OVERRIDE_OPTIONS: &str = "CCC_OVERRIDE_OPTIONS";
/// Set by ccache for every program that it runs.
pub const CCACHE_DISABLE: &str = "CCACHE_DISABLE";
/// The rustc that cargo is told to use.
pub const RUSTC: &str = "RUSTC";

/// The variable's value when it is set and not empty.
pub fn non_empty(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|v| !v.is_empty())
}
