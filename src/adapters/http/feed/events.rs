//! `GET /events`: the change feed, as a page or as a stream.

use crate::edge::gates::Gate;
use crate::feed::event_body::EventBody;
use crate::feed::follow;
use crate::feed::follow::{Followed, Form, Frames};
use crate::limits::{FOLLOW_EVENTS_MAX, SCREEN_EVENTS_MAX, SCREEN_PIECE_MS};
use crate::node::Node;
use crate::request::accept;
use crate::request::caller::Caller;
use crate::request::query::Query;
use crate::resource::list::{AFTER, CURSOR, LIMIT, ListPage, refuse_page};
use crate::response::problem::Problem;
use crate::response::vary::by_accept;
use crate::stock::level_body::LevelBody;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, Uri};
use onhand_app::feed::{Feed, FeedFilter};
use onhand_app::latest::LatestReader;
use onhand_app::stock::ReadError;
use onhand_domain::identity::{Permission, StoreScope};
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::{EventKind, Sequence, Sku, StoreId, Timestamp};
use onhand_planted::{Bug, planted};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// The parameters of the feed.
pub(crate) const PARAMETERS: &[&str] = &[AFTER, LIMIT, CURSOR, "type", "storeId", "sku", "since", LATEST];

/// Those of them that leave events out.
const FILTERS: [&str; 4] = ["type", "storeId", "sku", "since"];

/// Where many changes come at once, the levels as they are then stand in the place of the events.
const LATEST: &str = "latest";

/// The header of a browser's `EventSource` that reconnects.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const JSON: &str = "application/json";

/// The members of a page beside its items.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FeedPosition {
    node: Uuid,
    ledger: Uuid,
    through: Sequence,
    end: Sequence,
}

/// Handler of `GET /events`.
pub(crate) async fn events(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let response = match accept::first_of(&headers, &[JSON, Form::SSE_TYPE, Form::NDJSON_TYPE]) {
        Some(Form::SSE_TYPE) => stream(node, &caller, &query, &headers, Form::Sse).await?,
        Some(Form::NDJSON_TYPE) => stream(node, &caller, &query, &headers, Form::Ndjson).await?,
        _ => page(&node, &caller, &query, &uri).await?,
    };
    Ok(by_accept(response))
}

async fn page(node: &Node, caller: &Caller, query: &Query<'_>, uri: &Uri) -> Result<Response, Problem> {
    latest(query)?;
    let filter = filter(query, caller)?;
    let page = ListPage::with_none("events", query, uri)?.within(&filter.scope);
    let mark = page.after(|mark| mark.parse().ok().map(Sequence))?;
    let after = after(query)?;
    if mark.is_some() && after.is_some() {
        return Err(Problem::parameter(AFTER, "says the same as cursor; send one of the two"));
    }
    let from = mark.or(after).unwrap_or(Sequence::START);
    let mut feed = Feed::new(Arc::clone(&node.ledger), from, filter);
    let _turn = node.gates.work(Gate::Reads).await?;
    let piece = feed.next(page.limit).await?;
    let items: Vec<EventBody> = piece.events.iter().map(|event| EventBody::of(node.id, event)).collect();
    let about =
        FeedPosition { node: node.id, ledger: node.ledger_id, through: piece.through, end: piece.end };
    let more = page.limit > 0 && piece.through < piece.end;
    Ok(page.answer_with(&items, more.then_some(&piece.through), &about))
}

async fn stream(
    node: Arc<Node>,
    caller: &Caller,
    query: &Query<'_>,
    headers: &HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    refuse_page(query, "belongs to a page; a stream goes on for ever")?;
    let resumed = headers.get(LAST_EVENT_ID).map(|value| {
        let sequence = value.to_str().ok().and_then(|text| text.parse().ok());
        sequence.map(Sequence).ok_or_else(|| {
            Problem::parameter("Last-Event-ID", "must be the id of an event of this feed, a sequence")
        })
    });
    let from = resumed.transpose()?.or(after(query)?).unwrap_or(Sequence::START);
    let filter = filter(query, caller)?;
    let with_latest = latest(query)?;
    if with_latest && FILTERS.iter().any(|name| query.get(name).is_some()) {
        return Err(Problem::parameter(LATEST, "belongs to a stream without a filter"));
    }
    let scope = filter.scope.clone();
    let feed = Feed::new(Arc::clone(&node.ledger), from, filter);
    if from > feed.end() {
        let detail =
            format!("lies beyond the end of the log, {}: this is not the log you have read", feed.end());
        return Err(Problem::parameter(AFTER, detail));
    }
    let latest = if with_latest {
        let reader = LatestReader::open(Arc::clone(&node.ledger)).await;
        Some(Latest { reader, scope, due: Instant::now() })
    } else {
        None
    };
    let followed = FollowedFeed { node: node.id, feed, latest };
    follow::response(node, caller.clone(), followed, form)
}

/// The feed of a node while it is followed.
struct FollowedFeed {
    node: Uuid,
    feed: Feed,
    latest: Option<Latest>,
}

/// What a screen follows: at most so many pieces a second, each short.
struct Latest {
    reader: LatestReader,
    scope: StoreScope,
    /// When the next piece may leave.
    due: Instant,
}

/// The levels that many changes have led to, in the place of their events.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LatestBody<'a> {
    from: Sequence,
    through: Sequence,
    levels: Vec<LevelBody<'a>>,
    /// Something that is no level has changed, too: read it again.
    others: bool,
}

impl Latest {
    /// Writes the levels in the place of events, when there are many; the position behind them.
    async fn next(&mut self, feed: &Feed, out: &mut Frames) -> Result<Option<Sequence>, ReadError> {
        tokio::time::sleep_until(self.due).await;
        let from = feed.through();
        if feed.end().0.saturating_sub(from.0) <= SCREEN_EVENTS_MAX {
            return Ok(None);
        }
        let Some(piece) = self.reader.after(from).await? else { return Ok(None) };
        let seen = piece.levels.iter().filter(|level| self.scope.covers(&level.store_id));
        let levels = seen.map(LevelBody::of).collect();
        let through = piece.through;
        // Who is limited to some stores is not told whether anything has changed elsewhere.
        let others = piece.others || !self.scope.is_everywhere();
        out.event(&through, &LatestBody { from, through, levels, others });
        self.pause();
        Ok(Some(through))
    }

    /// Lets changes gather for the next piece.
    fn pause(&mut self) {
        self.due = Instant::now() + Duration::from_millis(SCREEN_PIECE_MS);
    }
}

impl Followed for FollowedFeed {
    async fn next(&mut self, out: &mut Frames) -> Result<bool, ReadError> {
        if let Some(latest) = &mut self.latest
            && let Some(through) = latest.next(&self.feed, out).await?
        {
            self.feed.pass(through);
            return Ok(false);
        }
        let before = self.feed.through();
        let piece = self.feed.next(FOLLOW_EVENTS_MAX).await?;
        for event in &piece.events {
            let body = EventBody::of(self.node, event);
            out.event(&body.sequence(), &body);
        }
        let at_end = piece.through >= piece.end;
        // Who reads on from the past gets one piece after the other.
        if let Some(latest) = self.latest.as_mut().filter(|_| at_end && piece.through > before) {
            latest.pause();
        }
        Ok(at_end)
    }

    async fn more(&mut self) {
        self.feed.more().await;
    }
}

fn latest(query: &Query<'_>) -> Result<bool, Problem> {
    let read = |text: &str| text.parse::<bool>().map_err(|_| "must be true or false");
    Ok(query.read(LATEST, read)?.unwrap_or_default())
}

fn after(query: &Query<'_>) -> Result<Option<Sequence>, Problem> {
    query.read(AFTER, |text| match text.parse() {
        Ok(sequence) if sequence <= INTEGER_MAX.unsigned_abs() => Ok(Sequence(sequence)),
        _ => Err(format!("must be a sequence, from 0 to {INTEGER_MAX}")),
    })
}

/// The filter of the query, within the stores of the caller.
fn filter(query: &Query<'_>, caller: &Caller) -> Result<FeedFilter, Problem> {
    let store_id = query.read("storeId", StoreId::new)?;
    let scope = caller.scope(Permission::EventsRead, store_id.as_ref())?;
    Ok(FeedFilter {
        kind: query.read("type", event_kind)?,
        scope: if planted(Bug::ForgetScopeOfFeed) { StoreScope::default() } else { scope },
        without_identity: !caller.sees_identity(),
        without_orders: !caller.sees_orders(),
        store_id,
        sku: query.read("sku", Sku::new)?,
        since: query.read("since", Timestamp::parse)?,
    })
}

fn event_kind(text: &str) -> Result<EventKind, String> {
    let known = || EventKind::ALL.map(EventKind::as_str).join(", ");
    EventKind::parse(text).ok_or_else(|| format!("must be one of {}", known()))
}
