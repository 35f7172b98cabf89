//! Every bound of the domain and of the log, each named with its unit last.

/// Largest magnitude of any number in a command or an event: 2^53 - 1, which every JSON reader represents exactly.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;
/// Longest store id, SKU, reservation id or import id, in bytes (they are ASCII).
pub const ID_BYTES_MAX: usize = 64;
/// Longest id of an order, in bytes: a shipment's id is that, `.s` and a number, and names its reservations.
pub const ORDER_ID_BYTES_MAX: usize = ID_BYTES_MAX - 2 - 4;
/// Lines of one order.
pub const ORDER_LINES_MAX: usize = 200;
/// Shipments that were ever made for one order, cancelled and refused ones too.
pub const ORDER_SHIPMENTS_MAX: u16 = 999;
/// Shipments of one order under way at once.
pub const ORDER_SHIPMENTS_OPEN_MAX: usize = 50;
/// Payments of one order.
pub const ORDER_PAYMENTS_MAX: usize = 200;
/// Returns of one order.
pub const ORDER_RETURNS_MAX: usize = 100;
/// Longest sealed personal data of an order, in bytes.
pub const SEALED_BYTES_MAX: usize = 8 << 10;
/// Longest reason or reference, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 256;
/// Longest category, barcode or name of a time zone, in characters.
pub const CATEGORY_CHARACTERS_MAX: usize = 64;
/// Longest idempotency key, in bytes (visible ASCII).
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;
/// Longest request id, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 128;
/// Longest life of a reservation, in seconds: one year of 365 days.
pub const RESERVATION_TTL_SECONDS_MAX: i64 = 31_536_000;
/// Operations of one batch.
pub const BATCH_OPERATIONS_MAX: usize = 10_000;
/// Rows of one import request.
pub const IMPORT_ROWS_MAX: usize = 5_000;
/// Closed reservations a level remembers, so that a late release or commit is told apart from an unknown one.
pub const RESERVATIONS_CLOSED_MAX: usize = 64;
/// Products of one request.
pub const PRODUCTS_AT_ONCE_MAX: usize = 5_000;
/// Longest line of the log in bytes, line feed included.
pub const LINE_BYTES_MAX: usize = 64 << 20;
/// Most bytes an event can take in a line: its fixed parts and every text at its longest, JSON-escaped.
pub const EVENT_BYTES_MAX: usize = 4 << 10;
/// Most bytes an alert's event can take in a line: two ids and numbers.
pub const ALERT_BYTES_MAX: usize = 1 << 10;
/// Expiries recorded in one entry; more are due at once, more entries are made.
pub const EXPIRIES_PER_ENTRY_MAX: usize = 1_000;
/// Time from an alert until its delivery is given up, in seconds: a day.
pub const ALERT_SENDING_SECONDS_MAX: i64 = 86_400;
/// Most idempotency records; beyond, new keys are rejected as overload, and no record is removed early.
pub const IDEMPOTENCY_RECORDS_MAX: usize = 16 << 20;

const _: () = assert!(
    // An operation makes an event, and its level's alert one at most.
    BATCH_OPERATIONS_MAX * (EVENT_BYTES_MAX + ALERT_BYTES_MAX) < LINE_BYTES_MAX,
    "a full batch fits in one line"
);
const _: () = assert!(
    // A row makes at most an opening and a movement, and its level's alert one event.
    IMPORT_ROWS_MAX * (2 * EVENT_BYTES_MAX + ALERT_BYTES_MAX) < LINE_BYTES_MAX,
    "a full import request fits in one line"
);
const _: () = assert!(
    // A product is taken over and described at most.
    PRODUCTS_AT_ONCE_MAX * 2 * EVENT_BYTES_MAX < LINE_BYTES_MAX,
    "what is said of many products fits in one line"
);
const _: () = assert!(LINE_BYTES_MAX < u32::MAX as usize, "offsets in a line fit in 32 bits");
// A text of ids and references: six bytes a character when escaped as \uXXXX.
const _: () = assert!(
    2 * 6 * TEXT_CHARACTERS_MAX < EVENT_BYTES_MAX - 900,
    "reason and reference at their longest leave 900 bytes for the rest of an event"
);
