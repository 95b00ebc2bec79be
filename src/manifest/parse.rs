//! TOML text to a [`Manifest`]: the keys, then the cross references.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use url::Url;

use super::parts::{target_parts, toolchain_parts};
use super::reader::{At, Table, Text};
use super::{Artifact, Family, Manifest, Source, Target, TargetTools, Toolchain};
use crate::archive::Archive;
use crate::digest::Sha256;
use crate::help::Help;
use crate::parts::Parts;
use crate::target::{Host, Triple, check_name};

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file could not be read.
    #[error("Cannot read the manifest `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is not TOML, or not what a manifest is made of.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// What was found and what was expected.
        message: String,
    },
}

impl Help for ManifestError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some(
                "name an existing file with `--manifest` or XTOOL_MANIFEST, or unset it for the built-in manifest"
                    .to_owned(),
            ),
            Self::Invalid { path, line, .. } if path.is_file() => {
                Some(format!("mend line {line} of `{}`, then run the command again", path.display()))
            }
            Self::Invalid { .. } => None,
        }
    }
}

/// The manifest format that this program reads.
const SCHEMA: u64 = 1;

impl Manifest {
    /// Parses and validates; `path` is for messages, and what relative `path` sources are relative to.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ManifestError> {
        Self::parse_over(text, path, Self::default())
    }

    /// The same on top of another manifest: a toolchain or target of the text replaces the one of that name.
    pub fn parse_over(text: &str, path: &Path, base: Self) -> Result<Self, ManifestError> {
        let text = Text { path, text };
        let document = DeTable::parse(text.text).map_err(|e| {
            text.error(
                &e.span().unwrap_or_default(),
                format!("Not TOML: {}", e.message()),
            )
        })?;
        let mut top = Table::new(text, "the manifest", document.get_ref(), document.span());
        match top.integer("schema")? {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(top.error(format!(
                    "`schema` is {other}: this xtool reads schema {SCHEMA}; a newer one may need a newer xtool"
                )));
            }
            None => return Err(top.error(format!("The manifest lacks `schema = {SCHEMA}`"))),
        }
        let mut manifest = base;
        if let Some(value) = top.take("toolchain") {
            for (name, table) in Table::of(text, "toolchain", value)?.named_tables()? {
                let toolchain = toolchain(&name, table)?;
                manifest
                    .toolchains
                    .insert(toolchain.name.clone(), toolchain);
            }
        }
        if let Some(value) = top.take("target") {
            for (name, table) in Table::of(text, "target", value)?.named_tables()? {
                let target = target(&name, table, &manifest.toolchains)?;
                manifest.targets.insert(target.triple.clone(), target);
            }
        }
        top.finish()?;
        Ok(manifest)
    }
}

fn toolchain(name: &At<&str>, mut table: Table<'_>) -> Result<Toolchain, ManifestError> {
    let text = table.text();
    check_name(name.value, "toolchain name").map_err(|e| text.error(&name.span, e.to_string()))?;
    let version = table.parsed("version", version)?;
    let family = table.required_parsed("family", family)?;
    let license = table.required("license")?.value.to_owned();
    let library_path = relative_all(&text, table.strings("library-path")?)?;
    let parts = match table.take("parts") {
        Some(value) => toolchain_parts(Table::of(text, "parts", value)?)?,
        None => Parts::default(),
    };
    let mut artifacts = Vec::new();
    let tables = table.tables("artifact")?;
    if tables.is_empty() {
        return Err(table.error(format!(
            "The toolchain `{}` has no artifact: expected at least one `[[toolchain.{0}.artifact]]`",
            name.value
        )));
    }
    for t in tables {
        artifacts.push(artifact(t, version.as_deref())?);
    }
    if let Some(v) = &version
        && !artifacts.iter().any(|a| a.version.as_ref() == Some(v))
    {
        return Err(table.error(format!(
            "The toolchain `{}` has no artifact of its `version` {v}",
            name.value
        )));
    }
    table.finish()?;
    Ok(Toolchain {
        name: name.value.to_owned(),
        version,
        family,
        license,
        artifacts,
        library_path,
        parts,
    })
}

fn artifact(
    mut table: Table<'_>,
    default_version: Option<&str>,
) -> Result<Artifact, ManifestError> {
    let text = table.text();
    let host = table.required_parsed("host", str::parse::<Host>)?;
    let own_version = table.parsed("version", version)?;
    let targets = table
        .strings("targets")?
        .into_iter()
        .map(|at| {
            at.value
                .parse::<Triple>()
                .map_err(|e| text.error(&at.span, e.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let sources = table
        .tables("sources")?
        .into_iter()
        .map(source)
        .collect::<Result<Vec<_>, _>>()?;
    if sources.is_empty() {
        return Err(table.error(
            "An artifact has no `sources`: expected an array of tables, each with `url`, `pypi`, `apt` or `path`",
        ));
    }
    let apt_only = sources.iter().any(|s| matches!(s, Source::Apt { .. }));
    if apt_only && sources.len() > 1 {
        // Its files lie elsewhere than another source's, and a target's paths are one set.
        return Err(
            table.error("An `apt` source stands beside another: expected it alone in its artifact")
        );
    }
    let version = match own_version.or_else(|| default_version.map(str::to_owned)) {
        Some(v) => Some(v),
        None if apt_only => None,
        None => {
            return Err(table.error(
                "An artifact has no `version`, and neither has its toolchain: expected one, since it is not from apt",
            ));
        }
    };
    table.finish()?;
    Ok(Artifact {
        version,
        host,
        targets,
        sources,
    })
}

fn source(mut table: Table<'_>) -> Result<Source, ManifestError> {
    let text = table.text();
    let kinds = ["url", "pypi", "apt", "path"];
    if let Some(packages) = non_empty(table.strings("apt")?) {
        let version_of = table.string("version-of")?.map(|a| a.value.to_owned());
        let packages = packages
            .into_iter()
            .map(|at| match check_package(at.value) {
                Ok(()) => Ok(at.value.to_owned()),
                Err(e) => Err(text.error(&at.span, e)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let version_of = version_of.unwrap_or_else(|| packages[0].clone());
        if !packages.contains(&version_of) {
            return Err(table.error(format!(
                "`version-of` is `{version_of}`: expected one of the packages in `apt`"
            )));
        }
        table.finish()?;
        return Ok(Source::Apt {
            packages,
            version_of,
        });
    }
    let url = table.parsed("url", https_url)?;
    let pypi = table.string("pypi")?;
    let path = table.string("path")?;
    if [url.is_some(), pypi.is_some(), path.is_some()]
        .iter()
        .filter(|x| **x)
        .count()
        != 1
    {
        return Err(table.error(format!(
            "A source has none or several of its kinds: expected exactly one of `{}`",
            kinds.join("`, `")
        )));
    }
    let sha256 = table.required_parsed("sha256", str::parse::<Sha256>)?;
    let size = table.integer("size")?;
    let root = table.parsed("root", relative)?;
    let file = table.parsed("file", file_name)?;
    let source = if let Some(url) = url {
        let last = url
            .path_segments()
            .and_then(|mut s| s.next_back())
            .unwrap_or_default();
        let file = match file {
            Some(file) => file,
            None => file_name(last)
                .map_err(|e| table.error(format!("`url` ends in no file name: {e}")))?,
        };
        Source::Url {
            url,
            archive: Archive { file, sha256, size },
            root,
            minisign: table.string("minisign")?.map(|a| a.value.to_owned()),
        }
    } else if let Some(pypi) = pypi {
        check_package(pypi.value).map_err(|e| text.error(&pypi.span, e))?;
        let Some(file) = file else {
            return Err(table.error("A `pypi` source lacks `file`: expected the wheel's file name"));
        };
        Source::Pypi {
            package: pypi.value.to_owned(),
            archive: Archive { file, sha256, size },
            root,
        }
    } else {
        let given = path.map(|a| a.value).unwrap_or_default();
        let base = text.path.parent().unwrap_or(Path::new(""));
        let full = base.join(given);
        let name = full
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let file = match file {
            Some(file) => file,
            None => file_name(&name).map_err(|e| table.error(format!("`path`: {e}")))?,
        };
        Source::Path {
            path: full,
            archive: Archive { file, sha256, size },
            root,
        }
    };
    table.finish()?;
    Ok(source)
}

fn target(
    name: &At<&str>,
    mut table: Table<'_>,
    known: &BTreeMap<String, Toolchain>,
) -> Result<Target, ManifestError> {
    let text = table.text();
    let triple: Triple = name
        .value
        .parse()
        .map_err(|e: crate::target::InvalidName| text.error(&name.span, e.to_string()))?;
    let mut toolchains: Vec<String> = Vec::new();
    for at in table.strings("toolchains")? {
        if !known.contains_key(at.value) {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(text.error(
                &at.span,
                format!(
                    "The target names the toolchain `{}`, which the manifest does not have: expected one of {}",
                    at.value.escape_debug(),
                    names.join(", ")
                ),
            ));
        }
        if toolchains.iter().any(|t| t == at.value) {
            return Err(text.error(
                &at.span,
                format!("The toolchain `{}` stands here twice", at.value),
            ));
        }
        toolchains.push(at.value.to_owned());
    }
    if toolchains.is_empty() {
        return Err(table.error(format!(
            "The target `{triple}` lacks `toolchains`: expected an array of toolchain names"
        )));
    }
    let runner = table.string("runner")?.map(|a| a.value.to_owned());
    let mut tools = BTreeMap::new();
    for (toolchain, sub) in table.named_tables()? {
        if !toolchains.iter().any(|t| t == toolchain.value) {
            return Err(text.error(
                &toolchain.span,
                format!(
                    "`[target.{triple}.{}]` describes a toolchain that is not in the target's `toolchains`",
                    toolchain.value.escape_debug()
                ),
            ));
        }
        let known = &known[toolchain.value];
        tools.insert(
            toolchain.value.to_owned(),
            target_tools(sub, &triple, known)?,
        );
    }
    for t in &toolchains {
        let of_zig = known[t].family == Family::Zig;
        let complete = tools.get(t).is_some_and(|tools: &TargetTools| {
            if of_zig {
                tools.zig_target.is_some()
            } else {
                tools.linker.is_some() && tools.ar.is_some()
            }
        });
        if !complete {
            let keys = if of_zig {
                "`zig-target`"
            } else {
                "`linker` and `ar`"
            };
            return Err(text.error(
                &name.span,
                format!("The target `{triple}` lacks `[target.{triple}.{t}]` with {keys}"),
            ));
        }
    }
    Ok(Target {
        triple,
        toolchains,
        runner,
        tools,
    })
}

fn target_tools(
    mut table: Table<'_>,
    triple: &Triple,
    toolchain: &Toolchain,
) -> Result<TargetTools, ManifestError> {
    let parts = target_parts(&mut table, toolchain)?;
    let fill = |s: &str| {
        relative(
            &s.replace("{triple}", triple.as_str())
                .replace("{arch}", triple.arch()),
        )
    };
    let tools = TargetTools {
        linker: table.parsed("linker", fill)?,
        cxx: table.parsed("cxx", fill)?,
        ar: table.parsed("ar", fill)?,
        ranlib: table.parsed("ranlib", fill)?,
        dlltool: table.parsed("dlltool", fill)?,
        windres: table.parsed("windres", fill)?,
        strip: table.parsed("strip", fill)?,
        lipo: table.parsed("lipo", fill)?,
        nm: table.parsed("nm", fill)?,
        otool: table.parsed("otool", fill)?,
        install_name_tool: table.parsed("install-name-tool", fill)?,
        lld: table.parsed("lld", fill)?,
        sysroot: table.parsed("sysroot", fill)?,
        zig_target: table.string("zig-target")?.map(|a| a.value.to_owned()),
        zig_cpu: table.string("zig-cpu")?.map(|a| a.value.to_owned()),
        glibc: table.parsed("glibc", glibc_version)?,
        parts,
    };
    table.finish()?;
    Ok(tools)
}

/// The numbers at the beginning of a version, by which two are compared: 0, 17, 1 of `0.17.1-dev.3`.
pub fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(['.', '-', '+']);
    parts.map_while(|part| part.parse().ok()).collect()
}

/// A glibc version: `2.17`.
pub fn glibc_version(text: &str) -> Result<String, String> {
    let ok = text
        .strip_prefix("2.")
        .is_some_and(|minor| minor.len() <= 2 && minor.parse::<u8>().is_ok());
    if ok {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{}` is not a glibc version: expected one such as `2.17`",
            text.escape_debug()
        ))
    }
}

fn version(text: &str) -> Result<String, String> {
    check_name(text, "version").map_err(|e| e.to_string())?;
    Ok(text.to_owned())
}

fn family(text: &str) -> Result<Family, String> {
    match text {
        "zig" => Ok(Family::Zig),
        "gcc" => Ok(Family::Gcc),
        "clang" => Ok(Family::Clang),
        _ => Err(format!(
            "`{}` is not a family: expected `zig`, `gcc` or `clang`",
            text.escape_debug()
        )),
    }
}

/// HTTPS; plain HTTP only to this machine, where tests and mirrors listen.
fn https_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("not an address: {e}"))?;
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
        Ok(url)
    } else {
        Err(format!(
            "the scheme is `{}`: expected an `https` address",
            url.scheme()
        ))
    }
}

/// A path below a folder that never leaves it.
fn relative(text: &str) -> Result<String, String> {
    let ok = !text.is_empty()
        && !text.contains(['\\', ':', '\0'])
        && text
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    if ok {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{}` is not a path inside the toolchain: expected names joined by `/`, without `..`",
            text.escape_debug()
        ))
    }
}

fn relative_all(text: &Text<'_>, items: Vec<At<&str>>) -> Result<Vec<String>, ManifestError> {
    items
        .into_iter()
        .map(|at| relative(at.value).map_err(|e| text.error(&at.span, e)))
        .collect()
}

/// One component of a path.
pub fn file_name(text: &str) -> Result<String, String> {
    let ok = text.len() <= 255
        && !text.starts_with('.')
        && !text.is_empty()
        && !text.chars().any(|c| c.is_control() || "/\\:".contains(c));
    if ok {
        Ok(text.to_owned())
    } else {
        Err(format!("`{}` is not a file name", text.escape_debug()))
    }
}

/// Package names of PyPI (PEP 508) and of Debian (policy 5.6.1) alike.
fn check_package(name: &str) -> Result<(), String> {
    check_name(name, "package name").map_err(|e| e.to_string())
}

fn non_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}
