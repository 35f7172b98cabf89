//! Parameters of the path: a level, a store, a SKU, an import, a dead letter.

use crate::request::arrived::Arrived;
use crate::response::problem::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use onhand_domain::identity::{PrincipalId, TokenId};
use onhand_domain::orders::ShipmentId;
use onhand_domain::{CustomerId, ImportId, OrderId, ReturnId, Sku, StoreId};
use std::fmt;

/// The path `/stores/{storeId}/inventory/{sku}`.
#[derive(Debug)]
pub(crate) struct LevelAt {
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
}

impl<S: Send + Sync> FromRequestParts<S> for LevelAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self { store_id: read(parts, "storeId", StoreId::new)?, sku: read(parts, "sku", Sku::new)? })
    }
}

/// The path `/orders/{orderId}/returns/{returnId}`
#[derive(Debug)]
pub(crate) struct ReturnAt {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
}

impl<S: Send + Sync> FromRequestParts<S> for ReturnAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let order_id = read(parts, "orderId", OrderId::new)?;
        Ok(Self { order_id, return_id: read(parts, "returnId", ReturnId::new)? })
    }
}

/// The path `/console/static/{tag}/{path}`, of which the last part may have slashes; any text.
#[derive(Debug)]
pub(crate) struct ConsoleFileAt {
    /// The version of the console.
    pub tag: String,
    /// The path of the file.
    pub path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for ConsoleFileAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(Self { tag: read(parts, "tag", str::parse)?, path: read(parts, "path", str::parse)? })
    }
}

/// Extractors of paths with one parameter: type and value, parameter, reader.
macro_rules! places {
    ($($(#[$doc:meta])* $name:ident($value:ty) $parameter:literal $read:expr;)*) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name(pub $value);

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
                read(parts, $parameter, $read).map(Self)
            }
        })*
    };
}

places! {
    /// The path `/stores/{storeId}`.
    StoreAt(StoreId) "storeId" StoreId::new;
    /// `/products/{sku}`, `/central/inventory/{sku}`
    SkuAt(Sku) "sku" Sku::new;
    /// The path `/imports/{importId}`.
    ImportAt(ImportId) "importId" ImportId::new;
    /// `/dead-letters/{id}`; any text, because an unknown id leads to no letter.
    LetterAt(String) "id" str::parse;
    /// `/users/{userId}`
    PrincipalAt(PrincipalId) "userId" PrincipalId::new;
    /// `/tokens/{tokenId}`
    TokenAt(TokenId) "tokenId" TokenId::new;
    /// `/orders/{orderId}`
    OrderAt(OrderId) "orderId" OrderId::new;
    /// `/customers/{customerId}/erase`
    CustomerAt(CustomerId) "customerId" CustomerId::new;
    /// `/shipments/{shipmentId}`
    ShipmentAt(ShipmentId) "shipmentId" ShipmentId::new;
    /// `/problems/{code}`; any text.
    CodeAt(String) "code" str::parse;
    /// `/docs/{file}`; any text.
    FileAt(String) "file" str::parse;
    /// `/docs/guide/{name}`; any text.
    GuideAt(String) "name" str::parse;
}

/// Reads the path parameter `{name}`.
fn read<T, E: fmt::Display>(
    parts: &Parts,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Problem> {
    let arrived = parts.extensions.get::<Arrived>();
    let value = arrived.map_or(Some(""), |arrived| arrived.params.get(name));
    let value = value.ok_or_else(|| Problem::parameter(name, "must be percent-encoded UTF-8"))?;
    read(value).map_err(|error| Problem::parameter(name, error.to_string()))
}
