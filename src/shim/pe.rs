//! Versions in the header of a Windows program that is linked already.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// A version of which each part may be left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: Option<u16>,
    /// The second.
    pub minor: Option<u16>,
}

/// The versions that GNU ld sets by its options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Versions {
    /// Of the system that is needed; only a remark today.
    pub os: Version,
    /// Of the subsystem, by which Windows refuses a program that is too new.
    pub subsystem: Version,
}

/// Writes them into a program. The places are the same in both kinds of optional header (Microsoft's "PE Format",
/// "Optional Header Windows-Specific Fields").
pub(super) fn set_versions(path: &Path, versions: Versions) -> io::Result<()> {
    const SIGNATURE_AND_FILE_HEADER: u64 = 4 + 20;
    let mut file = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)?;
    let mut four = [0; 4];
    file.seek(SeekFrom::Start(0x3c))?;
    file.read_exact(&mut four)?;
    let start = u64::from(u32::from_le_bytes(four));
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut four)?;
    if &four != b"PE\0\0" {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no PE header"));
    }
    for (offset, value) in [
        (40, versions.os.major),
        (42, versions.os.minor),
        (48, versions.subsystem.major),
        (50, versions.subsystem.minor),
    ] {
        if let Some(value) = value {
            file.seek(SeekFrom::Start(start + SIGNATURE_AND_FILE_HEADER + offset))?;
            file.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use object::LittleEndian as LE;
    use object::pe::{ImageDosHeader, ImageNtHeaders64};
    use object::read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _};

    use super::*;

    /// Headers without anything behind them, as `object` reads them.
    fn program() -> Vec<u8> {
        let mut bytes = vec![0; 0x40 + size_of::<ImageNtHeaders64>()];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x40;
        bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
        bytes[0x40 + 24..0x40 + 26].copy_from_slice(&0x20b_u16.to_le_bytes());
        bytes[0x40 + 20] = 112;
        bytes
    }

    #[test]
    fn only_what_is_given_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.exe");
        fs_err::write(&path, program()).unwrap();
        let mut versions = Versions::default();
        versions.subsystem.major = Some(6);
        versions.subsystem.minor = Some(1);
        versions.os.minor = Some(2);
        set_versions(&path, versions).unwrap();
        let bytes = fs_err::read(&path).unwrap();
        let mut offset = ImageDosHeader::parse(&*bytes)
            .unwrap()
            .nt_headers_offset()
            .into();
        let (headers, _) = ImageNtHeaders64::parse(&*bytes, &mut offset).unwrap();
        let header = headers.optional_header();
        assert_eq!(header.major_subsystem_version.get(LE), 6);
        assert_eq!(header.minor_subsystem_version(), 1);
        assert_eq!(header.major_operating_system_version(), 0);
        assert_eq!(header.minor_operating_system_version.get(LE), 2);
    }

    #[test]
    fn another_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.exe");
        fs_err::write(&path, vec![7; 200]).unwrap();
        assert!(set_versions(&path, Versions::default()).is_err());
        assert_eq!(fs_err::read(&path).unwrap(), vec![7; 200]);
    }
}
