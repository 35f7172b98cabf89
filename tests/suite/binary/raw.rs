//! A client that writes bytes, not requests: for input that no HTTP library would send.

use super::process::Node;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// One connection.
#[derive(Debug)]
pub(super) struct Raw(TcpStream);

impl Raw {
    pub(super) fn connect(node: &Node) -> Self {
        let stream = TcpStream::connect(node.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Writes as much as the other side accepts.
    pub(super) fn write(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        // A server that has answered and closed need not read the rest.
        let _ = self.0.write_all(bytes.as_ref());
        self
    }

    /// Writes only what fits into the buffers of both sides.
    pub(super) fn write_some(&mut self, bytes: &str) {
        self.0.set_nonblocking(true).unwrap();
        // Full buffers are the purpose here.
        let _ = self.0.write(bytes.as_bytes());
        self.0.set_nonblocking(false).unwrap();
    }

    /// Reads until the other side closes; a reset counts as the end.
    pub(super) fn read_to_end(&mut self) -> String {
        let mut answer = Vec::new();
        match self.0.read_to_end(&mut answer) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            outcome => assert!(outcome.is_ok(), "{outcome:?}; read {:?}", String::from_utf8_lossy(&answer)),
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Reads until `end` has been read.
    pub(super) fn read_until(&mut self, end: &str) -> String {
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(end.as_bytes()) {
            let count = self.0.read(&mut byte).unwrap_or_else(|error| {
                panic!("{error}; waiting for {end:?} after {:?}", String::from_utf8_lossy(&answer))
            });
            assert_ne!(count, 0, "closed before {end:?}: {:?}", String::from_utf8_lossy(&answer));
            answer.push(byte[0]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Closes the sending direction.
    pub(super) fn finish(&mut self) -> &mut Self {
        // It fails when the other side has closed already.
        let _ = self.0.shutdown(Shutdown::Write);
        self
    }
}

/// Sends bytes on a connection of their own and reads until the server closes it.
pub(super) fn exchange(node: &Node, bytes: impl AsRef<[u8]>) -> String {
    Raw::connect(node).write(bytes).read_to_end()
}

/// As [`Self::exchange`]; none when the server accepts no connection any more.
pub(super) fn exchange_if_open(node: &Node, bytes: impl AsRef<[u8]>) -> Option<String> {
    let mut raw = Raw(TcpStream::connect(node.address()).ok()?);
    Some(raw.write(bytes).read_to_end())
}

/// The head of a POST that closes the connection afterwards.
pub(super) fn post(path: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n{more}\r\n"
    )
}
