//! Import libraries that rustc makes on the fly (raw-dylib).

#[cfg(windows)]
fn main() {
    use windows::Win32::System::{SystemInformation::GetTickCount64, Threading::GetCurrentProcessId};
    let (ticks, id) = unsafe { (GetTickCount64(), GetCurrentProcessId()) };
    assert!(ticks > 0);
    assert_eq!(id, std::process::id());
    println!("windows ok");
}

#[cfg(not(windows))]
fn main() {
    compile_error!("for Windows targets only");
}
