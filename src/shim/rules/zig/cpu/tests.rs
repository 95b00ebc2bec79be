//! Names as GCC and clang have them, by what zig gets.

use super::names::tests::AARCH64;
use super::*;

/// Two CPUs of x86 in the form of zig's list.
const X86: &str = r#"
    result[@intFromEnum(Feature.sse4_1)] = .{
        .dependencies = featureSet(&[_]Feature{}),
    };
    result[@intFromEnum(Feature.sse4_2)] = .{
        .dependencies = featureSet(&[_]Feature{
            .sse4_1,
        }),
    };
    result[@intFromEnum(Feature.avx)] = .{
        .dependencies = featureSet(&[_]Feature{
            .sse4_2,
        }),
    };
    result[@intFromEnum(Feature.avx2)] = .{
        .dependencies = featureSet(&[_]Feature{
            .avx,
        }),
    };
    result[@intFromEnum(Feature.soft_float)] = .{
        .dependencies = featureSet(&[_]Feature{}),
    };
    pub const corei7: CpuModel = .{
        .name = "corei7",
        .features = featureSet(&[_]Feature{
            .sse4_2,
        }),
    };
    pub const sandybridge: CpuModel = .{
        .name = "sandybridge",
        .features = featureSet(&[_]Feature{
            .avx,
        }),
    };
    pub const x86_64: CpuModel = .{
        .name = "x86_64",
        .features = featureSet(&[_]Feature{}),
    };
    pub const x86_64_v3: CpuModel = .{
        .name = "x86_64_v3",
        .features = featureSet(&[_]Feature{
            .avx2,
        }),
    };
"#;

fn chosen(triple: &str, list: &str, args: &[&str]) -> Result<Choice, String> {
    let triple = triple.parse().unwrap();
    let names = Names::parse(list);
    let args: Vec<OsString> = args.iter().map(Into::into).collect();
    let zigs = Zigs {
        triple: &triple,
        base: default_cpu(&triple),
        host: "x86_64",
        names: &names,
    };
    choose(zigs, &args).map_err(|e| e.to_string())
}

fn mcpu(triple: &str, list: &str, args: &[&str]) -> String {
    chosen(triple, list, args).unwrap().mcpu.unwrap_or_default()
}

#[test]
fn wide_registers_are_there_to_be_asked_for() {
    let of = |triple: &str, minor| wide_registers(&triple.parse().unwrap(), minor);
    assert_eq!(of("x86_64-unknown-linux-gnu", 15), Some("-mevex512"));
    assert_eq!(of("i686-pc-windows-gnu", 16), Some("-mevex512"));
    assert_eq!(of("x86_64-unknown-linux-gnu", 17), None);
    assert_eq!(of("aarch64-unknown-linux-gnu", 15), None);
}

#[test]
fn x86s_march_is_the_cpu_and_mtune_and_mcpu_are_not() {
    let mcpu = |args: &[&str]| mcpu("x86_64-unknown-linux-musl", X86, args);
    for (args, cpu) in [
        (&["-march=x86-64-v3"][..], "x86_64_v3"),
        (&["-march=x86_64_v3"], "x86_64_v3"),
        (&["-march=x86-64-v3", "-march=x86-64"], "x86_64"),
        (&["-march=corei7-avx"], "sandybridge"),
        (&["-mtune=haswell"], ""),
        (&["-mtune=generic", "-march=x86-64"], "x86_64"),
        (&["-mcpu=corei7"], ""),
        (&["-mcpu=x86_64_v3"], "x86_64_v3"),
        (&["-o", "-march=corei7", "-Xclang", "-march=corei7"], ""),
    ] {
        assert_eq!(mcpu(args), cpu, "{args:?}");
    }
}

#[test]
fn features_are_counted_from_the_cpu_on_and_the_last_one_wins() {
    let mcpu = |args: &[&str]| mcpu("x86_64-unknown-linux-musl", X86, args);
    for (args, cpu) in [
        (&["-march=x86-64-v3", "-mno-avx2"][..], "x86_64_v3-avx2"),
        (&["-mno-avx2", "-march=x86-64-v3"], "x86_64_v3-avx2"),
        (
            &["-march=x86-64-v3", "-mno-sse4.1"],
            "x86_64_v3-avx-avx2-sse4_1-sse4_2",
        ),
        (&["-march=x86-64", "-mno-sse4", "-mavx2"], "x86_64+avx2"),
        (&["-march=x86-64", "-mavx2", "-mno-avx"], "x86_64+sse4_2"),
        (
            &["-march=x86-64", "-mavx", "-msoft-float", "-m64"],
            "x86_64+avx",
        ),
        (&["-march=native"], "native"),
        // zig's own way serves where nothing is taken away, and nothing comes along.
        (&["-mavx2"], ""),
    ] {
        assert_eq!(mcpu(args), cpu, "{args:?}");
    }
    let choice = chosen(
        "x86_64-unknown-linux-musl",
        X86,
        &["-march=x86-64", "-mavx2", "-mno-red-zone"],
    );
    assert_eq!(choice.unwrap().folded, ["-mavx2"]);
}

/// In the form of zig's list: a feature, and what it depends on.
fn feature(name: &str, on: &str) -> String {
    let on = on.split_whitespace().map(|f| format!(".{f},\n"));
    format!(
        "result[@intFromEnum(Feature.{name})] = .{{\n.dependencies = featureSet(&[_]Feature{{\n{}}}),\n}};\n",
        on.collect::<String>()
    )
}

fn features(list: &[(&str, &str)]) -> String {
    list.iter().map(|(name, on)| feature(name, on)).collect()
}

#[test]
fn what_comes_along_with_a_flag_is_on() {
    let more = [
        ("x87", ""),
        ("mmx", ""),
        ("sse", ""),
        ("popcnt", ""),
        ("xsave", ""),
    ];
    let list = format!("{X86}{}", features(&more));
    let mcpu = |args: &[&str]| mcpu("x86_64-unknown-linux-musl", &list, args);
    for (args, cpu) in [
        (&["-msse4.2"][..], "x86_64+popcnt+sse4_2"),
        (&["-msse4"], "x86_64+popcnt+sse4_2"),
        (&["-msse4", "-mno-popcnt"], "x86_64+sse4_2"),
        (&["-msse4.2", "-mno-sse4.2"], "x86_64+sse4_1"),
        (&["-msse4.1"], ""),
        (&["-mavx2"], "x86_64+avx2+popcnt+xsave"),
        (
            &["-march=x86-64", "-mavx", "-mno-xsave"],
            "x86_64+avx+popcnt",
        ),
        (&["-mgeneral-regs-only"], "x86_64"),
        (&["-msse", "-mgeneral-regs-only"], "x86_64"),
    ] {
        assert_eq!(mcpu(args), cpu, "{args:?}");
    }
    let choice = chosen("x86_64-unknown-linux-musl", &list, &["-msse4", "-m64"]);
    assert_eq!(choice.unwrap().folded, ["-msse4"]);
}

#[test]
fn floating_point_can_be_forbidden() {
    let list = "pub const baseline: CpuModel = .{\n.name = \"x86_64\",\n\
                .features = featureSet(&[_]Feature{\n.x87,\n.sse2,\n}),\n};\n";
    let known = features(&[("x87", ""), ("mmx", ""), ("sse", ""), ("sse2", "sse")]);
    let x86 = mcpu(
        "x86_64-unknown-linux-musl",
        &format!("{known}{list}"),
        &["-mgeneral-regs-only"],
    );
    assert_eq!(x86, "x86_64-sse-sse2-x87");
    let arm = |args: &[&str]| mcpu("aarch64-unknown-linux-musl", AARCH64, args);
    assert_eq!(
        arm(&["-mcpu=cortex-a53", "-mgeneral-regs-only"]),
        "cortex_a53-fp_armv8-neon"
    );
}

#[test]
fn unaligned_access_can_be_forbidden() {
    let list = format!("{AARCH64}{}", feature("strict_align", ""));
    let mcpu = |args: &[&str]| mcpu("aarch64-unknown-linux-musl", &list, args);
    assert_eq!(mcpu(&["-mno-unaligned-access"]), "generic+strict_align");
    assert_eq!(mcpu(&["-munaligned-access"]), "generic");
}

#[test]
fn crypto_goes_with_its_parts() {
    let cpu = "pub const cortex_a72: CpuModel = .{\n.name = \"cortex_a72\",\n\
               .features = featureSet(&[_]Feature{\n.crc,\n.crypto,\n}),\n};\n";
    let parts = [
        ("sha2", ""),
        ("sha3", ""),
        ("sm4", ""),
        ("crypto", "aes sha2"),
    ];
    let list = format!("{AARCH64}{}{cpu}", features(&parts));
    let without = mcpu(
        "aarch64-unknown-linux-gnu",
        &list,
        &["-mcpu=cortex-a72+nocrypto"],
    );
    assert_eq!(without, "cortex_a72-aes-crypto-sha2");
}

#[test]
fn vectors_can_be_forbidden_on_other_cpus() {
    let z13 = "pub const z13: CpuModel = .{\n.name = \"z13\",\n.features = featureSet(&[_]Feature{\n\
               .vector,\n}),\n};\n";
    let list = format!("{}{z13}", feature("vector", ""));
    let args = ["-march=z13", "-mno-vx"];
    assert_eq!(mcpu("s390x-unknown-linux-gnu", &list, &args), "z13-vector");
    let power8 = "pub const pwr8: CpuModel = .{\n.name = \"pwr8\",\n.features = featureSet(&[_]Feature{\n\
                  .power8_vector,\n}),\n};\n";
    let vectors = features(&[
        ("altivec", ""),
        ("vsx", "altivec"),
        ("power8_vector", "vsx"),
    ]);
    let args = ["-mcpu=power8", "-mno-vsx"];
    assert_eq!(
        mcpu(
            "powerpc64le-unknown-linux-gnu",
            &format!("{vectors}{power8}"),
            &args
        ),
        "pwr8-power8_vector-vsx"
    );
}

#[test]
fn aarch64s_march_wins_over_mcpu() {
    let mcpu = |args: &[&str]| mcpu("aarch64-unknown-linux-musl", AARCH64, args);
    for (args, cpu) in [
        (&["-mcpu=cortex-a53"][..], "cortex_a53"),
        (&["-mcpu=cortex-a53+aes"], "cortex_a53+aes"),
        (&["-mcpu=cortex-a53+nofp"], "cortex_a53-fp_armv8-neon"),
        (&["-mcpu=cortex-a53.cortex-a53"], "cortex_a53"),
        (&["-mcpu=cortex-a53", "-march=armv8-a"], "generic"),
        (&["-march=armv8.2-a+fp16"], "generic+fullfp16+v8_2a"),
        (&["-mcpu=generic"], "generic"),
        (&["-mcpu=cortex_a53-neon"], "cortex_a53-neon"),
        (&["-mtune=cortex-a53"], ""),
    ] {
        assert_eq!(mcpu(args), cpu, "{args:?}");
    }
    let apple = chosen("aarch64-apple-darwin", AARCH64, &["-march=armv8-a+crc"]);
    assert_eq!(apple.unwrap().mcpu.unwrap(), "apple_m1+crc");
}

#[test]
fn without_zigs_list_names_go_to_it_unchecked() {
    for (triple, args, cpu) in [
        (
            "armv7-unknown-linux-gnueabihf",
            "-march=armv6",
            "generic+v6+vfp3+vfp3-d32-neon",
        ),
        (
            "armv7-unknown-linux-gnueabihf",
            "-mcpu=cortex-a7",
            "cortex_a7",
        ),
        (
            "riscv64gc-unknown-linux-gnu",
            "-march=rv64gc_zbc",
            "generic_rv64+m+a+f+d+c+zbc",
        ),
        (
            "riscv64gc-unknown-linux-gnu",
            "-mcpu=sifive-u74",
            "sifive_u74",
        ),
        ("powerpc64le-unknown-linux-gnu", "-mcpu=power9", "pwr9"),
        ("powerpc64le-unknown-linux-gnu", "-mcpu=generic", "ppc64le"),
        ("s390x-unknown-linux-gnu", "-march=arch12", "arch12"),
        ("s390x-unknown-linux-gnu", "-march=z17", "arch15"),
        ("i686-pc-windows-gnu", "-march=athlon-xp", "athlon_xp"),
        ("x86_64-unknown-linux-musl", "-march=x86-64-v3", "x86_64_v3"),
    ] {
        assert_eq!(mcpu(triple, "", &[args]), cpu, "{triple} {args}");
    }
}

#[test]
fn what_zig_does_not_have_is_named() {
    let refused = |args: &[&str]| chosen("aarch64-unknown-linux-musl", AARCH64, args).unwrap_err();
    for (option, what) in [
        ("-mcpu=cortex-b53", "cortex-b53"),
        ("-march=armv8-a+frob", "frob"),
        ("-march=armv99-a", "v99a"),
    ] {
        let said = refused(&[option]);
        assert!(said.contains(&format!("`{option}`")), "{said}");
        assert!(said.contains(&format!("`{what}`")), "{said}");
    }
    let fpu = chosen("armv7-unknown-linux-gnueabihf", "", &["-mfpu=frob"]);
    assert!(fpu.unwrap_err().contains("`-mfpu=frob`"));
    let generic = chosen("x86_64-unknown-linux-musl", X86, &["-march=generic"]);
    assert!(generic.unwrap_err().contains("`-march=generic`"));
}

#[test]
fn native_is_for_this_machines_kind() {
    let native = |triple: &str, host| is_native(&triple.parse().unwrap(), host);
    assert!(native("i686-pc-windows-gnu", "x86_64"));
    assert!(!native("aarch64-unknown-linux-gnu", "x86_64"));
    assert!(native("aarch64-apple-darwin", "aarch64"));
}
