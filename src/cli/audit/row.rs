//! One row of the audit table, for people.

use serde::Deserialize;

/// The members of a row of `/audit` that are printed.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    time: String,
    kind: String,
    actor: Option<String>,
    what: String,
    #[serde(rename = "where")]
    place: Option<String>,
    outcome: String,
    count: u64,
    address: Option<String>,
    #[serde(rename = "requestId")]
    request_id: Option<String>,
    detail: Option<String>,
}

impl Row {
    /// The headings of [`Row::cells`].
    pub(super) const HEADINGS: [&str; 9] =
        ["time", "kind", "actor", "what", "where", "outcome", "times", "address", "request"];

    /// The cells of the table.
    pub(super) fn cells(&self) -> [String; Self::HEADINGS.len()] {
        // A terminal would interpret control characters as commands.
        let shown = |text: Option<&str>| text.unwrap_or("-").replace(char::is_control, "\u{FFFD}");
        [
            shown(Some(&self.time)),
            shown(Some(&self.kind)),
            shown(self.actor.as_deref()),
            shown(Some(&self.what)),
            shown(self.place.as_deref().or(self.detail.as_deref())),
            shown(Some(&self.outcome)),
            self.count.to_string(),
            shown(self.address.as_deref()),
            shown(self.request_id.as_deref()),
        ]
    }

    /// The row as one line of text.
    pub(super) fn line(&self) -> String {
        self.cells().join("  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_printed_on_one_line() {
        let row = |json: &str| serde_json::from_str::<Row>(json).unwrap().line();
        assert_eq!(
            row(
                r#"{"id":"0:7~0:1","time":"2026-11-30T09:12:44.031Z","kind":"errors","actor":null,"what":"refused",
                 "where":"GET /stores","outcome":"unauthorized","requestId":"r-1","count":999,"address":"10.0.0.7","status":401}"#
            ),
            "2026-11-30T09:12:44.031Z  errors  -  refused  GET /stores  unauthorized  999  10.0.0.7  r-1"
        );
        assert_eq!(
            row(
                r#"{"id":"0:7~0:1","time":"2026-11-30T09:12:44.031Z","kind":"errors","actor":null,"what":"damaged",
                 "where":null,"outcome":"noticed","requestId":null,"count":1,"detail":"a.jsonl, line 7\u001b[2J"}"#
            ),
            "2026-11-30T09:12:44.031Z  errors  -  damaged  a.jsonl, line 7\u{FFFD}[2J  noticed  1  -  -"
        );
    }
}
