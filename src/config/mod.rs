//! Every setting of the program: its name, default, unit and bounds. No I/O happens here.
//!
//! [`RawServe`] is what clap collects from flags and environment, still text; [`RawServe::parse`] turns all of
//! it into [`ServeSettings`] at once, or names every fault. One plain struct per concern, one file each.

mod fault;
mod gates;
mod listen;
mod locks;
mod logging;
mod raw;
mod storage;
mod sync;
mod webhook;
mod worker;

pub use fault::{Fault, Faults};
pub use gates::{GateSettings, RawGates};
pub use listen::ListenSettings;
pub use locks::{LockSettings, RawLocks};
pub use logging::{LogFormat, LogLevel, LogSettings, RawLogging};
pub use raw::RawServe;
pub use storage::{IDEMPOTENCY_TTL_MS_MAX, IdempotencySettings, RawStorage, StorageSettings};
pub use sync::{RawSources, RawSync, SourceAddress, SyncSettings};
pub use webhook::{Hidden, RawWebhook, WebhookSecret, WebhookSettings};
pub use worker::{RawWorker, WorkerSettings};

/// Everything `onhand serve` needs to know before it touches the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeSettings {
    /// Where and how connections are taken, and how they are let go.
    pub listen: ListenSettings,
    /// How much is let in at once.
    pub gates: GateSettings,
    /// Where the log lies and how often it is summed up.
    pub storage: StorageSettings,
    /// How the data directory is shared with other processes, where it is.
    pub locks: Option<LockSettings>,
    /// How long a recorded answer is kept for a retry.
    pub idempotency: IdempotencySettings,
    /// `CATALOG_STRICT`: whether only what the catalogue knows may be taken in and promised.
    pub catalog_strict: bool,
    /// `SYNC`: whether this process merges its log into central.
    pub sync: bool,
    /// How it does, then.
    pub worker: SyncSettings,
    /// Who hears of low stock, where somebody does.
    pub webhook: Option<WebhookSettings>,
    /// What the process says about itself.
    pub logging: LogSettings,
}
