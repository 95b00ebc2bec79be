//! A driver as an ELF program of a few hundred bytes: headers, code, the name of what it runs, the identity.
//!
//! The code is assembled from the sources beside this file (`scripts/drivers.sh`), so that the bytes of a driver do not
//! depend on who builds xtool. The headers are those of the System V ABI, "Object Files" and "Program Loading".

/// Machines that a launcher is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    X86_64,
    Aarch64,
}

/// Where the file is mapped, and the largest page of both machines: offsets and addresses agree modulo it.
const BASE: u64 = 0x40_0000;
const PAGE: u64 = 0x1_0000;
const HEADER: u16 = 64;
const SEGMENT: u16 = 56;

impl Machine {
    /// The machine that xtool runs on; `None` where no launcher is written for it.
    #[cfg(target_os = "linux")]
    pub(super) fn of_this_program() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// `e_machine`.
    fn number(self) -> u16 {
        match self {
            Self::X86_64 => 62,
            Self::Aarch64 => 183,
        }
    }

    fn code(self) -> &'static [u8] {
        match self {
            Self::X86_64 => include_bytes!("x86_64.bin"),
            Self::Aarch64 => include_bytes!("aarch64.bin"),
        }
    }
}

/// The program that runs `target`, a path relative to its own folder.
pub(super) fn program(machine: Machine, target: &str, identity: &str) -> Vec<u8> {
    let start = u64::from(HEADER) + 2 * u64::from(SEGMENT);
    let mut tail = target.as_bytes().to_vec();
    tail.push(0);
    tail.extend_from_slice(identity.as_bytes());
    let code = machine.code();
    let size = start + (code.len() + tail.len()) as u64;

    let mut out = Vec::with_capacity(1024);
    // Identification: 64 bits, little-endian, version 1, System V.
    out.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    for half in [2, machine.number()] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    out.extend_from_slice(&1_u32.to_le_bytes());
    // Entry, program headers, section headers.
    for wide in [BASE + start, u64::from(HEADER), 0] {
        out.extend_from_slice(&wide.to_le_bytes());
    }
    out.extend_from_slice(&0_u32.to_le_bytes());
    for half in [HEADER, SEGMENT, 2, 0, 0, 0] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    // PT_LOAD, readable and executable: the whole file.
    segment(&mut out, 1, 5, [0, BASE, BASE, size, size, PAGE]);
    // PT_GNU_STACK, readable and writable: without it Linux makes the stack executable.
    segment(&mut out, 0x6474_e551, 6, [0, 0, 0, 0, 0, 16]);
    out.extend_from_slice(code);
    out.extend_from_slice(&tail);
    out
}

fn segment(out: &mut Vec<u8>, kind: u32, flags: u32, fields: [u64; 6]) {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    for field in fields {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use object::{Object as _, ObjectKind, ObjectSegment as _};

    use super::*;

    /// Both machines' code: this one's by itself, the other's in an emulator, which starts what it runs on this machine.
    #[cfg(target_os = "linux")]
    #[test]
    fn it_runs_what_lies_beside_it() {
        use crate::shim::driver::tests::{said_by, tell};
        for (machine, emulator) in [
            (Machine::X86_64, "qemu-x86_64"),
            (Machine::Aarch64, "qemu-aarch64"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let cc = tell(dir.path(), &program(machine, "tools/cc", "identity\n"));
            if Machine::of_this_program() == Some(machine) {
                assert_eq!(said_by(cc.as_os_str(), &["a b", "c"]), "a b\nc\n");
            } else {
                let args = [cc.to_str().unwrap(), "a b", "c"];
                assert_eq!(said_by(emulator.as_ref(), &args), "a b\nc\n");
            }
        }
    }

    #[test]
    fn it_is_a_static_program_without_a_path() {
        for machine in [Machine::X86_64, Machine::Aarch64] {
            let bytes = program(machine, "tools/cc", "toolchain zig-0.15.2-0a1b2c3d\n");
            let file = object::File::parse(&*bytes).unwrap();
            assert_eq!(file.kind(), ObjectKind::Executable);
            let load = file.segments().next().unwrap();
            assert_eq!(load.data().unwrap(), bytes);
            assert_eq!(file.entry(), BASE + 176);
            assert!(bytes.len() < 1024, "{}", bytes.len());
            let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
            assert!(holds("tools/cc\0toolchain zig"));
        }
    }
}
