//! F9 to F13, F16, F20, F67: servers that refuse, redirect or are not there; offline.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use url::Url;
use xtool::fetch::{Cause, FetchError};

use super::{ME_HUNTER2, Rig, archive, assert_holds, assert_says, told};
use crate::support::noise;
use crate::support::server::{Reply, Server};

/// F9: 500, 500, 200: one warning line.
#[tokio::test]
async fn a_server_that_recovers_costs_one_warning() {
    let body = noise(1000);
    let server = Server::scripted([Reply::status(500), Reply::status(503), Reply::ok(&*body)]);
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
    let warnings = rig.recorder.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(!warnings[0].contains('\n'));
    assert_says(
        &warnings[0],
        &["tool-1.0.tar.xz", server.url("t").as_str(), "500"],
    );
}

/// F10: 500 for ever: five tries, then the address and the cause.
#[tokio::test]
async fn a_server_that_never_recovers_is_left() {
    let server = Server::new(|_, _| Reply::status(500));
    let rig = Rig::new();
    let error = rig
        .download(&archive(b"x"), &server.url("t"))
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 5);
    assert_eq!(rig.recorder.warnings().len(), 1);
    assert_eq!(error.status(), Some(500));
    assert!(error.next_source());
    assert_says(
        &told(&error),
        &[
            server.url("t").as_str(),
            "in 5 tries",
            "500 Internal Server Error",
        ],
    );
}

/// F11: what is not there is not asked for again.
#[tokio::test]
async fn a_missing_file_is_not_retried() {
    for status in [404, 410, 403, 401] {
        let server = Server::new(move |_, _| Reply::status(status));
        let rig = Rig::new();
        let error = rig
            .download(&archive(b"x"), &server.url("t"))
            .await
            .unwrap_err();
        assert_eq!(server.requests().len(), 1, "{status}");
        assert_eq!(error.status(), Some(status));
        assert!(error.next_source());
        assert!(rig.recorder.warnings().is_empty());
        assert_says(&told(&error), &[&status.to_string(), "help:"]);
    }
}

/// F12: Retry-After is waited for; one beyond the limit ends the source at once.
#[tokio::test]
async fn retry_after_is_honoured_up_to_the_limit() {
    let body = noise(1000);
    let server = Server::scripted([
        Reply::status(429).header("Retry-After", "2"),
        Reply::ok(&*body),
    ]);
    let rig = Rig::new();
    let begun = Instant::now();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
    assert!(begun.elapsed() >= Duration::from_secs(2));

    let server = Server::new(|_, _| Reply::status(429).header("Retry-After", "86400"));
    let begun = Instant::now();
    let error = rig
        .download(&archive(b"x"), &server.url("t"))
        .await
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(error.next_source());
    assert_eq!(server.requests().len(), 1);
}

/// F13: nobody listens: fewer tries, and the way round.
#[tokio::test]
async fn nobody_listens() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Url = format!("http://{}/t", gone.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(gone);
    let rig = Rig::new();
    let error = rig.download(&archive(b"x"), &url).await.unwrap_err();
    assert!(
        matches!(error.cause(), Some(Cause::Connect(_))),
        "{error:?}"
    );
    assert_says(
        &told(&error),
        &[
            url.as_str(),
            "in 3 tries",
            "HTTPS_PROXY",
            "XTOOL_MIRROR",
            "--offline",
        ],
    );
}

/// F13: a black hole costs the connect timeout a try. A listener whose queue is full takes no more connections.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_black_hole_costs_the_connect_timeout() {
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = hole.local_addr().unwrap();
    // std asks for a short queue; filled, a connection hangs.
    let mut held = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200))
    {
        held.push(stream);
        assert!(held.len() < 900, "the queue never fills");
    }
    let rig = Rig::with(|s| {
        s.timeouts.connect = Duration::from_millis(200);
        s.timeouts.read = Duration::from_secs(10);
    });
    let url: Url = format!("http://{address}/t").parse().unwrap();
    let begun = Instant::now();
    let error = rig.download(&archive(b"x"), &url).await.unwrap_err();
    assert!(
        matches!(error.cause(), Some(Cause::Connect(_))),
        "{error:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

/// F16: a loop ends after ten redirects.
#[tokio::test]
async fn a_redirect_loop_ends() {
    let server = Server::new(|_, n| Reply::redirect(format!("/{n}")));
    let error = Rig::new()
        .download(&archive(b"x"), &server.url("t"))
        .await
        .unwrap_err();
    assert_eq!(server.requests().len(), 11);
    assert_says(&told(&error), &["redirect", "More than 10"]);
}

/// F16, F67: a redirect to another host (a port is enough) does not carry the credentials along, nor a Referer.
#[tokio::test]
async fn credentials_stay_with_their_host() {
    let body = noise(1000);
    let other = Server::files([("moved", body.clone())]);
    let target = other.url("moved");
    let first = Server::new(move |request, _| match request.path() {
        "/a" => Reply::redirect("/b"),
        _ => Reply::redirect(&target),
    });
    let mut url = first.url("a?token=hidden");
    url.set_username("me").unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let rig = Rig::new();
    let verified = rig.download(&archive(&body), &url).await.unwrap();
    assert_holds(&verified, &body);
    for request in first.requests() {
        assert_eq!(
            request.header("authorization"),
            Some(ME_HUNTER2),
            "{request:?}"
        );
        assert_eq!(request.header("referer"), None);
    }
    assert_eq!(first.requests().len(), 2);
    let request = &other.requests()[0];
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("referer"), None);
    let agent = request.header("user-agent").unwrap();
    assert_eq!(agent, concat!("xtool/", env!("CARGO_PKG_VERSION")));
}

/// F67: neither errors, warnings, debug output nor files hold a password or a token.
#[tokio::test]
async fn credentials_are_never_told() {
    let body = noise(5000);
    let server = Server::new({
        let body = body.clone();
        move |request, n| match n {
            0 => Reply::file(request, &body).drop_after(1000),
            _ => Reply::status(500),
        }
    });
    let mut url = server.url("t?token=hidden");
    url.set_username("me").unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let rig = Rig::new();
    let error = rig.download(&archive(&body), &url).await.unwrap_err();
    let side = fs_err::read_to_string(rig.part_path(&archive(&body), "part.toml")).unwrap();
    let document = rig.fetcher.text(&url, "*/*", 10).await.unwrap_err();
    let gone: Url = url
        .as_str()
        .replace(&server.authority(), "127.0.0.1:9")
        .parse()
        .unwrap();
    let unreachable = rig.download(&archive(b"x"), &gone).await.unwrap_err();
    let looped = Server::new(|_, _| Reply::redirect("http://me:hunter2@127.0.0.1:9/?token=hidden"));
    let refused = rig
        .download(&archive(b"y"), &looped.url("t"))
        .await
        .unwrap_err();
    let all = [
        told(&error),
        format!("{error:?}"),
        told(&document),
        format!("{document:?}"),
        told(&unreachable),
        format!("{unreachable:?}"),
        told(&refused),
        format!("{refused:?}"),
        side,
        rig.recorder.warnings().join("\n"),
    ]
    .join("\n");
    assert!(all.contains("127.0.0.1"));
    for secret in ["hunter2", "hidden", ME_HUNTER2] {
        assert!(!all.contains(secret), "`{secret}` is in:\n{all}");
    }
}

/// F20: offline with a full cache works, with an empty one names the archive; no socket is opened either way.
#[tokio::test]
async fn offline_opens_no_socket() {
    let body = noise(1000);
    let server = Server::files([("t", body.clone())]);
    let wanted = archive(&body);
    let url = server.url("t");
    let rig = Rig::new();
    rig.download(&wanted, &url).await.unwrap();
    let connections = server.connections();

    let mirror = server.url("");
    let rig = Rig::within(rig.env, |s| {
        s.offline = true;
        s.mirror = Some(xtool::fetch::Mirror::Http(mirror));
    });
    assert_holds(&rig.download(&wanted, &url).await.unwrap(), &body);
    assert!(rig.fetcher.at_hand(&wanted).await.unwrap().is_some());
    let other = archive(b"other");
    assert!(rig.fetcher.at_hand(&other).await.unwrap().is_none());
    let error = rig.download(&other, &url).await.unwrap_err();
    assert!(matches!(error, FetchError::Offline { .. }));
    assert!(!error.next_source());
    assert_says(&told(&error), &["tool-1.0.tar.xz", "XTOOL_MIRROR"]);
    let error = rig.fetcher.text(&url, "*/*", 10).await.unwrap_err();
    assert_says(&told(&error), &[url.as_str()]);
    assert_eq!(server.connections(), connections);
}

/// Documents: retried like archives, limited, and text.
#[tokio::test]
async fn documents_are_retried_and_limited() {
    let server = Server::scripted([
        Reply::status(503),
        Reply::ok("{\"a\": 1}"),
        Reply::ok(noise(5000)),
        Reply::ok(noise(5000)).without_length(),
        Reply::ok([0xff, 0xfe]),
        Reply::status(404),
        Reply::ok("half").drop_after(2),
        Reply::ok("whole"),
    ]);
    let rig = Rig::new();
    let url = server.url("index/?k=v");
    let read = || rig.fetcher.text(&url, "application/json", 1000);
    assert_eq!(read().await.unwrap(), "{\"a\": 1}");
    assert_eq!(
        server.requests()[1].header("accept"),
        Some("application/json")
    );
    assert_eq!(rig.recorder.warnings().len(), 1);
    for expected in [
        "longer than 1000 bytes",
        "longer than 1000 bytes",
        "not UTF-8",
        "404",
    ] {
        assert_says(&told(&read().await.unwrap_err()), &[expected]);
    }
    assert_eq!(read().await.unwrap(), "whole");
}

/// An address that is not HTTP is refused by name.
#[tokio::test]
async fn other_schemes_are_refused() {
    let error = Rig::new()
        .download(&archive(b"x"), &"ftp://a.example/x".parse().unwrap())
        .await
        .unwrap_err();
    assert_says(&told(&error), &["`ftp:`"]);
}
