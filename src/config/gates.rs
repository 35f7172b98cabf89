//! Limits of admission: concurrency of all callers together, and the rate of one client.

use std::num::NonZeroU32;

use clap::Args;
use onhand_domain::identity::Role;

use crate::fault::Faults;
use crate::value_parser::text;

const CONCURRENCY_MAX: u64 = 10_000;
const QUEUE_MAX: u64 = 1_000_000;
const RATE_MAX: u64 = 1_000_000_000;

/// Settings of the gates, unread.
#[derive(Args, Clone, Debug)]
pub struct RawGates {
    /// Requests worked on at the same time, for reads, for changes and for batches each
    #[arg(long, env = "CONCURRENCY_API", value_name = "REQUESTS", default_value = "16")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub concurrency_api: String,

    /// Requests that may wait besides those, for each; what comes then is answered 503 at once
    #[arg(long, env = "LOAD_SHED_QUEUE_MAX", value_name = "REQUESTS", default_value = "50")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub load_shed_queue_max: String,

    /// Requests a second that one client may send for ever: a principal, or an address from which no known principal comes; 0:
    /// no limit
    #[arg(long, env = "RATE_LIMIT_RPS", value_name = "REQUESTS/S", default_value = "100")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub rate_limit_rps: String,

    /// Requests that one client may send at once after a rest
    #[arg(long, env = "RATE_LIMIT_BURST", value_name = "REQUESTS", default_value = "200")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub rate_limit_burst: String,

    /// Limits of the principals that have a role, in place of these two: ROLE=REQUESTS/S:REQUESTS, or ROLE=0 for none;
    /// separated by commas. Of several roles the one with the highest limit counts
    #[arg(long, env = "RATE_LIMIT_ROLES", value_name = "LIMITS", value_delimiter = ',')]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub rate_limit_roles: Vec<String>,
}

/// Requests a second, and at once after a rest.
pub type Rate = (NonZeroU32, NonZeroU32);

/// Settings of the gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSettings {
    /// `CONCURRENCY_API`: requests processed at the same time, for each kind.
    pub concurrency: usize,
    /// `LOAD_SHED_QUEUE_MAX`: requests that may wait besides, for each kind.
    pub queue_max: usize,
    /// `RATE_LIMIT_RPS` and `RATE_LIMIT_BURST`: requests of one client, a second and at once. None: no limit.
    pub rate: Option<Rate>,
    /// `RATE_LIMIT_ROLES`: the limits of some roles, in place of that one.
    pub role_rates: Vec<(Role, Option<Rate>)>,
}

impl GateSettings {
    pub(super) fn read(raw: &RawGates, faults: &mut Faults) -> Self {
        let requests = "a whole number of requests";
        let concurrency = faults.whole("CONCURRENCY_API", &raw.concurrency_api, 1, CONCURRENCY_MAX, requests);
        let queue = faults.whole("LOAD_SHED_QUEUE_MAX", &raw.load_shed_queue_max, 0, QUEUE_MAX, requests);
        let per_second = "a whole number of requests a second";
        let rate = faults.whole("RATE_LIMIT_RPS", &raw.rate_limit_rps, 0, RATE_MAX, per_second);
        let burst = faults.whole("RATE_LIMIT_BURST", &raw.rate_limit_burst, 1, RATE_MAX, requests);
        let number = |read: u64| u32::try_from(read).ok().and_then(NonZeroU32::new);
        Self {
            concurrency: usize::try_from(concurrency).expect("the bound above fits any usize"),
            queue_max: usize::try_from(queue).expect("the bound above fits any usize"),
            rate: number(rate).zip(number(burst)),
            role_rates: role_rates(&raw.rate_limit_roles, faults),
        }
    }
}

/// Reads `RATE_LIMIT_ROLES`.
fn role_rates(given: &[String], faults: &mut Faults) -> Vec<(Role, Option<Rate>)> {
    let mut rates: Vec<(Role, Option<Rate>)> = Vec::new();
    for text in given.iter().map(|text| text.trim()) {
        match role_rate(text).filter(|(role, _)| rates.iter().all(|(known, _)| known != role)) {
            Some(rate) => rates.push(rate),
            None => faults.add(
                "RATE_LIMIT_ROLES",
                text,
                format!(
                    "a limit such as till=200:400 (requests a second, and at once after a rest) or till=0 (none), each role \
                     once: {}",
                    Role::ALL.map(Role::as_str).join(", ")
                ),
            ),
        }
    }
    rates
}

fn role_rate(text: &str) -> Option<(Role, Option<Rate>)> {
    let (role, rate) = text.split_once('=')?;
    let role = Role::of_name(role.trim())?;
    if rate.trim() == "0" {
        return Some((role, None));
    }
    let (per_second, burst) = rate.split_once(':')?;
    let number = |text: &str| {
        text.trim().parse().ok().filter(|number: &NonZeroU32| u64::from(number.get()) <= RATE_MAX)
    };
    Some((role, Some((number(per_second)?, number(burst)?))))
}
