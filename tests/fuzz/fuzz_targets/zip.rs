//! Zip archives: directories, local headers, deflate.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| xtool_fuzz::unpacks_or_refuses("a.zip", data));
