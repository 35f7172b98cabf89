//! Fetches the keys of central, as long as its logins are good here.

use crate::exit::{Exit, Failure};
use onhand_app::Ledger;
use onhand_app::identity::CentralLogins;
use onhand_config::SourceSettings;
use onhand_domain::Timestamp;
use onhand_remote::{FetchedKeys, NodeAccess, fetch_keys};
use onhand_telemetry::CENTRAL_KEYS_FETCHED;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// From one fetch to the next. A key that central has revoked is good here for that long.
const EVERY: Duration = Duration::from_secs(60);
/// After a fetch that failed.
const AGAIN: Duration = Duration::from_secs(10);

/// The task that fetches them: at once when an address is declared, and then every minute. The authorities of sources vouch for
/// central too.
///
/// # Errors
/// [`Exit::Settings`] when a file of the settings cannot be used.
pub fn follow(
    logins: Arc<CentralLogins>,
    ledger: Arc<Ledger>,
    settings: &SourceSettings,
) -> Result<impl Future<Output = Infallible> + use<>, Failure> {
    let access = NodeAccess::read(settings).map_err(|fault| Failure::new(Exit::Settings, fault))?;
    Ok(run(logins, ledger, access))
}

async fn run(logins: Arc<CentralLogins>, ledger: Arc<Ledger>, access: NodeAccess) -> Infallible {
    let mut declarations = logins.declarations();
    note_fetch(logins.fetched_at());
    loop {
        let url = declarations.borrow_and_update().as_ref().map(|central| central.url.clone());
        // Another declaration breaks a fetch off, and begins the next one.
        tokio::select! {
            () = fetch_every_minute(&logins, &ledger, &access, url) => {}
            _ = declarations.changed() => note_fetch(logins.fetched_at()),
        }
    }
}

/// Fetches the keys from `url` for ever; waits for ever without one.
async fn fetch_every_minute(
    logins: &CentralLogins,
    ledger: &Ledger,
    access: &NodeAccess,
    url: Option<String>,
) {
    let Some(url) = url else { return pending().await };
    let mut reported = false;
    loop {
        let wait = match fetch_keys(&url, access).await {
            Ok(fetched) => {
                if reported {
                    tracing::info!(central = url, "the keys of central are fetched again");
                }
                reported = false;
                learn(logins, ledger, &url, fetched).await;
                EVERY
            }
            Err(reason) => {
                if !reported {
                    let fetched_at = logins.fetched_at().map(|at| at.to_string());
                    tracing::warn!(
                        central = url,
                        reason,
                        fetched_at,
                        "the keys of central cannot be fetched; those that were fetched before are good for 7 days"
                    );
                }
                reported = true;
                AGAIN
            }
        };
        tokio::time::sleep(wait).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; milliseconds are exact in it")]
fn note_fetch(at: Option<Timestamp>) {
    let seconds = at.map_or(0.0, |at| at.milliseconds() as f64 / 1_000.0);
    metrics::gauge!(CENTRAL_KEYS_FETCHED).set(seconds);
}

async fn learn(logins: &CentralLogins, ledger: &Ledger, url: &str, fetched: FetchedKeys) {
    let now = ledger.wall_clock();
    let FetchedKeys { issuer, keys } = fetched;
    note_fetch(Some(now));
    if let Err(error) = logins.learn(url, issuer, keys, now).await {
        tracing::warn!(%error, "the keys of central cannot be kept; they are good until this process ends");
    }
}
