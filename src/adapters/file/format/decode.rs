//! Decodes a line of a segment to its entry.
//!
//! A line in canonical form, as the encoder writes it, is decoded in one pass. Any other JSON with the same content
//! is decoded in two.

use crate::format::index::{EventSpan, event_checksum, key_hash};
use memchr::memmem;
use onhand_app::ports::Movement;
use onhand_domain::{Entry, Event, Idempotency, Sequence, Timestamp, Topics, Unapplied};
use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;
use std::ops::Range;

/// Minimum size of an event in bytes, as an estimate.
const EVENT_BYTES: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LineJson<'a> {
    #[serde(rename = "crc")]
    _crc: &'a str,
    batch: Sequence,
    seq: Sequence,
    ts: Timestamp,
    actor: Option<SmolStr>,
    request_id: Option<SmolStr>,
    idem: Option<Idempotency>,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(default)]
    unapplied: Vec<Unapplied>,
}

/// Decodes a line (without its line feed), with the place of each event in it.
pub(crate) fn decode(line: &[u8]) -> Result<(Entry, Vec<EventSpan>), String> {
    let (entry, places) = read(line)?;
    let span = |(event, place): (&Event, Range<usize>)| {
        let json = line.get(place.clone())?;
        Some(EventSpan {
            key: key_hash(&event.fact.key()),
            kind: event.kind.code(),
            offset: u32::try_from(place.start).ok()?,
            length: u32::try_from(json.len()).ok()?,
            checksum: event_checksum(entry.actor.as_ref(), entry.request_id.as_ref(), json),
            topics: Topics::of(event),
        })
    };
    let spans: Option<_> = entry.events.iter().zip(places).map(span).collect();
    let spans = spans.ok_or("the line is longer than 4 GiB")?;
    Ok((entry, spans))
}

/// As [`decode`], without the places of events.
pub(crate) fn decode_entry(line: &[u8]) -> Result<(Entry, Vec<EventSpan>), String> {
    read(line).map(|(entry, _)| (entry, Vec::new()))
}

/// An entry and the byte ranges of its events in its line.
type EntryAndRanges = (Entry, Vec<Range<usize>>);

fn read(line: &[u8]) -> Result<EntryAndRanges, String> {
    read_as_written(line).map_or_else(|| read_any(line), Ok)
}

/// Decodes a line in any form: first the line, then each event.
fn read_any(line: &[u8]) -> Result<EntryAndRanges, String> {
    let json: LineJson<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let mut events = Vec::with_capacity(json.events.len());
    let mut places = Vec::with_capacity(json.events.len());
    for raw in &json.events {
        let start = (raw.get().as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
        events.push(Event::decode(raw.get())?);
        places.push(start..start.saturating_add(raw.get().len()));
    }
    if events.is_empty() {
        return Err("an entry without events".to_owned());
    }
    Ok((json.entry(events), places))
}

/// Decodes a line in canonical form, with its events in one pass. None when the line has another form or is
/// unreadable.
fn read_as_written(line: &[u8]) -> Option<EntryAndRanges> {
    const EVENTS: &str = ",\"events\":[";
    let text = str::from_utf8(line).ok()?;
    let first = memmem::find(line, EVENTS.as_bytes())? + EVENTS.len();
    let guess = line.len() / EVENT_BYTES + 1;
    let (mut events, mut places) = (Vec::with_capacity(guess), Vec::with_capacity(guess));
    let mut end = first;
    loop {
        let rest = text.get(end..)?;
        let (event, length) = Event::as_written(rest).or_else(|| read_first(rest))?;
        events.push(event);
        places.push(end..end + length);
        end += length;
        match line.get(end)? {
            b',' => end += 1,
            b']' => break,
            _ => return None,
        }
    }
    // The part around the events is decoded as usual, with a number in their place.
    let around = [text.get(..first)?, "0", text.get(end..)?].concat();
    let json: LineJson<'_> = serde_json::from_str(&around).ok()?;
    let [number] = json.events.as_slice() else { return None };
    let is_theirs = number.get().as_ptr() as usize == around.as_ptr() as usize + first;
    (is_theirs && number.get() == "0").then(|| (json.entry(events), places))
}

/// The event at the beginning of `text`, in any form, and its length in bytes.
fn read_first(text: &str) -> Option<(Event, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let json = values.next()?.ok()?.get();
    if !text.starts_with(json) {
        return None;
    }
    Some((Event::decode(json).ok()?, json.len()))
}

impl LineJson<'_> {
    /// The entry with these events.
    fn entry(self, events: Vec<Event>) -> Entry {
        Entry {
            sequence: self.seq,
            batch: self.batch,
            at: self.ts,
            actor: self.actor,
            request_id: self.request_id,
            idempotency: self.idem,
            events,
            unapplied: self.unapplied,
        }
    }
}

/// At most `limit` events of a line (without its line feed) with sequences in `from..=upto`; the others are skipped
/// without being decoded.
pub(crate) fn decode_between(
    line: &[u8],
    from: Sequence,
    upto: Sequence,
    limit: usize,
) -> Result<Vec<Movement>, String> {
    let json: LineJson<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let numbered = (json.seq.0..).map(Sequence).zip(json.events);
    let wanted = numbered.skip_while(|(sequence, _)| *sequence < from);
    wanted
        .take_while(|(sequence, _)| *sequence <= upto)
        .take(limit)
        .map(|(sequence, raw)| {
            let event = Event::decode(raw.get())?;
            let (actor, request_id) = (json.actor.clone(), json.request_id.clone());
            Ok(Movement { sequence, at: json.ts, actor, request_id, event })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESERVE: &str = r#"{"eventId":"01a21ea8-413b-7667-bd38-bf1f93aaaf47","op":0,"type":"RESERVE","payload":{"sku":"TEA","storeId":"L","qty":1,"reservationId":"r"},"after":{"onHand":9,"reserved":1,"version":2}}"#;
    const CLOCK: &str = r#"{"eventId":"01a21ea8-413b-7667-bd38-bf1f93aaaf48","type":"CLOCK","payload":{"from":"2026-11-20T16:00:00.000Z","to":"2026-11-20T17:00:00.000Z"},"after":{"time":"2026-11-20T17:00:00.000Z","version":1}}"#;

    fn line(front: &str, events: &[&str], rest: &str) -> String {
        let events = events.join(",");
        format!(
            r#"{{"crc":"00000000","batch":4,"seq":4,"ts":"2026-11-20T16:00:00.000Z",{front}"events":[{events}]{rest}}}"#
        )
    }

    fn lines() -> [String; 4] {
        let front =
            r#""actor":"a","requestId":"r ,\"events\":[","idem":{"key":"k","scope":"s","fingerprint":"00"},"#;
        let unapplied = r#","unapplied":[{"op":3,"why":{"replayed":7}}]"#;
        [
            line("", &[RESERVE], ""),
            line(front, &[RESERVE, RESERVE, RESERVE], unapplied),
            line("", &[RESERVE, CLOCK, RESERVE], ""),
            line(front, &[CLOCK], unapplied),
        ]
    }

    #[test]
    fn both_ways_read_the_same() {
        for line in lines() {
            let (entry, places) = read_any(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
            for (event, place) in entry.events.iter().zip(&places) {
                assert_eq!(Event::decode(&line[place.clone()]).as_ref(), Ok(event));
            }
            assert_eq!(read_as_written(line.as_bytes()), Some((entry.clone(), places)));
            let (again, spans) = decode(line.as_bytes()).unwrap();
            assert_eq!((&again, spans.len()), (&entry, entry.events.len()));
            assert_eq!(decode_entry(line.as_bytes()), Ok((entry, Vec::new())));
        }
    }

    #[test]
    fn a_spoilt_line_is_never_read_differently() {
        let mut read = 0;
        for line in lines() {
            for place in 0..line.len() {
                for instead in [
                    &b""[..],
                    b"0",
                    b"-",
                    b" ",
                    b"\"",
                    b"\\",
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b",",
                    b":",
                    b"x",
                    b"\xff",
                ] {
                    let spoilt = [&line.as_bytes()[..place], instead, &line.as_bytes()[place + 1..]].concat();
                    if let Some(one) = read_as_written(&spoilt) {
                        assert_eq!(read_any(&spoilt), Ok(one), "{}", String::from_utf8_lossy(&spoilt));
                        read += 1;
                    }
                }
            }
        }
        assert!(read > 1000, "{read}");
    }

    #[test]
    fn only_the_events_of_the_line_itself_are_taken() {
        let nested = format!(r#""idem":{{"key":"k","scope":"s","fingerprint":"00","events":[{RESERVE}]}},"#);
        for (front, events, rest) in [
            (&*nested, &[RESERVE][..], ""),
            (&*nested, &[][..], ""),
            ("", &[][..], ""),
            ("", &[RESERVE][..], r#","events":[0]"#),
            (r#""events":[0],"#, &[RESERVE][..], ""),
            ("", &[RESERVE][..], r#","more":1"#),
            ("", &[RESERVE, " ", RESERVE][..], ""),
            ("", &[RESERVE, "{}"][..], ""),
            ("", &[RESERVE, "0"][..], ""),
        ] {
            let line = line(front, events, rest);
            assert_eq!(read_as_written(line.as_bytes()), None, "{line}");
        }
        assert_eq!(read_any(line(&nested, &[RESERVE], "").as_bytes()).unwrap().0.events.len(), 1);
    }

    #[test]
    fn other_json_with_the_same_content_is_decoded() {
        let line = line("", &[RESERVE], "");
        let other = line.replace("\"op\":0", " \"op\" : 0").replace("\"seq\":4", "\"seq\": 4");
        assert_eq!(decode(other.as_bytes()).unwrap().0, decode(line.as_bytes()).unwrap().0);
    }
}
