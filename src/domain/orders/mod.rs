//! Orders: what was promised to a customer, and the shipments that keep the promise.
//!
//! An order never moves stock itself. Its pieces are held in a store under the id of a *shipment*, what one store is to send for
//! it: `<orderId>.s<n>` is the id of the reservation too. Order, shipments and levels move in one entry of the log, so they cannot
//! disagree.
//!
//! | file | what it does |
//! | --- | --- |
//! | `payment`, `returning` | payments, which are records alone; returns |
//! | `line` | the lines of an order: what became of the pieces of each |
//! | `order`, `order_fact`, `order_kind`, `status` | the order, its event `ORDER`, its form in a snapshot, and the words for its state |
//! | `shipment`, `shipment_fact`, `shipment_kind` | the shipment, its event `SHIPMENT`, its form in a snapshot |
//! | `shipment_id` | the id of a shipment |
//! | `command`, `decide`, `checks` | a step that a caller requests; who may, the states it needs, the checks that all share |
//! | `place` | the decision of a placing, and of pieces that are allotted later |
//! | `whole` | the decisions on a whole order: confirm, cancel, ship, deliver |
//! | `part` | the decisions on one shipment |
//! | `after` | the decisions on payments, returns and the hold |
//! | `moves` | the events that several decisions record: pieces of a shipment that are held, leave or come back |
//!
//! Of every line, `qty = cancelled + waiting + open + shipped`, where *open* pieces are those of shipments that hold them, and
//! `delivered <= shipped`. The status of an order is worked out from its lines and never stored.

mod after;
mod checks;
mod command;
mod decide;
mod line;
mod moves;
mod order;
mod order_fact;
mod order_kind;
mod part;
mod payment;
mod place;
mod returning;
mod shipment;
mod shipment_fact;
mod shipment_id;
mod shipment_kind;
mod status;
mod whole;

pub use command::{Carrier, OrderCommand, OrderStep, PartStep, Planned};
pub use line::{Line, LineDelta, Pieces};
pub use order::{Order, OrderAfter};
pub use order_fact::{
    Looked, Opened, OrderChange, OrderDetails, OrderFact, OrderMember, OrderPolicy, Partial, Placed,
    StockPolicy,
};
pub use order_kind::{OrderRecord, OrderUndo};
pub use payment::{Payment, PaymentKind, PaymentStatus, PaymentSums};
pub use returning::{Return, ReturnLine, ReturnState};
pub use shipment::{Shipment, ShipmentAfter, ShipmentLine, ShipmentState};
pub use shipment_fact::{LineQty, Refused, ShipmentChange, ShipmentFact};
pub use shipment_id::ShipmentId;
pub use shipment_kind::ShipmentRecord;
pub use status::{Allocation, OrderStatus};
