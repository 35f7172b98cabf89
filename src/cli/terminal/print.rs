//! Output to stdout: a reader that closes the pipe early (`onhand man | head`) is no failure.

use std::io::{self, Write};

use onhand_runtime::exit::{Exit, Failure, OrExit};

/// Writes `text` to stdout.
///
/// # Errors
/// [`Exit::Io`] when stdout cannot be written; a closed pipe is fine.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    print_unless_closed(text).map(|_| ())
}

/// Writes `text` to stdout; false when its reader has closed the pipe.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_unless_closed(text: impl AsRef<[u8]>) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.or_exit(Exit::Io, || "cannot write to stdout").map(|()| true),
    }
}

/// Writes `line` and a line feed to stdout.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_line(line: impl std::fmt::Display) -> Result<(), Failure> {
    print(format!("{line}\n"))
}

/// A number with thousands separators: `39529` is `39,529`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        let table = [(0, "0"), (999, "999"), (1000, "1,000"), (39_529, "39,529"), (1_234_567, "1,234,567")];
        for (number, text) in table {
            assert_eq!(thousands(number), text);
        }
    }
}
