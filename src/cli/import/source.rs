//! The bytes of the file on their way to the CSV reader: hashed, and bounded per record.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// Longest record, in bytes. A quote that is never closed would otherwise read the rest of the file as one field.
pub(super) const RECORD_BYTES_MAX: u64 = 1 << 20;
/// A record that [`HashedFile`] appends to the last byte of the file. If the CSV reader does not return it as a
/// separate record, it is still inside a quote: nothing else distinguishes an open quote from a field that ends with
/// the file.
pub(super) const END: &str = "\x03end of file\x03";
const ENDING: &str = "\n\x03end of file\x03\n";
/// Bytes the CSV reader takes at once.
pub(super) const BUFFER_BYTES: usize = 1 << 16;

/// The file, hashed as it is read.
#[derive(Debug)]
pub(super) struct HashedFile {
    file: File,
    hash: Sha256,
    read: u64,
    allowed: Cell<u64>,
    /// Bytes of [`END`] that were delivered.
    ended: usize,
}

impl HashedFile {
    /// Reads `file` from its current position; `meaning` goes into the fingerprint before the first byte.
    pub(super) fn new(file: File, meaning: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(meaning);
        Self { file, hash, read: 0, allowed: Cell::new(RECORD_BYTES_MAX + BUFFER_BYTES as u64), ended: 0 }
    }

    /// A record starts at byte `start`: the limit of its length counts from there.
    pub(super) fn record_starts(&self, start: u64) {
        self.allowed.set(start + RECORD_BYTES_MAX + BUFFER_BYTES as u64);
    }

    /// SHA-256 in hex over the meaning and all bytes read so far.
    pub(super) fn fingerprint(&self) -> String {
        format!("{:x}", self.hash.clone().finalize())
    }
}

impl Read for HashedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read > self.allowed.get() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "record too long"));
        }
        let count = self.file.read(buffer)?;
        if count == 0 {
            let count = ENDING.as_bytes().get(self.ended..).unwrap_or_default().read(buffer)?;
            self.ended += count;
            return Ok(count);
        }
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.read += count as u64;
        Ok(count)
    }
}
