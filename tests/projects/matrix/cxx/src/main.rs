//! C++17: a map, a thread-safe static, exceptions thrown and caught in C++, and one that becomes an error in Rust.

#[cxx::bridge]
mod ffi {
    unsafe extern "C++" {
        include!("matrix-cxx/cpp/words.h");
        fn count(text: &str, word: &str) -> u32;
        fn caught_inside() -> u32;
        fn thrown() -> Result<u32>;
    }
}

fn main() {
    assert_eq!(ffi::count("a b a c a", "a"), 3);
    assert_eq!(ffi::caught_inside(), 7);
    assert_eq!(ffi::thrown().unwrap_err().what(), "thrown in C++");
    println!("cxx ok");
}
