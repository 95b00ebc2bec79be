fn main() {
    cxx_build::bridge("src/main.rs")
        .file("cpp/counter.cc")
        .std("c++17")
        .compile("counter");
    println!("cargo:rerun-if-changed=cpp");
}
