//! C for whatever this crate is built for, which is the host; what the build script sees is written down.

fn main() {
    println!("cargo:rerun-if-changed=../csrc");
    let seen: String = std::env::vars().map(|(k, v)| format!("{k}={v}\n")).collect();
    std::fs::write("seen.txt", seen).unwrap();
    cc::Build::new().file("../csrc/where.c").define("WHERE", "where_made").compile("where_made");
}
