//! Small binaries, byte by byte: what no toolchain on the test machine would make.

/// Bytes with numbers of either order.
struct Bytes {
    out: Vec<u8>,
    big: bool,
}

impl Bytes {
    fn new(big: bool) -> Self {
        Self {
            out: Vec::new(),
            big,
        }
    }

    fn u16(&mut self, n: u16) {
        self.out.extend(if self.big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        });
    }

    fn u32(&mut self, n: u32) {
        self.out.extend(if self.big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        });
    }

    fn u64(&mut self, n: u64) {
        self.out.extend(if self.big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        });
    }

    /// A number as wide as an address.
    fn word(&mut self, wide: bool, n: u64) {
        if wide {
            self.u64(n);
        } else {
            self.u32(u32::try_from(n).unwrap());
        }
    }

    fn text(&mut self, s: &str) {
        self.out.extend(s.as_bytes());
        self.out.push(0);
    }

    fn pad(&mut self, to: usize) {
        assert!(self.out.len() <= to, "{} > {to}", self.out.len());
        self.out.resize(to, 0);
    }

    fn len(&self) -> u64 {
        self.out.len() as u64
    }
}

/// An ELF program or library with a dynamic table and no section headers.
#[derive(Clone)]
pub struct Elf {
    pub wide: bool,
    pub big: bool,
    pub machine: u16,
    pub flags: u32,
    pub interpreter: Option<&'static str>,
    pub needed: Vec<&'static str>,
    pub soname: Option<&'static str>,
    pub runpath: Option<&'static str>,
    /// Library, versions.
    pub versions: Vec<(&'static str, Vec<&'static str>)>,
}

pub const X86_64: u16 = 62;
pub const AARCH64: u16 = 183;
pub const ARM: u16 = 40;
pub const RISCV: u16 = 243;
pub const S390: u16 = 22;
pub const MIPS: u16 = 8;

impl Default for Elf {
    /// A program for glibc on x86-64 that wants nothing.
    fn default() -> Self {
        Self {
            wide: true,
            big: false,
            machine: X86_64,
            flags: 0,
            interpreter: Some("/lib64/ld-linux-x86-64.so.2"),
            needed: vec!["libc.so.6"],
            soname: None,
            runpath: None,
            versions: Vec::new(),
        }
    }
}

impl Elf {
    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let (header, entry) = if self.wide { (64, 56) } else { (52, 32) };
        let mut segments = vec![(1, 5), (0x6474_e551, 6)];
        if self.interpreter.is_some() {
            segments.push((3, 4));
        }
        let dynamic = !self.needed.is_empty() || self.soname.is_some();
        if dynamic {
            segments.push((2, 6));
        }
        let body = header + entry * segments.len();

        let mut out = Bytes::new(self.big);
        out.pad(body);
        let interpreter = out.len();
        out.text(self.interpreter.unwrap_or_default());
        let interpreter_end = out.len();

        let strings = out.len();
        out.text("");
        let name = |out: &mut Bytes, s: &str| {
            let at = out.len() - strings;
            out.text(s);
            at
        };
        let needed: Vec<u64> = self.needed.iter().map(|n| name(&mut out, n)).collect();
        let soname = self.soname.map(|s| name(&mut out, s));
        let runpath = self.runpath.map(|s| name(&mut out, s));
        let versions: Vec<(u64, Vec<u64>)> = self
            .versions
            .iter()
            .map(|(lib, names)| {
                (
                    name(&mut out, lib),
                    names.iter().map(|n| name(&mut out, n)).collect(),
                )
            })
            .collect();
        let strings_end = out.len();

        out.pad(usize::try_from(out.len().next_multiple_of(8)).unwrap());
        let verneed = out.len();
        let mut index = 2;
        for (i, (library, names)) in versions.iter().enumerate() {
            let last = i + 1 == versions.len();
            out.u16(1);
            out.u16(u16::try_from(names.len()).unwrap());
            out.u32(u32::try_from(*library).unwrap());
            out.u32(16);
            out.u32(if last {
                0
            } else {
                16 + 16 * u32::try_from(names.len()).unwrap()
            });
            for (j, version) in names.iter().enumerate() {
                out.u32(0);
                out.u16(0);
                out.u16(index);
                index += 1;
                out.u32(u32::try_from(*version).unwrap());
                out.u32(if j + 1 == names.len() { 0 } else { 16 });
            }
        }
        let table = out.len();
        if dynamic {
            let mut entries: Vec<(u64, u64)> = needed.iter().map(|n| (1, *n)).collect();
            entries.extend(soname.map(|n| (14, n)));
            entries.extend(runpath.map(|n| (29, n)));
            entries.push((5, strings));
            entries.push((10, strings_end - strings));
            if !versions.is_empty() {
                entries.push((0x6fff_fffe, verneed));
                entries.push((0x6fff_ffff, versions.len() as u64));
            }
            entries.push((0, 0));
            for (tag, value) in entries {
                out.word(self.wide, tag);
                out.word(self.wide, value);
            }
        }
        let end = out.len();
        let head = self.head(header, entry, &segments, |kind| match kind {
            1 => (0, end),
            2 => (table, end - table),
            3 => (interpreter, interpreter_end - interpreter),
            _ => (0, 0),
        });
        out.out.splice(..body, head);
        out.out
    }

    fn head(
        &self,
        header: usize,
        entry: usize,
        segments: &[(u32, u32)],
        range: impl Fn(u32) -> (u64, u64),
    ) -> Vec<u8> {
        let mut out = Bytes::new(self.big);
        out.out.extend(b"\x7fELF");
        out.out.extend([
            if self.wide { 2 } else { 1 },
            if self.big { 2 } else { 1 },
            1,
            0,
        ]);
        out.pad(16);
        out.u16(if self.soname.is_some() { 3 } else { 2 });
        out.u16(self.machine);
        out.u32(1);
        out.word(self.wide, 0);
        out.word(self.wide, header as u64);
        out.word(self.wide, 0);
        out.u32(self.flags);
        for n in [header, entry, segments.len(), 64, 0, 0] {
            out.u16(u16::try_from(n).unwrap());
        }
        out.pad(header);
        for (kind, flags) in segments {
            let (offset, size) = range(*kind);
            out.u32(*kind);
            if self.wide {
                out.u32(*flags);
            }
            for n in [offset, offset, offset, size, size] {
                out.word(self.wide, n);
            }
            if !self.wide {
                out.u32(*flags);
            }
            out.word(self.wide, 8);
        }
        out.out
    }
}

/// The file with a section of notes that no segment has, which holds a build id.
pub fn with_build_id_section(elf: &Elf, id: &[u8]) -> Vec<u8> {
    let mut out = Bytes::new(elf.big);
    out.out = elf.bytes();
    out.pad(usize::try_from(out.len().next_multiple_of(8)).unwrap());
    let note = out.len();
    out.u32(4);
    out.u32(u32::try_from(id.len()).unwrap());
    out.u32(3);
    out.out.extend(b"GNU\0");
    out.out.extend(id);
    let size = out.len() - note;
    out.pad(usize::try_from(out.len().next_multiple_of(8)).unwrap());
    let table = out.len();
    let width = if elf.wide { 64 } else { 40 };
    out.pad(usize::try_from(table).unwrap() + width);
    out.u32(0);
    out.u32(7);
    for n in [0, 0, note, size] {
        out.word(elf.wide, n);
    }
    out.u32(0);
    out.u32(0);
    out.word(elf.wide, 4);
    out.word(elf.wide, 0);
    // The names of both, none.
    out.u32(0);
    out.u32(3);
    for n in [0, 0, note, 1] {
        out.word(elf.wide, n);
    }
    out.pad(usize::try_from(table).unwrap() + 3 * width);
    // The header's e_shoff, e_shentsize, e_shnum and e_shstrndx.
    let (place, sizes) = if elf.wide { (0x28, 0x3a) } else { (0x20, 0x2e) };
    let mut shoff = Bytes::new(elf.big);
    shoff.word(elf.wide, table);
    out.out.splice(place..place + shoff.out.len(), shoff.out);
    let mut counts = Bytes::new(elf.big);
    counts.u16(u16::try_from(width).unwrap());
    counts.u16(3);
    counts.u16(2);
    out.out.splice(sizes..sizes + 6, counts.out);
    out.out
}

/// A Windows program with one section.
#[derive(Clone)]
pub struct Pe {
    pub wide: bool,
    pub machine: u16,
    pub subsystem: u16,
    pub subsystem_version: (u16, u16),
    pub flags: u16,
    pub imports: Vec<(&'static str, Vec<&'static str>)>,
    pub delayed: Vec<(&'static str, Vec<&'static str>)>,
}

impl Default for Pe {
    /// A console program for x86-64 that wants nothing, with ASLR and DEP.
    fn default() -> Self {
        Self {
            wide: true,
            machine: 0x8664,
            subsystem: 3,
            subsystem_version: (5, 2),
            flags: 0x160,
            imports: Vec::new(),
            delayed: Vec::new(),
        }
    }
}

impl Pe {
    /// The only section, with the addresses of the two import tables in it.
    fn section(&self) -> (Bytes, u32, u32) {
        let wide = self.wide;
        let mut section = Bytes::new(false);
        let here = |s: &Bytes| Self::ADDRESS + u32::try_from(s.out.len()).unwrap();
        // Names and thunks first, then the descriptors that point to them.
        let describe = |s: &mut Bytes, list: &[(&str, Vec<&str>)]| -> Vec<(u32, u32)> {
            let mut out = Vec::new();
            for (dll, functions) in list {
                let mut names = Vec::new();
                for f in functions {
                    names.push(here(s));
                    s.u16(0);
                    s.text(f);
                }
                let dll_at = here(s);
                s.text(dll);
                let thunks = here(s);
                for n in names {
                    s.word(wide, n.into());
                }
                s.word(wide, 0);
                out.push((dll_at, thunks));
            }
            out
        };
        let imports = describe(&mut section, &self.imports);
        let delayed = describe(&mut section, &self.delayed);
        let import_at = here(&section);
        for (name, thunks) in &imports {
            for n in [*thunks, 0, 0, *name, *thunks] {
                section.u32(n);
            }
        }
        section.pad(section.out.len() + 20);
        let delay_at = here(&section);
        for (name, thunks) in &delayed {
            for n in [1, *name, 0, 0, *thunks, 0, 0, 0] {
                section.u32(n);
            }
        }
        section.pad(section.out.len() + 32);
        (section, import_at, delay_at)
    }

    /// Where the section is loaded.
    const ADDRESS: u32 = 0x1000;

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        const RAW: usize = 0x400;
        let wide = self.wide;
        let (section, import_at, delay_at) = self.section();
        let size = u32::try_from(section.out.len()).unwrap();

        let mut out = Bytes::new(false);
        out.out.extend(b"MZ");
        out.pad(0x3c);
        out.u32(0x80);
        out.pad(0x80);
        out.out.extend(b"PE\0\0");
        out.u16(self.machine);
        out.u16(1);
        for _ in 0..3 {
            out.u32(0);
        }
        out.u16(if wide { 240 } else { 224 });
        out.u16(0x22);
        let optional = out.out.len();
        out.u16(if wide { 0x20b } else { 0x10b });
        out.pad(optional + if wide { 24 } else { 28 });
        out.word(wide, 0x40_0000);
        out.u32(0x1000);
        out.u32(0x200);
        for n in [
            4,
            0,
            0,
            0,
            self.subsystem_version.0,
            self.subsystem_version.1,
        ] {
            out.u16(n);
        }
        out.u32(0);
        out.u32(0x3000);
        out.u32(u32::try_from(RAW).unwrap());
        out.u32(0);
        out.u16(self.subsystem);
        out.u16(self.flags);
        for _ in 0..4 {
            out.word(wide, 0x1000);
        }
        out.u32(0);
        out.u32(16);
        for directory in 0..16 {
            let (at, len) = match directory {
                1 if !self.imports.is_empty() => (import_at, 20),
                13 if !self.delayed.is_empty() => (delay_at, 32),
                _ => (0, 0),
            };
            out.u32(at);
            out.u32(len);
        }
        out.out.extend(b".rdata\0\0");
        for n in [
            size,
            Self::ADDRESS,
            size,
            u32::try_from(RAW).unwrap(),
            0,
            0,
            0,
            0x4000_0040,
        ] {
            out.u32(n);
        }
        out.pad(RAW);
        out.out.extend(section.out);
        out.out
    }
}

/// A Mach-O program.
#[derive(Clone)]
pub struct MachO {
    pub cpu: u32,
    pub big: bool,
    pub minimum: (u32, u32),
    /// With `LC_VERSION_MIN_MACOSX`, not `LC_BUILD_VERSION`.
    pub old_minimum: bool,
    pub platform: u32,
    pub dylibs: Vec<&'static str>,
    pub rpaths: Vec<&'static str>,
    /// An empty or a made-up identity.
    pub signature: Option<Identity>,
}

/// Who signed.
#[derive(Clone, Copy)]
pub enum Identity {
    AdHoc,
    Team(&'static str),
}

pub const CPU_X86_64: u32 = 0x0100_0007;
pub const CPU_ARM64: u32 = 0x0100_000c;

impl Default for MachO {
    /// A signed program for arm64 and macOS 11.
    fn default() -> Self {
        Self {
            cpu: CPU_ARM64,
            big: false,
            minimum: (11, 0),
            old_minimum: false,
            platform: 1,
            dylibs: vec!["/usr/lib/libSystem.B.dylib"],
            rpaths: Vec::new(),
            signature: Some(Identity::AdHoc),
        }
    }
}

impl MachO {
    /// The file, 64-bit.
    pub fn bytes(&self) -> Vec<u8> {
        let mut commands: Vec<Bytes> = Vec::new();
        let text_command = |kind: u32, fixed: &[u32], text: &str| {
            let mut c = Bytes::new(self.big);
            c.u32(kind);
            let start = 12 + fixed.len() * 4;
            let len = (start + text.len() + 1).next_multiple_of(8);
            c.u32(u32::try_from(len).unwrap());
            c.u32(u32::try_from(start).unwrap());
            for n in fixed {
                c.u32(*n);
            }
            c.text(text);
            c.pad(len);
            c
        };
        commands.push(text_command(0xe, &[], "/usr/lib/dyld"));
        for d in &self.dylibs {
            commands.push(text_command(0xc, &[2, 0x10000, 0x10000], d));
        }
        for r in &self.rpaths {
            commands.push(text_command(0x8000_001c, &[], r));
        }
        let version = self.minimum.0 << 16 | self.minimum.1 << 8;
        let mut minimum = Bytes::new(self.big);
        let fields = if self.old_minimum {
            vec![0x24, 16, version, 14 << 16]
        } else {
            vec![0x32, 24, self.platform, version, 14 << 16, 0]
        };
        for n in fields {
            minimum.u32(n);
        }
        commands.push(minimum);
        let size: usize = commands.iter().map(|c| c.out.len()).sum();
        let end = 32 + size + if self.signature.is_some() { 16 } else { 0 };
        let signature = self.signature.map(sign).unwrap_or_default();
        if self.signature.is_some() {
            let mut c = Bytes::new(self.big);
            for n in [
                0x1d,
                16,
                u32::try_from(end).unwrap(),
                u32::try_from(signature.len()).unwrap(),
            ] {
                c.u32(n);
            }
            commands.push(c);
        }

        let mut out = Bytes::new(self.big);
        let count = u32::try_from(commands.len()).unwrap();
        let size: usize = commands.iter().map(|c| c.out.len()).sum();
        for n in [
            0xfeed_facf,
            self.cpu,
            0,
            2,
            count,
            u32::try_from(size).unwrap(),
            0x0020_0085,
            0,
        ] {
            out.u32(n);
        }
        for c in commands {
            out.out.extend(c.out);
        }
        out.out.extend(signature);
        out.out
    }
}

/// A super blob with a code directory and, for a team, a wrapper with something in it.
fn sign(identity: Identity) -> Vec<u8> {
    let mut directory = Bytes::new(true);
    let team = match identity {
        Identity::AdHoc => None,
        Identity::Team(t) => Some(t),
    };
    // Version 0x20200 has the team's offset; the fixed part is 52 bytes then.
    let text_at = 52;
    let length = text_at + 2 + team.map_or(0, |t| u32::try_from(t.len()).unwrap() + 1);
    for n in [0xfade_0c02, length, 0x20200, 2, 0, text_at, 0, 0, 0] {
        directory.u32(n);
    }
    directory.out.extend([32, 2, 0, 12]);
    directory.u32(0);
    directory.u32(0);
    directory.u32(team.map_or(0, |_| text_at + 2));
    directory.text("a");
    if let Some(team) = team {
        directory.text(team);
    }
    let mut wrapper = Bytes::new(true);
    wrapper.u32(0xfade_0b01);
    wrapper.u32(if team.is_some() { 12 } else { 8 });
    if team.is_some() {
        wrapper.u32(1);
    }
    let mut out = Bytes::new(true);
    let first = 12 + 16;
    let second = first + directory.len();
    out.u32(0xfade_0cc0);
    out.u32(u32::try_from(second + wrapper.len()).unwrap());
    out.u32(2);
    for (slot, at) in [(0, first), (0x10000, second)] {
        out.u32(slot);
        out.u32(u32::try_from(at).unwrap());
    }
    out.out.extend(directory.out);
    out.out.extend(wrapper.out);
    out.out
}

/// A universal file of these slices.
pub fn universal(slices: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = Bytes::new(true);
    out.u32(0xcafe_babe);
    out.u32(u32::try_from(slices.len()).unwrap());
    let mut at = 4096;
    for (cpu, bytes) in slices {
        let len = u32::try_from(bytes.len()).unwrap();
        for n in [*cpu, 0, at, len, 12] {
            out.u32(n);
        }
        at += len.next_multiple_of(4096);
    }
    let mut at = 4096;
    for (_, bytes) in slices {
        out.pad(at);
        out.out.extend(bytes);
        at += bytes.len().next_multiple_of(4096);
    }
    out.out
}
