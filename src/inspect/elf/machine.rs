//! Which CPU and which system an ELF file is for.

use object::Endianness;
use object::elf as def;
use object::read::elf::FileHeader;

/// Rust's name of the CPU, with `armhf` and `armel` for 32-bit ARM with and without hardware floating point.
pub fn architecture<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    interpreter: Option<&str>,
) -> String {
    let little = header.is_little_endian();
    let wide = header.is_type_64();
    let name = match header.e_machine(endian) {
        def::EM_386 => "x86",
        def::EM_X86_64 if wide => "x86_64",
        def::EM_X86_64 => "x32",
        def::EM_AARCH64 if little => "aarch64",
        def::EM_AARCH64 => "aarch64_be",
        def::EM_ARM if !little => "armeb",
        def::EM_ARM => {
            // Linkers note the calling convention (ARM ELF supplement, "e_flags"); older ones did not.
            let hard = header.e_flags(endian).0 & def::EF_ARM_ABI_FLOAT_HARD != 0
                || interpreter.is_some_and(|i| i.contains("armhf"));
            if hard { "armhf" } else { "armel" }
        }
        def::EM_RISCV if wide => "riscv64",
        def::EM_RISCV => "riscv32",
        def::EM_PPC64 if little => "powerpc64le",
        def::EM_PPC64 => "powerpc64",
        def::EM_PPC => "powerpc",
        def::EM_S390 if wide => "s390x",
        def::EM_S390 => "s390",
        def::EM_MIPS => match (wide, little) {
            (true, true) => "mips64el",
            (true, false) => "mips64",
            (false, true) => "mipsel",
            (false, false) => "mips",
        },
        def::EM_LOONGARCH if wide => "loongarch64",
        def::EM_LOONGARCH => "loongarch32",
        def::EM_SPARCV9 => "sparc64",
        def::EM_SPARC | def::EM_SPARC32PLUS => "sparc",
        def::EM_68K => "m68k",
        def::EM_BPF => "bpf",
        other => return format!("machine-{}", other.0),
    };
    name.to_owned()
}

/// The system: what the header says, else a note, else the loader's path, else Linux.
pub fn os(abi: def::OsAbi, vendor: Option<&'static str>, interpreter: Option<&str>) -> String {
    let from_header = match abi {
        def::ELFOSABI_FREEBSD => Some("freebsd"),
        def::ELFOSABI_NETBSD => Some("netbsd"),
        def::ELFOSABI_OPENBSD => Some("openbsd"),
        def::ELFOSABI_SOLARIS => Some("solaris"),
        def::ELFOSABI_STANDALONE => Some("none"),
        _ => None,
    };
    let interpreter = interpreter.unwrap_or_default();
    let from_path = [
        ("/system/bin/linker", "android"),
        ("/libexec/ld-elf", "freebsd"),
        ("/usr/libexec/ld.elf_so", "netbsd"),
        ("/libexec/ld.elf_so", "netbsd"),
        ("/usr/libexec/ld.so", "openbsd"),
        ("/usr/lib/amd64/ld.so", "solaris"),
        ("/system/runtime_loader", "haiku"),
    ]
    .iter()
    .find(|(prefix, _)| interpreter.starts_with(prefix))
    .map(|(_, os)| *os);
    from_header
        .or(vendor)
        .or(from_path)
        .unwrap_or("linux")
        .to_owned()
}
