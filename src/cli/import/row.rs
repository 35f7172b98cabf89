//! Converts one record to one movement, or gives the reason why it cannot. Pure.

use std::str;

use jiff::Timestamp as Moment;

use super::columns::Columns;
use super::options::{ReadOptions, RowsKind, StoreFrom};
use super::store_name::store_id;
use super::table::CsvRecord;
use super::wire::WireRow;
use onhand_domain::limits::TEXT_CHARACTERS_MAX;
use onhand_domain::stock::AdjustKind;
use onhand_domain::{IdError, Quantity, QuantityError, Sku, StoreId, Timestamp};

/// Why a row is rejected before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RowError {
    #[error("it has {found} fields, the header has {expected}")]
    FieldCount { found: usize, expected: usize },
    #[error("field {field} is not UTF-8; convert the file, for example with iconv")]
    Encoding { field: usize },
    #[error("the store is blank")]
    StoreMissing,
    #[error("{0:?} makes no store id of 1 to 64 letters and digits")]
    StoreName(String),
    #[error("{0:?} is no store id: it {1}")]
    StoreId(String, IdError),
    #[error("the SKU is blank")]
    SkuMissing,
    #[error("{0:?} is no SKU: it {1}")]
    Sku(String, IdError),
    #[error("{0:?} is no whole number")]
    Quantity(String),
    #[error("the quantity is 0: nothing moves")]
    QuantityZero,
    #[error("the quantity is {quantity}, and a {kind} cannot be negative")]
    QuantityNegative { quantity: i64, kind: &'static str },
    #[error("the quantity {0} {QuantityError}")]
    QuantityTooLarge(String),
    #[error("{text:?} is no time as expected: {why}")]
    Time { text: String, why: String },
    #[error("the reference is longer than {TEXT_CHARACTERS_MAX} characters or holds control characters")]
    Reference,
}

impl RowError {
    /// The reason code, stable for scripts.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::FieldCount { .. } => "wrong-field-count",
            Self::Encoding { .. } => "not-utf-8",
            Self::StoreMissing | Self::StoreName(_) | Self::StoreId(..) => "invalid-store",
            Self::SkuMissing | Self::Sku(..) => "invalid-sku",
            Self::Quantity(_) | Self::QuantityTooLarge(_) => "invalid-quantity",
            Self::QuantityZero => "zero-quantity",
            Self::QuantityNegative { .. } => "negative-quantity",
            Self::Time { .. } => "invalid-time",
            Self::Reference => "invalid-reference",
        }
    }
}

/// Reads a record as a movement, as the options define it.
pub(super) fn read(
    record: &CsvRecord<'_>,
    columns: &Columns,
    reading: &ReadOptions,
) -> Result<WireRow, RowError> {
    check(record, columns.count, columns.named())?;
    let field = |at: usize| text(record, at);
    let store_id = store(columns.store.map(field), reading)?;
    let sku = sku(field(columns.sku))?;
    let (kind, quantity) = movement(field(columns.quantity), reading.kind)?;
    let occurred_at = columns.time.map(|at| time(field(at), reading)).transpose()?;
    let reference = columns.reference.map(|at| reference(field(at))).transpose()?.flatten();
    let opening_stock = Some(reading.opening_stock).filter(|pieces| *pieces > Quantity::ZERO);
    Ok(WireRow { row: record.row, store_id, sku, kind, quantity, reference, occurred_at, opening_stock })
}

/// Checks that a record has `count` fields, and that those at `places` are UTF-8.
pub(crate) fn check(
    record: &CsvRecord<'_>,
    count: usize,
    mut places: impl Iterator<Item = usize>,
) -> Result<(), RowError> {
    let found = record.fields.len();
    if found != count {
        return Err(RowError::FieldCount { found, expected: count });
    }
    // A product name in some old encoding must not cost the sale: only the columns that are read have to be valid.
    let unreadable = |at: &usize| record.fields.get(*at).is_some_and(|field| str::from_utf8(field).is_err());
    places.find(unreadable).map_or(Ok(()), |at| Err(RowError::Encoding { field: at + 1 }))
}

/// The field at `at` as text; empty where there is none, or no UTF-8.
pub(crate) fn text<'a>(record: &CsvRecord<'a>, at: usize) -> &'a str {
    record.fields.get(at).and_then(|field| str::from_utf8(field).ok()).unwrap_or_default()
}

fn store(field: Option<&str>, reading: &ReadOptions) -> Result<StoreId, RowError> {
    let text = field.unwrap_or_default().trim();
    match &reading.store {
        StoreFrom::Fixed(id) => Ok(id.clone()),
        StoreFrom::Names(_) | StoreFrom::Ids(_) if text.is_empty() => Err(RowError::StoreMissing),
        StoreFrom::Names(_) => {
            store_id(text, &reading.store_names).ok_or_else(|| RowError::StoreName(text.to_owned()))
        }
        StoreFrom::Ids(_) => StoreId::new(text).map_err(|error| RowError::StoreId(text.to_owned(), error)),
    }
}

/// Reads a SKU.
pub(crate) fn sku(field: &str) -> Result<Sku, RowError> {
    let text = field.trim();
    Sku::new(text).map_err(|error| match error {
        IdError::Empty => RowError::SkuMissing,
        error => RowError::Sku(text.to_owned(), error),
    })
}

/// Reads pieces: a whole number with a sign, and never 0.
pub(crate) fn signed_pieces(field: &str) -> Result<Quantity, RowError> {
    let text = field.trim();
    let quantity: i64 = text.parse().map_err(|_| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            RowError::QuantityTooLarge(text.to_owned())
        } else {
            RowError::Quantity(text.to_owned())
        }
    })?;
    if quantity == 0 {
        return Err(RowError::QuantityZero);
    }
    Quantity::new(quantity).map_err(|_| RowError::QuantityTooLarge(text.to_owned()))
}

/// The sign decides the kind for a sale; the other kinds have only one direction.
fn movement(field: &str, kind: RowsKind) -> Result<(AdjustKind, Quantity), RowError> {
    let signed = signed_pieces(field)?;
    let quantity = signed.get();
    let pieces = if signed.is_negative() { signed.negated() } else { signed };
    match (kind, quantity > 0) {
        (RowsKind::Sale, true) => Ok((AdjustKind::Sale, pieces)),
        (RowsKind::Sale, false) => Ok((AdjustKind::Return, pieces)),
        (RowsKind::StockIn, true) => Ok((AdjustKind::StockIn, pieces)),
        (RowsKind::Removal, true) => Ok((AdjustKind::Removal, pieces)),
        (RowsKind::Opening, true) => Ok((AdjustKind::Opening, pieces)),
        (_, false) => Err(RowError::QuantityNegative { quantity, kind: kind.as_str() }),
    }
}

fn time(field: &str, reading: &ReadOptions) -> Result<Timestamp, RowError> {
    let text = field.trim();
    let wrong = |why: String| RowError::Time { text: text.to_owned(), why };
    let Some(format) = &reading.time_format else {
        return Timestamp::parse(text).map_err(|error| wrong(format!("it {error}")));
    };
    let moment: Moment = format.read(text).map_err(|error| wrong(error.to_string()))?;
    Timestamp::parse(&moment.to_string())
        .map_err(|_| wrong("it is outside the years 0000 to 9999".to_owned()))
}

fn reference(field: &str) -> Result<Option<String>, RowError> {
    let text = field.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().count() > TEXT_CHARACTERS_MAX || text.chars().any(char::is_control) {
        return Err(RowError::Reference);
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::time::TimeFormat;
    use csv::ByteRecord;
    use std::collections::BTreeMap;

    const COLUMNS: Columns =
        Columns { store: Some(0), sku: 1, quantity: 2, time: Some(3), reference: Some(4), count: 5 };

    fn reading(kind: RowsKind) -> ReadOptions {
        ReadOptions {
            kind,
            store: StoreFrom::Names("shop".to_owned()),
            store_names: BTreeMap::new(),
            sku_column: String::new(),
            quantity_column: String::new(),
            time_column: None,
            time_format: Some(TimeFormat::parse("%d/%m/%Y %H:%M").unwrap()),
            reference_column: None,
            opening_stock: Quantity::ZERO,
            delimiter: b',',
        }
    }

    fn row(fields: &[&[u8]], reading: &ReadOptions) -> Result<WireRow, RowError> {
        let fields = fields.iter().collect::<ByteRecord>();
        read(&CsvRecord { row: 7, line: 8, fields: &fields }, &COLUMNS, reading)
    }

    fn sale(changed: usize, value: &[u8]) -> Result<WireRow, RowError> {
        let mut fields: [&[u8]; 5] = [b"Channel Islands", b"85123A", b"6", b"01/12/2010 08:26", b"536365"];
        fields[changed] = value;
        row(&fields, &reading(RowsKind::Sale))
    }

    #[test]
    fn a_good_row_goes_out_as_the_contract_has_it() {
        let sent = serde_json::to_value(sale(0, b"Channel Islands").unwrap()).unwrap();
        let expected = serde_json::json!({
            "row": 7, "storeId": "Channel-Islands", "sku": "85123A", "kind": "sale", "quantity": 6,
            "reference": "536365", "occurredAt": "2010-12-01T08:26:00.000Z",
        });
        assert_eq!(sent, expected);
        assert_eq!(sale(4, b"  ").unwrap().reference, None);
    }

    #[test]
    fn a_bad_field_refuses_the_row_with_its_code() {
        let long = "r".repeat(257);
        let table: &[(usize, &[u8], &str)] = &[
            (0, b" ", "invalid-store"),
            (0, b"???", "invalid-store"),
            (1, b"", "invalid-sku"),
            (1, b"a/b", "invalid-sku"),
            (1, b"\xa3", "not-utf-8"),
            (2, b"", "invalid-quantity"),
            (2, b"6.0", "invalid-quantity"),
            (2, b"-", "invalid-quantity"),
            (2, b"1,000", "invalid-quantity"),
            (2, b"9007199254740992", "invalid-quantity"),
            (2, b"-9223372036854775808", "invalid-quantity"),
            (2, b"99999999999999999999", "invalid-quantity"),
            (2, b"-0", "zero-quantity"),
            (3, b"", "invalid-time"),
            (3, b"2010-12-01", "invalid-time"),
            (4, b"a\tb", "invalid-reference"),
            (4, long.as_bytes(), "invalid-reference"),
        ];
        for (field, value, code) in table {
            let reason = sale(*field, value).unwrap_err();
            assert_eq!(reason.code(), *code, "{field} {value:?}: {reason}");
        }
        assert_eq!(
            row(&[b"A", b"B", b"1"], &reading(RowsKind::Sale)).unwrap_err().code(),
            "wrong-field-count"
        );
    }

    #[test]
    fn the_sign_of_a_quantity_means_what_the_kind_says() {
        let table = [
            (RowsKind::Sale, "+5", Ok(AdjustKind::Sale)),
            (RowsKind::Sale, " -5 ", Ok(AdjustKind::Return)),
            (RowsKind::StockIn, "5", Ok(AdjustKind::StockIn)),
            (RowsKind::StockIn, "-5", Err("negative-quantity")),
            (RowsKind::Removal, "5", Ok(AdjustKind::Removal)),
            (RowsKind::Removal, "-5", Err("negative-quantity")),
            (RowsKind::Opening, "5", Ok(AdjustKind::Opening)),
            (RowsKind::Opening, "-5", Err("negative-quantity")),
        ];
        for (kind, text, expected) in table {
            let got = movement(text, kind).map_err(|reason| reason.code());
            assert_eq!(got, expected.map(|kind| (kind, Quantity::new(5).unwrap())), "{kind:?} {text}");
        }
    }
}
