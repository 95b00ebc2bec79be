//! Resources by embed-resource, or by winresource where `BY` says so.

use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=BY");
    match env::var("BY").as_deref() {
        Ok("winresource") => winresource(|_| {}),
        // For plain cargo: winresource itself reads no variable that is for one target.
        Ok("winresource, told") => winresource(|resource| {
            let target = env::var("TARGET").unwrap().replace('-', "_");
            if let (Ok(windres), Ok(ar)) = (
                env::var(format!("WINDRES_{target}")),
                env::var(format!("AR_{target}")),
            ) {
                resource.set_windres_path(&windres).set_ar_path(&ar);
            }
        }),
        _ => embed_resource::compile("app.rc", [r#"VERSION=\"9.8.7.6\""#])
            .manifest_required()
            .unwrap(),
    }
}

fn winresource(tell: impl FnOnce(&mut winresource::WindowsResource)) {
    let mut resource = winresource::WindowsResource::new();
    resource
        .set_icon("app.ico")
        .set_manifest_file("app.manifest")
        .set("ProductName", "Viel größer")
        .set("FileVersion", "9.8.7.6");
    tell(&mut resource);
    resource.compile().unwrap();
}
