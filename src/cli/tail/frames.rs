//! Server-sent events, as far as the feed of a node uses them
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>).

/// The size limit of a frame; no event of a node is longer.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// Assembles frames from the pieces of a stream.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The received part of a line that is not complete yet.
    line: Vec<u8>,
    data: String,
}

/// The error for a stream that does not consist of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoFrame;

impl Frames {
    /// Adds a piece and returns the data of every frame that it completes. A heartbeat is a comment and completes none.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<String>, NoFrame> {
        let mut complete = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() + self.data.len() > FRAME_BYTES_MAX {
                    return Err(NoFrame);
                }
                continue;
            }
            let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| NoFrame)?;
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() {
                if !self.data.is_empty() {
                    complete.push(std::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
        Ok(complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut() {
        let stream = ": heartbeat\n\nid: 1\nevent: x\ndata: {\"a\":1}\n\nid:2\r\ndata:{\"b\":\r\ndata: \"ä\"}\r\n\r\ndata: cut";
        for size in 1..stream.len() {
            let mut frames = Frames::default();
            let pieces = stream.as_bytes().chunks(size);
            let found: Vec<String> = pieces.flat_map(|piece| frames.push(piece).unwrap()).collect();
            assert_eq!(found, ["{\"a\":1}", "{\"b\":\n\"ä\"}"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_stream_without_events_is_rejected() {
        assert_eq!(Frames::default().push(&[0xFF, b'\n']), Err(NoFrame));
        assert_eq!(Frames::default().push(&vec![b'a'; FRAME_BYTES_MAX + 1]), Err(NoFrame));
    }
}
