//! One line of a segment: its bytes, its checksum, and its split into events. `decode.rs` decodes it to an entry.
//!
//! ```text
//! {"crc":"8 hex","batch":77,"seq":78,"ts":"2026-11-20T16:00:00.123Z","actor":"...","requestId":"...",
//!  "idem":{"key":"...","scope":"...","fingerprint":"16 hex"},
//!  "events":[{"eventId":"uuid v7","op":0,"idem":{...},"type":"RESERVE","payload":{...},"after":{...}}],
//!  "unapplied":[{"op":3,"why":{"refused":{...}}}]}<LF>
//! ```
//! (in one line). `crc` is CRC-32C over the eight hex digits of the previous line's `crc` and then this line from
//! behind `"crc":"........",` up to its line feed: a line that was moved, repeated or left over from an earlier use
//! of the block does not fit its neighbours. `batch` is the first sequence of the group of entries that one sync
//! makes durable, `seq` that of the entry's first event. JSON escapes line feeds, so framing never comes from data.

use crate::format::index::{EventSpan, event_checksum, key_hash};
use onhand_app::KnownEffect;
use onhand_app::ports::NewEntry;
use onhand_domain::limits::LINE_BYTES_MAX;
use onhand_domain::{Idempotency, Sequence, Timestamp, Topics};
use onhand_planted::{Bug, planted};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use std::io::Write;

/// `{"crc":"` + 8 hex digits + `",`.
const CRC_PREFIX: usize = 18;
/// Length in bytes of the line's beginning, which contains its checksum.
pub(crate) const CHECKSUM_BYTES: usize = CRC_PREFIX;
const CRC_DIGITS: std::ops::Range<usize> = 8..16;

/// An entry encoded as far as possible before its place in the log is known.
#[derive(Debug)]
pub(crate) struct EncodedEntry {
    /// The bytes from behind `"ts":"...",` to the line feed.
    pub(crate) bytes: Vec<u8>,
    /// The place of each event in `bytes`.
    pub(crate) spans: Vec<EventSpan>,
    /// Idempotency records; their sequences count from 0 within the entry.
    pub(crate) known: Vec<KnownEffect>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Front<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a SmolStr>,
    #[serde(rename = "idem", skip_serializing_if = "Option::is_none")]
    idempotency: Option<&'a Idempotency>,
}

/// Encodes the part that does not depend on the place in the log; none when the line would be too long.
pub(crate) fn encode(entry: &NewEntry<'_>) -> Option<EncodedEntry> {
    const INFALLIBLE: &str = "plain structs with string keys always serialise into memory";
    let mut bytes = Vec::with_capacity(512 * entry.events.len());
    let front = Front { actor: entry.actor, request_id: entry.request_id, idempotency: entry.idempotency };
    serde_json::to_writer(&mut bytes, &front).expect(INFALLIBLE);
    // `{...}` becomes `...,`: the line continues where the front ends.
    bytes.remove(0);
    bytes.pop();
    if !bytes.is_empty() {
        bytes.push(b',');
    }
    bytes.extend_from_slice(b"\"events\":[");
    let mut spans = Vec::with_capacity(entry.events.len());
    let mut known = Vec::new();
    let whole = entry.idempotency.map(|known_by| (Sequence::START, known_by));
    for (position, event) in (0..).map(Sequence).zip(entry.events) {
        if !spans.is_empty() {
            bytes.push(b',');
        }
        let start = bytes.len();
        serde_json::to_writer(&mut bytes, event).expect(INFALLIBLE);
        let length = u32::try_from(bytes.len() - start).ok()?;
        let offset = u32::try_from(start).ok()?;
        let json = bytes.get(start..).unwrap_or_default();
        let checksum = event_checksum(entry.actor, entry.request_id, json);
        let (key, kind) = (key_hash(&event.fact.key()), event.kind.code());
        spans.push(EventSpan { key, kind, offset, length, checksum, topics: Topics::of(event) });
        if let Some(known_by) = &event.idempotency {
            known.extend(KnownEffect::new(entry.actor, known_by, position, entry.decided_at));
        }
    }
    if let Some((position, known_by)) = whole {
        known.extend(KnownEffect::new(entry.actor, known_by, position, entry.decided_at));
    }
    bytes.push(b']');
    if !entry.unapplied.is_empty() {
        bytes.extend_from_slice(b",\"unapplied\":");
        serde_json::to_writer(&mut bytes, entry.unapplied).expect(INFALLIBLE);
    }
    bytes.extend_from_slice(b"}\n");
    (bytes.len() < LINE_BYTES_MAX).then_some(EncodedEntry { bytes, spans, known })
}

/// Appends the whole line to `out`; returns its checksum, and the offset in `out` at which the body begins.
pub(crate) fn seal(
    out: &mut Vec<u8>,
    previous: u32,
    batch: Sequence,
    sequence: Sequence,
    at: Timestamp,
    body: &[u8],
) -> (u32, usize) {
    let start = out.len();
    out.extend_from_slice(b"{\"crc\":\"00000000\",");
    // Writing to a Vec cannot fail.
    let _ = write!(out, "\"batch\":{batch},\"seq\":{sequence},\"ts\":\"{at}\",");
    let body_start = out.len();
    out.extend_from_slice(body);
    (put_checksum(out, start, previous), body_start)
}

/// Fills in the checksum of the line that begins at `start` and ends, with its line feed, at the end of `out`.
pub(crate) fn put_checksum(out: &mut [u8], start: usize, previous: u32) -> u32 {
    let line = out.get_mut(start..).unwrap_or_default();
    let end = line.len().saturating_sub(1);
    let checksum = chain(previous, line.get(CRC_PREFIX..end).unwrap_or_default());
    if let Some(place) = line.get_mut(CRC_DIGITS) {
        place.copy_from_slice(&hex(checksum));
    }
    checksum
}

fn chain(previous: u32, rest: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&hex(previous)), rest)
}

/// The eight hex digits of a checksum.
fn hex(checksum: u32) -> [u8; 8] {
    std::array::from_fn(|place| {
        let [low, ..] = (checksum >> (28 - 4 * place)).to_le_bytes();
        let digit = low & 0xf;
        if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
    })
}

/// The checksum stored in a line (without its line feed); none when it does not begin like a line.
pub(crate) fn claimed_checksum(line: &[u8]) -> Option<u32> {
    let prefix = line.get(..CRC_PREFIX)?;
    if !prefix.starts_with(b"{\"crc\":\"") || !prefix.ends_with(b"\",") {
        return None;
    }
    let digits = std::str::from_utf8(prefix.get(CRC_DIGITS)?).ok()?;
    let lower = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u32::from_str_radix(digits, 16).ok().filter(|_| lower)
}

/// The checksum of a line (without its line feed) if it is correct behind a line whose checksum is `previous`.
pub(crate) fn checksum_after(line: &[u8], previous: u32) -> Option<u32> {
    let claimed = claimed_checksum(line)?;
    let right = chain(previous, line.get(CRC_PREFIX..)?) == claimed || planted(Bug::SkipChecksum);
    right.then_some(claimed)
}

/// One undecoded event of a line.
#[derive(Debug, Clone)]
pub(crate) struct RawEvent<'a> {
    pub(crate) sequence: Sequence,
    pub(crate) at: Timestamp,
    pub(crate) json: &'a str,
}

/// A line as the full decoder accepts it; members beside place, time and events are skipped.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitJson<'a> {
    #[serde(rename = "crc")]
    _crc: IgnoredAny,
    #[serde(rename = "batch")]
    _batch: IgnoredAny,
    seq: Sequence,
    ts: Timestamp,
    #[serde(default, rename = "actor")]
    _actor: IgnoredAny,
    #[serde(default, rename = "requestId")]
    _request_id: IgnoredAny,
    #[serde(default, rename = "idem")]
    _idem: IgnoredAny,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(default, rename = "unapplied")]
    _unapplied: IgnoredAny,
}

/// Splits a line (without its line feed), whose checksum fits, into its events.
pub(crate) fn split(line: &[u8]) -> Result<impl ExactSizeIterator<Item = RawEvent<'_>>, String> {
    let line = str::from_utf8(line).map_err(|error| error.to_string())?;
    let json: SplitJson<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let SplitJson { seq, ts: at, events, .. } = json;
    let numbered = events.into_iter().enumerate();
    Ok(numbered.map(move |(place, raw)| RawEvent { sequence: seq.plus(place as u64), at, json: raw.get() }))
}

/// The beginning of a line, up to its events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineFront {
    pub(crate) seq: Sequence,
    pub(crate) batch: Sequence,
    pub(crate) ts: Timestamp,
    pub(crate) actor: Option<SmolStr>,
    pub(crate) request_id: Option<SmolStr>,
}

/// Decodes the beginning of a line from its first bytes, which must reach to its events or its idempotency.
pub(crate) fn decode_front(bytes: &[u8]) -> Option<LineFront> {
    // A quote inside a JSON string is escaped, so these can only be member names.
    let end = [&b",\"idem\":"[..], &b",\"events\":["[..]]
        .iter()
        .filter_map(|name| bytes.windows(name.len()).position(|window| window == *name))
        .min()?;
    let mut front = bytes.get(..end)?.to_vec();
    front.push(b'}');
    serde_json::from_slice(&front).ok()
}
