//! Lines of a segment, decoded ahead of the one who checks them and adds them up: by a crew of threads, one for each core.
//!
//! Reading a log is mostly decoding, and a line is decoded without regard to the others. What depends on the order (chain
//! of checksums, sequences, states) stays with the caller, who gets the lines in order and takes what was decoded of each.

use crate::format::index::EventSpan;
use memchr::memchr;
use onhand_domain::Entry;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// So many bytes of lines are decoded in one go; less is not worth a thread.
const PIECE_BYTES: usize = 256 << 10;
/// So many pieces may lie decoded by a member of the crew.
const PIECES_AHEAD: usize = 2;

/// What a line says, or why it cannot be read.
pub(super) type Decoded = Result<(Entry, Vec<EventSpan>), String>;

/// How a line is read.
pub(super) type Decode = fn(&[u8]) -> Decoded;

/// Lets `check` go through `lines`; it hands each line it comes to, without its line feed and without leaving one out, to
/// the function it is given, and gets what the line says.
pub(super) fn with_lines_decoded<T>(
    lines: &[u8],
    decode: Decode,
    check: impl FnOnce(&mut dyn FnMut(&[u8]) -> Decoded) -> T,
) -> T {
    let pieces = pieces(lines);
    if pieces.len() < 2 {
        return check(&mut { decode });
    }
    thread::scope(|scope| {
        let members = thread::available_parallelism().map_or(1, usize::from);
        let member = |first| {
            let (done, decoded) = sync_channel(PIECES_AHEAD);
            let own = pieces.iter().skip(first).step_by(members);
            scope.spawn(move || decode_all(own, decode, &done));
            decoded
        };
        let crew: Vec<Receiver<Vec<Decoded>>> = (0..members).map(member).collect();
        let mut turns = crew.iter().cycle();
        let mut piece = Vec::new().into_iter();
        check(&mut |_| loop {
            if let Some(decoded) = piece.next() {
                return decoded;
            }
            let next = turns.next().and_then(|member| member.recv().ok());
            piece = next.expect("nobody asks for more lines than there are").into_iter();
        })
    })
}

fn decode_all<'a>(
    pieces: impl Iterator<Item = &'a &'a [u8]>,
    decode: Decode,
    done: &SyncSender<Vec<Decoded>>,
) {
    for piece in pieces {
        if done.send(lines_of(piece).map(decode).collect()).is_err() {
            // The caller has found what it looked for.
            return;
        }
    }
}

/// The lines of a piece without their line feeds; its last one may lack it.
fn lines_of(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = piece;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).filter(|_| !rest.is_empty())?;
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

/// Whole lines, about [`PIECE_BYTES`] of them at a time.
fn pieces(mut lines: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while !lines.is_empty() {
        let end = lines.get(PIECE_BYTES..).and_then(|rest| Some(PIECE_BYTES + memchr(b'\n', rest)? + 1));
        let (piece, rest) = lines.split_at(end.unwrap_or(lines.len()));
        pieces.push(piece);
        lines = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::decode::decode;

    /// Several pieces of lines, and one among them that says nothing.
    fn lines() -> String {
        let line = |n: u64| match n {
            4000 => "{}\n".to_owned(),
            _ => format!(
                r#"{{"crc":"00000000","batch":{n},"seq":{n},"ts":"2026-11-20T16:00:00.000Z","events":[{{"eventId":"00000000-0000-0000-0000-000000000001","type":"ADJUST","payload":{{"sku":"TEA","storeId":"LONDON","delta":1}},"after":{{"onHand":{n},"reserved":0,"version":{n}}}}}]}}{}"#,
                '\n'
            ),
        };
        (1..=6000).map(line).collect()
    }

    #[test]
    fn every_line_is_decoded_in_its_turn() {
        let lines = lines();
        assert!(pieces(lines.as_bytes()).len() > 4);
        let ahead: Vec<String> = with_lines_decoded(lines.as_bytes(), decode, |decode| {
            lines.lines().map(|line| format!("{:?}", decode(line.as_bytes()))).collect()
        });
        let one_by_one: Vec<String> =
            lines.lines().map(|line| format!("{:?}", decode(line.as_bytes()))).collect();
        assert!(ahead == one_by_one);
        assert!(ahead[3999].starts_with("Err"), "{}", ahead[3999]);
    }

    #[test]
    fn no_line_of_a_piece_is_lost_and_none_comes_on_top() {
        for piece in ["", "\n", "a", "a\n", "a\nb", "\n\na\n", "a\n\nb\n\n"] {
            let lines: Vec<&[u8]> = lines_of(piece.as_bytes()).collect();
            assert_eq!(lines, piece.lines().map(str::as_bytes).collect::<Vec<_>>(), "{piece:?}");
        }
    }

    #[test]
    fn who_has_found_what_he_looked_for_may_stop() {
        let lines = lines();
        let first = lines.lines().next().unwrap();
        let sequence = with_lines_decoded(lines.as_bytes(), decode, |decode| decode(first.as_bytes()))
            .unwrap()
            .0
            .sequence;
        assert_eq!(sequence.0, 1);
    }

    #[test]
    fn pieces_are_whole_lines_and_nothing_is_lost_between_them() {
        let cut_off = lines() + "cut off";
        let pieces = pieces(cut_off.as_bytes());
        assert_eq!(pieces.concat(), cut_off.as_bytes());
        let (last, whole) = pieces.split_last().unwrap();
        assert!(whole.iter().all(|piece| piece.ends_with(b"\n")) && last.ends_with(b"cut off"));
    }
}
