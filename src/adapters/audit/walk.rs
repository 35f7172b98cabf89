//! A chain line by line: each is checked against the one before, and every break has its place.

use crate::file_name::FileName;
use crate::line::{Line, LineHash};
use onhand_app::ports::AuditEntry;
use onhand_disk::{Disk, OpenMode, read_all};
use std::io;
use std::path::Path;

/// What stands in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Entry(u64, AuditEntry),
    Break(Break),
}

/// A place where the chain is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Break {
    /// The number of the entry that belongs there.
    pub(crate) n: u64,
    pub(crate) file: FileName,
    /// The line of the file, from 1.
    pub(crate) line: usize,
    pub(crate) reason: String,
}

/// The end of a file that a crash has torn, or that a process is about to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) line: usize,
    pub(crate) bytes: usize,
}

/// A file of a chain, read.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) steps: Vec<Step>,
    /// What does not count at the end of the last file.
    pub(crate) torn: Option<Torn>,
}

/// The place reached in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the entry that follows.
    pub(crate) next: u64,
    /// The hash of the line before; nothing where that line was not read, or is damaged.
    pub(crate) prev: Option<LineHash>,
    /// Where that line is.
    before: Option<(FileName, usize)>,
}

/// A line of a file, with its line feed if it has one, and what it says.
struct Piece<'a> {
    number: usize,
    bytes: &'a [u8],
    line: Result<Line, &'static str>,
}

impl Piece<'_> {
    fn is(&self, n: u64) -> bool {
        self.line.as_ref().is_ok_and(|line| line.n == n)
    }
}

impl Place {
    /// The beginning of a file; what came before it is not known, unless that is nothing.
    pub(crate) fn begin(file: FileName) -> Self {
        Self { next: file.first, prev: (file.first == 1).then(LineHash::default), before: None }
    }

    /// Reads one file from this place on. `next` is the file behind it.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn walk(
        &mut self,
        disk: &dyn Disk,
        directory: &Path,
        file: FileName,
        next: Option<FileName>,
    ) -> io::Result<Walked> {
        let bytes = match disk.open(&directory.join(file.to_string()), OpenMode::Read) {
            // It was removed as too old after the directory was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Walked::default()),
            file => read_all(&*file?)?,
        };
        Ok(self.walk_bytes(&bytes, file, next.map(|next| next.first)))
    }

    /// The same for the bytes of the file; entries from `end` on do not count, they are in the next file.
    pub(crate) fn walk_bytes(&mut self, bytes: &[u8], file: FileName, end: Option<u64>) -> Walked {
        let mut walked = Walked::default();
        let pieces = pieces(bytes);
        let durable = pieces.iter().filter_map(|piece| Some(piece.line.as_ref().ok()?.synced)).max();
        let durable = durable.unwrap_or(0);
        if self.next < file.first {
            let missing = format!("entries {} to {} are missing in front of it", self.next, file.first - 1);
            walked.steps.push(self.break_at(file, 1, missing));
            (self.next, self.prev) = (file.first, None);
        }
        for (at, piece) in pieces.iter().enumerate() {
            let is_over = end.is_some_and(|end| self.next >= end);
            match &piece.line {
                Ok(line) if end.is_some_and(|end| is_over && line.n >= end) => {}
                Err(_) if is_over => {}
                Ok(line) if line.n != self.next => {
                    let is_missing =
                        line.n > self.next && !pieces.iter().skip(at).any(|later| later.is(self.next));
                    self.step_aside(file, piece, line, is_missing, &mut walked.steps);
                }
                Ok(line) => self.step(file, piece, line, &mut walked.steps),
                Err(_) if end.is_none() && self.next > durable => {
                    let rest: usize = pieces.iter().skip(at).map(|piece| piece.bytes.len()).sum();
                    walked.torn = Some(Torn { line: piece.number, bytes: rest });
                    return walked;
                }
                Err(reason) => {
                    walked.steps.push(self.break_at(file, piece.number, (*reason).to_owned()));
                    (self.next, self.prev) = (self.next + 1, None);
                }
            }
        }
        if let Some(end) = end {
            let lines = pieces.len();
            if self.next < end {
                let missing = format!("entries {} to {} are missing behind it", self.next, end - 1);
                walked.steps.push(self.break_at(file, lines, missing));
                (self.next, self.prev) = (end, None);
            } else if durable >= end {
                let reason = format!("entries from {end} on were durable, and the next file has others");
                walked.steps.push(self.break_at(file, lines, reason));
            }
        }
        walked
    }

    fn step(&mut self, file: FileName, piece: &Piece<'_>, line: &Line, steps: &mut Vec<Step>) {
        let number = piece.number;
        if self.prev.is_some_and(|prev| prev != line.prev) {
            let reason = format!("the line is not the one that entry {} follows", line.n);
            steps.push(Step::Break(match self.before {
                Some((file, at)) => Break { n: line.n - 1, file, line: at, reason },
                None => Break { n: line.n, file, line: number, reason },
            }));
        }
        steps.push(Step::Entry(line.n, line.entry.clone()));
        self.next = line.n + 1;
        self.prev = Some(LineHash::of(piece.bytes));
        self.before = Some((file, number));
    }

    /// A line with another number than the next. Where the next one `is_missing`, the chain goes on with this line; otherwise it was put
    /// in, and the chain goes on behind it as if it were not there.
    fn step_aside(
        &mut self,
        file: FileName,
        piece: &Piece<'_>,
        line: &Line,
        is_missing: bool,
        steps: &mut Vec<Step>,
    ) {
        let reason = format!("entry {} stands where entry {} belongs", line.n, self.next);
        steps.push(self.break_at(file, piece.number, reason));
        if is_missing {
            (self.next, self.prev) = (line.n, None);
            self.step(file, piece, line, steps);
        } else {
            steps.push(Step::Entry(line.n, line.entry.clone()));
        }
    }

    fn break_at(&self, file: FileName, line: usize, reason: String) -> Step {
        Step::Break(Break { n: self.next, file, line, reason })
    }
}

fn pieces(bytes: &[u8]) -> Vec<Piece<'_>> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    lines.map(|(at, bytes)| Piece { number: at + 1, bytes, line: Line::decode(bytes) }).collect()
}
