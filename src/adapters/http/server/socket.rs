//! The ways in which a connection comes in, as one type: what is behind it is compiled once.

use crate::server::timed_socket::TimedWrites;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// An open connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Plain(TimedWrites<TcpStream>),
    /// Boxed, because it holds the keys and buffers of its session.
    Tls(Box<TlsStream<TimedWrites<TcpStream>>>),
    Local(TimedWrites<UnixStream>),
}

/// Does the same with the socket, whichever it is.
macro_rules! with_socket {
    ($socket:expr, $inner:ident => $done:expr) => {
        match $socket {
            Socket::Plain($inner) => $done,
            Socket::Tls($inner) => $done,
            Socket::Local($inner) => $done,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        with_socket!(self.get_mut(), socket => Pin::new(socket).poll_read(context, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        with_socket!(self.get_mut(), socket => Pin::new(socket).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        with_socket!(self.get_mut(), socket => Pin::new(socket).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        with_socket!(self, socket => socket.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_socket!(self.get_mut(), socket => Pin::new(socket).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_socket!(self.get_mut(), socket => Pin::new(socket).poll_shutdown(context))
    }
}
