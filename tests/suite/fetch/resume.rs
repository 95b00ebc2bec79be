//! F1 to F8, F14, F15: connections that break, and what is kept of them.

use std::time::{Duration, Instant};

use xtool::fetch::Cause;

use super::{Rig, archive, assert_holds, assert_says, told};
use crate::support::noise;
use crate::support::recorder::Event;
use crate::support::server::{Reply, Server};

const SIZE: usize = 400_000;
const TAG: &str = "\"v1\"";

/// F1: broken at half, a strong tag: the rest only, by Range and If-Range.
#[tokio::test]
async fn a_broken_download_is_resumed() {
    let body = noise(SIZE);
    let server = Server::scripted([
        Reply::ok(&*body).header("ETag", TAG).drop_after(SIZE / 2),
        Reply::rest(&body, SIZE / 2).header("ETag", TAG),
    ]);
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("range"), None);
    assert_eq!(
        requests[1].header("range").unwrap(),
        format!("bytes={}-", SIZE / 2)
    );
    assert_eq!(requests[1].header("if-range"), Some(TAG));
    assert_eq!(rig.names(), [archive(&body).sha256.to_string()]);
    assert_eq!(rig.recorder.warnings().len(), 1);

    let events = rig.recorder.events();
    assert!(
        matches!(&events[0], Event::Started(name, Some(n)) if name == "tool-1.0.tar.xz" && *n == SIZE as u64)
    );
    assert_eq!(events.last(), Some(&Event::Finished(0)));
    let progress: Vec<u64> = events
        .iter()
        .filter_map(|e| match e {
            Event::Progress(_, n) => Some(*n),
            _ => None,
        })
        .collect();
    assert!(progress.is_sorted() && progress.last() == Some(&(SIZE as u64)));
}

/// F1: the same over two runs; the first was dropped in the middle (as by Ctrl-C).
#[tokio::test]
async fn a_part_of_an_earlier_run_is_resumed() {
    let body = noise(SIZE);
    let wanted = archive(&body);
    let stalling = body.clone();
    let server = Server::new(move |request, n| {
        let reply = Reply::file(request, &stalling);
        if n == 0 {
            reply.stall_after(SIZE / 4)
        } else {
            reply
        }
    });
    let url = server.url("t");
    let rig = Rig::new();
    rig.drop_at(&wanted, &url, SIZE / 4).await;
    assert_eq!(rig.part(&wanted).unwrap(), body[..SIZE / 4]);

    let rig = rig.again();
    assert_holds(&rig.download(&wanted, &url).await.unwrap(), &body);
    assert_eq!(
        server.requests()[1].header("range").unwrap(),
        format!("bytes={}-", SIZE / 4)
    );
    assert!(rig.recorder.warnings().is_empty());
}

/// F1, by Last-Modified where there is no tag and the date is strong.
#[tokio::test]
async fn an_old_modification_date_resumes() {
    let body = noise(SIZE);
    let modified = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = Server::scripted([
        Reply::ok(&*body)
            .header("Last-Modified", modified)
            .header("Date", "Sun, 06 Nov 1994 09:00:00 GMT")
            .drop_after(1000),
        Reply::rest(&body, 1000),
    ]);
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
    assert_eq!(server.requests()[1].header("if-range"), Some(modified));
}

/// F2, F3: the server answers with the whole, because it knows no ranges or the tag has changed.
#[tokio::test]
async fn a_whole_answer_to_a_resume_starts_over() {
    let (body, old) = (noise(SIZE), vec![7; SIZE]);
    for tag in [TAG, "\"v2\""] {
        let server = Server::scripted([
            Reply::ok(&*old).header("ETag", TAG).drop_after(SIZE / 2),
            Reply::ok(&*body).header("ETag", tag),
        ]);
        let verified = Rig::new().download(&archive(&body), &server.url("t")).await;
        assert_eq!(server.requests().len(), 2);
        // Read before the rig's folder goes.
        assert!(verified.is_ok(), "{}", told(&verified.unwrap_err()));
    }
}

/// F3: a 206 under another tag is not appended.
#[tokio::test]
async fn a_rest_under_another_tag_starts_over() {
    let body = noise(SIZE);
    let server = Server::scripted([
        Reply::ok(vec![7; SIZE])
            .header("ETag", TAG)
            .drop_after(SIZE / 2),
        Reply::rest(&body, SIZE / 2).header("ETag", "\"v2\""),
        Reply::ok(&*body).header("ETag", "\"v2\""),
    ]);
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
    assert_eq!(server.requests()[2].header("range"), None);
}

/// F4: a 206 that begins elsewhere, or does not say where.
#[tokio::test]
async fn a_rest_from_elsewhere_starts_over() {
    let body = noise(SIZE);
    let mute = Reply::ok(&body[SIZE / 2..]).with_status(206);
    // One begins too late: neither its length nor the file's gives it away.
    let late = Reply::rest(&body, SIZE / 2 + 100);
    for wrong in [Reply::rest(&body, 100), Reply::rest(&body, 0), late, mute] {
        let server = Server::scripted([
            Reply::ok(&*body).header("ETag", TAG).drop_after(SIZE / 2),
            wrong,
            Reply::ok(&*body),
        ]);
        let rig = Rig::new();
        let verified = rig
            .download(&archive(&body), &server.url("t"))
            .await
            .unwrap();
        assert_holds(&verified, &body);
        assert_eq!(server.requests()[2].header("range"), None);
    }
}

/// F4: a rest that is short of the end is gone on with.
#[tokio::test]
async fn a_short_rest_is_gone_on_with() {
    let body = noise(SIZE);
    let (a, b) = (SIZE / 4, SIZE / 2);
    let mut short = Reply::ok(&body[a..b]).header("ETag", TAG);
    short = short.header("Content-Range", format!("bytes {a}-{}/{SIZE}", b - 1));
    let server = Server::new({
        let body = body.clone();
        move |_, n| match n {
            0 => Reply::ok(&*body).header("ETag", TAG).drop_after(a),
            1 => short.clone().with_status(206),
            _ => Reply::rest(&body, b).header("ETag", TAG),
        }
    });
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
}

/// F5: a part that is complete is verified and taken; the server would only say 416.
#[tokio::test]
async fn a_complete_part_is_taken() {
    let body = noise(SIZE);
    for size in [Some(SIZE as u64), None] {
        let mut wanted = archive(&body);
        wanted.size = size;
        let rig = half_done(&body, &wanted).await;
        fs_err::write(rig.part_path(&wanted, "part"), &body).unwrap();
        let server = Server::scripted([Reply::status(416)]);
        assert!(server.requests().is_empty());
        // Another port is another address: the side file must be for this one.
        let rig = rig.again();
        relabel(&rig, &wanted, &server);
        let verified = rig.download(&wanted, &server.url("t")).await.unwrap();
        assert_holds(&verified, &body);
    }
}

/// F5: 416 to a part that is not complete starts over.
#[tokio::test]
async fn an_unsatisfiable_range_starts_over() {
    let body = noise(SIZE);
    let server = Server::scripted([
        Reply::ok(&*body).header("ETag", TAG).drop_after(SIZE / 2),
        Reply::status(416),
        Reply::ok(&*body),
    ]);
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
}

/// F6: without a validator, or with a weak one, the next try asks for the whole.
#[tokio::test]
async fn without_a_strong_validator_it_starts_over() {
    let body = noise(SIZE);
    for reply in [
        Reply::ok(&*body),
        Reply::ok(&*body).header("ETag", "W/\"v1\""),
    ] {
        let server = Server::scripted([reply.clone().drop_after(SIZE / 2), reply]);
        let rig = Rig::new();
        let verified = rig
            .download(&archive(&body), &server.url("t"))
            .await
            .unwrap();
        assert_holds(&verified, &body);
        assert_eq!(server.requests()[1].header("range"), None);
    }
    // What nothing can continue is not kept either.
    let server = Server::new(move |_, _| Reply::ok(&*body).drop_after(SIZE / 2));
    let rig = Rig::new();
    let error = rig
        .download(&archive(&noise(SIZE)), &server.url("t"))
        .await
        .unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::Broken { .. })));
    assert_eq!(server.requests().len(), 5);
    assert!(rig.names().is_empty(), "{:?}", rig.names());
}

/// F7: a side file that does not parse, or is gone, continues nothing. Nor does one with a tag that no request can
/// carry: it would fail every run.
#[tokio::test]
async fn a_corrupt_side_file_starts_over() {
    let body = noise(SIZE);
    let wanted = archive(&body);
    let unsendable = "an etag with a newline";
    for junk in [Some("\0\u{1}not toml"), Some(""), None, Some(unsendable)] {
        let server = Server::new({
            let body = body.clone();
            move |request, n| match n {
                0 => Reply::file(request, &body).drop_after(1000),
                1..=4 => Reply::status(500),
                _ => Reply::file(request, &body),
            }
        });
        let rig = Rig::new();
        let url = server.url("t");
        rig.download(&wanted, &url).await.unwrap_err();
        assert_eq!(rig.part(&wanted).unwrap().len(), 1000);
        let side = rig.part_path(&wanted, "part.toml");
        match junk {
            Some(junk) if junk == unsendable => {
                let text = fs_err::read_to_string(&side).unwrap();
                let mut table: toml::Table = text.parse().unwrap();
                table["validator"]["etag"] = "\"a\nb\"".into();
                fs_err::write(side, table.to_string()).unwrap();
            }
            Some(junk) => fs_err::write(side, junk).unwrap(),
            None => fs_err::remove_file(side).unwrap(),
        }
        let rig = rig.again();
        assert_holds(&rig.download(&wanted, &url).await.unwrap(), &body);
        assert_eq!(server.requests()[5].header("range"), None);
    }
}

/// F21: another source that is down, or of no use, leaves the first one's part alone.
#[tokio::test]
async fn another_source_that_fails_keeps_the_part() {
    let body = noise(SIZE);
    let wanted = archive(&body);
    let rig = half_done(&body, &wanted).await;
    let useless = Server::scripted([Reply::status(404), Reply::ok(noise(2 * SIZE))]);
    for _ in 0..2 {
        rig.download(&wanted, &useless.url("t")).await.unwrap_err();
    }
    let gone = "http://127.0.0.1:9/t".parse().unwrap();
    rig.download(&wanted, &gone).await.unwrap_err();
    assert_eq!(rig.part(&wanted).unwrap(), body[..SIZE / 2]);
    let server = Server::files([("t", body.clone())]);
    relabel(&rig, &wanted, &server);
    assert_holds(
        &rig.download(&wanted, &server.url("t")).await.unwrap(),
        &body,
    );
    let range = format!("bytes={}-", SIZE / 2);
    assert_eq!(server.requests()[0].header("range"), Some(&*range));
}

/// A part that rotted on disk spoils the digest; the whole is asked for once, from one response.
#[tokio::test]
async fn a_rotten_part_is_started_over_once() {
    let body = noise(SIZE);
    let wanted = archive(&body);
    let rig = half_done(&body, &wanted).await;
    let server = Server::files([("t", body.clone())]);
    let rig = rig.again();
    let mut part = rig.part(&wanted).unwrap();
    part[10] ^= 1;
    fs_err::write(rig.part_path(&wanted, "part"), part).unwrap();
    relabel(&rig, &wanted, &server);
    assert_holds(
        &rig.download(&wanted, &server.url("t")).await.unwrap(),
        &body,
    );
    let ranges: Vec<bool> = server
        .requests()
        .iter()
        .map(|r| r.header("range").is_some())
        .collect();
    assert_eq!(ranges, [true, false]);
}

/// F4's neighbour: a server answers 206 with the right Content-Range and sends the whole → start over, once.
#[tokio::test]
async fn a_whole_body_under_the_name_of_a_rest_starts_over() {
    let body = noise(SIZE);
    let wanted = archive(&body);
    let rig = half_done(&body, &wanted).await;
    let server = Server::new({
        let body = body.clone();
        move |request, _| {
            if request.header("range").is_none() {
                return Reply::file(request, &body);
            }
            let range = format!("bytes {}-{}/{SIZE}", SIZE / 2, SIZE - 1);
            Reply::ok(&*body)
                .with_status(206)
                .header("Content-Range", range)
        }
    });
    relabel(&rig, &wanted, &server);
    let rig = rig.again();
    assert_holds(
        &rig.download(&wanted, &server.url("t")).await.unwrap(),
        &body,
    );
    let ranges: Vec<bool> = server
        .requests()
        .iter()
        .map(|r| r.header("range").is_some())
        .collect();
    assert_eq!(ranges, [true, false]);
}

/// F8: a body longer than pinned stops at the limit, announced or not, and is not asked for again.
#[tokio::test]
async fn a_longer_body_stops_at_the_limit() {
    let body = noise(SIZE);
    let mut longer = body.clone();
    longer.extend(noise(4_000_000));
    for reply in [
        Reply::ok(&*longer),
        Reply::ok(&*longer).without_length().header("ETag", TAG),
    ] {
        let server = Server::scripted([reply]);
        let rig = Rig::new();
        let error = rig
            .download(&archive(&body), &server.url("t"))
            .await
            .unwrap_err();
        assert_says(
            &told(&error),
            &["longer than 400000 bytes", "tool-1.0.tar.xz"],
        );
        assert!(error.next_source());
        assert_eq!(server.requests().len(), 1);
        assert!(rig.names().is_empty(), "{:?}", rig.names());
    }
}

/// A body that nobody announced and that ends early is resumed, not taken for the whole.
#[tokio::test]
async fn an_unannounced_short_body_is_resumed() {
    let body = noise(SIZE);
    let server = Server::scripted([
        Reply::ok(&body[..SIZE / 2])
            .header("ETag", TAG)
            .without_length(),
        Reply::rest(&body, SIZE / 2).header("ETag", TAG),
    ]);
    let rig = Rig::new();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
}

/// F14: a stall ends by the read timeout, and the rest is fetched.
#[tokio::test]
async fn a_stall_is_resumed() {
    let body = noise(SIZE);
    let server = Server::scripted([
        Reply::ok(&*body).header("ETag", TAG).stall_after(SIZE / 2),
        Reply::rest(&body, SIZE / 2).header("ETag", TAG),
    ]);
    let limit = Duration::from_millis(300);
    let rig = Rig::with(|s| s.timeouts.read = limit);
    let begun = Instant::now();
    let verified = rig
        .download(&archive(&body), &server.url("t"))
        .await
        .unwrap();
    assert_holds(&verified, &body);
    assert!(begun.elapsed() >= limit);
    assert_says(
        &rig.recorder.warnings().join("\n"),
        &["sent nothing for 0.3 s"],
    );
}

/// F15: a trickle runs into the total budget; the part is kept.
#[tokio::test]
async fn a_trickle_runs_out_of_time_and_is_kept() {
    let body = noise(SIZE);
    let wanted = archive(&body);
    let server = Server::new({
        let body = body.clone();
        move |request, _| Reply::file(request, &body).pace(1, Duration::from_millis(50))
    });
    let rig = Rig::with(|s| s.timeouts.total = Duration::from_millis(1500));
    let begun = Instant::now();
    let error = rig.download(&wanted, &server.url("t")).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(matches!(error.cause(), Some(Cause::OutOfTime { .. })));
    assert_says(&told(&error), &["longer than 1.5 s", "XTOOL_HTTP_TIMEOUT"]);
    let part = rig.part(&wanted).unwrap();
    assert!(!part.is_empty() && body.starts_with(&part));
    assert!(rig.part_path(&wanted, "part.toml").exists());
}

/// A rig whose cache holds the first half, left by a server that is gone.
async fn half_done(body: &[u8], wanted: &xtool::archive::Archive) -> Rig {
    let server = Server::new({
        let body = body.to_vec();
        move |request, n| match n {
            0 => Reply::file(request, &body).drop_after(SIZE / 2),
            _ => Reply::status(404),
        }
    });
    let rig = Rig::new();
    rig.download(wanted, &server.url("t")).await.unwrap_err();
    assert_eq!(rig.part(wanted).unwrap().len(), SIZE / 2);
    rig
}

/// Makes the part one of `server`'s.
fn relabel(rig: &Rig, wanted: &xtool::archive::Archive, server: &Server) {
    let side = rig.part_path(wanted, "part.toml");
    let text = fs_err::read_to_string(&side).unwrap();
    let mut table: toml::Table = text.parse().unwrap();
    let address = xtool::pin::redacted(&server.url("t"));
    let key = xtool::digest::Sha256::of(address.as_bytes()).to_string();
    table.insert("address".to_owned(), key.into());
    fs_err::write(side, table.to_string()).unwrap();
}
