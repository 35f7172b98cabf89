//! Every bound of the HTTP side, each named with its unit last.

/// Longest body of a command.
pub(super) const COMMAND_BODY_BYTES_MAX: usize = 64 << 10;
/// Longest body of a batch or of a piece of an import.
pub(super) const BATCH_BODY_BYTES_MAX: usize = 16 << 20;
/// How long a batch, an import or a read of files waits for its turn before it is answered 503.
pub(super) const BATCH_TURN_MS_MAX: u64 = 10_000;
/// How long a body may take to arrive.
pub(super) const BODY_READ_MS_MAX: u64 = 30_000;
/// How far beyond its limit a body that is refused for its size is still read, so that its sender sees the answer.
pub(super) const BODY_DISCARD_BYTES_MAX: usize = 4 << 20;
/// How long the rest of a refused body is read.
pub(super) const BODY_DISCARD_MS_MAX: u64 = 2_000;
/// How long the head of a request may take to arrive, from its first byte or from the beginning of the connection.
pub(super) const HEADER_READ_MS_MAX: u64 = 10_000;
/// How long a connection may have nothing under way; longer than the minute after which load balancers close theirs.
pub(super) const IDLE_MS_MAX: u64 = 75_000;
/// How long nothing is taken from a connection after a request of it was turned away.
pub(super) const TURNED_AWAY_PAUSE_MS: u64 = 250;
/// How often clients that have rested are forgotten.
pub(super) const SWEEP_MS: u64 = 1_000;
/// Connections served at once, unless set; for more, idle ones make room, or they are answered 503.
pub(super) const CONNECTIONS_MAX: usize = 4_096;
/// Connections beyond that: asked for health they answer, else they are told that there are too many.
pub(super) const REFUSALS_MAX: usize = 64;
/// How long such a connection may take.
pub(super) const REFUSAL_MS_MAX: u64 = 1_000;
/// Requests under way at once on one HTTP/2 connection.
pub(super) const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// Between two warnings that a gate turns requests away.
pub(super) const SHED_WARNING_MS: u64 = 10_000;
/// Items of one page.
pub(super) const PAGE_ITEMS_MAX: usize = 1_000;
/// Items of a page when the caller does not say.
pub(super) const PAGE_ITEMS_DEFAULT: usize = 100;
/// Those who follow the feed as a stream at once, beside all other connections.
pub const FOLLOWERS_MAX: usize = 512;
/// Events in one piece of a stream; a reader that is slow costs one piece.
pub(super) const FOLLOW_EVENTS_MAX: usize = 256;
/// After so long without an event a stream shows that it lives.
pub(super) const HEARTBEAT_MS: u64 = 15_000;
/// How long a peer may take nothing of what is written to it before it is cut.
pub(super) const WRITE_STALL_MS_MAX: u64 = 30_000;
/// How long a read waits for the central model to reach a sequence.
pub(super) const CENTRAL_WAIT_MS_MAX: u64 = 10_000;
/// Levels of the central model written at once.
pub(super) const CENTRAL_LEVELS_MAX: usize = 1_000;

const _: () = assert!(HEADER_READ_MS_MAX < IDLE_MS_MAX, "a pause may be longer than a head");
const _: () = assert!(COMMAND_BODY_BYTES_MAX < BATCH_BODY_BYTES_MAX, "a batch is larger than a command");
const _: () = assert!(PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX, "the default page is a legal page");
