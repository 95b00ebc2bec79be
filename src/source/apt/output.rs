//! What apt prints, parsed; and which names may be given to it.

use super::{AptError, sha256_of};
use crate::digest::Sha256;
use crate::pin::Distribution;

/// A line of `--print-uris`: `'<address>' <name>_<version>_<architecture>.deb <bytes> <hash>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uri: String,
    pub(super) file: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    pub(super) size: u64,
    /// Where apt prints this digest and no older one.
    pub(super) sha256: Option<Sha256>,
}

impl Listed {
    /// Every line that lists a file.
    pub(super) fn parse(text: &str) -> Result<Vec<Self>, AptError> {
        text.lines()
            .filter(|line| line.starts_with('\''))
            .map(|line| {
                Self::parse_line(line).ok_or_else(|| AptError::Answer {
                    line: crate::source::client::without_credentials(line),
                })
            })
            .collect()
    }

    fn parse_line(line: &str) -> Option<Self> {
        let (uri, rest) = line.strip_prefix('\'')?.split_once("' ")?;
        let mut words = rest.split(' ');
        let file = words.next()?;
        let size = words.next()?.parse().ok()?;
        let sha256 = words.next().and_then(sha256_of);
        let mut parts = file.strip_suffix(".deb")?.splitn(3, '_').map(decoded);
        let (name, version, architecture) = (parts.next()??, parts.next()??, parts.next()??);
        check_name(&name).ok()?;
        check_version(&version).ok()?;
        check_architecture(&architecture).ok()?;
        Some(Self {
            uri: uri.to_owned(),
            file: file.to_owned(),
            name,
            version,
            architecture,
            size,
            sha256,
        })
    }

    /// `name=version`, as apt takes it.
    pub(super) fn exact(&self) -> String {
        format!("{}={}", self.name, self.version)
    }
}

/// A package's record in the package lists: deb822(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    name: String,
    version: String,
    architecture: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
}

impl Record {
    /// Every record that has a digest.
    pub(super) fn parse(text: &str) -> Vec<Self> {
        text.split("\n\n").filter_map(Self::parse_one).collect()
    }

    fn parse_one(stanza: &str) -> Option<Self> {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        Some(Self {
            name: field("Package")?.to_owned(),
            version: field("Version")?.to_owned(),
            architecture: field("Architecture")?.to_owned(),
            size: field("Size")?.parse().ok()?,
            sha256: field("SHA256")?.parse().ok()?,
        })
    }

    /// Whether it is the record of this file: two sources may have files of one version that differ.
    pub(super) fn describes(&self, listed: &Listed) -> bool {
        self.name == listed.name
            && self.version == listed.version
            && self.architecture == listed.architecture
            && self.size == listed.size
            && listed.sha256.is_none_or(|d| d == self.sha256)
    }
}

/// Of a closure, what every host has and a toolchain must not bring: the C library, GCC's own run-time library, and
/// the empty packages `gcc-<number>-base`. (`gcc-mingw-w64-base` is a part of a toolchain.)
pub(super) fn is_left_out(name: &str) -> bool {
    let gcc_base = name
        .strip_prefix("gcc-")
        .and_then(|n| n.strip_suffix("-base"))
        .is_some_and(|n| {
            n.chars().next().is_some() && n.chars().all(|c| c.is_ascii_digit() || c == '.')
        });
    matches!(name, "libc6" | "libgcc-s1") || gcc_base
}

/// Debian Policy, section 5.6.1. A trailing `-` would mean removal to apt.
pub(super) fn check_name(name: &str) -> Result<(), AptError> {
    let ok = (2..=200).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+.-".contains(c));
    if ok {
        return Ok(());
    }
    Err(AptError::Name {
        name: name.to_owned(),
    })
}

/// Debian Policy, section 5.6.12.
pub(super) fn check_version(version: &str) -> Result<(), AptError> {
    let ok = (1..=200).contains(&version.len())
        && version.starts_with(|c: char| c.is_ascii_alphanumeric())
        && version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".+-~:".contains(c));
    if ok {
        return Ok(());
    }
    Err(AptError::Version {
        version: version.to_owned(),
    })
}

/// Debian Policy, section 5.6.8, of a binary package: it becomes a part of a file's name.
pub(super) fn check_architecture(name: &str) -> Result<(), AptError> {
    let ok = (1..=40).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if ok {
        return Ok(());
    }
    Err(AptError::Architecture {
        name: name.to_owned(),
    })
}

/// The distribution that an os-release file names: os-release(5).
pub(super) fn distribution(os_release: &str) -> Option<Distribution> {
    let field = |name: &str| {
        os_release.lines().find_map(|line| {
            let value = line.trim().strip_prefix(name)?.strip_prefix('=')?.trim();
            let value = value
                .strip_prefix(['"', '\''])
                .and_then(|v| v.strip_suffix(['"', '\'']))
                .unwrap_or(value);
            (!value.is_empty()).then(|| value.to_owned())
        })
    };
    let (id, codename) = (
        field("ID")?,
        field("VERSION_CODENAME").or_else(|| field("VERSION_ID"))?,
    );
    (!id.contains('/') && !codename.contains('/')).then_some(Distribution { id, codename })
}

/// Whether apt's settings (`apt-config dump`) have a proxy or certificates that only apt knows.
pub(super) fn only_apt(dump: &str) -> bool {
    dump.lines().any(|line| {
        let Some((key, value)) = line.split_once(' ') else {
            return false;
        };
        let value = value.trim_end_matches(';').trim_matches('"');
        let key = key.to_ascii_lowercase();
        let ours = ["acquire::http::", "acquire::https::"]
            .iter()
            .find_map(|prefix| key.strip_prefix(prefix));
        let set = !value.is_empty() && !value.eq_ignore_ascii_case("direct");
        set && ours.is_some_and(|name| {
            ["proxy", "cainfo", "capath", "sslcert"]
                .iter()
                .any(|setting| name.starts_with(setting))
        })
    })
}

/// apt writes `_` and `:` in the parts of a file's name as `%5f` and `%3a`.
fn decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let byte = u8::from_str_radix(after.get(..2)?, 16).ok()?;
        out.push_str(before);
        out.push(char::from(byte));
        rest = &after[2..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pin::AptPackage;

    const URIS: &str = "\
'http://deb.invalid/debian/pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb' zlib1g_1%3a1.2.13.dfsg-1_amd64.deb 86684 MD5Sum:ec42cc09e926444a817ddd913057af67
'http://deb.invalid/debian/pool/main/m/mingw-w64/mingw-w64-common_10.0.0-3_all.deb' mingw-w64-common_10.0.0-3_all.deb 5168888 SHA256:1317a00bbbc3866a6d23ff177bc3f6c92ccbfc9489f8d5314bfac76cf60ffc19
'http://deb.invalid/debian/pool/main/g/gcc-mingw-w64/g%2b%2b-mingw-w64-x86-64-posix_12.2.0-14%2bdeb12u1%2b25.2%2bb1_amd64.deb' g++-mingw-w64-x86-64-posix_12.2.0-14+deb12u1+25.2+b1_amd64.deb 12986620 MD5Sum:5c462ae8107fb8a47e3618b5b36b7992
";

    const SHOW: &str = "\
Package: zlib1g
Source: zlib
Version: 1:1.2.13.dfsg-1
Installed-Size: 168
Architecture: amd64
Provides: libz1
Description: compression library - runtime
 zlib is a library implementing the deflate compression method found
 Size: 1 in a description is no field
Filename: pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_amd64.deb
Size: 86684
MD5sum: ec42cc09e926444a817ddd913057af67
SHA256: d7dd1d1411fedf27f5e27650a6eff20ef294077b568f4c8c5e51466dc7c08ce4

Package: mingw-w64-common
Version: 10.0.0-3
Architecture: all
Size: 5168888
SHA256: 0000000000000000000000000000000000000000000000000000000000000000

Package: mingw-w64-common
Version: 10.0.0-3
Architecture: all
Size: 5168888
SHA256: 1317a00bbbc3866a6d23ff177bc3f6c92ccbfc9489f8d5314bfac76cf60ffc19

";

    #[test]
    fn both_answers_of_apt_are_joined() {
        let listed = Listed::parse(URIS).unwrap();
        assert_eq!(listed.len(), 3);
        assert_eq!(listed[0].exact(), "zlib1g=1:1.2.13.dfsg-1");
        assert_eq!((listed[0].size, listed[0].sha256), (86684, None));
        assert_eq!(listed[1].architecture, "all");
        assert_eq!(listed[2].name, "g++-mingw-w64-x86-64-posix");
        assert_eq!(listed[2].version, "12.2.0-14+deb12u1+25.2+b1");

        let records = Record::parse(SHOW);
        assert_eq!(records.len(), 3);
        assert!(records[0].describes(&listed[0]));
        // The same version from two sources: the one that apt would take.
        assert!(!records[1].describes(&listed[1]) && records[2].describes(&listed[1]));
        assert!(!records.iter().any(|r| r.describes(&listed[2])));
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error_without_credentials() {
        for bad in [
            "'http://u:s3cret@deb.invalid/x.deb' x",
            "'http://u:s3cret@deb.invalid/x.deb' a_1_amd64.deb many",
            "'http://u:s3cret@deb.invalid/x.deb' ..%2f_1_amd64.deb 1",
            "'http://u:s3cret@deb.invalid/x.deb' ab_1_../x.deb 1",
            "'http://u:s3cret@deb.invalid/x.deb' ab_1_%zz.deb 1",
        ] {
            let error = Listed::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert_eq!(Listed::parse("Reading package lists...\n\n").unwrap(), []);
    }

    #[test]
    fn only_the_hosts_own_runtime_is_left_out() {
        for name in ["libc6", "libgcc-s1", "gcc-12-base", "gcc-4.9-base"] {
            assert!(is_left_out(name), "{name}");
        }
        for name in [
            "gcc-mingw-w64-base",
            "gcc-12-cross-base",
            "gcc-12-aarch64-linux-gnu-base",
            "gcc--base",
            "libc6-dev",
            "libc6-arm64-cross",
            "libgcc-s1-arm64-cross",
            "libstdc++6",
        ] {
            assert!(!is_left_out(name), "{name}");
        }
    }

    #[test]
    fn names_that_apt_would_take_for_something_else_are_refused() {
        for bad in [
            "", "-o", "a", "gcc-", "GCC", "a/b", "a=1", "a*", "../x", "a\0b", "~nfoo", "?all",
        ] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        for good in ["g++-mingw-w64-x86-64-posix", "libstdc++6", "0ad"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-1", "1/2", "1 2", "1_2", "1\n"] {
            assert!(check_version(bad).is_err(), "{bad:?}");
        }
        assert!(check_version("1:1.2.13~rc1.dfsg-1+b2").is_ok());
        for bad in ["", "..", "a/b", "AMD64"] {
            assert!(check_architecture(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_distribution_is_read_from_os_release() {
        let of = |text: &str| distribution(text).map(|d| d.to_string());
        assert_eq!(
            of("PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n")
                .as_deref(),
            Some("debian/bookworm")
        );
        assert_eq!(
            of("ID='x'\nVERSION_ID=3\nVERSION_CODENAME=\n").as_deref(),
            Some("x/3")
        );
        assert_eq!(of("NAME=Arch\nID=arch\n"), None);
        assert_eq!(of("ID=a/b\nVERSION_ID=1"), None);
    }

    #[test]
    fn settings_that_only_apt_can_follow_are_seen() {
        assert!(!only_apt(
            "Acquire \"\";\nAcquire::http \"\";\nAcquire::http::Pipeline-Depth \"10\";\n"
        ));
        assert!(!only_apt(
            "Acquire::http::Proxy \"DIRECT\";\nAcquire::https::Proxy \"\";\n"
        ));
        assert!(only_apt(
            "Acquire::http::Proxy \"http://p.invalid:3142\";\n"
        ));
        assert!(only_apt(
            "Acquire::http::Proxy-Auto-Detect \"/usr/bin/detect\";\n"
        ));
        assert!(only_apt(
            "Acquire::https::deb.invalid \"\";\nAcquire::HTTPS::CaInfo \"/etc/ca.pem\";\n"
        ));
    }

    #[test]
    fn files_are_named_as_apt_names_them() {
        for listed in Listed::parse(URIS).unwrap() {
            let package = AptPackage {
                name: listed.name,
                version: listed.version,
                architecture: listed.architecture,
                archive: crate::archive::Archive {
                    file: String::new(),
                    sha256: Sha256::of(b""),
                    size: None,
                },
            };
            assert_eq!(package.file_name(), listed.file);
        }
    }
}
