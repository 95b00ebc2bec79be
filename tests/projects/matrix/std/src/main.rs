//! Rust's own library: threads, sockets, unwinding, files, the clock.

use std::time::{Duration, Instant};

fn main() {
    files();
    let before = Instant::now();
    #[cfg(not(target_family = "wasm"))]
    {
        std::thread::sleep(Duration::from_millis(5));
        threads();
        tcp();
        unwinding();
    }
    assert!(before.elapsed() < Duration::from_secs(300));
    println!("std ok");
}

fn files() {
    // WASI has no folder for temporary files and no process numbers; the runner opens the current folder to it.
    #[cfg(target_family = "wasm")]
    let file = std::path::PathBuf::from("matrix-std-wasm");
    #[cfg(not(target_family = "wasm"))]
    let file = std::env::temp_dir().join(format!("matrix-std-{}", std::process::id()));
    std::fs::write(&file, "text").unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
    std::fs::remove_file(&file).unwrap();
}

#[cfg(not(target_family = "wasm"))]
fn threads() {
    use std::sync::atomic::{AtomicU64, Ordering};
    thread_local!(static OWN: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let sum = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for i in 0..8 {
            let sum = &sum;
            scope.spawn(move || {
                OWN.set(i);
                sum.fetch_add(OWN.get(), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(sum.into_inner(), 28);
}

#[cfg(not(target_family = "wasm"))]
fn tcp() {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"over tcp").unwrap();
    });
    let mut said = String::new();
    TcpStream::connect(at).unwrap().read_to_string(&mut said).unwrap();
    server.join().unwrap();
    assert_eq!(said, "over tcp");
}

#[cfg(not(target_family = "wasm"))]
fn unwinding() {
    struct Dropped<'a>(&'a std::cell::Cell<bool>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let dropped = std::cell::Cell::new(false);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = Dropped(&dropped);
        let empty: Vec<u8> = Vec::with_capacity(std::env::args().count());
        std::hint::black_box(&empty)[0]
    }));
    assert!(caught.is_err() && dropped.get());
}
