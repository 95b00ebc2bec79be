//! Debian packages: the outer ar archive and what is in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| xtool_fuzz::unpacks_or_refuses("a_1_all.deb", data));
