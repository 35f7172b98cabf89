//! The steps of a run, line by line: a checksum over all lines, so that two runs can be compared, and the lines themselves
//! for a person to read.

use std::fmt::{Arguments, Write as _};

/// The trace of a run.
#[derive(Debug, Default)]
pub struct RunTrace {
    lines: u64,
    sum: u32,
    line: String,
    aloud: bool,
}

impl RunTrace {
    /// An empty trace, which prints each line to stdout when it is `aloud`.
    pub fn new(aloud: bool) -> Self {
        Self { aloud, ..Self::default() }
    }

    /// Adds a line to the trace.
    pub fn note(&mut self, what: Arguments<'_>) {
        self.line.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.line, "{what}");
        self.sum = crc32c::crc32c_append(self.sum, self.line.as_bytes());
        self.lines += 1;
        if self.aloud {
            println!("{:>6}  {}", self.lines, self.line);
        }
    }

    /// The number of lines so far, and their CRC-32C.
    pub fn sum(&self) -> (u64, u32) {
        (self.lines, self.sum)
    }
}
