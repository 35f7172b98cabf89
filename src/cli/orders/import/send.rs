//! Sends the orders of the file, several at once.
//!
//! There is no position to resume from: every order is sent again under its own id, and the node answers what is there already
//! without changing anything. So the command may be killed at any time, and run again.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use smol_str::SmolStr;

use super::credit::Returns;
use super::jobs::{Job, Jobs};
use super::lookahead::Lookahead;
use super::node::{Answered, OrderNode};
use super::options::ImportOrdersArgs;
use super::outcome::OrderOutcome;
use super::stop::Stop;
use super::survey::OrderSurvey;
use super::tally::Tally;
use super::wire::{NewOrder, NewStatus, OrderShown};
use onhand_runtime::exit::Failure;

/// Orders that are under way at once.
pub(super) const AT_ONCE: usize = 8;

/// Sends all orders, until it is asked to stop; `on_progress` receives the number of orders that are done.
///
/// # Errors
/// Those of [`Jobs`] and [`OrderNode::post`]. What was done stays done.
pub(super) async fn send(
    args: &ImportOrdersArgs,
    survey: &OrderSurvey,
    stop: &Stop,
    on_progress: impl Fn(u64),
) -> Result<Tally, Failure> {
    let node = OrderNode::new(&args.server)?;
    let returns = match args.return_store.as_ref().filter(|_| args.returns) {
        Some(store_id) => Some(Returns::new(&node, survey, store_id).await?),
        None => None,
    };
    let desk = Desk { node: &node, args, returns };
    let (mut jobs, mut ahead, mut ended) = (Jobs::open(survey, args)?, Lookahead::default(), false);
    let (mut under_way, mut tally) = (FuturesUnordered::new(), Tally::default());
    loop {
        while !stop.is_asked() && under_way.len() < AT_ONCE {
            while !ended && !ahead.is_full() {
                match jobs.next()? {
                    Some(job) => ahead.add(job),
                    None => ended = true,
                }
            }
            let Some(job) = ahead.take() else { break };
            under_way.push(desk.go(Step::Begin(job)));
        }
        let done = tokio::select! {
            done = under_way.next() => done,
            () = stop.time_is_up() => None,
        };
        let Some(done) = done else { return Ok(tally) };
        match done.map_err(|failure| stopped(failure, tally.done, survey))? {
            Done::Placed(placed) => {
                ahead.done(&placed.job);
                ahead.ships(&placed.job);
                under_way.push(desk.go(Step::Ship(placed)));
            }
            Done::Shipped(job, outcome) => {
                ahead.shipped(&job);
                tally.note(&job, outcome);
            }
            Done::Over(job, outcome) => {
                ahead.done(&job);
                tally.note(&job, outcome);
            }
        }
        on_progress(tally.done);
    }
}

/// The failure of a run that cannot go on.
pub(super) fn stopped(mut failure: Failure, done: u64, survey: &OrderSurvey) -> Failure {
    if done > 0 {
        failure.error = failure.error.context(format!(
            "stopped after {done} of {} orders; what was done stays done, run the same command again to go on",
            survey.sent()
        ));
    }
    failure
}

/// Does one step of one order after the other.
struct Desk<'a> {
    node: &'a OrderNode,
    args: &'a ImportOrdersArgs,
    returns: Option<Returns<'a>>,
}

enum Step {
    /// An order is placed, or a credit note taken back.
    Begin(Job),
    Ship(Box<PlacedOrder>),
}

enum Done {
    /// It is there, and to be shipped.
    Placed(Box<PlacedOrder>),
    Shipped(Job, OrderOutcome),
    /// Nothing is left to do for it.
    Over(Job, OrderOutcome),
}

struct PlacedOrder {
    job: Job,
    order: OrderShown,
    created: bool,
}

impl Desk<'_> {
    async fn go(&self, step: Step) -> Result<Done, Failure> {
        match step {
            Step::Begin(job) => match &self.returns {
                Some(returns) if job.is_credit_note => {
                    let outcome = OrderOutcome::Credited(returns.take_back(&job).await?);
                    Ok(Done::Over(job, outcome))
                }
                _ => self.place(job).await,
            },
            Step::Ship(placed) => self.ship(*placed).await,
        }
    }

    async fn place(&self, job: Job) -> Result<Done, Failure> {
        let body = NewOrder::of(&job, self.args);
        let step = format!("{}-place", job.order_id);
        let (order, created) = match self.node.post("/orders", Some(&step), &body).await? {
            Answered::Done { created, body } => (body, created),
            Answered::Refused(problem) => {
                let outcome = OrderOutcome::Refused(problem.reason(&job));
                return Ok(Done::Over(job, outcome));
            }
        };
        let placed = PlacedOrder { job, order, created };
        if self.args.ship && !is_shipped(&placed.order) {
            return Ok(Done::Placed(Box::new(placed)));
        }
        let (job, outcome) = self.there(placed, false, None);
        Ok(Done::Over(job, outcome))
    }

    /// Ships an order, if it can be.
    async fn ship(&self, mut placed: PlacedOrder) -> Result<Done, Failure> {
        let order_id = &placed.job.order_id;
        let unshipped = if placed.order.status == "CANCELLED" {
            Some(SmolStr::new_static("cancelled"))
        } else if placed.order.lines.iter().any(|line| line.waiting > 0) {
            Some(SmolStr::new_static("not-allotted"))
        } else {
            let (path, step) = (format!("/orders/{order_id}/status"), format!("{order_id}-ship"));
            match self.node.post(&path, Some(&step), &NewStatus { status: "SHIPPED" }).await? {
                Answered::Done { body, .. } => {
                    placed.order = body;
                    None
                }
                Answered::Refused(problem) => Some(problem.reason(&placed.job).code),
            }
        };
        let (job, outcome) = self.there(placed, unshipped.is_none(), unshipped);
        Ok(Done::Shipped(job, outcome))
    }

    fn there(&self, placed: PlacedOrder, shipped: bool, unshipped: Option<SmolStr>) -> (Job, OrderOutcome) {
        let PlacedOrder { job, order, created } = placed;
        if let Some(returns) = &self.returns {
            returns.note(&job, &order);
        }
        (job, OrderOutcome::There { order: Box::new(order), created, shipped, unshipped })
    }
}

fn is_shipped(order: &OrderShown) -> bool {
    matches!(order.status.as_str(), "SHIPPED" | "DELIVERED")
}
