//! The levels of the central model: of one SKU, of one store, of all; and waiting for a write of the caller.

use crate::central::stream;
use crate::edge::admission::Admitted;
use crate::limits::CENTRAL_WAIT_MS_MAX;
use crate::node::Node;
use crate::request::accept;
use crate::request::caller::Caller;
use crate::request::path::{SkuAt, StoreAt};
use crate::request::prefer_wait::deadline;
use crate::request::query::Query;
use crate::resource::list::{CURSOR, LIMIT, ListPage, level_mark, read_level_mark, refuse_page};
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::response::vary::by_accept;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};
use onhand_app::central::{Central, CentralLevel, CentralModel, total};
use onhand_domain::identity::{Permission, StoreScope};
use onhand_domain::stock::LevelAfter;
use onhand_domain::{Quantity, Sequence, Sku, StoreId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The parameter of every read of central.
pub(crate) const FRESH: &[&str] = &[AT_LEAST];
/// The parameters of its lists.
pub(crate) const PAGED: &[&str] = &[LIMIT, CURSOR, AT_LEAST];
/// The sequence that a read waits for.
const AT_LEAST: &str = "atLeast";

/// The last sequence of each node that is in the model.
type AsOf = BTreeMap<Uuid, Sequence>;

/// A level of the central model, summed over the nodes that have it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CentralBody {
    store_id: StoreId,
    sku: Sku,
    qty: Quantity,
    on_hand: Quantity,
    reserved: Quantity,
    version: u64,
    updated_at: Timestamp,
}

/// The members of a page beside its items.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Freshness {
    as_of: AsOf,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    qty: Quantity,
    on_hand: Quantity,
    reserved: Quantity,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SkuBody {
    sku: Sku,
    total: Total,
    stores: Vec<CentralBody>,
    as_of: AsOf,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// Handler of `GET /central/inventory/{sku}`.
pub(crate) async fn sku(
    State(node): State<Arc<Node>>,
    caller: Caller,
    at: SkuAt,
    uri: Uri,
    headers: HeaderMap,
    admitted: Admitted,
) -> Result<Response, Problem> {
    let scope = caller.scope(Permission::CentralRead, None)?;
    let model = fresh(&node, &Query::of(uri.query()), &headers, &admitted).await?;
    let (stores, as_of) = model.look(|central| {
        let stores = central.stores_of(&at.0).filter(|(store, _)| scope.covers(store));
        let levels = stores.filter_map(|(store, levels)| CentralBody::of(store, &at.0, &levels));
        (levels.collect::<Vec<_>>(), central.as_of().clone())
    });
    if stores.is_empty() {
        let detail = format!(
            "No store's stock of SKU {} is in the central model yet; atLeast=<node>:<sequence> waits for a write.",
            at.0
        );
        return Err(Problem::new(Code::NotFound, detail));
    }
    let total = stores.iter().fold(Total::default(), Total::with);
    Ok(Json(SkuBody { sku: at.0, total, stores, as_of, partial: !scope.is_everywhere() }).into_response())
}

/// Handler of `GET /central/stores/{storeId}/inventory`.
pub(crate) async fn store(
    State(node): State<Arc<Node>>,
    at: StoreAt,
    uri: Uri,
    headers: HeaderMap,
    admitted: Admitted,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let page = ListPage::of("central-store", &query, &uri)?;
    let after = page.after(|mark| Sku::new(mark).ok())?;
    let model = fresh(&node, &query, &headers, &admitted).await?;
    let (levels, as_of) = model.look(|central| {
        let behind = central.of_store(&at.0, after.as_ref());
        let levels = behind.filter_map(|(store, sku, levels)| CentralBody::of(store, sku, &levels));
        (levels.take(page.rows_max()).collect::<Vec<_>>(), central.as_of().clone())
    });
    let levels = page.cut(levels);
    Ok(page.answer_with(&levels.rows, levels.next(|level| &level.sku), &Freshness { as_of }))
}

/// Handler of `GET /central/inventory`.
pub(crate) async fn all(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    admitted: Admitted,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let scope = caller.scope(Permission::CentralRead, None)?;
    let whole = accept::first_of(&headers, &["application/json", stream::MEDIA_TYPE]);
    let response = if whole == Some(stream::MEDIA_TYPE) {
        refuse_page(&query, "belongs to a page; this form is the whole model")?;
        let model = fresh(&node, &query, &headers, &admitted).await?;
        let model = Arc::clone(model);
        stream::response(node, caller, model, scope)
    } else {
        page_of_all(&node, &scope, &query, &uri, &headers, &admitted).await?
    };
    Ok(by_accept(response))
}

async fn page_of_all(
    node: &Node,
    scope: &StoreScope,
    query: &Query<'_>,
    uri: &Uri,
    headers: &HeaderMap,
    admitted: &Admitted,
) -> Result<Response, Problem> {
    let page = ListPage::of("central", query, uri)?.within(scope);
    let after = page.after(read_level_mark)?;
    let model = fresh(node, query, headers, admitted).await?;
    let (levels, as_of) = model.look(|central| {
        let behind = central.within(scope, after.as_ref().map(|(store, sku)| (store, sku)));
        let levels = behind.filter_map(|(store, sku, levels)| CentralBody::of(store, sku, &levels));
        (levels.take(page.rows_max()).collect::<Vec<_>>(), central.as_of().clone())
    });
    let levels = page.cut(levels);
    let next = levels.next(|level| level_mark(&level.store_id, &level.sku));
    Ok(page.answer_with(&levels.rows, next, &Freshness { as_of }))
}

/// The model, once it is as fresh as `atLeast` asks. The request takes its place only then: none is held while waiting.
async fn fresh<'a>(
    node: &'a Node,
    query: &Query<'_>,
    headers: &HeaderMap,
    Admitted(admission): &Admitted,
) -> Result<&'a Arc<CentralModel>, Problem> {
    let at_least = query.read(AT_LEAST, |text| {
        let parsed = text.split_once(':').and_then(|(node, sequence)| {
            Some((Uuid::try_parse(node).ok()?, sequence.parse().ok().map(Sequence)?))
        });
        parsed.ok_or("must be <node>:<sequence>, the id of a node and a sequence of its log")
    })?;
    let model = node.central()?;
    let Some((of, sequence)) = at_least else {
        admission.enter()?;
        return Ok(model);
    };
    let wait = deadline(headers).remaining(Duration::from_millis(CENTRAL_WAIT_MS_MAX));
    let waiting = model.at_least(of, sequence, wait);
    match node.shutdown.run_until_cancelled(waiting).await {
        Some(true) => {
            admission.enter()?;
            Ok(model)
        }
        Some(false) => {
            let reached = model.look(|central: &Central| central.as_of().get(&of).copied());
            let stands = reached.map_or_else(
                || "has nothing of that node".to_owned(),
                |reached| format!("has it up to {reached}"),
            );
            let detail = format!(
                "The central model {stands} and did not reach {sequence} in time; try again, or look at the \
                 sources in POST /sync."
            );
            Err(Problem::new(Code::Timeout, detail))
        }
        None => Err(Problem::plain(Code::NotReady)),
    }
}

impl CentralBody {
    fn of(store_id: &StoreId, sku: &Sku, levels: &[CentralLevel]) -> Option<Self> {
        levels.first()?;
        let (numbers, updated_at) = total(levels);
        let LevelAfter { on_hand, reserved, version } = numbers;
        let (store_id, sku) = (store_id.clone(), sku.clone());
        Some(Self { store_id, sku, qty: numbers.qty(), on_hand, reserved, version, updated_at })
    }
}

impl Total {
    fn with(self, level: &CentralBody) -> Self {
        // A sum that would leave the range is left unchanged.
        let add = |sum: Quantity, more: Quantity| sum.checked_add(more).unwrap_or(sum);
        Self {
            qty: add(self.qty, level.qty),
            on_hand: add(self.on_hand, level.on_hand),
            reserved: add(self.reserved, level.reserved),
        }
    }
}
