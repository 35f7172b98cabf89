//! The webhook: the receiver of alerts, and the file with the position of the last sent one.

use crate::exit::{Exit, Failure, OrExit};
use onhand_app::Ledger;
use onhand_app::low_stock::sender::{AlertSender, AlertSettings};
use onhand_config::ServeSettings;
use onhand_disk::RealDisk;
use onhand_disk::clock::SystemClock;
use onhand_disk::layout::Layout;
use onhand_file::stores::alerts_sent::AlertsSent;
use onhand_remote::Webhook;
use onhand_resilience::BreakerSettings;
use std::sync::Arc;
use uuid::Uuid;

/// The alert sender of the node whose directory is `layout`; none without a webhook.
///
/// # Errors
/// [`Exit::Settings`] for an address that is not allowed, or the error of the disk.
pub(super) fn open(
    settings: &ServeSettings,
    ledger: &Arc<Ledger>,
    node: Uuid,
    layout: &Layout,
) -> Result<Option<Arc<AlertSender>>, Failure> {
    let Some(webhook) = &settings.webhook else { return Ok(None) };
    let receiver = Webhook::new(webhook.clone(), Arc::new(SystemClock)).map_err(|reason| {
        Failure::new(Exit::Settings, format!("ALERT_WEBHOOK_URL cannot be used: {reason}"))
    })?;
    let place = AlertsSent::new(Arc::new(RealDisk), layout);
    let worker = &settings.worker;
    let how = AlertSettings {
        retry_base: worker.retry_base,
        breaker: BreakerSettings { threshold: worker.breaker_threshold, cooldown: worker.breaker_cooldown },
    };
    let sender = AlertSender::open(Arc::clone(ledger), node, Arc::new(receiver), Arc::new(place), how)
        .or_exit(Exit::Io, || format!("cannot read or write {}", layout.alerts_sent().display()))?;
    Ok(Some(Arc::new(sender)))
}
