//! F67, over whole commands: what nobody may read.

use super::rig::{Fake, Rig, TARGET, manifest, run, said, tree};
use crate::support::server::{Reply, Server};

/// A source's addresses, and variables.
type Case = (Vec<String>, Vec<(&'static str, String)>);

const USER: &str = "s3cr3t-user";
const PASSWORD: &str = "s3cr3t-password";
const TOKEN: &str = "s3cr3t-token";

/// F67: credentials in a manifest's address, the mirror's, a proxy's and the index's are in no output at -vvv and in
/// no file of ours, whichever way the command fails; and they do reach the server that they are for.
#[test]
fn credentials_are_printed_nowhere() {
    let fake = Fake::new("fake", 1000);
    let html = Server::new(|_, _| Reply::ok("<html>").header("Content-Type", "text/html"));
    let gone = Server::new(|_, _| Reply::status(404));
    let refused =
        Server::new(|_, _| Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\""));
    let away = Server::new(|_, _| {
        Reply::redirect(format!(
            "http://{USER}:{PASSWORD}@127.0.0.1:9/x?token={TOKEN}"
        ))
    });
    let good = Fake::serve(std::slice::from_ref(&fake));
    let with = |server: &Server| {
        format!(
            "http://{USER}:{PASSWORD}@{}/{}?token={TOKEN}",
            server.authority(),
            fake.file()
        )
    };
    let nobody = format!("http://{USER}:{PASSWORD}@127.0.0.1:9/{}", fake.file());
    let proxy = format!("http://{USER}:{PASSWORD}@127.0.0.1:9");
    let mangled = format!("http://{USER}:{PASSWORD}@host:port");
    let mirror = |server: &Server| {
        format!(
            "http://{USER}:{PASSWORD}@{}/m?token={TOKEN}",
            server.authority()
        )
    };
    let cases: Vec<Case> = vec![
        (vec![with(&html)], vec![]),
        (vec![with(&gone), with(&refused)], vec![]),
        (vec![with(&away)], vec![]),
        (vec![nobody], vec![]),
        (vec![with(&good)], vec![]),
        (vec![with(&gone)], vec![("XTOOL_MIRROR", mirror(&html))]),
        (vec![with(&gone)], vec![("XTOOL_MIRROR", mirror(&gone))]),
        (vec![with(&gone)], vec![("XTOOL_MIRROR", mangled.clone())]),
        (
            vec![format!(
                "https://example.invalid/{}?token={TOKEN}",
                fake.file()
            )],
            vec![("HTTPS_PROXY", proxy.clone())],
        ),
        (
            vec![format!("https://example.invalid/{}", fake.file())],
            vec![("HTTPS_PROXY", mangled.clone())],
        ),
        (
            vec![format!("https://example.invalid/{}", fake.file())],
            vec![("ALL_PROXY", proxy)],
        ),
    ];
    for (urls, variables) in cases {
        let rig = Rig::new();
        rig.env.write("manifest.toml", manifest(&[(&fake, &urls)]));
        let mut command = rig.add();
        command.arg("-vvv").envs(variables.clone());
        let output = run(&mut command);
        assert_silent(&said(&output), &format!("{urls:?} {variables:?}"));
        for json in ["show", "list"] {
            let output = run(&mut rig
                .xtool(&[json, TARGET, "--json", "-vvv"][..if json == "show" { 4 } else { 1 }]));
            assert_silent(&said(&output), json);
        }
        // What is committed holds neither user nor password; a query is part of the address.
        for (path, content) in rig.project_files() {
            let text = String::from_utf8_lossy(&content).replace(TOKEN, "");
            assert_silent(&text, &path);
        }
        for folder in ["home", "cache"] {
            for (path, content) in tree(&rig.env.path(folder)) {
                assert_silent(&String::from_utf8_lossy(&content), &path);
            }
        }
    }
    // With what the lock says alone they still get there.
    let rig = Rig::new();
    let url = [with(&good)];
    rig.env.write("manifest.toml", manifest(&[(&fake, &url)]));
    super::rig::succeed(&mut rig.add());
    fs_err::remove_dir_all(rig.home()).unwrap();
    fs_err::remove_dir_all(rig.cache()).unwrap();
    super::rig::succeed(&mut rig.xtool(&["sync", "--locked"]));
    let last = good.requests().pop().unwrap();
    assert!(last.header("Authorization").is_some());

    let authorized = good
        .requests()
        .iter()
        .filter(|r| r.header("Authorization").is_some())
        .count();
    assert!(authorized >= 1, "the server that they are for gets them");
    // A fault in the manifest shows the place, and not the address.
    let rig = Rig::new();
    let url = format!("ftp://{USER}:{PASSWORD}@host/x.zip");
    rig.env.write("manifest.toml", manifest(&[(&fake, &[url])]));
    assert_silent(&said(&run(&mut rig.add())), "a manifest");
}

/// F67's neighbour: at `trace`, where the HTTP client tells of every connection, of a redirect's target too; and what
/// stands behind a `#`.
#[test]
fn a_trace_names_no_password() {
    let fake = Fake::new("fake", 1000);
    let away = Server::new(|_, _| {
        Reply::redirect(format!(
            "http://{USER}:{PASSWORD}@127.0.0.1:9/x?token={TOKEN}"
        ))
    });
    let gone = Server::new(|_, _| Reply::status(404));
    for server in [away, gone] {
        let rig = Rig::new();
        let url = [format!("{}#{TOKEN}", server.url(&fake.file()))];
        rig.env.write("manifest.toml", manifest(&[(&fake, &url)]));
        for log in ["trace", "hyper_util::client::legacy::pool=trace"] {
            let output = run(rig.add().env("XTOOL_LOG", log).arg("-vvv"));
            assert_silent(&said(&output), log);
        }
    }
}

/// F67: the same for a package index, with its page missing, refused, no page at all, or out of reach.
#[test]
fn an_indexs_credentials_are_printed_nowhere() {
    let fake = Fake::new("fake", 1000);
    let servers = [
        Server::new(|_, _| Reply::status(404)),
        Server::new(|_, _| Reply::status(403)),
        Server::new(|_, _| Reply::ok("<html>").header("Content-Type", "text/html")),
        Server::new(|_, _| {
            Reply::ok("{\"files\": []}")
                .header("Content-Type", "application/vnd.pypi.simple.v1+json")
        }),
    ];
    let mut indexes: Vec<String> = servers
        .iter()
        .map(|s| {
            format!(
                "http://{USER}:{PASSWORD}@{}/simple?token={TOKEN}",
                s.authority()
            )
        })
        .collect();
    indexes.push(format!("http://{USER}:{PASSWORD}@127.0.0.1:9/simple"));
    indexes.push(format!("http://{USER}:{PASSWORD}@127.0.0.1:nine/simple"));
    for index in indexes {
        for name in ["PIP_INDEX_URL", "UV_DEFAULT_INDEX"] {
            let rig = Rig::new();
            let text = manifest(&[(&fake, &["http://127.0.0.1:9/x-1.whl".to_owned()])]).replace(
                "url = \"http://127.0.0.1:9/x-1.whl\"",
                "pypi = \"xtool-no-such-package\", file = \"x-1-py3-none-any.whl\"",
            );
            rig.env.write("manifest.toml", text);
            let mut command = rig.add();
            command
                .arg("-vvv")
                .env(name, &index)
                .env("PIP_NO_INPUT", "1")
                .env("PIP_RETRIES", "0")
                .env("PIP_CONFIG_FILE", "/dev/null");
            let output = run(&mut command);
            assert_eq!(output.status.code(), Some(1), "{index}: {}", said(&output));
            assert_silent(&said(&output), &format!("{name}={index}"));
        }
    }
}

#[track_caller]
fn assert_silent(text: &str, of: &str) {
    for secret in [USER, PASSWORD, TOKEN] {
        assert!(!text.contains(secret), "{of} tells `{secret}`:\n{text}");
    }
}
