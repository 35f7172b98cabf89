//! The five commands of a level: adjust, reserve, release, commit, count.

use crate::edge::body::JsonBody;
use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::path::LevelAt;
use crate::resource::change::ChangeRequest;
use crate::response::problem::Problem;
use crate::stock::bodies::{
    AdjustBody, CommandBody, CommitBody, CountBody, ReleaseBody, ReserveBody, idempotency,
};
use crate::stock::level_body::moved;
use axum::extract::State;
use axum::response::Response;
use onhand_app::ports::Moment;
use onhand_app::stock::ReadError;
use onhand_domain::stock::{CountAsOf, StockCommand, Verb};
use onhand_domain::{Command, Quantity, Sequence};
use std::sync::Arc;

/// Handler of `POST .../{sku}/adjust`.
pub(crate) async fn adjust(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
    JsonBody(body): JsonBody<AdjustBody>,
) -> Result<Response, Problem> {
    let change = change(context, &at, &body)?;
    execute(&node, at, &change, body.into()).await
}

/// Handler of `POST .../{sku}/reserve`.
pub(crate) async fn reserve(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ReserveBody>,
) -> Result<Response, Problem> {
    let change = change(context, &at, &body)?;
    execute(&node, at, &change, body.into()).await
}

/// Handler of `POST .../{sku}/release`.
pub(crate) async fn release(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ReleaseBody>,
) -> Result<Response, Problem> {
    let change = change(context, &at, &body)?;
    execute(&node, at, &change, body.into()).await
}

/// Handler of `POST .../{sku}/commit`.
pub(crate) async fn commit(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
    JsonBody(body): JsonBody<CommitBody>,
) -> Result<Response, Problem> {
    let change = change(context, &at, &body)?;
    execute(&node, at, &change, body.into()).await
}

/// Handler of `POST .../{sku}/count`.
pub(crate) async fn count(
    State(node): State<Arc<Node>>,
    at: LevelAt,
    context: RequestContext,
    JsonBody(body): JsonBody<CountBody>,
) -> Result<Response, Problem> {
    let change = change(context, &at, &body)?;
    let as_of = match body.as_of {
        Some(sequence) => Some(recorded(&node, &at, sequence).await?),
        None => None,
    };
    execute(&node, at, &change, body.into_verb(as_of)).await
}

/// The recorded numbers of a level after that sequence: the past, which no change affects any more.
async fn recorded(node: &Node, at: &LevelAt, sequence: Sequence) -> Result<CountAsOf, Problem> {
    let _turn = node.gates.work(Gate::Reads).await?;
    let then = node.ledger.level_as_of(&at.store_id, &at.sku, Moment::Sequence(sequence)).await;
    let then = then.map_err(|error| match error {
        ReadError::Future { end } => {
            Problem::pointer("/asOf", format!("lies in the future; the log ends at {end}"))
        }
        ReadError::SeveralLogs => Problem::pointer(
            "/asOf",
            "is not known here: several processes share the stock, each with sequences of its own",
        ),
        error @ ReadError::History(_) => error.into(),
    })?;
    Ok(CountAsOf { sequence, on_hand: then.map_or(Quantity::ZERO, |level| level.numbers.on_hand) })
}

fn change<M: CommandBody>(context: RequestContext, at: &LevelAt, body: &M) -> Result<ChangeRequest, Problem> {
    ChangeRequest::new(context, body.expected_version(), |key| idempotency(key, &at.store_id, &at.sku, body))
}

/// Executes one movement of a level, and answers with the level after it.
pub(crate) async fn execute(
    node: &Node,
    LevelAt { store_id, sku }: LevelAt,
    change: &ChangeRequest,
    verb: Verb,
) -> Result<Response, Problem> {
    let command =
        StockCommand { store_id: store_id.clone(), sku: sku.clone(), expected: change.expected, verb };
    let outcome = change.execute(node, Command::Stock(command)).await?;
    moved(&store_id, &sku, &outcome, change.idempotency())
}
