//! One event of the feed, in one line.

use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write;

/// The members of an item of `/events` that tail prints.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) sequence: u64,
    pub(super) node: String,
    ts: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
}

impl Item {
    /// The item as one line of text.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{:>8}  {}  {:<7}  ", self.sequence, self.ts, self.kind);
        // The payload of a TAKE has store and SKU inside the state that was taken over.
        let payload = self.payload.get("level").unwrap_or(&self.payload);
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        // An event of one SKU in one store that is no movement has no pieces.
        let moved = self.after.get("qty").is_some();
        if let (Some(store), Some(sku)) = (text("storeId"), text("sku"))
            && moved
        {
            let number = |state: &Value, name: &str| state.get(name).and_then(Value::as_i64).unwrap_or(0);
            // Writing to a String cannot fail.
            let _ = write!(
                line,
                "{store}/{sku}  qty {} -> {}  (on hand {}, reserved {}, version {})",
                number(&self.before, "qty"),
                number(&self.after, "qty"),
                number(&self.after, "onHand"),
                number(&self.after, "reserved"),
                number(&self.after, "version"),
            );
            for name in ["reservationId", "reason", "reference"] {
                if let Some(value) = text(name) {
                    let _ = write!(line, "  {name} {value}");
                }
            }
        } else {
            let _ = write!(line, "{}", self.payload);
        }
        // A terminal would interpret them as commands.
        line.replace(char::is_control, "\u{FFFD}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_printed_on_one_line() {
        let table = [
            (
                r#"{"sequence":2,"node":"n","ts":"2026-11-20T17:42:07.216Z","type":"RESERVE",
                    "payload":{"storeId":"BERLIN","sku":"TEA","qty":3,"reservationId":"order-77"},
                    "before":{"qty":10,"onHand":10,"reserved":0,"version":1},
                    "after":{"qty":7,"onHand":10,"reserved":3,"version":2},"requestId":"r-1"}"#,
                "       2  2026-11-20T17:42:07.216Z  RESERVE  BERLIN/TEA  qty 10 -> 7  \
                 (on hand 10, reserved 3, version 2)  reservationId order-77",
            ),
            (
                r#"{"sequence":3,"node":"n","ts":"2026-11-20T17:42:07.216Z","type":"IMPORT","payload":{"rowsDone":5}}"#,
                "       3  2026-11-20T17:42:07.216Z  IMPORT   {\"rowsDone\":5}",
            ),
            (
                r#"{"sequence":3,"node":"n","ts":"2026-11-20T17:42:07.216Z","type":"TAKE",
                    "payload":{"epoch":4,"level":{"storeId":"BERLIN","sku":"TEA","onHand":10}},
                    "before":{"qty":7,"onHand":10,"reserved":3,"version":2},
                    "after":{"qty":7,"onHand":10,"reserved":3,"version":2}}"#,
                "       3  2026-11-20T17:42:07.216Z  TAKE     BERLIN/TEA  qty 7 -> 7  \
                 (on hand 10, reserved 3, version 2)",
            ),
            (
                r#"{"sequence":5,"node":"n","ts":"2026-11-20T17:42:07.216Z","type":"ALERT",
                    "payload":{"storeId":"BERLIN","sku":"TEA","raised":true,"qty":4,"threshold":5},
                    "before":{"raised":false,"version":0},"after":{"raised":true,"version":1}}"#,
                "       5  2026-11-20T17:42:07.216Z  ALERT    \
                 {\"qty\":4,\"raised\":true,\"sku\":\"TEA\",\"storeId\":\"BERLIN\",\"threshold\":5}",
            ),
            (
                r#"{"sequence":4,"node":"n","ts":"t","type":"\u001b[2J","payload":null}"#,
                "       4  t  \u{FFFD}[2J     null",
            ),
        ];
        for (json, line) in table {
            let item: Item = serde_json::from_str(json).unwrap();
            assert_eq!(item.line(), line);
        }
    }
}
