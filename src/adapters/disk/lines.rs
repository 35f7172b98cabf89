//! A file read line by line, in large pieces.

use crate::{DiskFile, fill_at};
use memchr::memchr;
use std::io;
use std::sync::Arc;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Bytes read at first where few lines may be wanted; each piece that follows is twice as large.
const FIRST_CHUNK: usize = 4 << 10;

/// The lines of a file from some offset on.
pub struct Lines {
    file: Arc<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
    used: usize,
    chunk: usize,
}

impl Lines {
    /// Lines from `offset` on, where a line must begin.
    pub fn new(file: Arc<dyn DiskFile>, offset: u64) -> Self {
        Self { file, offset, buffer: Vec::new(), used: 0, chunk: CHUNK }
    }

    /// As [`Lines::new`], for callers that read only a few lines at a time.
    pub fn few(file: Arc<dyn DiskFile>) -> Self {
        Self { chunk: FIRST_CHUNK, ..Self::new(file, 0) }
    }

    /// Goes to `offset`, where a line must begin.
    pub fn seek(&mut self, offset: u64) {
        let begin = self.offset - self.buffer.len() as u64;
        let ahead = offset.checked_sub(begin).and_then(|ahead| usize::try_from(ahead).ok());
        if let Some(ahead) = ahead.filter(|ahead| *ahead <= self.buffer.len()) {
            self.used = ahead;
        } else {
            self.buffer.clear();
            (self.used, self.offset, self.chunk) = (0, offset, FIRST_CHUNK);
        }
    }

    /// The next line with its line feed; none at the end of the file or when the last line has no line feed.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        let mut searched = self.used;
        loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(length) = memchr(b'\n', unsearched) {
                let start = self.used;
                self.used = searched + length + 1;
                return Ok(self.buffer.get(start..self.used));
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            searched = self.buffer.len();
            let rest = self.file.len()?.saturating_sub(self.offset);
            let length = self.chunk.min(usize::try_from(rest).unwrap_or(self.chunk));
            if length == 0 {
                return Ok(None);
            }
            self.buffer.resize(searched + length, 0);
            let room = self.buffer.get_mut(searched..).unwrap_or_default();
            if let Err(error) = fill_at(&*self.file, self.offset, room) {
                self.buffer.truncate(searched);
                return Err(error);
            }
            self.offset += length as u64;
            self.chunk = (2 * self.chunk).min(CHUNK);
        }
    }
}
