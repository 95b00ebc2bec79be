//! F16 to F18: what the environment says about proxies and roots of trust.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use url::Url;
use xtool::fetch::{Cause, Network, Settings};

use super::{ME_HUNTER2, Rig, archive, assert_holds, assert_says, told};
use crate::support::noise;
use crate::support::server::{Reply, Server};
use crate::support::{TestEnv, tls};

/// F16: from TLS to plain text: refused. F18: the bundle of `SSL_CERT_FILE` is what is trusted, and nothing else.
#[tokio::test]
async fn tls_is_verified_and_never_left() {
    let body = noise(1000);
    let (config, pem) = tls::authority();
    let plain = Server::files([("t", body.clone())]);
    let target = plain.url("t");
    let secure = Server::tls(config, {
        let body = body.clone();
        move |request, _| match request.path() {
            "/down" => Reply::redirect(&target),
            _ => Reply::file(request, &body),
        }
    });
    let env = TestEnv::new();
    let roots = env.write("roots.pem", pem);
    let rig = Rig::within(env, |s| s.network.cert_file = Some(roots));
    let wanted = archive(&body);
    let error = rig
        .download(&wanted, &secure.url("down"))
        .await
        .unwrap_err();
    assert_says(&told(&error), &["redirect", "from `https:` to `http:`"]);
    assert!(plain.requests().is_empty());
    assert_holds(
        &rig.download(&wanted, &secure.url("t")).await.unwrap(),
        &body,
    );

    // Another authority's bundle: refused, without a retry.
    let env = TestEnv::new();
    let roots = env.write("roots.pem", tls::authority().1);
    let rig = Rig::within(env, |s| s.network.cert_file = Some(roots));
    let before = secure.connections();
    let error = rig.download(&wanted, &secure.url("t")).await.unwrap_err();
    assert_eq!(secure.connections(), before + 1);
    assert!(
        matches!(error.cause(), Some(Cause::Certificate(_))),
        "{error:?}"
    );
    assert_says(
        &told(&error),
        &["certificate is not trusted", "SSL_CERT_FILE"],
    );
}

/// F17: the proxy is used for what it is for, and `NO_PROXY` is left out.
#[tokio::test]
async fn proxies_are_honoured() {
    let body = noise(1000);
    let direct = Server::files([("t", body.clone())]);
    let proxy = Server::new({
        let body = body.clone();
        move |request, _| match request.method.as_str() {
            "CONNECT" => Reply::status(403),
            _ => Reply::ok(&*body),
        }
    });
    let named = |name: &'static str| {
        let host = proxy.authority();
        Some((name, format!("http://me:hunter2@{host}")))
    };
    let rig = Rig::with(|s| s.network.http_proxy = named("HTTP_PROXY"));
    rig.download(&archive(&body), &direct.url("t"))
        .await
        .unwrap();
    assert!(direct.requests().is_empty());
    assert_eq!(proxy.requests()[0].target, direct.url("t").as_str());
    assert_eq!(
        proxy.requests()[0].header("proxy-authorization"),
        Some(ME_HUNTER2)
    );

    let rig = Rig::with(|s| {
        s.network.http_proxy = named("HTTP_PROXY");
        s.network.no_proxy = Some("example.org, 127.0.0.1".to_owned());
    });
    rig.download(&archive(&body), &direct.url("t"))
        .await
        .unwrap();
    assert_eq!(direct.requests().len(), 1);

    for set in [
        |n: &mut Network, p| n.https_proxy = p,
        |n: &mut Network, p| n.all_proxy = p,
    ] {
        let before = proxy.requests().len();
        let rig = Rig::with(|s| {
            set(&mut s.network, named("HTTPS_PROXY"));
            // An https address on the loopback interface, where nobody speaks TLS: the proxy is asked first.
            s.timeouts.connect_tries = 1;
        });
        let secure: Url = format!("https://{}/t", direct.authority()).parse().unwrap();
        let error = rig.download(&archive(&body), &secure).await.unwrap_err();
        let requests = proxy.requests();
        assert_eq!(requests[before].method, "CONNECT");
        assert_eq!(requests[before].target, direct.authority());
        assert!(!format!("{}{error:?}", told(&error)).contains("hunter2"));
    }
}

/// F17: a malformed proxy is an error that names the variable, before any connection.
#[tokio::test]
async fn a_malformed_proxy_is_named() {
    let server = Server::files([("t", "x")]);
    let rig = Rig::with(|s| {
        s.network.https_proxy = Some(("https_proxy", "http://me:hunter2@:::3128".to_owned()));
    });
    let error = rig
        .download(&archive(b"x"), &server.url("t"))
        .await
        .unwrap_err();
    let text = told(&error);
    assert_says(&text, &["https_proxy", "change or unset"]);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!error.next_source());
    assert_eq!(server.connections(), 0);
}

/// F18: a bundle that is missing is named; the platform's roots do not step in.
#[tokio::test]
async fn a_missing_bundle_is_named() {
    let server = Server::files([("t", "x")]);
    let missing = PathBuf::from("no/such/bundle.pem");
    let rig = Rig::with(|s| s.network.cert_file = Some(missing));
    let error = rig
        .download(&archive(b"x"), &server.url("t"))
        .await
        .unwrap_err();
    assert_says(&told(&error), &["SSL_CERT_FILE", "bundle.pem", "unset it"]);
    assert_eq!(server.connections(), 0);
}

/// F17, F18: the environment is what says so. Runs the next function in a process of its own.
#[test]
fn the_environment_is_read() {
    let dir = TestEnv::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "fetch::environment::in_an_environment",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("XTOOL_MIRROR", "http://mirror.example/a")
        .env("XTOOL_HTTP_TIMEOUT", "7")
        .env("XTOOL_HTTP_READ_TIMEOUT", "3")
        .env("HTTP_PROXY", "http://upper.example:1")
        .env("ALL_PROXY", "")
        .env_remove("all_proxy")
        .env_remove("HTTPS_PROXY")
        .env("https_proxy", "lower.example:2")
        .env("NO_PROXY", "a.example")
        .env("SSL_CERT_FILE", "roots.pem")
        .env("SSL_CERT_DIR", std::env::join_paths(["/a", "/b"]).unwrap())
        .current_dir(dir.root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
#[ignore = "needs the environment that `the_environment_is_read` sets"]
fn in_an_environment() {
    let settings = Settings::from_env("cache".into(), true).unwrap();
    assert!(settings.offline);
    assert_eq!(
        settings.mirror.unwrap().to_string(),
        "http://mirror.example/a"
    );
    assert_eq!(settings.timeouts.total, Duration::from_secs(7));
    assert_eq!(settings.timeouts.read, Duration::from_secs(3));
    let network = settings.network;
    assert_eq!(
        network.http_proxy,
        Some(("HTTP_PROXY", "http://upper.example:1".to_owned()))
    );
    // Windows knows no case here, so the name is not compared.
    assert_eq!(network.https_proxy.unwrap().1, "lower.example:2");
    assert_eq!(network.all_proxy, None);
    assert_eq!(network.no_proxy.as_deref(), Some("a.example"));
    assert_eq!(network.cert_file, Some(PathBuf::from("roots.pem")));
    assert_eq!(
        network.cert_dirs,
        [PathBuf::from("/a"), PathBuf::from("/b")]
    );
}
