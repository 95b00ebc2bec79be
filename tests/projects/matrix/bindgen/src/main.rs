//! A C header that includes the target's own: sizes and constants must be the target's.

#[allow(non_camel_case_types, non_upper_case_globals, dead_code)]
mod c {
    include!(concat!(env!("OUT_DIR"), "/record.rs"));
}

fn main() {
    let mut record = c::record { length: 0, pointer: std::ptr::null(), wide: 0 };
    let size = unsafe { c::record_fill(&mut record, c"bindgen".as_ptr()) };
    assert_eq!(size, size_of::<c::record>());
    assert_eq!(record.length as usize, 7);
    assert_eq!(record.wide, i64::from(i32::MAX) + 1);
    println!("bindgen ok");
}
