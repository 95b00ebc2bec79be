//! Proxies, roots of trust, the mirror.

use std::error::Error as _;
use std::path::Path;

use xtool::doctor::{Finding, Level};
use xtool::env_vars;
use xtool::fetch::{self, FetchError, Settings};
use xtool::help::Help as _;

use crate::commands::session::Session;

const AREA: &str = "network";

/// Looks; opens no connection.
pub fn look(session: &Session) -> Vec<Finding> {
    let cache = session.store.layout().cache().to_owned();
    let mut out = match Settings::from_env(cache, session.offline) {
        Ok(settings) => match fetch::check(&settings) {
            Ok(()) => vec![
                Finding::new(AREA, Level::Ok, proxies()),
                Finding::new(AREA, Level::Ok, roots(&settings)),
            ],
            Err(e) => vec![failure(&e)],
        },
        Err(e) => vec![failure(&e)],
    };
    if let Some(mirror) = env_vars::non_empty(env_vars::XTOOL_MIRROR) {
        let path = Path::new(&mirror);
        let is_url = mirror.to_string_lossy().contains("://");
        if !is_url && !path.exists() {
            out.push(
                Finding::new(
                    AREA,
                    Level::Error,
                    format!(
                        "XTOOL_MIRROR names `{}`, which is not there",
                        path.display()
                    ),
                )
                .fix("unset XTOOL_MIRROR, or write one with `xtool mirror`"),
            );
        }
    }
    out
}

fn failure(error: &FetchError) -> Finding {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    let fix = error.help();
    Finding::new(AREA, Level::Error, text).fix(fix.unwrap_or_else(|| "correct or unset it".into()))
}

fn proxies() -> String {
    let set = |name: &&str| {
        env_vars::non_empty(name)
            .or_else(|| env_vars::non_empty(&name.to_lowercase()))
            .is_some()
    };
    let proxies: Vec<&str> = [
        env_vars::HTTPS_PROXY,
        env_vars::HTTP_PROXY,
        env_vars::ALL_PROXY,
    ]
    .into_iter()
    .filter(set)
    .collect();
    if proxies.is_empty() {
        "No proxy is set".to_owned()
    } else {
        format!("Downloads go through {}", proxies.join(", "))
    }
}

fn roots(settings: &Settings) -> String {
    let network = &settings.network;
    let mut places: Vec<String> = Vec::new();
    places.extend(
        network
            .cert_file
            .iter()
            .map(|file| format!("`{}` (SSL_CERT_FILE)", file.display())),
    );
    places.extend(
        network
            .cert_dirs
            .iter()
            .map(|dir| format!("`{}` (SSL_CERT_DIR)", dir.display())),
    );
    if places.is_empty() {
        "Certificates are checked with the platform's roots".to_owned()
    } else {
        format!("Certificates are checked with {}", places.join(", "))
    }
}
