//! An HTTP/1.1 server on the loopback address, with every fault that a network has: std and threads only.
//!
//! One request a connection. [`Server::files`] serves a tree with `Range`, `If-Range` and `ETag`;
//! [`Server::scripted`] gives one [`Reply`] a request, in order; [`Server::new`] asks a closure.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use url::Url;
use xtool::digest::Sha256;

/// No connection lives longer, so that no test hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a client asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// As in the request line: path and query, or a whole address when we are taken for a proxy.
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// A header's value, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }
}

/// What the server does with a request.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    no_length: bool,
    drop_after: Option<usize>,
    stall_after: Option<usize>,
    pace: Option<(usize, Duration)>,
}

impl Reply {
    /// A status with no body to speak of.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            body: format!("status {status}").into_bytes(),
            ..Self::default()
        }
    }

    /// 200 with a body and no validator.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    /// 206 with the body's bytes from `start`, and a right `Content-Range`.
    pub fn rest(body: &[u8], start: usize) -> Self {
        let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
        Self {
            status: 206,
            body: body[start..].to_vec(),
            ..Self::default()
        }
        .header("Content-Range", range)
    }

    /// What a good file server does: a strong `ETag`, `Range` and `If-Range` (RFC 9110 §13.1.5, §14).
    pub fn file(request: &Request, body: &[u8]) -> Self {
        let etag = format!("\"{}\"", Sha256::of(body).short());
        let current = request
            .header("If-Range")
            .is_none_or(|wanted| wanted == etag);
        let start = request
            .header("Range")
            .filter(|_| current)
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'))
            .and_then(|start| start.parse::<usize>().ok());
        let reply = match start {
            Some(start) if start < body.len() => Self::rest(body, start),
            Some(_) => Self::status(416).header("Content-Range", format!("bytes */{}", body.len())),
            None => Self::ok(body),
        };
        reply.header("ETag", etag).header("Accept-Ranges", "bytes")
    }

    pub fn redirect(to: impl AsRef<str>) -> Self {
        Self::status(302).header("Location", to.as_ref())
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same under another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// No `Content-Length`: the end of the connection is the end of the body.
    pub fn without_length(mut self) -> Self {
        self.no_length = true;
        self
    }

    /// Closes the connection after so many bytes of the body.
    pub fn drop_after(mut self, bytes: usize) -> Self {
        self.drop_after = Some(bytes);
        self
    }

    /// Sends nothing more after so many bytes of the body, and keeps the connection.
    pub fn stall_after(mut self, bytes: usize) -> Self {
        self.stall_after = Some(bytes);
        self
    }

    /// Sends so many bytes at a time, with a pause after each.
    pub fn pace(mut self, bytes: usize, pause: Duration) -> Self {
        self.pace = Some((bytes, pause));
        self
    }
}

type Handler = dyn Fn(&Request, usize) -> Reply + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    log: Mutex<Vec<Request>>,
    connections: AtomicUsize,
    stopping: AtomicBool,
}

/// A running server; it stops when dropped.
pub struct Server {
    scheme: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Asks `handler` for each request; the second argument counts them from 0.
    pub fn new(handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", Box::new(handler), |stream| Ok(Box::new(stream)))
    }

    /// The same over TLS.
    pub fn tls(
        config: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start("https", Box::new(handler), move |stream| {
            let session =
                rustls::ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            Ok(Box::new(rustls::StreamOwned::new(session, stream)))
        })
    }

    /// One reply a request, in order; 501 when there are no more.
    pub fn scripted(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().collect();
        Self::new(move |_, n| {
            let reply = replies.get(n).cloned();
            reply.unwrap_or_else(|| Reply::status(501))
        })
    }

    /// A file tree: `sha256/…` → bytes; 404 for everything else.
    pub fn files<P: Into<String>, B: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Self {
        let files: BTreeMap<String, Vec<u8>> = files
            .into_iter()
            .map(|(path, bytes)| (path.into(), bytes.into()))
            .collect();
        Self::new(
            move |request, _| match files.get(request.path().trim_start_matches('/')) {
                Some(body) => Reply::file(request, body),
                None => Reply::status(404),
            },
        )
    }

    /// The address of a path, which begins without a slash.
    pub fn url(&self, path: &str) -> Url {
        format!("{}://{}/{path}", self.scheme, self.address)
            .parse()
            .expect("a path that can stand in an address")
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().expect("the log").clone()
    }

    /// Connections so far, those without a request too.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    fn start(
        scheme: &'static str,
        handler: Box<Handler>,
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            handler,
            log: Mutex::default(),
            connections: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        });
        let (accepting, wrap) = (Arc::clone(&shared), Arc::new(wrap));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, wrap) = (Arc::clone(&accepting), Arc::clone(&wrap));
                // A client that goes away in the middle is what many tests are about.
                thread::spawn(move || drop(serve(&shared, stream, wrap.as_ref())));
            }
        });
        Self {
            scheme,
            address,
            shared,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn serve(
    shared: &Shared,
    socket: TcpStream,
    wrap: &dyn Fn(TcpStream) -> io::Result<Box<dyn Stream>>,
) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    let closer = socket.try_clone()?;
    let mut stream = wrap(socket)?;
    let request = read_request(&mut stream)?;
    let number = {
        let mut log = shared.log.lock().map_err(|_| io::ErrorKind::Other)?;
        log.push(request.clone());
        log.len() - 1
    };
    let reply = (shared.handler)(&request, number);
    let result = answer(shared, &mut stream, &request, &reply);
    drop(stream);
    closer.shutdown(Shutdown::Both)?;
    result
}

fn read_request(stream: &mut dyn Read) -> io::Result<Request> {
    let mut lines = BufReader::new(stream.take(64 * 1024)).lines();
    let mut next = || {
        lines
            .next()
            .unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()))
    };
    let first = next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = words
        .next()
        .zip(words.next())
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = Vec::new();
    loop {
        let line = next()?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Request {
                method,
                target,
                headers,
            });
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn answer(
    shared: &Shared,
    stream: &mut dyn Write,
    request: &Request,
    reply: &Reply,
) -> io::Result<()> {
    let mut headers = reply.headers.clone();
    if !reply.no_length {
        headers.push(("Content-Length".to_owned(), reply.body.len().to_string()));
    }
    headers.push(("Connection".to_owned(), "close".to_owned()));
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status).into_bytes();
    for (name, value) in &headers {
        write!(head, "{name}: {value}\r\n")?;
    }
    head.extend_from_slice(b"\r\n");
    stream.write_all(&head)?;
    stream.flush()?;
    if request.method == "HEAD" {
        return Ok(());
    }
    let end = [reply.drop_after, reply.stall_after]
        .into_iter()
        .flatten()
        .fold(reply.body.len(), usize::min);
    let (step, pause) = reply.pace.unwrap_or((64 * 1024, Duration::ZERO));
    for piece in reply.body[..end].chunks(step) {
        if shared.stopping.load(Ordering::SeqCst) {
            return Ok(());
        }
        stream.write_all(piece)?;
        stream.flush()?;
        thread::sleep(pause);
    }
    if reply.stall_after.is_some() {
        let begun = Instant::now();
        while !shared.stopping.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}
