use std::ffi::c_ulong;

fn main() {
    let text = "to be compressed, ".repeat(200);
    let mut small = vec![0_u8; text.len()];
    let mut length = small.len() as c_ulong;
    let ok = unsafe {
        libz_sys::compress(small.as_mut_ptr(), &mut length, text.as_ptr(), text.len() as c_ulong)
    };
    assert_eq!(ok, 0);
    let mut back = vec![0_u8; text.len()];
    let mut size = back.len() as c_ulong;
    let ok = unsafe { libz_sys::uncompress(back.as_mut_ptr(), &mut size, small.as_ptr(), length) };
    assert_eq!(ok, 0);
    assert!(back == text.as_bytes() && (length as usize) < text.len() / 10);
    println!("libz-sys ok");
}
