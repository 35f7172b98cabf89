//! Rate limits: a token bucket for each principal, and one for each address from which no known principal comes.
//!
//! Whom a request counts for is decided once it is known who sends it: a principal uses up its own bucket and nothing of its
//! address, so that a hundred tills behind one proxy do not wait for each other. The bucket of the address pays for everything else:
//! routes that ask nobody, requests without a credential as long as nobody must log in, addresses that have no route, and every
//! credential that is wrong. A client that guesses tokens gets 429 in place of 401 when the bucket of its address is empty, while
//! the tills behind the same address are served. A credential is checked before anything is counted: a token costs less than a
//! microsecond, a signed token or a cookie one or two small files. A password, which costs some 30 ms, is counted first (`attempts`).
//!
//! A principal has the limit of its role (`RATE_LIMIT_ROLES`), of several the highest; without one that of `RATE_LIMIT_RPS` and
//! `RATE_LIMIT_BURST`, as an address has.

use crate::edge::forwarding::Client;
use crate::request::network::network_of;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::{HeaderMap, HeaderName, HeaderValue};
use onhand_app::identity::Authority;
use onhand_config::{GateSettings, Rate};
use onhand_domain::identity::{PrincipalId, Role};
use onhand_resilience::TokenBuckets;
use onhand_telemetry::HTTP_RATE_LIMITED;
use std::cmp::Reverse;
use std::net::IpAddr;
use std::time::Duration;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The name of the limit that is of no role.
const CLIENT: &str = "client";

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum BucketOwner {
    /// An address, in IPv6 a network of 64 bits, because every host has at least one.
    Network(IpAddr),
    /// All who come over the local socket.
    LocalSocket,
    Principal(PrincipalId),
}

/// The state of a client's rate limit, for the headers of every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quota {
    policy: HeaderValue,
    name: &'static str,
    remaining: u32,
    full_in: Duration,
    /// The time to the next token, when there was none left.
    wait: Option<Duration>,
}

/// The limits of addresses and principals.
#[derive(Debug)]
pub(crate) struct RateLimits {
    default: Option<RateLimit>,
    roles: Vec<(Role, Option<RateLimit>)>,
}

#[derive(Debug)]
struct RateLimit {
    buckets: TokenBuckets<BucketOwner>,
    rate: Rate,
    name: &'static str,
    policy: HeaderValue,
}

impl RateLimits {
    /// The limits of the settings.
    pub(crate) fn new(settings: &GateSettings) -> Self {
        let roles = settings.role_rates.iter();
        Self {
            default: settings.rate.map(|rate| RateLimit::new(CLIENT, rate)),
            roles: roles
                .map(|(role, rate)| (*role, rate.map(|rate| RateLimit::new(role.as_str(), rate))))
                .collect(),
        }
    }

    /// Takes a token: of a principal's bucket when it is known who sends the request, else of its address. `None` when there is
    /// no limit.
    pub(crate) fn count(&self, client: &Client, principal: Option<&Authority>) -> Option<Quota> {
        match principal {
            Some(principal) => {
                let owner = || BucketOwner::Principal(principal.principal_id.clone());
                self.of_roles(&principal.roles).map(|limit| limit.count(&owner()))
            }
            None => self.default.as_ref().map(|limit| limit.count(&BucketOwner::at(client.address))),
        }
    }

    /// Forgets those whose buckets are full again.
    pub(crate) fn sweep(&self) {
        let of_roles = self.roles.iter().filter_map(|(_, limit)| limit.as_ref());
        of_roles.chain(&self.default).for_each(|limit| limit.buckets.sweep());
    }

    /// The highest limit of these roles; `None` for no limit.
    fn of_roles(&self, roles: &[Role]) -> Option<&RateLimit> {
        let of = |role: &Role| {
            let own = self.roles.iter().find(|(known, _)| known == role);
            own.map_or(self.default.as_ref(), |(_, limit)| limit.as_ref())
        };
        // Without a limit comes first, then the higher ones.
        let highest = roles.iter().map(of).min_by_key(|limit| limit.map(|limit| Reverse(limit.rate)));
        highest.unwrap_or(self.default.as_ref())
    }
}

impl RateLimit {
    /// The policy is that of draft-ietf-httpapi-ratelimit-headers: `q` requests in `w` seconds, the time in which an
    /// empty bucket fills.
    fn new(name: &'static str, rate: Rate) -> Self {
        let (per_second, burst) = rate;
        let window = burst.get().div_ceil(per_second.get());
        let policy = HeaderValue::try_from(format!("\"{name}\";q={burst};w={window}"));
        let policy = policy.expect("names of roles, digits and quotes are visible");
        Self { buckets: TokenBuckets::new(per_second, burst), rate, name, policy }
    }

    fn count(&self, owner: &BucketOwner) -> Quota {
        let (remaining, full_in, wait) = match self.buckets.take(owner) {
            Ok(standing) => (standing.remaining, standing.full_in, None),
            Err(empty) => (0, empty.full_in, Some(empty.retry_after)),
        };
        if wait.is_some() {
            metrics::counter!(HTTP_RATE_LIMITED).increment(1);
        }
        Quota { policy: self.policy.clone(), name: self.name, remaining, full_in, wait }
    }
}

impl Quota {
    /// Refuses the request when there was no token left for it.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let Some(wait) = self.wait else { return Ok(()) };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Err(Problem::plain(Code::RateLimited)
            .with(|facts| facts.retry_after_ms = Some(wait_ms.saturating_add(1))))
    }

    /// Writes the rate limit headers.
    pub(crate) fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        let standing = format!("\"{}\";r={};t={}", self.name, self.remaining, seconds(self.full_in));
        if let Ok(standing) = HeaderValue::try_from(standing) {
            headers.insert(RATE_LIMIT, standing);
        }
    }
}

impl BucketOwner {
    fn at(address: Option<IpAddr>) -> Self {
        match address {
            Some(address) => Self::Network(network_of(address)),
            None => Self::LocalSocket,
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_domain::identity::{Access, PrincipalKind};
    use std::num::NonZeroU32;

    fn client(text: &str) -> Client {
        Client::at(text.parse().unwrap(), false)
    }

    fn rate((per_second, burst): (u32, u32)) -> Option<Rate> {
        NonZeroU32::new(per_second).zip(NonZeroU32::new(burst))
    }

    fn limits(default: (u32, u32), roles: &[(Role, (u32, u32))]) -> RateLimits {
        let role_rates = roles.iter().map(|(role, given)| (*role, rate(*given))).collect();
        RateLimits::new(&GateSettings { concurrency: 1, queue_max: 0, rate: rate(default), role_rates })
    }

    fn principal(number: u64, roles: &[Role]) -> Authority {
        Authority {
            principal_id: PrincipalId::of_bits(PrincipalKind::Service, number),
            kind: PrincipalKind::Service,
            access: Access::default(),
            unmasked: Access::default(),
            roles: roles.to_vec(),
            disabled: false,
        }
    }

    fn policy(limits: &RateLimits, roles: &[Role]) -> Option<String> {
        let quota = limits.count(&client("10.0.0.7"), Some(&principal(1, roles)))?;
        Some(quota.policy.to_str().unwrap().to_owned())
    }

    #[test]
    fn an_address_is_a_client_and_so_is_a_network_of_ipv6() {
        for (one, other, same) in [
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("::ffff:10.0.0.7", "10.0.0.7", true),
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let [one, other] = [one, other].map(|text| BucketOwner::at(client(text).address));
            assert_eq!(one == other, same, "{one:?} {other:?}");
        }
        assert_eq!(BucketOwner::at(Client::LOCAL_SOCKET.address), BucketOwner::LocalSocket);
    }

    #[tokio::test(start_paused = true)]
    async fn the_headers_say_how_a_client_stands() {
        for (rate, taken, policy, standing) in [
            ((100, 200), 1, "\"client\";q=200;w=2", "\"client\";r=199;t=1"),
            ((100, 200), 150, "\"client\";q=200;w=2", "\"client\";r=50;t=2"),
            ((3, 10), 10, "\"client\";q=10;w=4", "\"client\";r=0;t=4"),
            ((10, 1), 5, "\"client\";q=1;w=1", "\"client\";r=0;t=1"),
        ] {
            let limits = limits(rate, &[]);
            let quota = (0..taken).filter_map(|_| limits.count(&client("10.0.0.7"), None)).last().unwrap();
            let mut headers = HeaderMap::new();
            quota.sign(&mut headers);
            assert_eq!(
                (&headers["ratelimit-policy"], &headers["ratelimit"]),
                (&policy.parse().unwrap(), &standing.parse().unwrap())
            );
        }
        assert!(limits((0, 1), &[]).count(&client("10.0.0.7"), None).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn principals_and_their_address_use_up_different_buckets() {
        let limits = limits((1, 2), &[]);
        let passes = |from: &str, principal: Option<&Authority>| {
            limits.count(&client(from), principal).unwrap().check().is_ok()
        };
        let till = |number| principal(number, &[Role::Till]);
        for number in 0..100 {
            let till = till(number);
            assert!(passes("10.0.0.7", Some(&till)) && passes("10.0.0.7", Some(&till)), "{number}");
            assert!(!passes("10.0.0.8", Some(&till)), "wherever it comes from");
        }
        assert!(passes("10.0.0.7", None) && passes("10.0.0.7", None));
        assert!(!passes("10.0.0.7", None));
        assert!(passes("10.0.0.7", Some(&till(100))));
    }

    #[test]
    fn the_highest_limit_of_the_roles_counts() {
        use Role::{Auditor, Backup, Team, Till, Viewer};
        let limits = limits((100, 200), &[(Till, (200, 400)), (Team, (20, 40)), (Backup, (0, 0))]);
        for (roles, counts) in [
            (&[][..], Some("\"client\";q=200;w=2")),
            (&[Viewer], Some("\"client\";q=200;w=2")),
            (&[Till], Some("\"till\";q=400;w=2")),
            (&[Team], Some("\"team\";q=40;w=2")),
            (&[Team, Till], Some("\"till\";q=400;w=2")),
            (&[Viewer, Till], Some("\"till\";q=400;w=2")),
            (&[Team, Auditor], Some("\"client\";q=200;w=2")),
            (&[Till, Backup], None),
        ] {
            assert_eq!(policy(&limits, roles).as_deref(), counts, "{roles:?}");
        }
        let without = self::limits((0, 0), &[(Team, (20, 40))]);
        assert_eq!(policy(&without, &[Viewer]), None);
        assert_eq!(policy(&without, &[Team]).as_deref(), Some("\"team\";q=40;w=2"));
    }
}
