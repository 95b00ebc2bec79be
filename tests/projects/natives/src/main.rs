//! Uses each native dependency once and prints a line for it; any wrong answer panics.

#[cxx::bridge]
mod ffi {
    unsafe extern "C++" {
        include!("natives/cpp/counter.h");
        fn count(threads: u32, n: u32) -> u64;
        fn fail(text: &str) -> Result<()>;
    }
}

fn main() {
    let text = "the same words again and again ".repeat(100);
    let packed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    assert_eq!(zstd::decode_all(&packed[..]).unwrap(), text.as_bytes());
    println!("zstd {} -> {}", text.len(), packed.len());

    let db = rusqlite::Connection::open_in_memory().unwrap();
    let sum: i64 = db.query_row("SELECT 40 + 2", [], |row| row.get(0)).unwrap();
    println!("sqlite {sum}");

    let digest = ring::digest::digest(&ring::digest::SHA256, b"abc");
    assert_eq!(digest.as_ref()[..4], [0xba, 0x78, 0x16, 0xbf]);
    println!("ring ba7816bf");

    println!("c++ {}", ffi::count(4, 1000));
    let thrown = ffi::fail("thrown in C++").unwrap_err();
    println!("exception {thrown}");

    #[cfg(windows)]
    {
        // SAFETY: no arguments, no state.
        let ticks = unsafe { windows::Win32::System::SystemInformation::GetTickCount64() };
        assert!(ticks > 0);
        println!("windows ok");
    }

    let caught = std::panic::catch_unwind(|| panic!("on purpose")).is_err();
    let from_thread = std::thread::spawn(|| 6 * 7).join().unwrap();
    println!("rust {caught} {from_thread}");
}
