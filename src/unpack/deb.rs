//! A Debian package: an ar archive with `debian-binary`, a control tar, and the data tar that is unpacked (deb(5)).
//! Maintainer scripts are in the control tar, which is not even opened.
//!
//! The outer archive is read here rather than with the `ar` crate, which panics on a name index out of range and takes
//! as much memory as a header asks for.

use std::io::Read;

use super::dest::Dest;
use super::format::Compression;
use super::input::FilePart;
use super::plan::{Entries, Plan};
use super::{Cause, gate, tarball};

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;
/// More members than any package has; deb(5) knows three, and lets others be skipped.
const MAX_MEMBERS: usize = 64;

/// One file of the outer archive.
struct Member {
    name: String,
    content: FilePart,
}

/// Unpacks the data tar of `content`, but for its links.
pub fn unpack<'p>(
    content: &FilePart,
    plan: &'p Plan<'p>,
    dest: &Dest<'_>,
) -> Result<Entries<'p>, Cause> {
    let mut members = members(content)?.into_iter();
    let first = members
        .next()
        .filter(|m| m.name == "debian-binary")
        .ok_or_else(|| malformed("its first member is not `debian-binary`"))?;
    check_version(&first.content)?;
    let mut data: Vec<Member> = members.filter(|m| m.name.starts_with("data.tar")).collect();
    let data = match (data.pop(), data.is_empty()) {
        (None, _) => return Err(malformed("it has no data.tar")),
        (Some(data), true) => data,
        (Some(_), false) => return Err(malformed("it has more than one data.tar")),
    };
    let compression = match data.name.as_str() {
        "data.tar" => Compression::None,
        "data.tar.gz" => Compression::Gzip,
        "data.tar.xz" => Compression::Xz,
        "data.tar.zst" => Compression::Zstd,
        other => return Err(malformed(format!("`{other}` is in an unknown compression"))),
    };
    tarball::unpack(data.content, compression, plan, dest)
}

/// deb(5): the format's major number is 2; a new minor one may only add members.
fn check_version(content: &FilePart) -> Result<(), Cause> {
    let mut version = Vec::new();
    content
        .part(0, 16)
        .read_to_end(&mut version)
        .map_err(|source| Cause::Damaged { source })?;
    if version.starts_with(b"2.") {
        return Ok(());
    }
    Err(malformed(format!(
        "its format version is `{}` and must be 2.x",
        gate::escaped(version.trim_ascii())
    )))
}

/// The members in order, without reading their content.
fn members(content: &FilePart) -> Result<Vec<Member>, Cause> {
    let mut members = Vec::new();
    let mut at = MAGIC.len() as u64;
    while at < content.len() {
        let mut header = [0; HEADER];
        content
            .part(at, content.len())
            .read_exact(&mut header)
            .map_err(|source| Cause::Damaged { source })?;
        let (name, size) = parse_header(&header)?;
        let start = at + HEADER as u64;
        let end = start
            .checked_add(size)
            .filter(|end| *end <= content.len())
            .ok_or_else(|| malformed(format!("`{name}` ends beyond the end of the archive")))?;
        if members.len() == MAX_MEMBERS {
            return Err(malformed("it has too many members"));
        }
        members.push(Member {
            name,
            content: content.part(start, end),
        });
        // Members begin at even offsets.
        at = end + end % 2;
    }
    Ok(members)
}

/// Name and size of a member (ar(5): name 16 bytes, …, size 10 bytes in decimal at 48, the end mark at 58). Debian's
/// variant has short names only, some with a slash at the end.
fn parse_header(header: &[u8; HEADER]) -> Result<(String, u64), Cause> {
    if !header.ends_with(b"`\n") {
        return Err(malformed("a member's header has no end mark"));
    }
    let name = header[..16].trim_ascii_end();
    let name = name.strip_suffix(b"/").unwrap_or(name);
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) || name.starts_with(b"#1/") {
        return Err(malformed(format!(
            "`{}` is no member's name",
            gate::escaped(name)
        )));
    }
    let name = gate::escaped(name);
    let digits = header[48..58].trim_ascii_end();
    let size = std::str::from_utf8(digits)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| {
            malformed(format!(
                "the size of `{name}` is `{}`",
                gate::escaped(digits)
            ))
        })?;
    Ok((name, size))
}

fn malformed(what: impl Into<String>) -> Cause {
    Cause::Malformed {
        format: "deb",
        what: what.into(),
    }
}
