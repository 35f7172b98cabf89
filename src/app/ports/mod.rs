//! The ports: traits that the use cases need an adapter for, each with its contract and its errors.
//! `tests/suite/ports` tests every adapter against them.

mod alert_receiver;
mod audit_trail;
mod central_store;
mod clock;
mod durable;
mod event_log;
mod event_source;
mod history;
mod personal;
mod restored;
mod session;
mod sharing;
mod vault;

pub use alert_receiver::{AlertDelivery, AlertNews, AlertPlace, AlertReceiver, DeliveryError};
pub use audit_trail::{AuditEntry, AuditKind, AuditTrail, ChainPiece, TrailPlace, TrailQuery};
pub use central_store::{CentralStore, DeadLetterStore};
pub use clock::{Clock, EventIds, Sleep};
pub use durable::{DurableWatch, Generation, RolledBack};
pub use event_log::{AppendError, Appended, EventLog, LogFailed, NewEntry, Ticket};
pub use event_source::{Delivered, Delivery, EventSource, Joining, News, Reading, SourceError};
pub use history::{EventPiece, EventQuery, History, HistoryError, Moment, Movement, MovementQuery};
pub use personal::PersonalKeys;
pub use restored::{KnownEffect, Restored, RetryId, known_effects};
pub use session::{
    CentralKeys, Claims, KeptSession, NewSession, PasswordMatch, PasswordsBusy, PublicKey, Refreshed,
    SessionLife, SessionUse,
};
pub use sharing::{Kept, Lease, LogNumber, OthersTime, PeerNews, Sharing, TakenOver, is_taken_over};
pub use vault::{KeepError, KeptPerson, KeptToken, Managed, Vault};
