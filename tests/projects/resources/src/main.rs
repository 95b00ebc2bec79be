//! Looks its own resources up, by what Windows has for it.

use std::ptr;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn FindResourceA(module: *const u8, name: *const u8, kind: *const u8) -> *const u8;
}

fn main() {
    let has = |kind: usize| {
        let found = unsafe {
            FindResourceA(ptr::null(), ptr::without_provenance(1), ptr::without_provenance(kind))
        };
        u8::from(!found.is_null())
    };
    println!("icon {} version {} manifest {}", has(14), has(16), has(24));
}
