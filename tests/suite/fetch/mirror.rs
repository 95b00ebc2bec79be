//! `XTOOL_MIRROR`: a server, a folder, a `.tar.zst`; it comes first, and its absence only costs a line.

use std::path::PathBuf;

use xtool::archive::Archive;
use xtool::fetch::Mirror;

use super::{Rig, archive, assert_holds, assert_says};
use crate::support::TestEnv;
use crate::support::noise;
use crate::support::server::{Reply, Server};

fn place(archive: &Archive) -> String {
    format!("sha256/{}", archive.sha256)
}

fn with(env: TestEnv, mirror: Mirror) -> Rig {
    Rig::within(env, |s| s.mirror = Some(mirror))
}

/// A `.tar.zst` of entries.
fn pack(env: &TestEnv, entries: &[(String, Vec<u8>)]) -> PathBuf {
    let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &**bytes).unwrap();
    }
    env.write("m.tar.zst", tar.into_inner().unwrap().finish().unwrap())
}

#[tokio::test]
async fn a_server_is_asked_under_the_digest() {
    let body = noise(1000);
    let wanted = archive(&body);
    let server = Server::files([(format!("base/{}", place(&wanted)), body.clone())]);
    let rig = with(TestEnv::new(), Mirror::Http(server.url("base/?token=t")));
    let verified = rig.fetcher.at_hand(&wanted).await.unwrap().unwrap();
    assert_holds(&verified, &body);
    let asked = format!("/base/{}?token=t", place(&wanted));
    assert_eq!(server.requests()[0].target, asked);
    assert!(rig.recorder.warnings().is_empty());
    // From the cache now.
    rig.fetcher.at_hand(&wanted).await.unwrap().unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_folder_is_copied_from() {
    let body = noise(1000);
    let wanted = archive(&body);
    let env = TestEnv::new();
    let original = env.write(&format!("m/{}", place(&wanted)), &body);
    let mirror = Mirror::Folder(env.path("m"));
    let rig = Rig::within(env, |s| {
        s.mirror = Some(mirror);
        s.offline = true;
    });
    let verified = rig.fetcher.at_hand(&wanted).await.unwrap().unwrap();
    assert_holds(&verified, &body);
    assert!(original.exists());
    assert_ne!(verified.path(), original);
    assert_eq!(rig.names(), [wanted.sha256.to_string()]);
}

#[tokio::test]
async fn a_tar_is_read_as_a_stream() {
    let bodies = [noise(1000), noise(300_000), noise(10)];
    let env = TestEnv::new();
    let mut entries: Vec<_> = bodies
        .iter()
        .map(|body| (place(&archive(body)), body.clone()))
        .collect();
    entries.insert(0, ("README".to_owned(), b"not ours".to_vec()));
    let mirror = Mirror::Tar(pack(&env, &entries));
    let rig = with(env, mirror);
    for body in bodies.iter().rev() {
        let verified = rig.fetcher.at_hand(&archive(body)).await.unwrap().unwrap();
        assert_holds(&verified, body);
    }
    assert!(
        rig.fetcher
            .at_hand(&archive(b"other"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        rig.fetcher
            .at_hand(&archive(b"another"))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(rig.recorder.warnings().len(), 2);
}

/// An archive that a mirror lacks costs one line, and the next one is still asked for.
#[tokio::test]
async fn a_mirror_that_lacks_it_is_one_warning() {
    let body = noise(1000);
    let wanted = archive(&body);
    let server = Server::files([(place(&wanted), body.clone())]);
    let env = TestEnv::new();
    env.write(&format!("m/{}", place(&wanted)), &body);
    let folder = Mirror::Folder(env.path("m"));
    for rig in [
        with(TestEnv::new(), Mirror::Http(server.url(""))),
        with(env, folder),
    ] {
        let other = archive(b"other");
        assert!(rig.fetcher.at_hand(&other).await.unwrap().is_none());
        let warnings = rig.recorder.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_says(
            &warnings[0],
            &["lacks `tool-1.0.tar.xz`", &other.sha256.to_string()],
        );
        assert!(rig.fetcher.at_hand(&wanted).await.unwrap().is_some());
    }
}

/// F22: a mirror's bad bytes are not taken.
#[tokio::test]
async fn a_mirrors_bad_bytes_are_refused() {
    let body = noise(1000);
    let wanted = archive(&body);
    for bad in [vec![7; 1000], vec![7; 999], vec![7; 100_000]] {
        let server = Server::files([(place(&wanted), bad.clone())]);
        let env = TestEnv::new();
        env.write(&format!("m/{}", place(&wanted)), &bad);
        let folder = Mirror::Folder(env.path("m"));
        let tar_env = TestEnv::new();
        let tar = Mirror::Tar(pack(&tar_env, &[(place(&wanted), bad)]));
        for rig in [
            with(TestEnv::new(), Mirror::Http(server.url(""))),
            with(env, folder),
            with(tar_env, tar),
        ] {
            assert!(rig.fetcher.at_hand(&wanted).await.unwrap().is_none());
            let warnings = rig.recorder.warnings();
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert_says(&warnings[0], &["has no good `tool-1.0.tar.xz`"]);
            assert!(!warnings[0].contains('\n'));
            assert!(rig.names().is_empty(), "{:?}", rig.names());
        }
    }
}

/// A mirror that is broken costs one line in all, and is left alone from then on.
#[tokio::test]
async fn a_broken_mirror_is_one_warning_in_all() {
    let failing = Server::new(|_, _| Reply::status(500));
    let env = TestEnv::new();
    let truncated = {
        let whole = pack(&env, &[(place(&archive(b"z")), noise(500_000))]);
        let bytes = fs_err::read(whole).unwrap();
        env.write("cut.tar.zst", &bytes[..bytes.len() / 2])
    };
    let junk = env.write("junk.tar.zst", "junk");
    for mirror in [
        Mirror::Http(failing.url("")),
        Mirror::Http("http://127.0.0.1:9/".parse().unwrap()),
        Mirror::Folder(env.path("missing")),
        Mirror::Tar(env.path("missing.tar.zst")),
        Mirror::Tar(truncated),
        Mirror::Tar(junk),
    ] {
        let shown = mirror.to_string();
        let rig = with(TestEnv::new(), mirror);
        for body in [b"a", b"b"] {
            assert!(rig.fetcher.at_hand(&archive(body)).await.unwrap().is_none());
        }
        let warnings = rig.recorder.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_says(&warnings[0], &[&shown, "cannot be used"]);
    }
    assert_eq!(failing.requests().len(), 5);
}

/// F38: a `.tar.zst` that ends inside the archive that is asked for.
#[tokio::test]
async fn a_tar_cut_inside_an_archive_is_broken() {
    let body = noise(500_000);
    let env = TestEnv::new();
    let whole = pack(&env, &[(place(&archive(&body)), body.clone())]);
    let bytes = fs_err::read(whole).unwrap();
    let cut = env.write("cut.tar.zst", &bytes[..bytes.len() / 2]);
    let rig = with(env, Mirror::Tar(cut));
    assert!(
        rig.fetcher
            .at_hand(&archive(&body))
            .await
            .unwrap()
            .is_none()
    );
    assert_says(&rig.recorder.warnings().join("\n"), &["cannot be used"]);
    assert!(rig.names().is_empty());
}

/// A refusal for one archive says nothing about the next: object stores say 403 for what they lack.
#[tokio::test]
async fn a_refusing_mirror_is_asked_again() {
    let body = noise(1000);
    let wanted = archive(&body);
    let path = format!("/{}", place(&wanted));
    let server = Server::new(move |request, _| {
        if request.path() == path {
            Reply::ok(&*body)
        } else {
            Reply::status(403)
        }
    });
    let rig = with(TestEnv::new(), Mirror::Http(server.url("")));
    let refused = archive(b"refused");
    assert!(rig.fetcher.at_hand(&refused).await.unwrap().is_none());
    assert!(rig.fetcher.at_hand(&wanted).await.unwrap().is_some());
    assert_says(&rig.recorder.warnings().join("\n"), &["403"]);
}

/// F67: a mirror's credentials are not told.
#[tokio::test]
async fn a_mirrors_credentials_are_not_told() {
    let server = Server::new(|_, _| Reply::status(404));
    let mut url = server.url("?token=hidden");
    url.set_username("me").unwrap();
    url.set_password(Some("hunter2")).unwrap();
    let rig = with(TestEnv::new(), Mirror::Http(url));
    assert!(rig.fetcher.at_hand(&archive(b"x")).await.unwrap().is_none());
    assert!(server.requests()[0].header("authorization").is_some());
    let told = format!("{:?} {:?}", rig.recorder.warnings(), rig.fetcher);
    assert_says(&told, &[&server.authority()]);
    for secret in ["hunter2", "hidden"] {
        assert!(!told.contains(secret), "{told}");
    }
}

/// F35's neighbour: a `.tar.zst` whose header claims a name of hundreds of megabytes: nothing of that size is read, and
/// the mirror is given up.
#[tokio::test]
async fn an_enormous_name_in_a_tar_is_not_read() {
    let env = TestEnv::new();
    let wanted = archive(&noise(1000));
    let claimed: usize = 200 << 20;
    let header =
        crate::unpack::build::tar_header(b'L', b"././@LongLink", b"", 0o644, claimed as u64);
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut packed, &header).unwrap();
    let name = std::io::Read::take(std::io::repeat(b'a'), claimed as u64);
    std::io::copy(&mut { name }, &mut packed).unwrap();
    let path = env.write("m.tar.zst", packed.finish().unwrap());
    let rig = with(env, Mirror::Tar(path));
    assert!(rig.fetcher.at_hand(&wanted).await.unwrap().is_none());
    let told = rig.recorder.warnings().join("\n");
    assert_says(
        &told,
        &["m.tar.zst", "an extension header claims 209715200 bytes"],
    );
}
