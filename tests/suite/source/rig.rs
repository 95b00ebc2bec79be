//! What every test here starts from: a small transport, a server on loopback, a recorder, programs of the test's own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;
use xtool::archive::{Archive, VerifiedArchive};
use xtool::digest::Sha256;
use xtool::manifest::Family;
use xtool::pin::{Pin, PinnedSource};
use xtool::reporter::{Reporter, TaskId};
use xtool::source::{BoxError, Context, Environment, Page, Transport};

/// The work folder's name, which no client may stumble over.
pub const WORK: &str = "the user's wörk";

/// A folder of its own, with a cache, a work folder, and a `bin` for programs that stand in for clients.
pub struct Rig {
    pub folder: tempfile::TempDir,
    pub reporter: Arc<Recorder>,
    pub context: Context,
    pub net: Net,
}

impl Rig {
    /// With the real clients of this machine, but none of the settings that its environment has for pip.
    pub fn new() -> Self {
        let environment = std::env::vars_os()
            .filter(|(name, _)| {
                let name = name.to_string_lossy().to_uppercase();
                let pips = name.starts_with("PIP_") && name != "PIP_CERT";
                !pips && !name.starts_with("UV_") && !name.ends_with("_PROXY")
            })
            .collect();
        Self::with(&environment)
    }

    /// With no program but those that the test makes, and what their scripts need.
    pub fn with_own_programs() -> Self {
        let rig = Self::with(&Environment::default());
        let tools = rig.folder.path().join("tools");
        fs_err::create_dir_all(&tools).unwrap();
        #[cfg(unix)]
        for tool in ["sh", "cat", "ls", "env", "sleep"] {
            let found = Environment::of_process().program(tool).expect(tool);
            std::os::unix::fs::symlink(found, tools.join(tool)).unwrap();
        }
        let path = std::env::join_paths([rig.bin(), tools]).unwrap();
        rig.env("PATH", path)
    }

    fn with(environment: &Environment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reporter = Arc::new(Recorder::default());
        let mut context = Context::new(folder.path().join(WORK), Arc::clone(&reporter) as _);
        context.environment = environment.with("RIG", Some(folder.path().as_os_str()));
        let net = Net::new(folder.path().join("cache"));
        fs_err::create_dir_all(folder.path().join("bin")).unwrap();
        Self {
            folder,
            reporter,
            context,
            net,
        }
    }

    pub fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// With a variable that code under test and its clients see.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        self.context.environment = self.context.environment.with(name, Some(&value));
        self
    }

    /// A shell script that stands in for a client. `$RIG` is the rig's folder.
    #[cfg(unix)]
    pub fn script(&self, name: &str, body: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.bin().join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// A file in the rig's folder, as text.
    #[cfg(unix)]
    pub fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Everything that the user would have seen.
    pub fn seen(&self) -> String {
        let said = self.reporter.said.lock().unwrap();
        let texts: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
        texts.join("\n")
    }

    pub fn warnings(&self) -> Vec<String> {
        self.reporter.of("warn")
    }

    #[cfg(target_os = "linux")]
    pub fn steps(&self) -> Vec<String> {
        self.reporter.of("step")
    }
}

pub fn archive(file: &str, content: &[u8]) -> Archive {
    Archive {
        file: file.to_owned(),
        sha256: Sha256::of(content),
        size: Some(content.len() as u64),
    }
}

pub fn pin(sources: Vec<PinnedSource>) -> Pin {
    Pin {
        toolchain: "zig".to_owned(),
        version: "0.15.2".to_owned(),
        family: Family::Zig,
        sources,
    }
}

pub fn url_source(url: &str, archive: &Archive) -> PinnedSource {
    PinnedSource::Url {
        url: url.parse().unwrap(),
        archive: archive.clone(),
        root: None,
        minisign: None,
    }
}

pub fn pypi_source(package: &str, archive: &Archive) -> PinnedSource {
    PinnedSource::Pypi {
        package: package.to_owned(),
        archive: archive.clone(),
        root: None,
    }
}

/// An error and its causes, as the user would read them.
pub fn text_of(error: &(dyn std::error::Error + 'static)) -> String {
    xtool::source::one_line(error)
}

/// Remembers what was said.
#[derive(Default)]
pub struct Recorder {
    said: Mutex<Vec<(&'static str, String)>>,
}

impl Recorder {
    fn of(&self, kind: &str) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, text)| text.clone())
            .collect()
    }
}

impl Reporter for Recorder {
    fn download_started(&self, _name: &str, _size: Option<u64>) -> TaskId {
        TaskId(0)
    }
    fn download_progress(&self, _task: TaskId, _bytes: u64) {}
    fn download_finished(&self, _task: TaskId) {}
    fn step(&self, message: &str) {
        self.said.lock().unwrap().push(("step", message.to_owned()));
    }
    fn warn(&self, message: &str) {
        self.said.lock().unwrap().push(("warn", message.to_owned()));
    }
}

/// A status that is no success.
#[derive(Debug, thiserror::Error)]
#[error("the server answered {0}")]
pub struct Status(pub StatusCode);

/// The least that a source can work with: no resume, no retry.
pub struct Net {
    cache: PathBuf,
    client: reqwest::Client,
    /// Addresses that a download was asked of.
    pub asked: Mutex<Vec<Url>>,
    /// Answer every download with this status, without asking anybody.
    pub refuse: Option<StatusCode>,
}

impl Net {
    fn new(cache: PathBuf) -> Self {
        // A second call changes nothing and says so.
        let _ = rustls::crypto::ring::default_provider().install_default();
        fs_err::create_dir_all(&cache).unwrap();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self {
            cache,
            client,
            asked: Mutex::default(),
            refuse: None,
        }
    }

    pub fn put(&self, content: &[u8]) {
        fs_err::write(self.cache.join(Sha256::of(content).to_string()), content).unwrap();
    }

    async fn bytes(&self, url: &Url, accept: &str) -> Result<(Url, Vec<u8>), BoxError> {
        let answer = self
            .client
            .get(url.clone())
            .header("Accept", accept)
            .send()
            .await
            .map_err(reqwest::Error::without_url)?;
        if !answer.status().is_success() {
            return Err(Status(answer.status()).into());
        }
        Ok((answer.url().clone(), answer.bytes().await?.to_vec()))
    }

    fn keep(&self, archive: &Archive, content: &[u8]) -> Result<VerifiedArchive, BoxError> {
        let path = self.cache.join(archive.sha256.to_string());
        fs_err::write(&path, content)?;
        Ok(VerifiedArchive::check(&path, archive)?)
    }
}

impl Transport for Net {
    async fn at_hand(&self, archive: &Archive) -> Result<Option<VerifiedArchive>, BoxError> {
        let path = self.cache.join(archive.sha256.to_string());
        Ok(VerifiedArchive::check(&path, archive).ok())
    }

    async fn download(
        &self,
        archive: &Archive,
        url: &Url,
        _minisign: Option<&str>,
    ) -> Result<VerifiedArchive, BoxError> {
        self.asked.lock().unwrap().push(url.clone());
        if let Some(status) = self.refuse {
            return Err(Status(status).into());
        }
        let (_, content) = self.bytes(url, "*/*").await?;
        self.keep(archive, &content)
    }

    async fn text(&self, url: &Url, accept: &str, limit: u64) -> Result<Page, BoxError> {
        let (url, content) = self.bytes(url, accept).await?;
        assert!(content.len() as u64 <= limit);
        let body = String::from_utf8(content)?;
        Ok(Page { url, body })
    }

    async fn adopt(&self, archive: &Archive, file: &Path) -> Result<VerifiedArchive, BoxError> {
        self.keep(archive, &fs_err::read(file)?)
    }

    fn client_may_help(&self, error: &BoxError) -> bool {
        error
            .downcast_ref::<Status>()
            .is_some_and(|s| matches!(s.0.as_u16(), 401 | 403 | 406 | 407))
    }
}

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub accept: String,
    pub authorization: Option<String>,
}

/// An answer: status, content type, body.
pub type Answer = (u16, &'static str, Vec<u8>);

/// A server on loopback that answers each path as told, and 404 else. It ends with the test's process.
pub struct Server {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answers: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let log = Arc::clone(&requests);
        let answers = Arc::new(answers);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream, &log, answers.as_ref()));
            }
        });
        Self { port, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// One request a connection. A client that goes away is no business of the server's.
fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    answers: &dyn Fn(&Request) -> Option<Answer>,
) -> Option<()> {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut request = Request {
        path: line.split(' ').nth(1)?.to_owned(),
        accept: String::new(),
        authorization: None,
    };
    loop {
        let mut line = String::new();
        reader.by_ref().take(8192).read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "accept" => value.clone_into(&mut request.accept),
            "authorization" => request.authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let (status, kind, body) = answers(&request).unwrap_or((404, "text/plain", b"none".to_vec()));
    log.lock().unwrap().push(request);
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}
