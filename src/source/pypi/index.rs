//! Which index Python packages come from.

use url::Url;

use super::PypiError;
use super::pip::{Pip, Setting};
use crate::env_vars::{PIP_INDEX_URL, UV_DEFAULT_INDEX};
use crate::source::{Context, Environment};

/// pip's sections in the order in which they win for us: the environment, the command that we may run, the one that
/// users write the setting for, all commands.
const SECTIONS: [&str; 4] = [":env:", "download", "install", "global"];

/// Where Python packages come from, and what else pip is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// The simple API's base. May hold a user name and password.
    pub(super) url: Url,
    /// Which setting it is from, for messages.
    pub(super) origin: String,
    /// pip is told of other indexes or folders as well.
    pub(super) more_places: bool,
    proxy: bool,
    forbidden: bool,
}

impl Index {
    /// From `PIP_INDEX_URL`, else `UV_DEFAULT_INDEX`; these need no pip.
    pub(super) fn of_environment(env: &Environment) -> Result<Option<Self>, PypiError> {
        for name in [PIP_INDEX_URL, UV_DEFAULT_INDEX] {
            if let Some(value) = env.text(name) {
                return Self::new(without_uv_name(value.trim()), name, &of_variables(env))
                    .map(Some);
            }
        }
        Ok(None)
    }

    /// From pip's configuration, else pip's default. Blocks.
    pub(super) fn of_pip(pip: &Pip, ctx: &Context) -> Result<Self, PypiError> {
        let settings = pip.settings();
        match value(settings, "index-url") {
            Some(url) => Self::new(url.trim(), "pip's configuration", settings),
            None => Self::new(&pip.default_index(ctx)?, "pip's default", settings),
        }
    }

    fn new(url: &str, origin: &str, settings: &[Setting]) -> Result<Self, PypiError> {
        let url = Url::parse(url).map_err(|source| PypiError::IndexUrl {
            origin: origin.to_owned(),
            source,
        })?;
        Ok(Self {
            url,
            origin: origin.to_owned(),
            more_places: ["extra-index-url", "find-links"]
                .iter()
                .any(|key| value(settings, key).is_some()),
            proxy: value(settings, "proxy").is_some(),
            forbidden: value(settings, "no-index").is_some_and(|v| !is_false(v)),
        })
    }

    /// Why only pip itself can get anything, where that is so.
    pub(super) fn only_pip(&self) -> Option<String> {
        if self.forbidden {
            Some("pip is set to use no index".to_owned())
        } else if self.proxy {
            Some("pip has a proxy of its own".to_owned())
        } else if matches!(self.url.scheme(), "http" | "https") {
            None
        } else {
            Some(format!("the index is a `{}:` one", self.url.scheme()))
        }
    }

    /// Where the index lists a project's files: PEP 503, "Specification".
    pub(super) fn page(&self, normalized: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/');
        let path = format!("{base}/{normalized}/");
        url.set_path(&path);
        url
    }
}

/// uv lets an index be written `name=address`.
fn without_uv_name(value: &str) -> &str {
    match value.split_once('=') {
        Some((name, url)) if !name.contains([':', '/']) => url,
        _ => value,
    }
}

/// The settings that pip would read from variables, without asking pip.
fn of_variables(env: &Environment) -> Vec<Setting> {
    [
        ("extra-index-url", "PIP_EXTRA_INDEX_URL"),
        ("find-links", "PIP_FIND_LINKS"),
        ("no-index", "PIP_NO_INDEX"),
        ("proxy", "PIP_PROXY"),
    ]
    .into_iter()
    .filter_map(|(key, name)| {
        Some(Setting {
            section: ":env:".to_owned(),
            key: key.to_owned(),
            value: env.text(name)?.to_owned(),
        })
    })
    .collect()
}

fn value<'a>(settings: &'a [Setting], key: &str) -> Option<&'a str> {
    SECTIONS.iter().find_map(|section| {
        settings
            .iter()
            .find(|s| s.section == *section && s.key == key && !s.value.trim().is_empty())
            .map(|s| s.value.as_str())
    })
}

/// As pip reads a switch: Python's `distutils.util.strtobool`.
fn is_false(value: &str) -> bool {
    matches!(
        value.trim().to_ascii_lowercase().as_str(),
        "0" | "false" | "no" | "n" | "off" | "f"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn pips_variable_wins_over_uvs() {
        let both = env(&[
            (PIP_INDEX_URL, "https://a.invalid/simple"),
            (UV_DEFAULT_INDEX, "https://b.invalid/simple"),
        ]);
        let index = Index::of_environment(&both).unwrap().unwrap();
        assert_eq!(
            index.page("ziglang").as_str(),
            "https://a.invalid/simple/ziglang/"
        );
        let uv = env(&[(UV_DEFAULT_INDEX, "corp=https://b.invalid/x/?k=v")]);
        let index = Index::of_environment(&uv).unwrap().unwrap();
        assert_eq!(index.page("a-b").as_str(), "https://b.invalid/x/a-b/?k=v");
        assert_eq!(Index::of_environment(&env(&[])).unwrap(), None);
    }

    #[test]
    fn a_bad_address_names_the_variable_and_not_the_value() {
        let bad = env(&[(PIP_INDEX_URL, "user:s3cret@nowhere")]);
        let text = match Index::of_environment(&bad) {
            Ok(index) => index.unwrap().only_pip().expect("an odd scheme"),
            Err(e) => crate::source::one_line(&e),
        };
        assert!(!text.contains("s3cret"), "{text}");
        let bad = env(&[(PIP_INDEX_URL, "//u:s3cret@nowhere")]);
        let text = crate::source::one_line(&Index::of_environment(&bad).unwrap_err());
        assert!(
            text.contains(PIP_INDEX_URL) && !text.contains("s3cret"),
            "{text}"
        );
    }

    #[test]
    fn settings_that_only_pip_can_follow_are_seen() {
        let base = (PIP_INDEX_URL, "https://a.invalid/simple");
        let of = |extra: &[(&str, &str)]| {
            let pairs: Vec<_> = [base].iter().chain(extra).copied().collect();
            Index::of_environment(&env(&pairs)).unwrap().unwrap()
        };
        assert_eq!(of(&[]).only_pip(), None);
        assert_eq!(of(&[("PIP_NO_INDEX", "0")]).only_pip(), None);
        assert!(of(&[("PIP_NO_INDEX", "1")]).only_pip().is_some());
        assert!(
            of(&[("PIP_PROXY", "http://p.invalid:1")])
                .only_pip()
                .is_some()
        );
        assert!(of(&[("PIP_FIND_LINKS", "/wheels")]).more_places);
        let file = env(&[(PIP_INDEX_URL, "file:///srv/simple")]);
        assert!(
            Index::of_environment(&file)
                .unwrap()
                .unwrap()
                .only_pip()
                .is_some()
        );
    }
}
