//! Decoding of events in canonical form, which nearly every event of a log has: in one pass, member by member.
//!
//! Any other form is left to [`Event::decode`]. So this accepts less than that, and never decodes differently.

use crate::stock::{AdjustKind, Adjusted, Counted, LevelAfter, Reserved, Settled, StockFact};
use crate::{After, Event, EventKind, Fact, Idempotency, Quantity, ReservationId, Sequence, Sku};
use crate::{StoreId, Timestamp};
use smol_str::SmolStr;
use uuid::Uuid;

/// Maximum number of digits of a number, which fits into 64 bits; a longer one is left to the general decoder.
const DIGITS_MAX: usize = 18;

impl Event {
    /// The event that `text` begins with, and its length in bytes; none when it is not a movement of a level in
    /// canonical form.
    pub fn as_written(text: &str) -> Option<(Self, usize)> {
        let mut reader = Reader { rest: text };
        let event = reader.event()?;
        Some((event, text.len() - reader.rest.len()))
    }
}

/// The rest of the text.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn event(&mut self) -> Option<Event> {
        self.literal(r#"{"eventId":""#)?;
        let event_id = Uuid::try_parse(self.string()?).ok()?;
        let op = self.optional(r#","op":"#, |reader| u32::try_from(reader.number()?).ok())?;
        let idempotency = self.optional(r#","idem":{"key":""#, Self::idempotency)?;
        self.literal(r#","type":""#)?;
        let kind = EventKind::parse(self.string()?)?;
        let fact = Fact::Level(self.fact(kind)?);
        self.literal(r#"},"after":{"#)?;
        // Before format 2 the numbers stood here without a tag.
        let tagged = self.literal(r#""level":{"#).is_some();
        self.literal(r#""onHand":"#)?;
        let on_hand = self.quantity()?;
        self.literal(r#","reserved":"#)?;
        let reserved = self.quantity()?;
        self.literal(r#","version":"#)?;
        let version = self.number()?;
        self.literal(if tagged { "}}}" } else { "}}" })?;
        let after = After::Level(LevelAfter { on_hand, reserved, version });
        Some(Event { event_id, op, idempotency, kind, fact, after })
    }

    fn idempotency(&mut self) -> Option<Idempotency> {
        let key = self.plain()?;
        self.literal(r#","scope":""#)?;
        let scope = self.plain()?;
        self.literal(r#","fingerprint":""#)?;
        let fingerprint = self.plain()?;
        self.literal("}")?;
        Some(Idempotency { key, scope, fingerprint })
    }

    fn fact(&mut self, kind: EventKind) -> Option<StockFact> {
        self.literal(r#","payload":{"sku":""#)?;
        let sku = Sku::new(self.string()?).ok()?;
        self.literal(r#","storeId":""#)?;
        let store_id = StoreId::new(self.string()?).ok()?;
        match kind {
            EventKind::Adjust => self.adjusted(sku, store_id).map(StockFact::Adjust),
            EventKind::Reserve => self.reserved(sku, store_id).map(StockFact::Reserve),
            EventKind::Release => self.settled(sku, store_id).map(StockFact::Release),
            EventKind::Commit => self.settled(sku, store_id).map(StockFact::Commit),
            EventKind::Expire => self.settled(sku, store_id).map(StockFact::Expire),
            EventKind::Count => self.counted(sku, store_id).map(StockFact::Count),
            _ => None,
        }
    }

    fn adjusted(&mut self, sku: Sku, store_id: StoreId) -> Option<Adjusted> {
        self.literal(r#","delta":"#)?;
        Some(Adjusted {
            sku,
            store_id,
            delta: self.quantity()?,
            expected_version: self.optional(r#","expectedVersion":"#, Self::number)?,
            reason: self.optional(r#","reason":""#, Self::plain)?,
            reference: self.optional(r#","reference":""#, Self::plain)?,
            occurred_at: self.optional(r#","occurredAt":""#, Self::time)?,
            kind: self.optional(r#","kind":""#, |reader| AdjustKind::parse(reader.string()?))?,
        })
    }

    fn reserved(&mut self, sku: Sku, store_id: StoreId) -> Option<Reserved> {
        self.literal(r#","qty":"#)?;
        let qty = self.quantity()?;
        self.literal(r#","reservationId":""#)?;
        Some(Reserved {
            sku,
            store_id,
            qty,
            reservation_id: ReservationId::new(self.string()?).ok()?,
            expires_at: self.optional(r#","expiresAt":""#, Self::time)?,
            expected_version: self.optional(r#","expectedVersion":"#, Self::number)?,
            reference: self.optional(r#","reference":""#, Self::plain)?,
        })
    }

    fn settled(&mut self, sku: Sku, store_id: StoreId) -> Option<Settled> {
        self.literal(r#","reservationId":""#)?;
        let reservation_id = ReservationId::new(self.string()?).ok()?;
        self.literal(r#","qty":"#)?;
        let qty = self.quantity()?;
        let expected_version = self.optional(r#","expectedVersion":"#, Self::number)?;
        Some(Settled { sku, store_id, reservation_id, qty, expected_version })
    }

    fn counted(&mut self, sku: Sku, store_id: StoreId) -> Option<Counted> {
        self.literal(r#","counted":"#)?;
        let counted = self.quantity()?;
        self.literal(r#","delta":"#)?;
        Some(Counted {
            sku,
            store_id,
            counted,
            delta: self.quantity()?,
            as_of: self.optional(r#","asOf":"#, |reader| reader.number().map(Sequence))?,
            reason: self.optional(r#","reason":""#, Self::plain)?,
            expected_version: self.optional(r#","expectedVersion":"#, Self::number)?,
        })
    }

    /// Skips this literal, which must be next.
    #[inline]
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// The value behind `name`, if that is next.
    #[allow(clippy::option_option, reason = "not there, there and of another form are three things")]
    #[inline]
    fn optional<T>(&mut self, name: &str, value: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.literal(name).is_some() { value(self).map(Some) } else { Some(None) }
    }

    /// The rest of a string and its closing quote. The caller must reject backslashes and control characters.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        let end = self.rest.bytes().position(|byte| byte == b'"')?;
        let text = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..)?;
        Some(text)
    }

    /// As [`Self::string`], for a string without escapes.
    fn plain(&mut self) -> Option<SmolStr> {
        let text = self.string()?;
        text.bytes().all(|byte| byte >= b' ' && byte != b'\\').then(|| SmolStr::new(text))
    }

    fn time(&mut self) -> Option<Timestamp> {
        Timestamp::parse(self.string()?).ok()
    }

    /// A whole number from 0, without leading zeros; no digit follows it.
    #[inline]
    fn number(&mut self) -> Option<u64> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).take(DIGITS_MAX + 1);
        let (length, value) = digits.fold((0, 0_u64), |(length, value), digit| {
            (length + 1, value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
        });
        if length == 0 || length > DIGITS_MAX || (length > 1 && self.rest.starts_with('0')) {
            return None;
        }
        self.rest = self.rest.get(length..)?;
        Some(value)
    }

    #[inline]
    fn quantity(&mut self) -> Option<Quantity> {
        let negative = self.literal("-").is_some();
        let pieces = i64::try_from(self.number()?).ok()?;
        match (negative, pieces) {
            // JSON permits minus zero, whole numbers do not.
            (true, 0) => None,
            (true, _) => Quantity::new(-pieces).ok(),
            (false, _) => Quantity::new(pieces).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a21ea8-413b-7667-bd38-bf1f93aaaf47";

    /// An event of every kind and with every member it may have.
    fn events() -> Vec<String> {
        let idem = r#""idem":{"key":"k 1","scope":"reserve L/A","fingerprint":"00ff00ff00ff00ff"}"#;
        let place = r#""sku":"BANK CHARGES","storeId":"LONDON""#;
        let mut events = Vec::new();
        for (kind, least, most) in [
            (
                "ADJUST",
                r#""delta":-3"#,
                r#","expectedVersion":0,"reason":"gr\u00f6\u00dfer","reference":"R1","occurredAt":"2026-11-20T16:00:00.123Z""#,
            ),
            (
                "ADJUST",
                r#""delta":0"#,
                r#","expectedVersion":7,"reason":"größer","reference":"","occurredAt":"2026-11-20T17:00:00+01:00""#,
            ),
            ("ADJUST", r#""delta":-3,"reason":"r""#, r#","reference":"till-3","kind":"stock-in""#),
            ("ADJUST", r#""delta":-3"#, r#","kind":"sale""#),
            (
                "RESERVE",
                r#""qty":1,"reservationId":"r-1""#,
                r#","expiresAt":"2026-11-20T16:00:00.123Z","expectedVersion":12,"reference":"A \"1\"""#,
            ),
            (
                "RESERVE",
                r#""qty":9007199254740991,"reservationId":"01a21ea8-40ee-763f-bbbf-f8e574da2dea""#,
                r#","expiresAt":"2026-11-20T16:00:00.123Z","expectedVersion":12,"reference":"A1""#,
            ),
            ("RELEASE", r#""reservationId":"r-1","qty":10"#, r#","expectedVersion":100"#),
            ("COMMIT", r#""reservationId":"r-1","qty":2"#, r#","expectedVersion":1"#),
            ("EXPIRE", r#""reservationId":"r-1","qty":2"#, ""),
            ("COUNT", r#""counted":5,"delta":2"#, r#","asOf":3,"reason":"spring","expectedVersion":4"#),
        ] {
            for (front, rest) in
                [("", ""), (r#""op":0,"#, most), (&format!("\"op\":4294967295,{idem},"), most)]
            {
                events.push(format!(
                    r#"{{"eventId":"{ID}",{front}"type":"{kind}","payload":{{{place},{least}{rest}}},"after":{{"onHand":5,"reserved":0,"version":9}}}}"#
                ));
            }
        }
        events
    }

    #[test]
    fn what_is_written_is_read_back_with_what_follows_left_alone() {
        let mut read = 0;
        for json in events() {
            let event = Event::decode(&json).unwrap();
            let written = serde_json::to_string(&event).unwrap();
            // Escapes are left to the general decoder.
            if !written.contains('\\') {
                let text = format!("{written},{{more");
                assert_eq!(Event::as_written(&text), Some((event, written.len())), "{json}");
                read += 1;
            }
        }
        assert!(read > 20, "{read}");
    }

    #[test]
    fn nothing_is_read_that_the_other_way_reads_differently() {
        const INSTEAD: [&str; 16] =
            ["", "0", "9", "-", ".", "e", " ", "\"", "\\", "\n", "{", "}", ",", ":", "x", "ß"];
        let mut read = 0;
        for json in events() {
            for (place, character) in json.char_indices() {
                let (front, behind) = (&json[..place], &json[place + character.len_utf8()..]);
                for instead in INSTEAD {
                    let spoilt = format!("{front}{instead}{behind}");
                    if let Some((event, length)) = Event::as_written(&spoilt) {
                        assert_eq!(Event::decode(&spoilt[..length]), Ok(event), "{spoilt}");
                        read += 1;
                    }
                }
            }
        }
        assert!(read > 1000, "{read}");
    }

    #[test]
    fn another_form_is_left_to_the_other_way() {
        let json = &events()[0];
        for (one, other) in [
            ("\"type\":", " \"type\":"),
            ("\"onHand\":5", "\"qty\":5,\"onHand\":5"),
            ("\"version\":9", "\"version\":1234567890123456789"),
            ("ADJUST", "CLOCK"),
            ("{\"eventId\"", "{\"more\":1,\"eventId\""),
        ] {
            assert!(json.contains(one), "{one}");
            assert_eq!(Event::as_written(&json.replace(one, other)), None, "{other}");
        }
    }
}
