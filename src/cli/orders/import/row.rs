//! Reads one record as a line of an order, or gives the reason why it cannot. Pure.

use smol_str::SmolStr;

use super::columns::OrderColumns;
use crate::import::products::money::{self, PriceError};
use crate::import::row::{RowError, check, signed_pieces, sku, text};
use crate::import::table::CsvRecord;
use onhand_domain::catalogue::Currency;
use onhand_domain::limits::TEXT_CHARACTERS_MAX;
use onhand_domain::{CustomerId, IdError, OrderId, Quantity, Sku};

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderRow {
    pub(super) order_id: OrderId,
    pub(super) customer_id: Option<CustomerId>,
    pub(super) line: OrderedLine,
}

/// What the line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderedLine {
    /// The number of its row.
    pub(super) row: u64,
    pub(super) sku: Sku,
    /// Never 0; negative in a credit note.
    pub(super) pieces: Quantity,
    /// In minor units.
    pub(super) unit_price: Option<u64>,
    pub(super) name: Option<SmolStr>,
}

/// Why a row is none, and the order that it seems to be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misread {
    pub(super) order_id: Option<OrderId>,
    pub(super) error: OrderRowError,
}

/// Why a row is refused before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OrderRowError {
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("the id of the order is blank")]
    OrderMissing,
    #[error("{0:?} is no id of an order: it {1}")]
    OrderId(String, IdError),
    #[error("{0:?} is no id of an order: it must have no full stop, and must not be \"plan\"")]
    Reserved(String),
    #[error("{0:?} is no id of a customer: it {1}")]
    Customer(String, IdError),
    #[error("{0:?} is no price: {1}")]
    Price(String, PriceError),
    #[error("the name is longer than {TEXT_CHARACTERS_MAX} characters or holds control characters")]
    Name,
}

impl OrderRowError {
    /// The reason code, stable for scripts.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Row(error) => error.code(),
            Self::OrderMissing | Self::OrderId(..) | Self::Reserved(_) => "invalid-order-id",
            Self::Customer(..) => "invalid-customer",
            Self::Price(_, PriceError::Negative) => "negative-price",
            Self::Price(..) => "invalid-price",
            Self::Name => "invalid-name",
        }
    }
}

/// Reads a record; prices are in `currency`.
pub(super) fn read(
    record: &CsvRecord<'_>,
    columns: &OrderColumns,
    currency: Option<Currency>,
) -> Result<OrderRow, Misread> {
    // Whatever else is wrong with the row: the order that it names lacks it.
    let order_id = order_id(text(record, columns.order).trim());
    let whole = check(record, columns.count, columns.sent()).map_err(OrderRowError::from);
    let read = whole.and_then(|()| line(record, columns, currency));
    match (order_id, read) {
        (Ok(order_id), Ok((customer_id, line))) => Ok(OrderRow { order_id, customer_id, line }),
        (order_id, Err(error)) => Err(Misread { order_id: order_id.ok(), error }),
        (Err(error), Ok(_)) => Err(Misread { order_id: None, error }),
    }
}

fn line(
    record: &CsvRecord<'_>,
    columns: &OrderColumns,
    currency: Option<Currency>,
) -> Result<(Option<CustomerId>, OrderedLine), OrderRowError> {
    // An empty field is no value.
    let stated = |at: Option<usize>| at.map(|at| text(record, at).trim()).filter(|text| !text.is_empty());
    let sku = sku(text(record, columns.sku))?;
    let pieces = signed_pieces(text(record, columns.quantity))?;
    let unit_price = stated(columns.price).zip(currency).map(|(text, currency)| price(text, currency));
    let name = stated(columns.name).map(name).transpose()?;
    let customer_id = stated(columns.customer)
        .map(|text| CustomerId::new(text).map_err(|error| OrderRowError::Customer(text.to_owned(), error)));
    let line = OrderedLine { row: record.row, sku, pieces, unit_price: unit_price.transpose()?, name };
    Ok((customer_id.transpose()?, line))
}

/// An id that the caller of the node may give to an order.
fn order_id(text: &str) -> Result<OrderId, OrderRowError> {
    match OrderId::new(text) {
        Ok(_) if text.contains('.') || text == "plan" => Err(OrderRowError::Reserved(text.to_owned())),
        Ok(id) => Ok(id),
        Err(IdError::Empty) => Err(OrderRowError::OrderMissing),
        Err(error) => Err(OrderRowError::OrderId(text.to_owned(), error)),
    }
}

/// A price in minor units; what is given away costs nothing.
fn price(text: &str, currency: Currency) -> Result<u64, OrderRowError> {
    match money::read(text, currency, false) {
        Ok(price) => Ok(price.amount_minor),
        Err(PriceError::Zero) => Ok(0),
        Err(error) => Err(OrderRowError::Price(text.to_owned(), error)),
    }
}

fn name(text: &str) -> Result<SmolStr, OrderRowError> {
    if text.chars().count() > TEXT_CHARACTERS_MAX || text.chars().any(char::is_control) {
        return Err(OrderRowError::Name);
    }
    Ok(SmolStr::new(text))
}
