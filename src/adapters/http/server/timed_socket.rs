//! Sockets with timeouts: [`TimedWrites`] fails for a peer that stops reading, [`TimedReads`] for one that never finishes the
//! head of a request.
//!
//! Without them a peer that never reads would hold its connection and its unread answer indefinitely. hyper has one
//! timeout for a head and for the pause before it; a pause is no fault, so the head is timed here, from its first
//! byte (and from the beginning of the connection, because a client that connects has a request).
//!
//! They are two because TLS stands between them: what a peer has read shows below it, where a head begins shows above it.

use crate::server::connections::OpenConnection;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// A socket whose writes fail once the peer has read nothing for a while.
#[derive(Debug)]
pub(crate) struct TimedWrites<S> {
    socket: S,
    stall_max: Duration,
    /// The timer of a write that waits.
    waiting: Option<Pin<Box<Sleep>>>,
    connection: Arc<OpenConnection>,
}

/// A socket whose reads fail once a head has taken too long.
#[derive(Debug)]
pub(crate) struct TimedReads<S> {
    socket: S,
    head_max: Duration,
    connection: Arc<OpenConnection>,
    /// The head being read: the number of requests before it, and the time of its first byte.
    head: Option<(u64, Instant)>,
    /// The timer of a head that waits for more.
    heading: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedWrites<S> {
    /// A socket whose peer reads some of what is written at least once in `stall_max`.
    pub(crate) fn new(socket: S, stall_max: Duration, connection: Arc<OpenConnection>) -> Self {
        Self { socket, stall_max, waiting: None, connection }
    }

    fn judge<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.connection.waits_for_peer(written.is_pending());
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let stall_max = self.stall_max;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(stall_max)));
        ready!(waiting.as_mut().poll(context));
        waiting.as_mut().reset(Instant::now() + stall_max);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer has stopped reading")))
    }
}

impl<S> TimedReads<S> {
    /// A socket whose heads take `head_max` at most.
    pub(crate) fn new(socket: S, head_max: Duration, connection: Arc<OpenConnection>) -> Self {
        let head = Some((0, Instant::now()));
        Self { socket, head_max, connection, head, heading: None }
    }

    /// Notes that bytes of a head have arrived.
    fn head_begins(&mut self) {
        let Some(before) = self.connection.awaits_head() else { return };
        if self.head.is_none_or(|(requests, _)| requests != before) {
            self.head = Some((before, Instant::now()));
        }
    }

    /// True when the head that is being read has taken too long.
    fn head_is_late(&mut self, context: &mut Context<'_>) -> bool {
        let current = self.head.filter(|(requests, _)| self.connection.awaits_head() == Some(*requests));
        let Some((_, since)) = current else {
            self.heading = None;
            return false;
        };
        let until = since + self.head_max;
        let heading = self.heading.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if heading.deadline() != until {
            heading.as_mut().reset(until);
        }
        heading.as_mut().poll(context).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedWrites<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedWrites<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedReads<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        match read {
            Poll::Ready(_) if buffer.filled().len() > before => self.head_begins(),
            Poll::Pending if self.head_is_late(context) => {
                let late = io::Error::new(io::ErrorKind::TimedOut, "the head of a request took too long");
                return Poll::Ready(Err(late));
            }
            Poll::Ready(_) | Poll::Pending => {}
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedReads<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::connections::Connections;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const HEAD_MAX: Duration = Duration::from_secs(10);
    const STALL_MAX: Duration = Duration::from_secs(30);

    fn connection() -> Arc<OpenConnection> {
        Arc::clone(&Arc::new(Connections::new(1)).admit().unwrap().connection)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_may_be_slow_but_must_not_stand_still() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut near = TimedWrites::new(near, STALL_MAX, connection());
        let slow = tokio::spawn(async move {
            for _ in 0..4 {
                tokio::time::sleep(STALL_MAX / 2).await;
                far.read_exact(&mut [0; 8]).await.unwrap();
            }
            far
        });
        near.write_all(&[1; 40]).await.unwrap();
        let _far = slow.await.unwrap();
        let begun = Instant::now();
        let error = near.write_all(&[1; 8]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
    }

    /// Reads byte for byte until the socket fails; returns after how many seconds, and how many bytes had come.
    async fn until_late(near: &mut TimedReads<tokio::io::DuplexStream>, begun: Instant) -> (u64, usize) {
        let mut bytes = 0;
        loop {
            match near.read(&mut [0; 1]).await {
                Ok(_) => bytes += 1,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return (begun.elapsed().as_secs(), bytes);
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_the_first_byte_and_a_pause_has_none() {
        // Nothing at all after connecting; then letter by letter.
        for (letters, every, bytes) in [(0, 1, 0), (1_000, 1, 9)] {
            let (near, mut far) = tokio::io::duplex(8);
            let mut near = TimedReads::new(near, HEAD_MAX, connection());
            let begun = Instant::now();
            let drip = async {
                for _ in 0..letters {
                    tokio::time::sleep(Duration::from_secs(every)).await;
                    if far.write_all(b"x").await.is_err() {
                        break;
                    }
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = drip => unreachable!("it drips for ever"),
                late = until_late(&mut near, begun) => {
                    assert_eq!(late.0, 10);
                    assert!((bytes..=bytes + 1).contains(&late.1), "{late:?}");
                }
            }
        }
        let (near, mut far) = tokio::io::duplex(8);
        let connection = connection();
        let mut near = TimedReads::new(near, HEAD_MAX, Arc::clone(&connection));
        drop(connection.begin(false));
        let begun = Instant::now();
        let minute = Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, near.read(&mut [0; 1])).await.is_err(), "a pause is no fault");
        far.write_all(b"GET").await.unwrap();
        assert_eq!(until_late(&mut near, begun).await, (70, 3));
    }
}
