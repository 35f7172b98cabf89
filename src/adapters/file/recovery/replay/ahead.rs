//! Decodes lines of a segment ahead of the replay that checks and applies them: on a pool of threads, one for each
//! core.
//!
//! Reading a log is mostly decoding, and lines are decoded independently. Everything that depends on the order
//! (chain of checksums, sequences, states) stays with the caller, which receives the decoded lines in order.

use crate::format::index::EventSpan;
use memchr::memchr;
use onhand_domain::Entry;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes of lines that are decoded in one go; fewer do not justify a thread.
const PIECE_BYTES: usize = 256 << 10;
/// Maximum number of decoded pieces that wait per thread.
const PIECES_AHEAD: usize = 2;

/// The decoded line, or why it is unreadable.
pub(super) type DecodedLine = Result<(Entry, Vec<EventSpan>), String>;

/// The decoder of a line.
pub(super) type Decode = fn(&[u8]) -> DecodedLine;

/// Runs `check` over `lines`. `check` passes each line, without its line feed and without leaving one out, to the
/// function it receives, and gets the decoded line.
pub(super) fn with_lines_decoded<T>(
    lines: &[u8],
    decode: Decode,
    check: impl FnOnce(&mut dyn FnMut(&[u8]) -> DecodedLine) -> T,
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
        let crew: Vec<Receiver<Vec<DecodedLine>>> = (0..members).map(member).collect();
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
    done: &SyncSender<Vec<DecodedLine>>,
) {
    for piece in pieces {
        if done.send(lines_of(piece).map(decode).collect()).is_err() {
            // The caller has stopped early.
            return;
        }
    }
}

/// The lines of a piece without their line feeds; the last one may lack it.
fn lines_of(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = piece;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).filter(|_| !rest.is_empty())?;
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

/// Splits lines into pieces of whole lines, about [`PIECE_BYTES`] each.
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

    /// Several pieces of lines, and one malformed line among them.
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
    fn a_check_may_stop_early() {
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
