//! Every bound of the HTTP side, each named with its unit last.

/// Longest body of a command.
pub(crate) const COMMAND_BODY_BYTES_MAX: usize = 64 << 10;
/// Longest body of a batch or of a piece of an import.
pub(crate) const BATCH_BODY_BYTES_MAX: usize = 16 << 20;
/// How long a batch, an import or a read of files waits for its turn before it is answered 503.
pub(crate) const BATCH_TURN_MS_MAX: u64 = 10_000;
/// How long a body may take to arrive.
pub(crate) const BODY_READ_MS_MAX: u64 = 30_000;
/// How far beyond its limit a body that is refused for its size is still read, so that its sender sees the answer.
pub(crate) const BODY_DISCARD_BYTES_MAX: usize = 4 << 20;
/// How long the rest of a refused body is read.
pub(crate) const BODY_DISCARD_MS_MAX: u64 = 2_000;
/// How long the head of a request may take to arrive, from its first byte or from the beginning of the connection.
pub(crate) const HEADER_READ_MS_MAX: u64 = 10_000;
/// How long a connection may have nothing under way; longer than the minute after which load balancers close theirs.
pub(crate) const IDLE_MS_MAX: u64 = 75_000;
/// How long nothing is taken from a connection after a request of it was turned away.
pub(crate) const TURNED_AWAY_PAUSE_MS: u64 = 250;
/// How often clients that have rested are forgotten.
pub(crate) const SWEEP_MS: u64 = 1_000;
/// Connections served at once, unless set; for more, idle ones make room, or they are answered 503.
pub(crate) const CONNECTIONS_MAX: usize = 4_096;
/// Connections beyond that: asked for health they answer, else they are told that there are too many.
pub(crate) const REFUSALS_MAX: usize = 64;
/// How long such a connection may take.
pub(crate) const REFUSAL_MS_MAX: u64 = 1_000;
/// Requests under way at once on one HTTP/2 connection.
pub(crate) const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// Between two warnings that a gate turns requests away.
pub(crate) const SHED_WARNING_MS: u64 = 10_000;
/// Items of one page.
pub(crate) const PAGE_ITEMS_MAX: usize = 1_000;
/// Items of a page when the caller does not say.
pub(crate) const PAGE_ITEMS_DEFAULT: usize = 100;
/// Those who follow the feed as a stream at once, beside all other connections.
pub const FOLLOWERS_MAX: usize = 512;
/// Events in one piece of a stream; a reader that is slow costs one piece.
pub(crate) const FOLLOW_EVENTS_MAX: usize = 256;
/// After so long without an event a stream shows that it lives.
pub(crate) const HEARTBEAT_MS: u64 = 15_000;
/// How long a peer may take nothing of what is written to it before it is cut.
pub(crate) const WRITE_STALL_MS_MAX: u64 = 30_000;
/// How long a read waits for the central model to reach a sequence.
pub(crate) const CENTRAL_WAIT_MS_MAX: u64 = 10_000;
/// Levels of the central model written at once.
pub(crate) const CENTRAL_LEVELS_MAX: usize = 1_000;

const _: () = assert!(HEADER_READ_MS_MAX < IDLE_MS_MAX, "a pause may be longer than a head");
const _: () = assert!(COMMAND_BODY_BYTES_MAX < BATCH_BODY_BYTES_MAX, "a batch is larger than a command");
const _: () = assert!(PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX, "the default page is a legal page");
