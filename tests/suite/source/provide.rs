//! Which source answers.

use xtool::help::Help;
use xtool::pin::PinnedSource;
use xtool::source::{Cause, provide};

use super::rig::{Rig, Server, archive, pin, pypi_source, text_of, url_source};

const CONTENT: &[u8] = b"the archive";

fn good() -> Server {
    Server::start(|r| (r.path == "/a.tar").then(|| (200, "application/x-tar", CONTENT.to_vec())))
}

/// F21: a source that cannot be reached costs one warning that names it and the cause; the next one is used.
#[tokio::test]
async fn the_next_source_is_used_after_one_warning() {
    let (rig, server) = (Rig::new(), good());
    let wanted = archive("a.tar", CONTENT);
    let sources = vec![
        url_source("http://user:s3cret@127.0.0.1:9/a.tar", &wanted),
        url_source(&server.url("/a.tar"), &wanted),
    ];
    let provided = provide(&pin(sources), &rig.context, &rig.net)
        .await
        .unwrap();
    assert_eq!(provided.source, 1);
    assert_eq!(fs_err::read(provided.archives[0].path()).unwrap(), CONTENT);
    let warnings = rig.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("http://127.0.0.1:9/a.tar"),
        "{warnings:?}"
    );
    assert!(warnings[0].contains(&server.url("/a.tar")), "{warnings:?}");
    assert_eq!(warnings[0].lines().count(), 1, "{warnings:?}");
    assert!(!rig.seen().contains("s3cret"), "{}", rig.seen());
}

/// F23: when no source answers, the error lists each with its cause.
#[tokio::test]
async fn when_all_fail_the_error_lists_each_cause() {
    let rig = Rig::new();
    let server =
        Server::start(|r| (r.path == "/bad").then(|| (200, "x/y", b"other bytes".to_vec())));
    let wanted = archive("a.tar", CONTENT);
    let missing = rig.folder.path().join("gone.tar");
    let sources = vec![
        url_source(&server.url("/bad"), &wanted),
        url_source(&server.url("/none"), &wanted),
        PinnedSource::Path {
            path: missing.clone(),
            archive: wanted.clone(),
            root: None,
        },
        PinnedSource::Path {
            path: rig.folder.path().to_owned(),
            archive: wanted.clone(),
            root: None,
        },
    ];
    let error = provide(&pin(sources), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert_eq!(error.failures.len(), 4);
    let text = error.to_string();
    for part in [
        "`zig` 0.15.2",
        &server.url("/bad"),
        "different digest",
        &server.url("/none"),
        "404",
        missing.to_str().unwrap(),
        "is a folder",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    assert_eq!(rig.warnings().len(), 3, "{:?}", rig.warnings());
}

/// F20: what is cached needs no socket, whichever source it is of; what is not is named.
#[tokio::test]
async fn offline_only_what_is_at_hand() {
    let mut rig = Rig::new();
    let server = good();
    rig.context.offline = true;
    let wanted = archive("a.tar", CONTENT);
    let other = archive("ziglang-0.15.2-py3-none-any.whl", b"the wheel");
    let wanted = pin(vec![
        pypi_source("ziglang", &other),
        url_source(&server.url("/a.tar"), &wanted),
    ]);
    let error = provide(&wanted, &rig.context, &rig.net).await.unwrap_err();
    assert!(
        error
            .failures
            .iter()
            .all(|f| matches!(f.cause, Cause::Offline { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("`a.tar`"), "{error}");
    assert!(error.help().unwrap().contains("--offline"));

    rig.net.put(CONTENT);
    let provided = provide(&wanted, &rig.context, &rig.net).await.unwrap();
    assert_eq!(provided.source, 1);
    assert!(server.requests().is_empty());
    assert!(rig.seen().is_empty(), "{}", rig.seen());
}

/// What is at hand of a later source is used before anything is downloaded for an earlier one.
#[tokio::test]
async fn the_cache_is_asked_for_every_source_first() {
    let rig = Rig::new();
    let server = Server::start(|_| Some((200, "x/y", b"first".to_vec())));
    rig.net.put(CONTENT);
    let sources = vec![
        url_source(&server.url("/first"), &archive("f.tar", b"first")),
        url_source(&server.url("/second"), &archive("a.tar", CONTENT)),
    ];
    let provided = provide(&pin(sources), &rig.context, &rig.net)
        .await
        .unwrap();
    assert_eq!(provided.source, 1);
    assert!(server.requests().is_empty());
}

/// A file of the user's is checked and used where it lies.
#[tokio::test]
async fn a_path_is_checked_and_not_copied() {
    let rig = Rig::new();
    let file = rig.folder.path().join("sdk.tar.xz");
    let source = |content: &[u8]| PinnedSource::Path {
        path: file.clone(),
        archive: archive("sdk.tar.xz", content),
        root: None,
    };
    fs_err::write(&file, CONTENT).unwrap();
    let provided = provide(&pin(vec![source(CONTENT)]), &rig.context, &rig.net)
        .await
        .unwrap();
    assert_eq!(provided.archives[0].path(), file);
    let error = provide(&pin(vec![source(b"other")]), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(text_of(&error).contains("different digest"), "{error}");
    assert!(file.exists(), "the user's file stays");
}

/// A pin without sources is an error, not a success without archives.
#[tokio::test]
async fn no_source_is_an_error() {
    let rig = Rig::new();
    let error = provide(&pin(vec![]), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no source"), "{error}");
}
