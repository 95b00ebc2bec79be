//! Tar archives, plain and (by the first byte) in each compression.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (name, bytes) = match data.split_first() {
        Some((1, rest)) => ("a.tar.gz", rest),
        Some((2, rest)) => ("a.tar.xz", rest),
        Some((3, rest)) => ("a.tar.zst", rest),
        Some((0, rest)) => ("a.tar", rest),
        _ => ("a.tar", data),
    };
    xtool_fuzz::unpacks_or_refuses(name, bytes);
});
