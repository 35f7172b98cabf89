//! Every setting of the program: its name, default, unit and bounds. No I/O happens here.
//!
//! [`RawServe`] is what clap collects from flags and environment, still text; [`RawServe::parse`] turns all of
//! it into [`ServeSettings`] at once, or names every fault. One plain struct per concern, one file each.

mod audit;
mod fault;
mod gates;
mod listen;
mod locks;
mod logging;
mod raw_serve;
mod serve;
mod storage;
mod sync;
mod tls;
mod value_parser;
mod webhook;
mod worker;

pub use audit::{AuditSettings, RawAudit};
pub use fault::{Faults, SettingFault};
pub use gates::{GateSettings, Rate, RawGates};
pub use listen::ListenSettings;
pub use locks::{LockSettings, RawLocks};
pub use logging::{LogFormat, LogLevel, LogSettings, RawLogging};
pub use raw_serve::RawServe;
pub use serve::ServeSettings;
pub use storage::{IDEMPOTENCY_TTL_MS_MAX, IdempotencySettings, RawStorage, StorageSettings};
pub use sync::{RawSources, RawSync, SourceAddress, SourceSettings, SyncWorkerSettings};
pub use tls::{RawTls, TlsSettings};
pub use webhook::{Hidden, RawWebhook, WebhookSecret, WebhookSettings};
pub use worker::{RawWorker, WorkerSettings};
