//! Manifests and what a project brings along: text to values or an error that has a place.
#![no_main]

use std::path::Path;

use xtool::manifest::{Manifest, ManifestError};
use xtool::resolve::{Machine, resolve};
use xtool::target::Host;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Manifest::parse(text, Path::new("m.toml")) {
        Ok(manifest) => {
            for triple in manifest.targets.keys() {
                for host in Host::ALL {
                    let machine = Machine { host, apt: false };
                    // Every answer but a panic is one.
                    if let Ok(choice) = resolve(&manifest, machine, triple, None) {
                        if let Some(pin) = choice.pin() {
                            let id = pin.id();
                            assert!(
                                !id.contains(['/', '\\', '\0']) && id != ".." && !id.is_empty()
                            );
                        }
                    }
                }
            }
        }
        Err(ManifestError::Invalid {
            line,
            column,
            message,
            ..
        }) => {
            assert!(line >= 1 && column >= 1 && !message.is_empty());
            assert!(
                line <= text.lines().count().max(1) + 1,
                "line {line} of {}",
                text.lines().count()
            );
        }
        Err(other) => panic!("{other:?}"),
    }
});
