//! What the manifest says is in an archive, and is not.

use super::rig::{Fake, Rig, TARGET, fail, names, succeed};
use crate::unpack::build::symlink;

/// F68's neighbour: the archive lacks a program that the manifest names: nothing is installed, and the entry is named.
/// A link, or a chain of them, that leads to a file in the tree is one.
#[test]
fn a_program_that_the_archive_lacks() {
    let links = [
        symlink("bin/a", "b"),
        symlink("bin/b", "../lib/c"),
        symlink("lib/c", "../bin/ar"),
        symlink("bin/nowhere", "nothing"),
        symlink("bin/folder", "../lib"),
    ];
    let fake = Fake::with("fake", links);
    let server = Fake::serve(std::slice::from_ref(&fake));
    for (linker, ar, missing) in [
        ("bin/none", "bin/ar", Some("linker")),
        ("bin/cc", "bin/none", Some("ar")),
        ("bin/nowhere", "bin/ar", Some("linker")),
        ("bin/folder", "bin/ar", Some("linker")),
        ("bin/gcc", "bin/a", None),
    ] {
        let rig = Rig::with(&server, std::slice::from_ref(&fake));
        let manifest = fs_err::read_to_string(rig.env.path("manifest.toml")).unwrap();
        let manifest = manifest
            .replace("linker = \"bin/cc\"", &format!("linker = \"{linker}\""))
            .replace("ar = \"bin/ar\"", &format!("ar = \"{ar}\""));
        rig.env.write("manifest.toml", manifest);
        let Some(key) = missing else {
            succeed(&mut rig.add());
            continue;
        };
        let path = if key == "ar" { ar } else { linker };
        let entry = format!("[target.{TARGET}.fake]");
        let before = rig.project_files();
        for command in [rig.add(), rig.add(), rig.xtool(&["fetch", TARGET])] {
            let mut command = command;
            fail(&mut command, &[path, key, &entry, "help:"]);
            assert_eq!(names(&rig.home().join("toolchains")), [""; 0]);
        }
        assert_eq!(rig.project_files(), before);
        rig.assert_tidy();
    }
}
