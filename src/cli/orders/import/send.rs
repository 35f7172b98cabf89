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
            under_way.push(desk.see_to(job));
        }
        let done = tokio::select! {
            done = under_way.next() => done,
            () = stop.time_is_up() => None,
        };
        let Some(done) = done else { return Ok(tally) };
        let (job, outcome) = done.map_err(|failure| stopped(failure, tally.done, survey))?;
        ahead.done(&job);
        tally.note(&job, outcome);
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

/// Sees to one order after the other.
struct Desk<'a> {
    node: &'a OrderNode,
    args: &'a ImportOrdersArgs,
    returns: Option<Returns<'a>>,
}

impl Desk<'_> {
    async fn see_to(&self, job: Job) -> Result<(Job, OrderOutcome), Failure> {
        let outcome = match &self.returns {
            Some(returns) if job.is_credit_note => OrderOutcome::Credited(returns.take_back(&job).await?),
            _ => self.place(&job).await?,
        };
        Ok((job, outcome))
    }

    async fn place(&self, job: &Job) -> Result<OrderOutcome, Failure> {
        let body = NewOrder::of(job, self.args);
        let step = format!("{}-place", job.order_id);
        let (order, created) = match self.node.post("/orders", Some(&step), &body).await? {
            Answered::Done { created, body } => (body, created),
            Answered::Refused(problem) => return Ok(OrderOutcome::Refused(problem.reason(job))),
        };
        let (order, unshipped) = if self.args.ship { self.ship(job, order).await? } else { (order, None) };
        if let Some(returns) = &self.returns {
            returns.note(job, &order);
        }
        Ok(OrderOutcome::There { order: Box::new(order), created, unshipped })
    }

    /// Ships an order, if it can be; the order as it is then, and why it is not shipped.
    async fn ship(&self, job: &Job, order: OrderShown) -> Result<(OrderShown, Option<SmolStr>), Failure> {
        match order.status.as_str() {
            "SHIPPED" | "DELIVERED" => return Ok((order, None)),
            "CANCELLED" => return Ok((order, Some(SmolStr::new_static("cancelled")))),
            _ if order.lines.iter().any(|line| line.waiting > 0) => {
                return Ok((order, Some(SmolStr::new_static("not-allotted"))));
            }
            _ => {}
        }
        let (path, step) = (format!("/orders/{}/status", job.order_id), format!("{}-ship", job.order_id));
        match self.node.post(&path, Some(&step), &NewStatus { status: "SHIPPED" }).await? {
            Answered::Done { body, .. } => Ok((body, None)),
            Answered::Refused(problem) => Ok((order, Some(problem.reason(job).code))),
        }
    }
}
