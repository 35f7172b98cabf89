//! The registry: every kind of state, every command and every reason to refuse one. A capability adds its rows here and nothing
//! else to the ledger.

use super::closed::{commands, kind_enums, kind_events, kind_states, kinds, rejections, two};
use super::decide::Decide;
use super::kind::{Kind, Leasing, Misfit, Registered};
use super::takeover::Taken;
use crate::allocation;
use crate::catalogue::{self, ProductMember};
use crate::identity::{self, PrincipalId, TokenId};
use crate::orders::{self, OrderMember, ShipmentId};
use crate::stock::{self, MovementKind};
use crate::{
    Draft, ImportId, OrderId, Quantity, ReservationId, Sku, StoreId, Timestamp, clock, imports, low_stock,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

kinds! {
    /// The stock of one SKU in one store.
    Level "level" stock::Level, (store_id: StoreId, sku: Sku) {
        Adjust = 0 "ADJUST",
        Reserve = 1 "RESERVE",
        Release = 2 "RELEASE",
        Commit = 3 "COMMIT",
        Expire = 4 "EXPIRE",
        Count = 5 "COUNT",
    }
    /// The progress of one bulk import.
    Import "import" imports::Import, (import_id: ImportId) { Import = 6 "IMPORT" }
    /// The time of the log: one to a node.
    Clock "clock" clock::LogClock { Clock = 8 "CLOCK" }
    /// The details of a product.
    Product "product" catalogue::Product, (sku: Sku) { Product = 9 "PRODUCT" }
    /// The details of a store.
    Store "store" catalogue::Store, (store_id: StoreId) { Store = 10 "STORE" }
    /// The low-stock threshold of one SKU in one store.
    Threshold "threshold" low_stock::Threshold, (store_id: StoreId, sku: Sku) { Threshold = 11 "THRESHOLD" }
    /// Whether one SKU is low in one store.
    Alert "alert" low_stock::Alert, (store_id: StoreId, sku: Sku) { Alert = 12 "ALERT" }
    /// A person, service, node or team, with its grants.
    Principal "principal" identity::Principal, (principal_id: PrincipalId) { Principal = 13 "PRINCIPAL" }
    /// The metadata of a token.
    Token "token" identity::Token, (token_id: TokenId) { Token = 14 "TOKEN" }
    /// The mode of the installation.
    Mode "mode" identity::ModeState { Mode = 15 "MODE" }
    /// The rules by which stores are chosen.
    Routing "routing" allocation::RoutingState { Routing = 16 "ROUTING" }
    /// An order.
    Order "order" orders::Order, (order_id: OrderId) { Order = 17 "ORDER" }
    /// What one store is to send for one order.
    Shipment "shipment" orders::Shipment, (shipment_id: ShipmentId) { Shipment = 18 "SHIPMENT" }
}

commands! {
    /// One movement of one level.
    Stock(stock::StockCommand),
    /// Many movements, atomic or each by itself.
    Batch(stock::Batch),
    /// The next rows of a bulk import.
    Import(imports::ImportRows),
    /// A change of a product's details.
    Product(catalogue::ProductCommand),
    /// Changes of many products' details.
    Products(catalogue::Products),
    /// A change of a store's details.
    Store(catalogue::StoreCommand),
    /// A change of the low-stock threshold of one SKU in one store.
    Threshold(low_stock::ThresholdCommand),
    /// A new principal, or other details of one.
    Principal(identity::PrincipalCommand),
    /// A token that is issued, expires sooner or is revoked.
    Token(identity::TokenCommand),
    /// A change of the mode of the installation.
    Mode(identity::ModeCommand),
    /// A change of the rules by which stores are chosen.
    Routing(allocation::RoutingCommand),
    /// A step of an order and its shipments.
    Order(orders::OrderCommand),
    /// A leap of the log's time to a later one.
    Leap(clock::LeapTo),
}

/// Work after every decision, whatever the command: each function records in the draft, or requests a state that it
/// needs.
pub(super) const FOLLOW_UPS: &[fn(&mut Draft<'_>)] = &[low_stock::update_alerts];

rejections! {
    /// The state is not at the version the caller expects.
    VersionConflict "version-conflict" {
        /// The present version; 0 when it does not exist.
        current_version: u64,
    } "it is at version {current_version}, not at the one you expect; read it again and decide anew";
    /// Fewer pieces are available than requested.
    InsufficientStock "insufficient-stock" {
        /// The available number: sellable pieces of the level, or pieces that the reservation still holds.
        available: Quantity,
        /// The present version of the level; 0 when it does not exist.
        current_version: u64,
    } "only {available} available; ask for at most that, or wait for stock";
    /// The level has no reservation of that id, and remembers none.
    ReservationNotFound "reservation-not-found" {
        /// The id in the command.
        reservation_id: ReservationId,
    } "the level has no reservation {reservation_id}; check the id, the store and the SKU";
    /// The reservation has been released or committed in full.
    ReservationClosed "reservation-closed" {
        /// The id in the command.
        reservation_id: ReservationId,
    } "reservation {reservation_id} is closed; make a new one";
    /// The reservation expired, its pieces are sellable again.
    ReservationExpired "reservation-expired" {
        /// The id in the command.
        reservation_id: ReservationId,
    } "reservation {reservation_id} has expired; make a new one";
    /// A reservation of that id exists, open or lately closed.
    AlreadyExists "already-exists" {
        /// The id in the command.
        reservation_id: ReservationId,
    } "the level already has a reservation {reservation_id}; choose another id, or none";
    /// A number would leave the range that every JSON reader represents exactly.
    OutOfRange "out-of-range" "the result would be beyond 9007199254740991; send a smaller number";
    /// The key was used for another payload.
    IdempotencyKeyReused "idempotency-key-reused"
        "this idempotency key was used with another payload; use a new key for a new request";
    /// The rows do not follow the last ones the import has.
    ImportOutOfStep "import-out-of-step" {
        /// The last row that the import has decided.
        rows_done: u64,
    } "the import has {rows_done} rows; continue after row {rows_done}";
    /// The catalogue does not know the SKU.
    ProductNotFound "product-not-found" {
        /// The SKU in the command.
        sku: Sku,
    } "the catalogue does not know the SKU {sku}; describe it first, or check the SKU";
    /// The catalogue knows the SKU already.
    ProductExists "product-exists" {
        /// The present version of the product.
        current_version: u64,
    } "the catalogue knows this SKU already; to change what is said of it, replace or patch it";
    /// The catalogue has other details of the SKU.
    ProductDiffers "product-differs" {
        /// The present version of the product.
        current_version: u64,
        /// The details that differ; at least one.
        members: Vec<ProductMember>,
    } "the catalogue says another {} of this SKU; it stays, unless the request says update: true"
        [catalogue::member_names(.members)];
    /// The store has no threshold of its own for the SKU.
    ThresholdNotFound "threshold-not-found" "the store has no low-stock threshold of its own for this SKU";
    /// The store is described already.
    StoreExists "store-exists" {
        /// The present version of the store's details.
        current_version: u64,
    } "the store is described already; to change what is said of it, replace it";
    /// There is no principal of that id.
    PrincipalNotFound "principal-not-found" "there is no principal of that id; GET /users lists persons";
    /// There is a principal of that id.
    PrincipalExists "principal-exists" {
        /// The version it is at.
        current_version: u64,
    } "there is a principal of that id already; change it, or choose another login";
    /// It is the only administrator that is left.
    LastAdmin "last-admin" "there would be no administrator left; make one first";
    /// More is granted, or changed, than the caller is granted.
    GrantBeyondOwn "grant-beyond-own" "nobody grants or changes what is beyond their own grants; ask an administrator";
    /// There is no token of that id, or it was revoked.
    TokenNotFound "token-not-found" "there is no such token, or it was revoked; GET /tokens lists those that are good";
    /// There is a token of that id.
    TokenExists "token-exists" {
        /// The version it is at.
        current_version: u64,
    } "there is a token of that id already; issue another one";
    /// The reservation belongs to a shipment.
    HeldByShipment "held-by-shipment" {
        /// The id in the command.
        reservation_id: ReservationId,
    } "the reservation {reservation_id} is of a shipment; use /shipments/{reservation_id}/ship, /refuse or /cancel";
    /// There is no order of that id.
    OrderNotFound "order-not-found" "there is no order of that id";
    /// There is an order of that id, with other content.
    OrderExists "order-exists" {
        /// The present version of the order.
        current_version: u64,
        /// The members that differ; at least one.
        differs: Vec<OrderMember>,
    } "there is an order of that id already, with other content; choose another id";
    /// The step does not follow the status.
    IllegalTransition "illegal-transition" {
        /// The present status.
        from: SmolStr,
        /// The requested one.
        to: SmolStr,
        /// Those that can follow.
        allowed: Vec<SmolStr>,
    } "{to} does not follow {from}";
    /// Pieces of the order have left a store.
    AlreadyShipped "already-shipped" "pieces of the order have left already; wait for them to come back";
    /// Pieces of the order wait for stock.
    NotAllotted "not-allotted" {
        /// The number of pieces.
        waiting: Quantity,
    } "{waiting} pieces of the order wait for stock; allot or cancel them first";
    /// A store has less than the plan has found there.
    PlanStale "plan-stale" {
        /// The store.
        store_id: StoreId,
        /// The SKU.
        sku: Sku,
        /// The pieces that are there now.
        available: Quantity,
    } "{store_id} has only {available} of {sku} by now; plan again";
    /// The order has too many shipments.
    TooManyShipments "too-many-shipments" "the order has 50 shipments under way, or has had 999; close some, or place another order";
    /// There is no shipment of that id.
    ShipmentNotFound "shipment-not-found" "there is no shipment of that id";
    /// The shipment holds nothing any more.
    ShipmentClosed "shipment-closed" {
        /// Its state.
        state: SmolStr,
    } "the shipment is {state}: it holds no pieces any more";
    /// More pieces than the shipment holds of a line.
    ShipmentExceeds "shipment-exceeds" {
        /// The number of the line.
        line: u16,
        /// The pieces it holds.
        held: Quantity,
    } "the shipment holds only {held} pieces of line {line}";
    /// The order is on hold.
    OrderHeld "order-held" "the order is on hold: nothing of it is sent; release the hold first";
    /// There is a payment of that id, with other content.
    PaymentExists "payment-exists" "there is a payment of that id already, with other content; choose another id";
    /// The order has too many payments.
    TooManyPayments "too-many-payments" "the order has 200 payments already";
    /// The amount is beyond what was authorised, ordered or captured.
    AmountExceeds "amount-exceeds" {
        /// The most it may be, in minor units.
        available: Quantity,
    } "at most {available} can be taken or given back";
    /// There is no return of that id.
    ReturnNotFound "return-not-found" "the order has no return of that id; request it first";
    /// There is a return of that id, with other content.
    ReturnExists "return-exists" "there is a return of that id already, with other content; choose another id";
    /// The order has too many returns.
    TooManyReturns "too-many-returns" "the order has 100 returns already";
    /// More pieces come back than were shipped.
    ReturnExceeds "return-exceeds" {
        /// The number of the line.
        line: u16,
        /// The pieces that may come back.
        available: Quantity,
    } "only {available} pieces of line {line} were shipped and are in no return";
}
