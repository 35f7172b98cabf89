//! Every bound of the HTTP side, each named with its unit last.

/// Longest body of a command.
pub(crate) const COMMAND_BODY_BYTES_MAX: usize = 64 << 10;
/// Longest body of a batch or of a piece of an import.
pub(crate) const BATCH_BODY_BYTES_MAX: usize = 16 << 20;
/// How long a batch, an import or a read of files waits for its turn before it is answered 503.
pub(crate) const BATCH_TURN_MS_MAX: u64 = 10_000;
/// How long a body may take to arrive.
pub(crate) const BODY_READ_MS_MAX: u64 = 30_000;
/// How far beyond its limit a body that is too large is still read, so that its sender sees the answer.
pub(crate) const BODY_DISCARD_BYTES_MAX: usize = 4 << 20;
/// How long the rest of a body that is too large is read.
pub(crate) const BODY_DISCARD_MS_MAX: u64 = 2_000;
/// How long the head of a request may take to arrive, from its first byte or from the beginning of the connection; and how long
/// a TLS handshake may take.
pub(crate) const HEADER_READ_MS_MAX: u64 = 10_000;
/// How long a connection may be idle; longer than the minute after which load balancers close theirs.
pub(crate) const IDLE_MS_MAX: u64 = 75_000;
/// How long nothing is read from a connection after one of its requests was rejected for load.
pub(crate) const REJECTED_PAUSE_MS: u64 = 250;
/// Entries of `X-Forwarded-For` or `Forwarded` that are read, from the right.
pub(crate) const FORWARDED_HOPS_MAX: usize = 16;
/// How often clients whose buckets are full again are forgotten.
pub(crate) const SWEEP_MS: u64 = 1_000;
/// Connections served at once, unless set; beyond that idle ones are closed, or newcomers are answered 503.
pub(crate) const CONNECTIONS_MAX: usize = 4_096;
/// Connections over the local socket, beside all others: no client over TCP takes the place of the owner of the data directory.
pub(crate) const LOCAL_CONNECTIONS_MAX: usize = 16;
/// Connections beyond that, which are answered health and metrics, or 503.
pub(crate) const REFUSALS_MAX: usize = 64;
/// Total time that such a connection may take.
pub(crate) const REFUSAL_MS_MAX: u64 = 1_000;
/// Concurrent requests on one HTTP/2 connection.
pub(crate) const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// The time between two warnings that a gate rejects requests.
pub(crate) const SHED_WARNING_MS: u64 = 10_000;
/// The most items of a page.
pub(crate) const PAGE_ITEMS_MAX: usize = 1_000;
/// The items of a page when the request has no `limit`.
pub(crate) const PAGE_ITEMS_DEFAULT: usize = 100;
/// Maximum number of concurrent followers of the feed, beside all other connections.
pub const FOLLOWERS_MAX: usize = 512;
/// Events in one piece of a stream; a reader that is slow costs one piece.
pub(crate) const FOLLOW_EVENTS_MAX: usize = 256;
/// The time between two pieces of a stream with `latest`.
pub(crate) const SCREEN_PIECE_MS: u64 = 50;
/// More events than this between two such pieces are left out; the levels they led to stand in their place.
pub(crate) const SCREEN_EVENTS_MAX: u64 = 100;
/// The time between two looks at the session of somebody who follows a stream.
pub(crate) const SESSION_CHECK_MS: u64 = 2_000;
/// The interval of heartbeats in a stream without events.
pub(crate) const HEARTBEAT_MS: u64 = 15_000;
/// How long a peer may read nothing of what is written to it before its connection is closed.
pub(crate) const WRITE_STALL_MS_MAX: u64 = 30_000;
/// How long a read waits for the central model to reach a sequence.
pub(crate) const CENTRAL_WAIT_MS_MAX: u64 = 10_000;
/// Levels of the central model written at once.
pub(crate) const CENTRAL_LEVELS_MAX: usize = 1_000;

const _: () = assert!(HEADER_READ_MS_MAX < IDLE_MS_MAX, "a pause may be longer than a head");
const _: () = assert!(COMMAND_BODY_BYTES_MAX < BATCH_BODY_BYTES_MAX, "a batch is larger than a command");
const _: () = assert!(PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX, "the default page is a legal page");
