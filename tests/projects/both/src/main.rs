use std::ffi::{CStr, c_char};

unsafe extern "C" {
    fn where_target() -> *const c_char;
}

fn main() {
    let target = unsafe { CStr::from_ptr(where_target()) };
    println!(
        "macro {}, build script {}, program {}",
        macros::here!(),
        env!("BUILD_SCRIPT"),
        target.to_str().unwrap()
    );
}
