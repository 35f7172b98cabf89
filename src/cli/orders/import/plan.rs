//! A dry run: what would be short, order by order.
//!
//! Each order is planned on the stock of now. What the orders before it in the file would take is subtracted here, SKU by SKU: a
//! plan takes all that its stores have, so the sums are those of a real run.

use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;

use super::jobs::{Job, Jobs};
use super::node::{Answered, OrderNode};
use super::options::{ImportOrdersArgs, Partial};
use super::outcome::{OrderOutcome, ShortSku};
use super::problem::{Shortage, missing};
use super::reason::Reason;
use super::send::{AT_ONCE, stopped};
use super::stop::Stop;
use super::survey::OrderSurvey;
use super::tally::Tally;
use super::wire::{AskedShown, OrderShown, PlanRequest, PlanShown};
use onhand_domain::Sku;
use onhand_runtime::exit::Failure;

/// What the node says of an order.
enum Looked {
    There(Box<OrderShown>),
    Planned(Vec<AskedShown>),
    Refused(Reason),
}

/// What the orders so far would take.
#[derive(Debug)]
pub(super) struct Foreseen {
    partial: Partial,
    taken: HashMap<Sku, i64>,
}

/// Plans all orders, until it is asked to stop; `on_progress` receives the number of orders that are done.
///
/// # Errors
/// As [`send`](super::send::send).
pub(super) async fn plan(
    args: &ImportOrdersArgs,
    survey: &OrderSurvey,
    stop: &Stop,
    on_progress: impl Fn(u64),
) -> Result<Tally, Failure> {
    let node = OrderNode::new(&args.server)?;
    let (mut jobs, mut ended) = (Jobs::open(survey, args)?, false);
    let (mut under_way, mut tally) = (FuturesOrdered::new(), Tally::default());
    let mut foreseen = Foreseen::new(args.partial);
    loop {
        while !ended && !stop.is_asked() && under_way.len() < AT_ONCE {
            match jobs.next()? {
                Some(job) if job.is_credit_note => tally.returns.credit_notes += 1,
                Some(job) => under_way.push_back(look(&node, job)),
                None => ended = true,
            }
        }
        let done = tokio::select! {
            done = under_way.next() => done,
            () = stop.time_is_up() => None,
        };
        let Some(done) = done else { return Ok(tally) };
        let (job, looked) = done.map_err(|failure| stopped(failure, tally.done, survey))?;
        match looked {
            Looked::There(order) => {
                let outcome = OrderOutcome::There { order, created: false, shipped: false, unshipped: None };
                tally.note(&job, outcome);
            }
            Looked::Refused(reason) => tally.note(&job, OrderOutcome::Refused(reason)),
            Looked::Planned(asked) => tally.note(&job, foreseen.add(&asked)),
        }
        on_progress(tally.done);
    }
}

async fn look(node: &OrderNode, job: Job) -> Result<(Job, Looked), Failure> {
    if let Some(order) = node.order(&job.order_id).await? {
        return Ok((job, Looked::There(order)));
    }
    let planned = node.post::<_, PlanShown>("/orders/plan", None, &PlanRequest::of(&job)).await?;
    let looked = match planned {
        Answered::Done { body, .. } => Looked::Planned(body.asked),
        Answered::Refused(problem) => Looked::Refused(problem.reason(&job)),
    };
    Ok((job, looked))
}

impl Foreseen {
    pub(super) fn new(partial: Partial) -> Self {
        Self { partial, taken: HashMap::new() }
    }

    /// The next order would take this.
    pub(super) fn add(&mut self, asked: &[AskedShown]) -> OrderOutcome {
        let left = |one: &AskedShown| {
            let taken = self.taken.get(&one.sku).copied().unwrap_or_default();
            (one.available - taken).max(0)
        };
        let short = asked.iter().filter(|one| left(one) < one.qty);
        let short: Vec<ShortSku> =
            short.map(|one| ShortSku { sku: one.sku.clone(), asked: one.qty, left: left(one) }).collect();
        let gets_nothing = asked.iter().all(|one| left(one) == 0);
        let is_refused = match self.partial {
            Partial::Refuse => !short.is_empty(),
            Partial::CancelRest => gets_nothing,
            Partial::Backorder => false,
        };
        if is_refused {
            let shortage =
                |one: &ShortSku| Shortage { sku: one.sku.clone(), asked: one.asked, available: one.left };
            let shortages: Vec<Shortage> = short.iter().map(shortage).collect();
            let refused = Some(Reason::new("insufficient-stock", missing(&shortages)));
            return OrderOutcome::Short { skus: short, refused };
        }
        let takes: Vec<(Sku, i64)> =
            asked.iter().map(|one| (one.sku.clone(), left(one).min(one.qty))).collect();
        for (sku, pieces) in takes {
            *self.taken.entry(sku).or_default() += pieces;
        }
        if short.is_empty() {
            return OrderOutcome::Fine;
        }
        OrderOutcome::Short { skus: short, refused: None }
    }
}
