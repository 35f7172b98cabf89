//! One keep-alive connection: HTTP/1.1 by hand on a TCP stream.
//!
//! The load generator shares the machine with the server, so its own cost distorts the measurement: a request is one
//! write of prepared bytes, an answer one read and one pass of httparse, nothing in between.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEADERS_MAX: usize = 32;
/// Longest answer: a batch of 10,000 operations stays well below.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The parts of an answer that a load generator needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    /// The level's version, from the `ETag`.
    pub(super) version: Option<u64>,
    /// The `Retry-After` header, in seconds.
    pub(super) retry_after: Option<u64>,
    pub(super) body: &'a [u8],
}

/// A connection that takes one request at a time.
pub(super) struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    pub(super) async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: BytesMut::with_capacity(8 << 10) })
    }

    /// Sends a request and waits for the whole answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            self.receive().await?;
            if let Some(head) = Head::parse(&self.received)? {
                break head;
            }
        };
        while self.received.len() < head.length + head.body_length {
            self.receive().await?;
        }
        let body = self.received.get(head.length..).unwrap_or_default();
        let Head { status, version, retry_after, .. } = head;
        Ok(Reply { status, version, retry_after, body })
    }

    async fn receive(&mut self) -> io::Result<()> {
        if self.received.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("the answer is too long"));
        }
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")),
            _ => Ok(()),
        }
    }
}

/// The parsed status line and headers of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    version: Option<u64>,
    retry_after: Option<u64>,
    length: usize,
    body_length: usize,
}

impl Head {
    /// None while the head is not complete.
    fn parse(received: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(received).map_err(io::Error::other)?;
        let httparse::Status::Complete(length) = parsed else { return Ok(None) };
        let mut head = Self {
            status: response.code.unwrap_or_default(),
            version: None,
            retry_after: None,
            length,
            body_length: 0,
        };
        let mut known_length = matches!(head.status, 204 | 304);
        for header in response.headers.iter() {
            let text = || str::from_utf8(header.value).unwrap_or_default();
            if header.name.eq_ignore_ascii_case("content-length") {
                head.body_length = text().parse().map_err(io::Error::other)?;
                known_length = true;
            } else if header.name.eq_ignore_ascii_case("etag") {
                head.version = text().trim_matches('"').parse().ok();
            } else if header.name.eq_ignore_ascii_case("retry-after") {
                head.retry_after = text().parse().ok();
            }
        }
        if known_length { Ok(Some(head)) } else { Err(io::Error::other("the answer has no Content-Length")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn a_head_says_where_the_body_is() {
        let text = b"HTTP/1.1 200 OK\r\nETag: \"7\"\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(
            Head::parse(text).unwrap(),
            Some(Head {
                status: 200,
                version: Some(7),
                retry_after: None,
                length: text.len() - 2,
                body_length: 2
            })
        );
        assert_eq!(Head::parse(b"HTTP/1.1 200 OK\r\nETag:").unwrap(), None);
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(Head::parse(b"SSH-2.0-OpenSSH\r\n").is_err());
    }

    #[tokio::test]
    async fn answers_in_pieces_are_put_together() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                let mut request = [0; 4];
                stream.read_exact(&mut request).await.unwrap();
                for piece in ["HTTP/1.1 409 Conf", "lict\r\nContent-Length: 5\r\n\r\nab", "cde"] {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
        });
        let mut connection = Connection::open(&address).await.unwrap();
        for _ in 0..2 {
            let reply = connection.exchange(b"ping").await.unwrap();
            assert_eq!(reply, Reply { status: 409, version: None, retry_after: None, body: b"abcde" });
        }
        server.await.unwrap();
        assert!(connection.exchange(b"ping").await.is_err());
    }
}
