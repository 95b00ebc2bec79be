//! Built programs: everything that `xtool inspect` does with one after it has found the file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| xtool_fuzz::inspects_or_refuses(data));
