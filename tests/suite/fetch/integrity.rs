//! F19, F22, F24, F25: bytes that are not the ones pinned, and signatures that do not vouch for them.

use xtool::archive::{Archive, VerifiedArchive};
use xtool::digest::Sha256;
use xtool::fetch::{Cause, FetchError, verify_minisign};

use super::{Rig, archive, assert_says, told};
use crate::support::TestEnv;
use crate::support::noise;
use crate::support::server::{Reply, Server};

/// F22: one bit flipped: a digest error, not a second request, and the bad file is gone.
#[tokio::test]
async fn a_flipped_bit_is_found() {
    let body = noise(100_000);
    let mut bad = body.clone();
    bad[50_000] ^= 1;
    let server = Server::files([("t", bad.clone())]);
    let rig = Rig::new();
    let error = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::Digest(_))));
    assert!(error.next_source());
    let (expected, found) = (Sha256::of(&body).to_string(), Sha256::of(&bad).to_string());
    assert_says(
        &told(&error),
        &[&expected, &found, server.url("t").as_str()],
    );
    assert_eq!(server.requests().len(), 1);
    assert!(rig.names().is_empty(), "{:?}", rig.names());
}

/// F22: a shorter body than pinned is another file too, when its length was announced.
#[tokio::test]
async fn a_shorter_file_is_found() {
    let body = noise(1000);
    let server = Server::files([("t", &body[..999])]);
    let rig = Rig::new();
    let error = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::Digest(_))));
    assert_says(&told(&error), &["1000 bytes", "999 bytes"]);
    assert_eq!(server.requests().len(), 1);
    assert!(rig.names().is_empty());
}

/// F22: the right bytes under a pin that contradicts itself are no archive.
#[tokio::test]
async fn a_wrong_pinned_size_is_found() {
    let body = noise(1000);
    let mut wanted = archive(&body);
    let server = Server::files([("t", body)]);
    let rig = Rig::new();
    rig.download(&wanted, &server.url("t")).await.unwrap();
    wanted.size = Some(2000);
    let error = rig.fetcher.cached(&wanted).unwrap_err();
    assert_says(&told(&error), &["2000 bytes", "1000 bytes"]);
    // It is the pin that is wrong: the file stays.
    assert_eq!(rig.names(), [wanted.sha256.to_string()]);
}

/// F22's neighbour: a server that compresses unasked: the digest is over the raw bytes, and the header is named.
#[tokio::test]
async fn a_content_encoding_is_named() {
    let body = noise(1000);
    let packed = crate::unpack::build::gz(&body);
    for (encoding, named) in [("gzip", true), ("identity", false)] {
        let mut wanted = archive(&body);
        wanted.size = None;
        let reply = Reply::ok(&*packed).header("Content-Encoding", encoding);
        let server = Server::scripted([reply]);
        let rig = Rig::new();
        let error = rig.download(&wanted, &server.url("t")).await.unwrap_err();
        assert_eq!(
            told(&error).contains("`Content-Encoding: gzip`"),
            named,
            "{}",
            told(&error)
        );
        assert!(error.next_source());
        assert_eq!(server.requests().len(), 1);
    }
}

/// F22's neighbour: the same where the size is pinned, and what comes is longer or shorter; but a server that only calls
/// a packed file packed, as some do with `.gz`, sends the right bytes.
#[tokio::test]
async fn a_content_encoding_is_named_whatever_the_length() {
    let long = noise(1000);
    let short = vec![b'x'; 1000];
    for (body, encoding) in [
        (&long, "gzip"),
        (&short, "gzip"),
        (&long, "br"),
        (&long, "zstd"),
        (&short, "deflate"),
    ] {
        let packed = crate::unpack::build::gz(body);
        let reply = Reply::ok(&*packed).header("Content-Encoding", encoding);
        let server = Server::scripted([reply]);
        let rig = Rig::new();
        let error = rig
            .download(&archive(body), &server.url("t"))
            .await
            .unwrap_err();
        let named = format!("compressed with `Content-Encoding: {encoding}`");
        assert!(told(&error).contains(&named), "{}", told(&error));
        assert!(error.next_source());
        assert_eq!(server.requests().len(), 1);
    }
    let reply = Reply::ok(&*long).header("Content-Encoding", "x-gzip");
    let server = Server::scripted([reply]);
    Rig::new()
        .download(&archive(&long), &server.url("t"))
        .await
        .unwrap();
}

/// F19: a login page, shorter or longer than the archive, declared as HTML or not.
#[tokio::test]
async fn a_login_page_is_called_one() {
    let page = "<!DOCTYPE html><html><title>Log in</title></html>";
    let bodies = [noise(1000), noise(10)];
    for body in &bodies {
        for reply in [
            Reply::ok(page).header("Content-Type", "text/html; charset=utf-8"),
            Reply::ok(page).header("Content-Type", "application/octet-stream"),
        ] {
            let declared = format!("{reply:?}").contains("text/html");
            if body.len() < page.len() && !declared {
                continue;
            }
            let server = Server::scripted([reply]);
            let rig = Rig::new();
            let error = rig
                .download(&archive(body), &server.url("t"))
                .await
                .unwrap_err();
            assert!(matches!(error.cause(), Some(Cause::Html(_))), "{error:?}");
            assert_says(&told(&error), &["HTML", "login page", "digest", "help:"]);
            assert_eq!(server.requests().len(), 1);
            assert!(rig.names().is_empty());
        }
    }
}

/// Without a pinned size the digest alone decides.
#[tokio::test]
async fn a_size_need_not_be_pinned() {
    let body = noise(100_000);
    let mut wanted = archive(&body);
    wanted.size = None;
    let server = Server::files([("t", body.clone())]);
    let rig = Rig::new();
    let verified = rig.download(&wanted, &server.url("t")).await.unwrap();
    assert_eq!(verified.size(), 100_000);
    wanted.sha256 = Sha256::of(b"other");
    let error = rig.download(&wanted, &server.url("t")).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::Digest(_))));
}

// Made once with minisign over SIGNED, by two throw-away keys; NAME is the file in the trusted comment.
const SIGNED: &[u8] = b"the archive's bytes\n";
const NAME: &str = "tool-1.0.tar.xz";
const KEY: &str = "RWRj49vmDiGSQHPu63KflNlj9MN/lgPnGY5+dP5xVgyYep8Z6MlxWm61";
const OTHER_KEY: &str = "RWS2b2H0oCa7UrkFBQrIR8PyawQiZAt2b0Ba0Z73EAum1Y/aQnRS+Rv4";
const GOOD: &str = "untrusted comment: signature
RURj49vmDiGSQBQUslcx+UunU1Z0LuwptcyWTH79CgBp91MGH1lWlqdbw28CN7NQaYoGasjuGbn87wEXYiT8Kj135w/Qg/ddVQQ=
trusted comment: timestamp:1760000000\tfile:tool-1.0.tar.xz\thashed
XPb4FQGPaputG9LDkl3jIdE4rbXok34QBc/pyM710P6BUN2vL9zAvrLZ1nUaG5A4FsB+mLVznBKVHZ18DeAUCw==
";
const OF_AN_OLDER_FILE: &str = "untrusted comment: signature
RURj49vmDiGSQAcJXbtgQkqLSYE8J88ZMTYTUwfremSBUMy+6f/+vF/PfLJ6QOjFYZ4CJ9fXoPJzPPEXC/SpOKTmBRYi4ll3Vw0=
trusted comment: timestamp:1700000000\tfile:tool-0.9.tar.xz\thashed
cWyvUuxMUI0kNdyAqva1ok6uWNZLCvIeedG+qt9pStdOwXAIP2W2D+dLdgnxjwS9tRZMHRAyX7WQL9+fJJy0Cw==
";
const OF_NO_FILE: &str = "untrusted comment: signature
RURj49vmDiGSQPlYkcpHUDC/souWKNM+NivruVE5AdRI6FTL4wQtft2G4ZiScCIUNcRC6QpTNeGGy1Uir9ppRjz9aoZQ1rioeAY=
trusted comment: timestamp:1760000000
yFGqSKYpDEoTXUDdQUbPyPwxVlBVu3P5qvW+Q/84AJJyJo1OaM3tNqT+Eq3gKvqaDv8PNr2FzcDfxLyRzKxfBg==
";

fn vouch(bytes: &[u8], key: &str, signature: &str, name: &str) -> Result<(), FetchError> {
    let env = TestEnv::new();
    let path = env.write("archive", bytes);
    let archive = Archive {
        file: NAME.to_owned(),
        sha256: Sha256::of(bytes),
        size: None,
    };
    let verified = VerifiedArchive::check(&path, &archive).unwrap();
    verify_minisign(&verified, key, signature, name)
}

#[track_caller]
fn assert_refused(result: Result<(), FetchError>, why: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, FetchError::Signature { .. }), "{error:?}");
    assert!(error.next_source());
    assert_says(&told(&error), &[NAME, why]);
}

/// The publisher's signature is accepted.
#[test]
fn a_good_signature_vouches() {
    vouch(SIGNED, KEY, GOOD, NAME).unwrap();
    vouch(
        SIGNED,
        &format!(" {KEY}\n"),
        &GOOD.replace('\n', "\r\n"),
        NAME,
    )
    .unwrap();
}

/// F24: another key, other bytes, a changed comment, no signature at all.
#[test]
fn a_signature_by_another_key_is_refused() {
    assert_refused(vouch(SIGNED, OTHER_KEY, GOOD, NAME), "different key");
    // The same key id, so that only the curve can tell.
    let forged = format!("{}{}", &KEY[..16], &OTHER_KEY[16..]);
    assert_refused(vouch(SIGNED, &forged, GOOD, NAME), "verification failed");
    assert_refused(
        vouch(b"other bytes", KEY, GOOD, NAME),
        "verification failed",
    );
    let later = GOOD.replace("1760000000", "1760000001");
    assert_refused(vouch(SIGNED, KEY, &later, NAME), "verification failed");
    let renamed = GOOD.replace(NAME, "tool-2.0.tar.xz");
    assert_refused(
        vouch(SIGNED, KEY, &renamed, "tool-2.0.tar.xz"),
        "verification failed",
    );
    for junk in ["", "<html></html>", &GOOD[..60]] {
        assert_refused(vouch(SIGNED, KEY, junk, NAME), "malformed");
    }
    assert_refused(vouch(SIGNED, "RWRj", GOOD, NAME), "public key");
}

/// F25: a good signature for another file: what a mirror would serve to bring an old release back.
#[test]
fn a_signature_of_another_file_is_refused() {
    assert_refused(
        vouch(SIGNED, KEY, OF_AN_OLDER_FILE, NAME),
        "tool-0.9.tar.xz",
    );
    assert_refused(vouch(SIGNED, KEY, OF_NO_FILE, NAME), "does not name");
    // The whole name, not a part of it.
    assert_refused(vouch(SIGNED, KEY, GOOD, "tool-1.0.tar"), NAME);
    assert_refused(vouch(SIGNED, KEY, GOOD, "1.0.tar.xz"), NAME);
    assert_refused(vouch(SIGNED, KEY, GOOD, "TOOL-1.0.tar.xz"), NAME);
}

/// The signature lies beside the archive, before the query.
#[tokio::test]
async fn a_signature_is_read_beside_its_archive() {
    let server = Server::files([("d/tool.tar.xz.minisig", GOOD)]);
    let rig = Rig::new();
    let url = server.url("d/tool.tar.xz?k=v");
    assert_eq!(rig.fetcher.signature(&url).await.unwrap(), GOOD);
    assert_eq!(server.requests()[0].target, "/d/tool.tar.xz.minisig?k=v");
}
