use std::path::Path;

fn main() {
    let out = std::env::var_os("OUT_DIR").unwrap();
    bindgen::Builder::default()
        .header("csrc/record.h")
        .allowlist_item("record.*")
        .generate()
        .unwrap()
        .write_to_file(Path::new(&out).join("record.rs"))
        .unwrap();
    cc::Build::new().file("csrc/record.c").compile("record");
    println!("cargo:rerun-if-changed=csrc");
}
