//! A GET of an endless body (RFC 9112), as HTTP-FLV players do it. A redirect is told, not followed.

use std::io::{BufRead, BufReader, Read, Write};

use super::Error;
use super::connection::Connection;

/// Status line and headers together, and a chunk's size line.
const HEAD_LEN_MAX: u64 = 16 << 10;
const URL_LEN_MAX: usize = 2_048;

/// The body behind a URL.
pub(crate) fn get(url: &str) -> Result<Box<dyn Read>, Error> {
    let (authority, path) = split(url).ok_or(Error::HttpUrl)?;
    let is_tls = url.starts_with("https:");
    let (host, port) = host_and_port(authority, if is_tls { 443 } else { 80 }).ok_or(Error::HttpUrl)?;
    let mut socket = Connection::open(host, port, is_tls)?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\naccept: */*\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(socket);
    let head = read_head(&mut reader)?;
    match (head.status, head.is_chunked) {
        (200, true) => Ok(Box::new(Chunks { reader, left: 0, state: ChunkState::Size })),
        (200, false) => Ok(Box::new(reader)),
        (status, _) => Err(Error::Status(status)),
    }
}

/// Authority, then path with query.
fn split(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let is_clean = url.len() <= URL_LEN_MAX && url.chars().all(|c| !c.is_control() && c != ' ' && c != '#');
    if !is_clean {
        return None;
    }
    let at = rest.find('/').unwrap_or(rest.len());
    Some((&rest[..at], if at == rest.len() { "/" } else { &rest[at..] }))
}

fn host_and_port(authority: &str, usual_port: u16) -> Option<(&str, u16)> {
    let bracket = authority.rfind(']').unwrap_or(0);
    let (host, port) = match authority[bracket..].find(':') {
        Some(colon) => (&authority[..bracket + colon], authority[bracket + colon + 1..].parse().ok()?),
        None => (authority, usual_port),
    };
    (!host.is_empty() && !host.contains('@')).then_some((host, port))
}

struct Head {
    status: u16,
    is_chunked: bool,
}

fn read_head(reader: &mut BufReader<Connection>) -> Result<Head, Error> {
    let mut reader = reader.take(HEAD_LEN_MAX);
    let line = |reader: &mut dyn BufRead| -> Result<String, Error> {
        let mut bytes = Vec::new();
        reader.read_until(b'\n', &mut bytes)?;
        let text = String::from_utf8(bytes).map_err(|_| Error::Http)?;
        text.strip_suffix('\n').map(|line| line.trim_end_matches('\r').to_owned()).ok_or(Error::Http)
    };
    let first = line(&mut reader)?;
    let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    let mut head = Head { status: status.ok_or(Error::Http)?, is_chunked: false };
    loop {
        let header = line(&mut reader)?;
        if header.is_empty() {
            return Ok(head);
        }
        let (name, value) = header.split_once(':').ok_or(Error::Http)?;
        head.is_chunked |=
            name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked");
    }
}

/// A chunked body (RFC 9112 §7.1).
struct Chunks {
    reader: BufReader<Connection>,
    left: u64,
    state: ChunkState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    Size,
    Data,
    /// The line's end behind the data.
    Behind,
    Over,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            self.state = match self.state {
                ChunkState::Over => return Ok(0),
                ChunkState::Data if self.left > 0 => {
                    let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
                    let len = self.reader.read(&mut buffer[..most])?;
                    self.left -= len as u64;
                    return Ok(len);
                }
                ChunkState::Data => ChunkState::Behind,
                ChunkState::Behind => {
                    self.line()?;
                    ChunkState::Size
                }
                ChunkState::Size => {
                    self.left = size(&self.line()?).ok_or(std::io::ErrorKind::InvalidData)?;
                    if self.left == 0 { ChunkState::Over } else { ChunkState::Data }
                }
            };
        }
    }
}

impl Chunks {
    fn line(&mut self) -> std::io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.reader).take(HEAD_LEN_MAX).read_until(b'\n', &mut line)?;
        if line.ends_with(b"\n") { Ok(line) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// Hexadecimal, up to an extension or the line's end.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).map_or(line, |at| &line[..at]);
    std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn urls_are_split() {
        for (url, want) in [
            ("http://h/a/b.flv?k=1", Some(("h", 80, "/a/b.flv?k=1"))),
            ("http://h:8080/x", Some(("h", 8_080, "/x"))),
            ("http://[::1]:8080", Some(("[::1]", 8_080, "/"))),
            ("http:///x", None),
            ("http://u@h/x", None),
            ("http://h:x/", None),
            ("http://h/a b", None),
            ("http://h/a\r\nx: y", None),
        ] {
            let parts = split(url)
                .and_then(|(authority, path)| host_and_port(authority, 80).map(|(host, port)| (host, port, path)));
            assert_eq!(parts, want, "{url}");
        }
    }

    #[test]
    fn bodies_come_out_whole_and_bad_answers_are_told() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nFLV\r\n4;x=y\r\nbody\r\n0\r\n\r\n";
        for (what, answer, want) in [
            ("a plain body", &b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\nFLVbody"[..], Ok("FLVbody")),
            ("chunks", chunked, Ok("FLVbody")),
            ("a chunk without a size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", Err("read")),
            ("cut inside a chunk's size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3", Err("read")),
            ("not found", b"HTTP/1.1 404 Not Found\r\n\r\n", Err("the server answers with status 404")),
            ("a redirect", b"HTTP/1.1 302 Found\r\nlocation: /y\r\n\r\n", Err("the server answers with status 302")),
            ("another protocol", b"\x03\0\0\0\0", Err("the server speaks no HTTP/1.1")),
            ("no answer", b"", Err("the server speaks no HTTP/1.1")),
        ] {
            let got = fetch(answer.to_vec());
            let got = got.as_deref().map_err(String::as_str);
            assert_eq!(got, want, "{what}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 100_000]].concat();
        assert_eq!(fetch(endless), Err("the server speaks no HTTP/1.1".to_owned()), "a header without end");
    }

    fn fetch(answer: Vec<u8>) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x.flv", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = BufReader::new(socket.try_clone().unwrap());
            let mut line = String::new();
            while request.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            // The client may have heard enough.
            let _ = socket.write_all(&answer);
        });
        let body = get(&url).map_err(|error| error.to_string()).and_then(|mut body| {
            let mut text = String::new();
            body.read_to_string(&mut text).map(|_| text).map_err(|_| "read".to_owned())
        });
        server.join().unwrap();
        body
    }
}
