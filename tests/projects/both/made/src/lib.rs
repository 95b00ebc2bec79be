//! What the build script of `both` asks while it runs.

use std::ffi::{CStr, c_char};

unsafe extern "C" {
    fn where_made() -> *const c_char;
}

/// The system that this was compiled for.
pub fn here() -> &'static str {
    unsafe { CStr::from_ptr(where_made()) }.to_str().unwrap()
}
