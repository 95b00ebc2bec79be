//! Compiles `f.c` for a target as a build script does, and names the object: `compile TARGET HOST FOLDER`.

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [target, host, folder] = args.as_slice() else {
        panic!("compile TARGET HOST FOLDER");
    };
    let objects = cc::Build::new()
        .cargo_metadata(false)
        .target(target)
        .host(host)
        .opt_level(0)
        .out_dir(folder)
        .file("f.c")
        .compile_intermediates();
    println!("{}", objects[0].display());
}
