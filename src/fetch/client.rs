//! The HTTP client: proxies, roots of trust, and which redirects it follows.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use url::Url;

use super::error::FetchError;
use super::no_proxy::NoProxy;
use super::settings::{Network, Settings, masked};
use crate::env_vars;

/// Redirects that are followed before it counts as a loop.
const REDIRECTS: usize = 10;

/// Makes the client. Reads certificates from disk; no connection is made.
///
/// On Linux the platform's roots are files that a bare container lacks. There an `http:` address is still served,
/// with no roots at all: a redirect to `https:` then fails on the certificate.
pub(super) fn build(settings: &Settings, scheme: &str) -> Result<reqwest::Client, FetchError> {
    // The provider is one a process; another one that was installed first is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let roots = roots(&settings.network)?;
    match builder(settings, roots.as_deref())?.build() {
        Ok(client) => Ok(client),
        Err(_) if scheme == "http" && roots.is_none() => builder(settings, Some(&[]))?
            .build()
            .map_err(|e| FetchError::Client(e.into())),
        Err(e) => Err(FetchError::Client(e.into())),
    }
}

fn builder(
    settings: &Settings,
    roots: Option<&[CertificateDer<'static>]>,
) -> Result<reqwest::ClientBuilder, FetchError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("xtool/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.timeouts.connect)
        .read_timeout(settings.timeouts.read)
        // A Referer would carry the first address's query, and with it its secrets, to another host.
        .referer(false)
        .redirect(redirect::Policy::custom(|attempt| {
            match follow(attempt.previous(), attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(refused) => attempt.error(refused),
            }
        }))
        // Ours are explicit, so that a malformed value is an error rather than no proxy.
        .no_proxy();
    for proxy in proxies(&settings.network)? {
        builder = builder.proxy(proxy);
    }
    if let Some(roots) = roots {
        let certificates = roots
            .iter()
            .map(|der| reqwest::Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| FetchError::Client(e.into()))?;
        builder = builder.tls_certs_only(certificates);
    }
    Ok(builder)
}

/// Why a redirect is not followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("More than {REDIRECTS} redirects")]
    TooMany,
    #[error("It leads from `https:` to `{0}:`")]
    Downgrade(String),
}

/// Whether a redirect is followed. `previous` begins with the address first asked for.
///
/// Credentials do not leave the host, port and scheme they were given for: reqwest drops `Authorization` there.
fn follow(previous: &[Url], next: &Url) -> Result<(), Refused> {
    if previous.len() > REDIRECTS {
        return Err(Refused::TooMany);
    }
    let secure = previous.iter().any(|url| url.scheme() == "https");
    if secure && next.scheme() != "https" {
        return Err(Refused::Downgrade(next.scheme().to_owned()));
    }
    Ok(())
}

/// The proxies that the environment names; the scheme's own before `ALL_PROXY`.
fn proxies(network: &Network) -> Result<Vec<reqwest::Proxy>, FetchError> {
    let no_proxy = NoProxy::parse(network.no_proxy.as_deref().unwrap_or_default());
    let named = [
        (&network.http_proxy, Some("http")),
        (&network.https_proxy, Some("https")),
        (&network.all_proxy, None),
    ];
    named
        .into_iter()
        .filter_map(|(named, scheme)| Some((named.as_ref()?, scheme)))
        .map(|((variable, value), scheme)| {
            let malformed = || FetchError::Variable {
                variable,
                value: masked(value),
                expected: "a proxy's address, such as `http://proxy.example:3128`",
            };
            let proxy = proxy_address(value).ok_or_else(malformed)?;
            // It is only tried when a request is made, where nobody would be told.
            reqwest::Proxy::all(proxy.clone()).map_err(|_| malformed())?;
            let no_proxy = no_proxy.clone();
            Ok(reqwest::Proxy::custom(move |url| {
                let its = scheme.is_none_or(|scheme| url.scheme() == scheme);
                (its && !no_proxy.holds(url)).then(|| proxy.clone())
            }))
        })
        .collect()
}

/// A proxy's address; without a scheme it is HTTP, as for curl. `Url::parse` mends what is no address, such as
/// `http:///host` and a tab within, and takes `http:/host` behind a scheme for a host called `http`.
fn proxy_address(value: &str) -> Option<Url> {
    let value = value.trim();
    if value.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return None;
    }
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let bare = !value.contains("://");
    if authority.is_empty() || authority.ends_with(':') || (bare && !path.is_empty()) {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{authority}")).ok()?;
    let known = matches!(
        url.scheme(),
        "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h"
    );
    let host = url.host_str().is_some_and(|host| !host.is_empty());
    (known && host && url.port() != Some(0)).then_some(url)
}

/// The roots that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, in place of the platform's; `None` when neither is set.
///
/// The platform verifier looks at them on Linux only, and falls silent on a file that is missing.
fn roots(network: &Network) -> Result<Option<Vec<CertificateDer<'static>>>, FetchError> {
    if network.cert_file.is_none() && network.cert_dirs.is_empty() {
        return Ok(None);
    }
    let mut roots = Vec::new();
    if let Some(path) = &network.cert_file {
        let unusable = |source| FetchError::Roots {
            variable: env_vars::SSL_CERT_FILE,
            path: path.clone(),
            source,
        };
        roots = certificates(path).map_err(unusable)?;
        if roots.is_empty() {
            return Err(unusable(io::Error::new(
                io::ErrorKind::InvalidData,
                "No certificate in it",
            )));
        }
    }
    for dir in &network.cert_dirs {
        for path in files_in(dir) {
            // A folder of certificates holds other files too.
            roots.extend(certificates(&path).unwrap_or_default());
        }
    }
    match network.cert_dirs.first() {
        Some(dir) if roots.is_empty() => Err(FetchError::Roots {
            variable: env_vars::SSL_CERT_DIR,
            path: dir.clone(),
            source: io::Error::new(io::ErrorKind::NotFound, "No certificate in it"),
        }),
        _ => Ok(Some(roots)),
    }
}

/// The certificates of a PEM file that can serve as roots; odd ones in a bundle are passed over.
fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let bytes = crate::regular::read(path, crate::regular::TEXT_LIMIT)?;
    let mut store = rustls::RootCertStore::empty();
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|e: pem::Error| io::Error::other(e.to_string()))?;
        if store.add(certificate.clone()).is_ok() {
            found.push(certificate);
        }
    }
    Ok(found)
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs_err::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// F16: ten redirects, and none from TLS to plain text.
    #[test]
    fn redirects_end_and_never_leave_tls() {
        let hops = vec![url("https://a.example/"); REDIRECTS];
        assert_eq!(follow(&hops, &url("https://b.example/")), Ok(()));
        let hops = vec![url("https://a.example/"); REDIRECTS + 1];
        assert_eq!(
            follow(&hops, &url("https://b.example/")),
            Err(Refused::TooMany)
        );
        let secure = [url("https://a.example/")];
        assert_eq!(
            follow(&secure, &url("http://a.example/")),
            Err(Refused::Downgrade("http".to_owned()))
        );
        let plain = [url("http://a.example/")];
        assert_eq!(follow(&plain, &url("http://a.example/x")), Ok(()));
        assert_eq!(follow(&plain, &url("https://a.example/x")), Ok(()));
    }

    /// F17: a malformed proxy is named, without its password.
    #[test]
    fn malformed_proxies_are_named() {
        for good in [
            "proxy.example:3128",
            "http://u:p@proxy.example",
            "socks5h://127.0.0.1",
            "http://proxy.example:3128/",
            "proxy.example:3128/",
            "http://[::1]:3128",
            " http://proxy.example ",
        ] {
            assert!(proxy_address(good).is_some(), "{good}");
        }
        for bad in [
            "http://",
            "://",
            "ftp://proxy",
            "http://u:hunter2@proxy:port",
            "http:/proxy.example",
            "http:proxy.example",
            "http//proxy.example",
            "http:///proxy.example",
            "http:\\\\proxy.example",
            "https:",
            "http://proxy.example:",
            "http://proxy.example:0",
            "http://proxy.example:99999",
            "http://:3128",
            "http://u:hunter2@:3128",
            "http://proxy .example",
            "http://pro\txy.example",
            "proxy.example/pac",
            "\"http://proxy.example\"",
        ] {
            let network = Network {
                https_proxy: Some(("HTTPS_PROXY", bad.to_owned())),
                ..Network::default()
            };
            let error = proxies(&network).unwrap_err().to_string();
            assert!(error.contains("HTTPS_PROXY"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    /// F18: a file that is missing, empty or no certificate is named.
    #[test]
    fn unusable_roots_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        fs_err::write(&empty, "").unwrap();
        let junk = dir.path().join("junk.pem");
        fs_err::write(
            &junk,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        for path in [
            dir.path().join("missing.pem"),
            empty,
            junk,
            dir.path().to_owned(),
        ] {
            let network = Network {
                cert_file: Some(path.clone()),
                ..Network::default()
            };
            let error = roots(&network).unwrap_err().to_string();
            assert!(
                error.contains("SSL_CERT_FILE") && error.contains(&path.display().to_string()),
                "{error}"
            );
        }
        let network = Network {
            cert_dirs: vec![dir.path().join("missing")],
            ..Network::default()
        };
        let error = roots(&network).unwrap_err().to_string();
        assert!(error.contains("SSL_CERT_DIR"), "{error}");
        assert!(roots(&Network::default()).unwrap().is_none());
    }
}
