//! What a run has done, line by line: a checksum over all lines, so that two runs can be compared, and the lines themselves
//! for whoever wants to read them.

use std::fmt::{Arguments, Write as _};

/// The story of a run.
#[derive(Debug, Default)]
pub struct Trace {
    lines: u64,
    sum: u32,
    line: String,
    aloud: bool,
}

impl Trace {
    /// One that also says each line on stdout when it is `aloud`.
    pub fn new(aloud: bool) -> Self {
        Self { aloud, ..Self::default() }
    }

    /// The next line.
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

    /// Lines so far, and their CRC-32C.
    pub fn sum(&self) -> (u64, u32) {
        (self.lines, self.sum)
    }
}
