//! The state that every handler can reach.

pub(crate) mod about;
pub(crate) mod draining;

use crate::edge::endpoint::Endpoint;
use crate::edge::forwarding::TrustedProxies;
use crate::edge::front_door::OpenRules;
use crate::edge::gates::Gates;
use crate::edge::logins::Logins;
use crate::edge::route_table::RouteTable;
use crate::edge::web_gate::WebGate;
use crate::limits::FOLLOWERS_MAX;
use crate::node::about::About;
use crate::node::draining::Draining;
use crate::request::caller::Caller;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::StatusCode;
use onhand_app::central::{CentralModel, Worker};
use onhand_app::identity::CentralLogins;
use onhand_app::low_stock::sender::AlertSender;
use onhand_app::ports::{AuditTrail, PersonalKeys, Vault};
use onhand_app::{CommandError, Ledger, Meta, Outcome, blocking};
use onhand_console::Console;
use onhand_domain::Command;
use onhand_resilience::Deadline;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The routes of one capability, with the handlers that answer them for a node.
pub(crate) type Routes = Vec<Endpoint<Arc<Node>>>;

/// One node, as the handlers see it.
pub struct Node {
    /// The id of the node, which is that of its log.
    pub id: Uuid,
    /// The ledger that the log belongs to: of this node alone, or of several nodes.
    pub ledger_id: Uuid,
    /// The ledger that handlers read and change.
    pub ledger: Arc<Ledger>,
    /// Cancelled once the node stops: the same signal that ends the accept loop.
    pub shutdown: CancellationToken,
    /// Whether the node is about to stop, and whether its probes have seen it.
    pub draining: Draining,
    /// Rate limit and places.
    pub gates: Arc<Gates>,
    /// The rules for requests from web pages.
    pub web: Arc<WebGate>,
    /// The proxies that are believed about whom they forward.
    pub proxies: TrustedProxies,
    /// Personal data and verifiers of identity; without it nobody can log in.
    pub vault: Option<Arc<dyn Vault>>,
    /// The keys of personal data; without them no order has any.
    pub personal: Option<Arc<dyn PersonalKeys>>,
    /// Logins and passwords, where there is a vault.
    pub(crate) logins: Option<Arc<Logins>>,
    /// Logins of central; without it none are good here.
    pub central_logins: Option<Arc<CentralLogins>>,
    /// The audit trail; without it only the logs say who did what.
    pub trail: Option<Arc<dyn AuditTrail>>,
    /// What is open without a login.
    pub open: OpenRules,
    /// The console.
    pub console: Console,
    /// Where it runs and how it is set, for people who run it.
    pub about: Option<About>,
    /// Every route, once the edge is made of them.
    pub(crate) routes: OnceLock<RouteTable>,
    /// The sender of low-stock alerts, where one is configured.
    pub alerts: Option<Arc<AlertSender>>,
    /// Status and `Retry-After` in milliseconds when another process holds a lease that is needed.
    contended: (StatusCode, u64),
    worker: Arc<OnceLock<Arc<Worker>>>,
    central: Option<Arc<CentralModel>>,
    followers: Arc<Semaphore>,
}

impl Node {
    /// The node of this ledger, without a worker and without a central model.
    pub fn new(id: Uuid, ledger: Arc<Ledger>, shutdown: CancellationToken) -> Self {
        Self {
            id,
            ledger_id: id,
            ledger,
            shutdown,
            draining: Draining::default(),
            gates: Arc::default(),
            web: Arc::default(),
            proxies: TrustedProxies::default(),
            vault: None,
            personal: None,
            logins: None,
            central_logins: None,
            trail: None,
            open: OpenRules::default(),
            console: Console::new(None),
            about: None,
            routes: OnceLock::new(),
            alerts: None,
            contended: (Code::LockContended.status(), 300),
            worker: Arc::default(),
            central: None,
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        }
    }

    /// The same node, whose log is one of several of a ledger.
    #[must_use]
    pub fn with_ledger_id(mut self, ledger_id: Uuid) -> Self {
        self.ledger_id = ledger_id;
        self
    }

    /// The same node with gates of another size.
    #[must_use]
    pub fn with_gates(mut self, gates: Gates) -> Self {
        self.gates = Arc::new(gates);
        self
    }

    /// The same node with another gate against web pages.
    #[must_use]
    pub fn with_web_gate(mut self, web: WebGate) -> Self {
        self.web = Arc::new(web);
        self
    }

    /// The same node behind these proxies.
    #[must_use]
    pub fn with_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The same node with identity: what is secret about it, and what is open without a login.
    #[must_use]
    pub fn with_identity(mut self, vault: Arc<dyn Vault>, open: OpenRules) -> Self {
        self.logins = Some(Arc::new(Logins::new(Arc::clone(&vault))));
        self.vault = Some(vault);
        self.open = open;
        self
    }

    /// The same node with the keys of personal data.
    #[must_use]
    pub fn with_personal_keys(mut self, keys: Arc<dyn PersonalKeys>) -> Self {
        self.personal = Some(keys);
        self
    }

    /// The same node, at which logins of central are good.
    #[must_use]
    pub fn with_central_logins(mut self, logins: Arc<CentralLogins>) -> Self {
        self.central_logins = Some(logins);
        self
    }

    /// The same node with an audit trail.
    #[must_use]
    pub fn with_trail(mut self, trail: Arc<dyn AuditTrail>) -> Self {
        self.trail = Some(trail);
        self
    }

    /// The same node with what people who run it want to know.
    #[must_use]
    pub fn with_about(mut self, about: About, console: Console) -> Self {
        self.about = Some(about);
        self.console = console;
        self
    }

    /// The same node with another limit of followers of the feed.
    #[must_use]
    pub fn with_followers(mut self, followers_max: usize) -> Self {
        self.followers = Arc::new(Semaphore::new(followers_max));
        self
    }

    /// The same node with a sender of low-stock alerts, or without.
    #[must_use]
    pub fn with_alerts(mut self, alerts: Option<Arc<AlertSender>>) -> Self {
        self.alerts = alerts;
        self
    }

    /// The same node with another status and `Retry-After` for contention.
    #[must_use]
    pub fn with_contention(mut self, status: u16, retry_after: Duration) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(self.contended.0);
        self.contended = (status, u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// The same node with a sync worker in this process, and the central model that it fills.
    #[must_use]
    pub fn with_worker(mut self, worker: Arc<Worker>) -> Self {
        self.central = Some(Arc::clone(worker.central()));
        self.worker = Arc::new(OnceLock::from(worker));
        self
    }

    /// The same node with a central model that another process fills, until a worker starts in this one.
    #[must_use]
    pub fn with_central(mut self, central: Arc<CentralModel>, worker: Arc<OnceLock<Arc<Worker>>>) -> Self {
        self.central = Some(central);
        self.worker = worker;
        self
    }

    /// Decides a command and makes it durable, unless its deadline passes first.
    ///
    /// When the deadline passes before the command is decided, nothing is done; later, the outcome is not known.
    pub async fn execute(
        &self,
        command: Command,
        meta: &Meta,
        deadline: Deadline,
    ) -> Result<Outcome, Problem> {
        if deadline.has_passed() {
            let detail =
                "The time given by Prefer: wait was over before the change was decided; nothing was done.";
            return Err(Problem::new(Code::Timeout, detail));
        }
        match deadline.bound(self.ledger.execute(command, meta)).await {
            Ok(Err(CommandError::Contended)) => {
                let (status, retry_after_ms) = self.contended;
                Err(Problem::plain(Code::LockContended).answered(status, retry_after_ms))
            }
            Ok(outcome) => Ok(outcome?),
            Err(passed) => Err(Problem::plain(Code::OutcomeUnknown).because(&passed)),
        }
    }

    /// True as long as nothing has changed about a caller: see [`Caller::is_unchanged`].
    pub(crate) fn admits_still(&self, caller: &Caller) -> bool {
        caller.is_unchanged(&self.ledger, self.vault.as_deref(), self.central_logins.as_deref())
    }

    /// As [`Node::admits_still`], also by what other processes of the data directory have changed until now. A long answer ends when
    /// this does.
    pub(crate) async fn goes_on(&self, caller: &Caller) -> bool {
        self.ledger.catch_up().await.is_ok() && self.admits_still(caller)
    }

    /// False once the session of a caller has ended, in whichever process; true for one without a session, and while its file cannot be
    /// read.
    pub(crate) async fn has_session(&self, caller: &Caller) -> bool {
        let (Some(id), Some(vault)) = (caller.session().cloned(), self.vault.clone()) else { return true };
        let now = self.ledger.now();
        blocking(move || vault.session(&id, now)).await.map_or(true, |session| session.is_some())
    }

    /// The issuer of the tokens that the node signs: its ledger.
    pub(crate) fn issuer(&self) -> String {
        format!("urn:uuid:{}", self.ledger_id)
    }

    /// A place for a follower of the feed, held until the stream ends.
    pub fn follower_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.followers).try_acquire_owned().map_err(|_| {
            Problem::new(Code::Overloaded, "Too many follow the feed; try again later, or read it in pages.")
        })
    }

    /// The sync worker of this process.
    pub fn worker(&self) -> Result<&Arc<Worker>, Problem> {
        self.worker.get().ok_or_else(|| {
            Problem::new(
                Code::NotReady,
                "The sync worker does not run in this process; ask the process in which it does, or start this \
                 one with it.",
            )
        })
    }

    /// The central model, whichever process fills it.
    pub fn central(&self) -> Result<&Arc<CentralModel>, Problem> {
        self.central.as_ref().ok_or_else(|| {
            Problem::new(
                Code::NotReady,
                "This process has no central model, because the sync worker does not run in it; ask the process \
                 in which it does, or start this one with it.",
            )
        })
    }
}
