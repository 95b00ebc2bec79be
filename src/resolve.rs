//! (Manifest, host, request) → which toolchain in which version, from which sources. Pure: no file, no process.

use crate::help::Help;
use crate::manifest::{Artifact, Manifest, Source, Target, TargetTools, Toolchain};
use crate::pin::{AptPackage, Distribution, Pin, PinnedSource};
use crate::target::{Host, Triple, check_name};

/// A toolchain as the user writes it: `zig` or `zig@0.15.2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolchainSpec {
    /// The toolchain's name.
    pub name: String,
    /// The version, when one is asked for.
    pub version: Option<String>,
}

impl ToolchainSpec {
    /// Whether a pin is what it asks for.
    pub fn fits(&self, pin: &Pin) -> bool {
        self.name == pin.toolchain && self.version.as_ref().is_none_or(|v| *v == pin.version)
    }
}

impl std::str::FromStr for ToolchainSpec {
    type Err = crate::target::InvalidName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (name, version) = match s.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (s, None),
        };
        check_name(name, "toolchain name")?;
        if let Some(version) = version {
            check_name(version, "version")?;
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

impl std::fmt::Display for ToolchainSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The machine that a toolchain is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Its host name in the manifest.
    pub host: Host,
    /// Whether its distribution's apt can be asked.
    pub apt: bool,
}

/// What was chosen; everything borrowed from the manifest.
#[derive(Debug, Clone)]
pub struct Choice<'m> {
    /// The toolchain.
    pub toolchain: &'m Toolchain,
    /// Its archives for the machine.
    pub artifact: &'m Artifact,
    /// The artifact's sources that the machine can use, in order; never empty.
    pub sources: Vec<&'m Source>,
    /// What the target takes from it.
    pub tools: &'m TargetTools,
}

impl Choice<'_> {
    /// The pin, where the manifest has every digest; `None` for apt, whose index has them.
    pub fn pin(&self) -> Option<Pin> {
        let version = self.artifact.version.clone()?;
        let sources = self
            .sources
            .iter()
            .map(|source| source.pinned())
            .collect::<Option<Vec<_>>>()?;
        Some(self.pin_of(version, sources))
    }

    /// The packages that apt is to be asked for, and the one whose version is the toolchain's.
    pub fn apt(&self) -> Option<(&[String], &str)> {
        self.sources.iter().find_map(|s| match s {
            Source::Apt {
                packages,
                version_of,
            } => Some((packages.as_slice(), version_of.as_str())),
            _ => None,
        })
    }

    /// The pin of what apt answered.
    pub fn apt_pin(
        &self,
        distribution: Distribution,
        version: String,
        packages: Vec<AptPackage>,
    ) -> Pin {
        let source = PinnedSource::Apt {
            distribution,
            packages,
        };
        self.pin_of(version, vec![source])
    }

    fn pin_of(&self, version: String, sources: Vec<PinnedSource>) -> Pin {
        Pin {
            toolchain: self.toolchain.name.clone(),
            version,
            family: self.toolchain.family,
            sources,
        }
    }

    /// `zig 0.15.2`, or `mingw-w64 (apt)` where the distribution decides the version.
    pub fn describe(&self) -> String {
        match &self.artifact.version {
            Some(version) => format!("{} {version}", self.toolchain.name),
            None => format!("{} (apt)", self.toolchain.name),
        }
    }
}

/// Why there is no toolchain for a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The manifest does not have the target.
    #[error("Unknown target `{triple}`{}", nearest_text(nearest))]
    UnknownTarget {
        /// As asked for.
        triple: String,
        /// Triples of the manifest with a like name, the nearest first.
        nearest: Vec<String>,
    },
    /// The manifest does not have the toolchain.
    #[error("Unknown toolchain `{}`{}", toolchain.escape_debug(), nearest_text(nearest))]
    UnknownToolchain {
        /// As asked for.
        toolchain: String,
        /// The target.
        triple: Triple,
        /// Those of the target with a like name, the nearest first.
        nearest: Vec<String>,
        /// Those that build for the target.
        available: Vec<String>,
    },
    /// The target exists, but not with that toolchain.
    #[error("The toolchain `{toolchain}` does not build for `{triple}`")]
    NotForTarget {
        /// As asked for.
        toolchain: String,
        /// The target.
        triple: Triple,
        /// Those that do.
        available: Vec<String>,
    },
    /// The toolchain does not have that version.
    #[error("The manifest has no `{toolchain}` {version}")]
    NoVersion {
        /// The toolchain.
        toolchain: String,
        /// As asked for.
        version: String,
        /// Those that it has.
        available: Vec<String>,
    },
    /// No toolchain of the target runs on the host.
    #[error("No toolchain for `{triple}` runs on {host}{}", asked.as_ref().map(|n| format!(" (asked for: `{n}`)")).unwrap_or_default())]
    NotOnHost {
        /// The target.
        triple: Triple,
        /// The machine.
        host: Host,
        /// The toolchain that was asked for.
        asked: Option<String>,
        /// Those that would.
        available: Vec<String>,
    },
}

fn nearest_text(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    let names: Vec<String> = nearest.iter().map(|n| format!("`{n}`")).collect();
    format!(". Did you mean {}?", names.join(" or "))
}

impl Help for ResolveError {
    fn help(&self) -> Option<String> {
        match self {
            Self::UnknownTarget { nearest, .. } => Some(match nearest.first() {
                Some(n) => format!("xtool add {n}   (all targets: xtool list)"),
                None => "xtool list   (shows every target)".to_owned(),
            }),
            Self::UnknownToolchain {
                triple,
                nearest,
                available,
                ..
            } => {
                let name = nearest.first().or(available.first());
                name.map(|name| {
                    let all = available.join(", ");
                    format!("xtool add {triple} --toolchain {name}   (there are: {all})")
                })
            }
            Self::NotForTarget {
                available, triple, ..
            }
            | Self::NotOnHost {
                available, triple, ..
            } => Some(match available.first() {
                Some(t) => format!("xtool add {triple} --toolchain {t}"),
                None => format!("xtool show {triple}   (which hosts have which toolchain)"),
            }),
            Self::NoVersion {
                toolchain,
                available,
                ..
            } => Some(match available.as_slice() {
                [] => format!("--toolchain {toolchain}   (its version is the distribution's)"),
                versions => format!(
                    "--toolchain {toolchain}@{}   (there are: {})",
                    versions[0],
                    versions.join(", ")
                ),
            }),
        }
    }
}

/// The target, or an error that names the nearest ones.
pub fn target<'m>(manifest: &'m Manifest, triple: &Triple) -> Result<&'m Target, ResolveError> {
    manifest
        .target(triple)
        .ok_or_else(|| ResolveError::UnknownTarget {
            triple: triple.to_string(),
            nearest: nearest(manifest, triple.as_str()),
        })
}

/// The toolchain for one target on one machine: the one asked for, or the first in the target's order of which the
/// machine can use a source.
pub fn resolve<'m>(
    manifest: &'m Manifest,
    machine: Machine,
    triple: &Triple,
    want: Option<&ToolchainSpec>,
) -> Result<Choice<'m>, ResolveError> {
    let target = target(manifest, triple)?;
    let Some(want) = want else {
        return target
            .toolchains
            .iter()
            .find_map(|name| choose(manifest, machine, target, name, None))
            .ok_or_else(|| not_on_host(manifest, machine, target, None));
    };
    if !manifest.toolchains.contains_key(&want.name) {
        let names = target.toolchains.iter().map(String::as_str);
        return Err(ResolveError::UnknownToolchain {
            toolchain: want.name.clone(),
            triple: triple.clone(),
            nearest: alike(&want.name, names),
            available: target.toolchains.clone(),
        });
    }
    if !target.toolchains.contains(&want.name) {
        return Err(ResolveError::NotForTarget {
            toolchain: want.name.clone(),
            triple: triple.clone(),
            available: target.toolchains.clone(),
        });
    }
    let toolchain = &manifest.toolchains[&want.name];
    if let Some(version) = &want.version
        && !toolchain.versions().contains(&version.as_str())
    {
        return Err(ResolveError::NoVersion {
            toolchain: want.name.clone(),
            version: version.clone(),
            available: toolchain
                .versions()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        });
    }
    choose(
        manifest,
        machine,
        target,
        &want.name,
        want.version.as_deref(),
    )
    .ok_or_else(|| not_on_host(manifest, machine, target, Some(want.to_string())))
}

/// How hosts differ in what they would get for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// What this machine gets.
    pub here: String,
    /// What the others get, and which they are; hosts that get the same as this one are left out.
    pub elsewhere: Vec<(String, Vec<Host>)>,
    /// The hosts that get none, because they cannot have the toolchain that was asked for.
    pub without: Vec<Host>,
    /// The first of the target's toolchains that every host can have.
    pub common: Option<String>,
}

/// `None` where all hosts get the same toolchain, or, when none is asked for, all that can build for the target at
/// all. Of the other hosts nothing is known but their kind, so they count as without apt.
pub fn differing(
    manifest: &Manifest,
    machine: Machine,
    triple: &Triple,
    asked: Option<&ToolchainSpec>,
) -> Option<Differing> {
    let target = manifest.target(triple)?;
    let has = |machine, name: &String| choose(manifest, machine, target, name, None).is_some();
    let first = |machine| match asked {
        Some(want) => {
            let version = want.version.as_deref();
            choose(manifest, machine, target, &want.name, version).map(|_| &want.name)
        }
        None => target.toolchains.iter().find(|name| has(machine, name)),
    };
    let here = first(machine)?;
    let mut elsewhere: Vec<(String, Vec<Host>)> = Vec::new();
    let mut without = Vec::new();
    for host in Host::ALL {
        let bare = Machine { host, apt: false };
        if asked.is_some() && first(bare).is_none() {
            without.push(host);
        }
        let Some(name) = first(Machine { host, apt: false }).filter(|name| *name != here) else {
            continue;
        };
        match elsewhere.iter_mut().find(|(other, _)| other == name) {
            Some((_, hosts)) => hosts.push(host),
            None => elsewhere.push((name.clone(), vec![host])),
        }
    }
    let on_all = |name: &&String| {
        Host::ALL
            .into_iter()
            .all(|host| has(Machine { host, apt: false }, name))
    };
    (!elsewhere.is_empty() || !without.is_empty()).then(|| Differing {
        here: here.clone(),
        elsewhere,
        without,
        common: target.toolchains.iter().find(on_all).cloned(),
    })
}

/// Triples of the manifest whose names are like `name`, the nearest first, three at most.
pub fn nearest(manifest: &Manifest, name: &str) -> Vec<String> {
    alike(name, manifest.targets.keys().map(Triple::as_str))
}

fn alike<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = among
        .map(|other| (strsim::normalized_damerau_levenshtein(name, other), other))
        .filter(|(score, _)| *score > 0.6)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.truncate(3);
    scored.into_iter().map(|(_, t)| t.to_owned()).collect()
}

fn choose<'m>(
    manifest: &'m Manifest,
    machine: Machine,
    target: &'m Target,
    name: &str,
    version: Option<&str>,
) -> Option<Choice<'m>> {
    let toolchain = manifest.toolchains.get(name)?;
    let version = version.or(toolchain.version.as_deref());
    toolchain.artifacts.iter().find_map(|artifact| {
        let fits = artifact.host == machine.host
            && (artifact.version.is_none() || artifact.version.as_deref() == version)
            && (artifact.targets.is_empty() || artifact.targets.contains(&target.triple));
        let sources: Vec<&Source> = artifact
            .sources
            .iter()
            .filter(|s| machine.apt || !matches!(s, Source::Apt { .. }))
            .collect();
        (fits && !sources.is_empty()).then(|| Choice {
            toolchain,
            artifact,
            sources,
            tools: &target.tools[name],
        })
    })
}

fn not_on_host(
    manifest: &Manifest,
    machine: Machine,
    target: &Target,
    asked: Option<String>,
) -> ResolveError {
    ResolveError::NotOnHost {
        triple: target.triple.clone(),
        host: machine.host,
        asked,
        available: target
            .toolchains
            .iter()
            .filter(|n| choose(manifest, machine, target, n, None).is_some())
            .cloned()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::load(None).unwrap()
    }

    fn t(s: &str) -> Triple {
        s.parse().unwrap()
    }

    #[test]
    fn the_first_toolchain_that_the_machine_can_have() {
        let m = manifest();
        let on = |host, apt| {
            resolve(&m, Machine { host, apt }, &t("x86_64-pc-windows-gnu"), None)
                .unwrap()
                .toolchain
                .name
                .clone()
        };
        assert_eq!(on(Host::LinuxX64, true), "mingw-w64");
        assert_eq!(on(Host::LinuxX64, false), "zig");
        for host in Host::ALL {
            assert_eq!(on(host, false), "zig", "{host}");
        }
    }

    #[test]
    fn hosts_that_would_differ_are_told() {
        let m = manifest();
        let debian = Machine {
            host: Host::LinuxX64,
            apt: true,
        };
        let d = differing(&m, debian, &t("x86_64-pc-windows-gnu"), None).unwrap();
        assert_eq!(d.here, "mingw-w64");
        assert_eq!(d.elsewhere, [("zig".to_owned(), Host::ALL.to_vec())]);
        assert_eq!(d.common.as_deref(), Some("zig"));
        assert_eq!(
            differing(&m, debian, &t("aarch64-apple-darwin"), None),
            None
        );
        let bare = Machine {
            apt: false,
            ..debian
        };
        let windows = t("x86_64-pc-windows-gnu");
        assert_eq!(differing(&m, bare, &windows, None), None);
        // Asked for by name, it is the only one, and the others have none.
        let mingw = "mingw-w64".parse().unwrap();
        let d = differing(&m, debian, &windows, Some(&mingw)).unwrap();
        assert_eq!((d.elsewhere, d.without), (vec![], Host::ALL.to_vec()));
        assert_eq!(d.common.as_deref(), Some("zig"));
        let zig = "zig".parse().unwrap();
        assert_eq!(differing(&m, debian, &windows, Some(&zig)), None);
    }

    #[test]
    fn a_version_is_taken_exactly() {
        let m = manifest();
        let machine = Machine {
            host: Host::MacArm64,
            apt: false,
        };
        let want: ToolchainSpec = "zig@0.16.0".parse().unwrap();
        let choice = resolve(&m, machine, &t("aarch64-apple-darwin"), Some(&want)).unwrap();
        assert_eq!(choice.artifact.version.as_deref(), Some("0.16.0"));
        let want: ToolchainSpec = "zig@9".parse().unwrap();
        let e = resolve(&m, machine, &t("aarch64-apple-darwin"), Some(&want)).unwrap_err();
        assert!(matches!(e, ResolveError::NoVersion { .. }));
    }

    /// F62: an unknown triple names the nearest ones.
    #[test]
    fn unknown_target_names_the_nearest() {
        let m = manifest();
        let machine = Machine {
            host: Host::LinuxX64,
            apt: true,
        };
        let e = resolve(&m, machine, &t("x86_64-windows-gnu"), None).unwrap_err();
        assert!(e.to_string().contains("`x86_64-pc-windows-gnu`"), "{e}");
        let e = resolve(&m, machine, &t("qq-zz"), None).unwrap_err();
        assert!(e.help().unwrap().contains("xtool list"));
    }

    #[test]
    fn a_toolchain_that_the_host_cannot_have_names_one_that_it_can() {
        let m = manifest();
        let machine = Machine {
            host: Host::WindowsX64,
            apt: false,
        };
        let want: ToolchainSpec = "mingw-w64".parse().unwrap();
        let e = resolve(&m, machine, &t("x86_64-pc-windows-gnu"), Some(&want)).unwrap_err();
        assert_eq!(
            e.help().unwrap(),
            "xtool add x86_64-pc-windows-gnu --toolchain zig"
        );
    }

    #[test]
    fn a_spec_never_becomes_a_path() {
        for bad in ["../x", "zig@../../x", "a/b", "", "@1"] {
            assert!(bad.parse::<ToolchainSpec>().is_err(), "{bad}");
        }
    }
}
