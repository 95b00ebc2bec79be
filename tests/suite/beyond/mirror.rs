//! `mirror`, read back by `XTOOL_MIRROR`: a file, a folder, and Debian's nginx over it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::folder;
use crate::real::{Lab, fail, succeed};

const TARGET: &str = "x86_64-pc-windows-gnu";

/// A clone on another machine: its own store and cache, and no way to any server.
fn elsewhere(lab: &Lab, name: &str, from: &Path, mirror: &str) -> (Command, PathBuf) {
    let clone = lab.dir.path().join(name);
    fs_err::create_dir(&clone).unwrap();
    for file in ["xtool.toml", "xtool.lock"] {
        fs_err::copy(from.join(file), clone.join(file)).unwrap();
    }
    let mut sync = lab.xtool(&clone, &["sync", "--locked"]);
    let home = lab.dir.path().join(format!("{name}-home"));
    sync.env("XTOOL_HOME", &home)
        .env("XTOOL_CACHE_DIR", home.join("cache"))
        .env("XTOOL_MIRROR", mirror)
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple");
    (sync, home)
}

#[test]
fn a_mirror_file_is_the_same_twice_and_serves_without_a_network() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &["aarch64-unknown-linux-musl"]);
    let file = lab.dir.path().join("mirror.tar.zst");
    let again = lab.dir.path().join("again.tar.zst");
    let write = |to: &Path| {
        succeed(&mut lab.xtool(&folder, &["mirror", "--this-host", to.to_str().unwrap()]));
    };
    write(&file);
    write(&again);
    let bytes = fs_err::read(&file).unwrap();
    assert!(bytes == fs_err::read(&again).unwrap(), "two runs differ");

    let (mut sync, home) = elsewhere(&lab, "air-gapped", &folder, file.to_str().unwrap());
    succeed(sync.arg("--offline"));
    assert!(home.join("toolchains").is_dir());

    // One byte of an archive in it: the digest does not let it through.
    let mut broken = bytes;
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    fs_err::write(&again, &broken).unwrap();
    let (mut sync, home) = elsewhere(&lab, "deceived", &folder, again.to_str().unwrap());
    let said = fail(sync.arg("--offline"), 1);
    assert!(said.contains("help: ") || said.contains("mirror"), "{said}");
    let installed = fs_err::read_dir(home.join("toolchains")).map_or(0, Iterator::count);
    assert_eq!(installed, 0, "{said}");
}

struct Nginx {
    child: Child,
    base: String,
    log: PathBuf,
}

impl Nginx {
    fn serve(lab: &Lab, root: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let dir = lab.dir.path().join("nginx");
        fs_err::create_dir(&dir).unwrap();
        let (d, r) = (dir.display(), root.display());
        // nginx drops root's rights for its workers, who cannot enter every folder above a checkout.
        let user = if succeed(Command::new("id").arg("-u")).trim() == "0" {
            "user root;"
        } else {
            ""
        };
        let text = format!(
            "{user} daemon off; pid {d}/pid; error_log {d}/error.log; worker_processes 1;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log {d}/access.log combined; client_body_temp_path {d}/b; proxy_temp_path {d}/p; \
             fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;\n\
             log_format with_range '$request $status $http_range'; access_log {d}/ranges.log with_range;\n\
             server {{ listen 127.0.0.1:{port}; root {r}; }} }}\n"
        );
        let conf = dir.join("nginx.conf");
        fs_err::write(&conf, text).unwrap();
        let child = Command::new("/usr/sbin/nginx")
            .args(["-p", dir.to_str().unwrap(), "-c", conf.to_str().unwrap()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx, which scripts/test.sh installs");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "nginx does not answer"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            base: format!("http://127.0.0.1:{port}"),
            log: dir.join("ranges.log"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // TERM lets the master end its worker; a kill would leave it.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

/// A download that was broken off is taken up by Range, from a real static server.
#[test]
fn nginx_serves_a_mirror_folder_and_resumes_downloads() {
    let lab = Lab::enter();
    let folder = folder(&lab, "cmake", &[TARGET]);
    let root = lab.dir.path().join("www");
    let args = ["mirror", "--this-host", root.to_str().unwrap()];
    succeed(&mut lab.xtool(&folder, &args));
    let files = fs_err::read_dir(root.join("sha256")).unwrap().count();
    assert!(files > 1);
    let nginx = Nginx::serve(&lab, &root);

    let (mut sync, home) = elsewhere(&lab, "client", &folder, &nginx.base);
    // Broken off in the largest download: what arrived is kept.
    let mut child = sync.stderr(Stdio::null()).spawn().unwrap();
    let downloads = home.join("cache/downloads");
    let start = Instant::now();
    while !has_part(&downloads) && child.try_wait().unwrap().is_none() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "no download begins"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut sync = lab.xtool(&lab.dir.path().join("client"), &["sync", "--locked"]);
    sync.env("XTOOL_HOME", &home)
        .env("XTOOL_CACHE_DIR", home.join("cache"))
        .env("XTOOL_MIRROR", &nginx.base)
        .env("HTTPS_PROXY", "http://127.0.0.1:9");
    let resumable = has_part(&downloads);
    succeed(&mut sync);
    let log = fs_err::read_to_string(&nginx.log).unwrap();
    assert!(log.contains(" 200 ") || log.contains(" 206 "), "{log}");
    if resumable {
        assert!(log.contains(" 206 bytes="), "{log}");
    }

    // The server itself answers Range as xtool asks for it.
    let name = fs_err::read_dir(root.join("sha256"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let address = nginx.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    write!(
        stream,
        "GET /sha256/{} HTTP/1.1\r\nHost: x\r\nRange: bytes=2-5\r\nConnection: close\r\n\r\n",
        name.to_str().unwrap()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 206"));
}

fn has_part(folder: &Path) -> bool {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|e| {
        let path = e.path();
        if path.is_dir() {
            return has_part(&path);
        }
        path.extension().is_some_and(|x| x == "part")
            && e.metadata().is_ok_and(|m| m.len() > 1_000_000)
    })
}
