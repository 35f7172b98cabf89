//! Reads one record as details of one product, or gives the reason why it cannot. Pure.

use std::fmt;
use std::str;

use serde::Serialize;
use smol_str::SmolStr;

use super::columns::ProductColumns;
use super::money::{self, PriceError};
use crate::import::table::CsvRecord;
use onhand_domain::catalogue::{Currency, CurrencyError, Price, ProductMember};
use onhand_domain::limits::{CATEGORY_CHARACTERS_MAX, TEXT_CHARACTERS_MAX};
use onhand_domain::{IdError, Quantity, Sku};

/// The product details of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProductRow {
    pub(super) sku: Sku,
    /// In the order of [`ProductMember::ALL`]; none for an empty field.
    pub(super) values: [Option<DetailValue>; ProductMember::ALL.len()],
}

/// The value of one detail, typed as in openapi.yaml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum DetailValue {
    Text(SmolStr),
    Price(Price),
    Pieces(Quantity),
    Flag(bool),
}

/// Why a row has no usable details of a product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProductRowError {
    #[error("it has {found} fields, the header has {expected}")]
    FieldCount { found: usize, expected: usize },
    #[error("field {field} is not UTF-8; convert the file, for example with iconv")]
    Encoding { field: usize },
    #[error("the SKU is blank")]
    SkuMissing,
    #[error("{0:?} is no SKU: it {1}")]
    Sku(String, IdError),
    #[error("the name is blank")]
    NameMissing,
    #[error("{0:?} is no name: there is no letter or digit in it")]
    NameSaysNothing(String),
    #[error("the {member} is longer than {most} characters or holds control characters")]
    Text { member: &'static str, most: usize },
    #[error("{0:?} is no price: {1}")]
    Price(String, PriceError),
    #[error("the price has no currency; give one with --currency")]
    CurrencyMissing,
    #[error("{0:?} is no currency: it {1}")]
    Currency(String, CurrencyError),
    #[error("{0:?} is no threshold: a whole number of pieces, 0 or more")]
    Threshold(String),
    #[error("{0:?} is neither true nor false")]
    Active(String),
}

impl ProductRowError {
    /// The reason code, stable for scripts.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::FieldCount { .. } => "wrong-field-count",
            Self::Encoding { .. } => "not-utf-8",
            Self::SkuMissing | Self::Sku(..) => "invalid-sku",
            Self::NameMissing | Self::NameSaysNothing(_) => "no-name",
            Self::Text { member: "name", .. } => "invalid-name",
            Self::Text { member: "category", .. } => "invalid-category",
            Self::Text { .. } => "invalid-barcode",
            Self::Price(_, PriceError::Zero) => "zero-price",
            Self::Price(_, PriceError::Negative) => "negative-price",
            Self::Price(..) => "invalid-price",
            Self::CurrencyMissing | Self::Currency(..) => "invalid-currency",
            Self::Threshold(_) => "invalid-threshold",
            Self::Active(_) => "invalid-active",
        }
    }
}

impl fmt::Display for DetailValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Price(price) => formatter.write_str(&money::shown(*price)),
            Self::Pieces(pieces) => write!(formatter, "{}", pieces.get()),
            Self::Flag(flag) => write!(formatter, "{flag}"),
        }
    }
}

/// Reads a record; `currency` applies to prices without one.
pub(super) fn read(
    record: &CsvRecord<'_>,
    columns: &ProductColumns,
    currency: Option<Currency>,
) -> Result<ProductRow, ProductRowError> {
    let found = record.fields.len();
    if found != columns.count {
        return Err(ProductRowError::FieldCount { found, expected: columns.count });
    }
    let bytes = |at: usize| record.fields.get(at).unwrap_or_default();
    if let Some(at) = columns.read().find(|at| str::from_utf8(bytes(*at)).is_err()) {
        return Err(ProductRowError::Encoding { field: at + 1 });
    }
    let field = |at: usize| str::from_utf8(bytes(at)).unwrap_or_default().trim();
    // An empty field is no value.
    let of = |member| columns.of(member).map(field).filter(|text| !text.is_empty());
    let sku = sku(field(columns.sku))?;
    let name = of(ProductMember::Name).ok_or(ProductRowError::NameMissing)?;
    if !name.chars().any(char::is_alphanumeric) {
        return Err(ProductRowError::NameSaysNothing(name.to_owned()));
    }
    let stated = columns.currency.map(field).filter(|text| !text.is_empty());
    let price = |text: &str| {
        let wrong = |error| ProductRowError::Currency(stated.unwrap_or_default().to_owned(), error);
        let stated = stated.map(Currency::new).transpose().map_err(wrong)?;
        let currency = stated.or(currency).ok_or(ProductRowError::CurrencyMissing)?;
        money::read(text, currency, columns.minor)
            .map(DetailValue::Price)
            .map_err(|error| ProductRowError::Price(text.to_owned(), error))
    };
    let short = CATEGORY_CHARACTERS_MAX;
    let values = [
        Some(text("name", name, TEXT_CHARACTERS_MAX)?),
        of(ProductMember::Category).map(|said| text("category", said, short)).transpose()?,
        of(ProductMember::UnitPrice).map(price).transpose()?,
        of(ProductMember::Barcode).map(|said| text("barcode", said, short)).transpose()?,
        of(ProductMember::LowStockThreshold).map(threshold).transpose()?,
        of(ProductMember::Active).map(active).transpose()?,
    ];
    Ok(ProductRow { sku, values })
}

fn sku(text: &str) -> Result<Sku, ProductRowError> {
    Sku::new(text).map_err(|error| match error {
        IdError::Empty => ProductRowError::SkuMissing,
        error => ProductRowError::Sku(text.to_owned(), error),
    })
}

fn text(member: &'static str, said: &str, most: usize) -> Result<DetailValue, ProductRowError> {
    if said.chars().count() > most || said.chars().any(char::is_control) {
        return Err(ProductRowError::Text { member, most });
    }
    Ok(DetailValue::Text(said.into()))
}

fn threshold(said: &str) -> Result<DetailValue, ProductRowError> {
    let pieces = said.parse().ok().and_then(|pieces| Quantity::new(pieces).ok());
    let pieces = pieces.filter(|pieces| !pieces.is_negative());
    pieces.map(DetailValue::Pieces).ok_or_else(|| ProductRowError::Threshold(said.to_owned()))
}

fn active(said: &str) -> Result<DetailValue, ProductRowError> {
    match said.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(DetailValue::Flag(true)),
        "false" | "no" | "0" => Ok(DetailValue::Flag(false)),
        _ => Err(ProductRowError::Active(said.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv::ByteRecord;

    const COLUMNS: ProductColumns = ProductColumns {
        sku: 0,
        members: [Some(1), Some(2), Some(3), Some(5), Some(6), Some(7)],
        currency: Some(4),
        minor: false,
        count: 8,
    };

    fn tea(changed: usize, value: &[u8]) -> Result<ProductRow, ProductRowError> {
        let mut fields: [&[u8]; 8] =
            [b"A-1", b" Green tea ", b"tea", b"12.50", b"EUR", b"5012345678900", b"5", b"Yes"];
        fields[changed] = value;
        let fields = fields.iter().collect::<ByteRecord>();
        read(&CsvRecord { row: 7, line: 8, fields: &fields }, &COLUMNS, Some(Currency::new("GBP").unwrap()))
    }

    #[test]
    fn a_good_row_says_what_the_contract_has() {
        let said = tea(0, b" A-1 ").unwrap();
        assert_eq!(said.sku.as_str(), "A-1");
        let expected = serde_json::json!([
            "Green tea", "tea", {"amountMinor": 1250, "currency": "EUR"}, "5012345678900", 5, true
        ]);
        assert_eq!(serde_json::to_value(&said.values).unwrap(), expected);
        let shown: Vec<String> = said.values.iter().flatten().map(DetailValue::to_string).collect();
        assert_eq!(shown, ["\"Green tea\"", "\"tea\"", "12.50 EUR", "\"5012345678900\"", "5", "true"]);
        let pounds = tea(4, b"").unwrap().values[2].clone().unwrap();
        assert_eq!(pounds.to_string(), "12.50 GBP", "without a currency it is that of the options");
        for (column, member) in [(2, 1), (3, 2), (5, 3), (6, 4), (7, 5)] {
            assert_eq!(tea(column, b" ").unwrap().values[member], None, "an empty field says nothing");
        }
    }

    #[test]
    fn a_bad_field_is_answered_with_its_code() {
        let (long, short) = ("x".repeat(257), "x".repeat(65));
        let table: &[(usize, &[u8], &str)] = &[
            (0, b"", "invalid-sku"),
            (0, b"a/b", "invalid-sku"),
            (0, b"\xa3", "not-utf-8"),
            (1, b"", "no-name"),
            (1, b"?", "no-name"),
            (1, b"\xa3", "not-utf-8"),
            (1, b"a\tb", "invalid-name"),
            (1, long.as_bytes(), "invalid-name"),
            (2, short.as_bytes(), "invalid-category"),
            (3, b"0", "zero-price"),
            (3, b"-12.50", "negative-price"),
            (3, b"12,50", "invalid-price"),
            (3, b"12.505", "invalid-price"),
            (4, b"eur", "invalid-currency"),
            (5, short.as_bytes(), "invalid-barcode"),
            (6, b"-1", "invalid-threshold"),
            (6, b"1.5", "invalid-threshold"),
            (7, b"perhaps", "invalid-active"),
        ];
        for (field, value, code) in table {
            let reason = tea(*field, value).unwrap_err();
            assert_eq!(reason.code(), *code, "{field} {value:?}: {reason}");
        }
        let two = [b"A", b"B"].iter().collect::<ByteRecord>();
        let reason = read(&CsvRecord { row: 1, line: 2, fields: &two }, &COLUMNS, None).unwrap_err();
        assert_eq!(reason.code(), "wrong-field-count");
    }
}
