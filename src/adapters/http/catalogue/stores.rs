//! Stores and their details.

use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::context::RequestContext;
use crate::request::field_rules::{text, version, zone_name};
use crate::request::optional::{present, yes};
use crate::request::path::StoreAt;
use crate::request::query::Query;
use crate::resource::change::{ChangeRequest, by_meaning, changed};
use crate::resource::list::ListPage;
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use onhand_app::catalogue::{StoreDescription, StoreView};
use onhand_domain::catalogue::{Store, StoreCommand, StoreKind};
use onhand_domain::identity::Permission;
use onhand_domain::{Command, Fact, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use validator::Validate;

/// Request body: `{storeId, name, kind?, address?, timeZone?, active?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StoreBody {
    #[serde(default, deserialize_with = "present")]
    store_id: Option<StoreId>,
    #[validate(custom(function = "text"))]
    name: SmolStr,
    #[serde(default, deserialize_with = "present")]
    kind: Option<StoreKind>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    address: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "zone_name"))]
    time_zone: Option<SmolStr>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    expected_version: Option<u64>,
}

/// The JSON of a store; without details when it only has stock, and then its version is 0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreShown<'a> {
    store_id: &'a StoreId,
    #[serde(flatten)]
    store: Option<&'a Store>,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
}

/// `GET /stores`
pub(crate) async fn list(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let scope = caller.scope(Permission::StoresRead, None)?;
    let page = ListPage::of("stores", &Query::of(uri.query()), &uri)?.within(&scope);
    let after = page.after(|mark| StoreId::new(mark).ok())?;
    let found = match scope.stores() {
        Some(stores) => node.ledger.stores_within(stores, after.as_ref(), page.rows_max()).await?,
        None => node.ledger.stores(after.as_ref(), page.rows_max()).await?,
    };
    let stores = page.cut(found);
    let items: Vec<StoreShown> = stores.rows.iter().map(StoreShown::of).collect();
    Ok(page.answer(&items, stores.next(|store| &store.store_id)))
}

/// Handler of `GET /stores/{storeId}`.
pub(crate) async fn store(
    State(node): State<Arc<Node>>,
    StoreAt(store_id): StoreAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = node.ledger.store(&store_id).await?.ok_or_else(|| {
        let detail = format!(
            "Nothing is known of store {store_id}: POST /stores describes it, and stock makes it be."
        );
        Problem::new(Code::NotFound, detail)
    })?;
    let body = StoreShown::of(&view);
    Ok(shown(&headers, body.version, &body))
}

/// Handler of `POST /stores`.
pub(crate) async fn create(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(mut body): JsonBody<StoreBody>,
) -> Result<Response, Problem> {
    // The default is set before the body becomes the identity of the request: with or without it, it is the same request.
    let kind = *body.kind.get_or_insert(StoreKind::Shop);
    let id = body.store_id.clone();
    let store_id = id.ok_or_else(|| Problem::pointer("/storeId", "is missing: which store is it?"))?;
    describe(&node, store_id, kind, context, body, true).await
}

/// Handler of `PUT /stores/{storeId}`.
pub(crate) async fn replace(
    State(node): State<Arc<Node>>,
    StoreAt(store_id): StoreAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StoreBody>,
) -> Result<Response, Problem> {
    if body.store_id.as_ref().is_some_and(|other| *other != store_id) {
        return Err(Problem::pointer("/storeId", "differs from the address; leave it out, or send it alike"));
    }
    // A default here would turn a warehouse into a shop.
    let kind = body.kind.ok_or_else(|| Problem::pointer("/kind", "is missing: shop or warehouse?"))?;
    describe(&node, store_id, kind, context, body, false).await
}

async fn describe(
    node: &Node,
    store_id: StoreId,
    kind: StoreKind,
    context: RequestContext,
    body: StoreBody,
    create: bool,
) -> Result<Response, Problem> {
    let verb = if create { "create" } else { "replace" };
    let scope = format_smolstr!("{verb} store {store_id}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    let StoreBody { name, address, time_zone, active, .. } = body;
    let store = Box::new(Store { name, kind, address, time_zone, active });
    let command = StoreCommand { store_id, expected: change.expected, create, store };
    let (outcome, event) = change.execute_one(node, Command::Store(command)).await?;
    let version = event.after.version();
    let Fact::Store(fact) = &event.fact else {
        return Err(Problem::plain(Code::Internal).because(&"an event that is of no store"));
    };
    let body = StoreShown {
        store_id: &fact.store_id,
        store: Some(&fact.store),
        version,
        updated_at: Some(outcome.at),
    };
    let address = (create || version == 1).then(|| format!("/stores/{}", fact.store_id));
    Ok(changed(&outcome, version, &body, address.as_deref()))
}

impl<'a> StoreShown<'a> {
    fn of(view: &'a StoreView) -> Self {
        let StoreView { store_id, described } = view;
        match described {
            Some(StoreDescription { store, version, updated_at }) => {
                Self { store_id, store: Some(store), version: *version, updated_at: Some(*updated_at) }
            }
            None => Self { store_id, store: None, version: 0, updated_at: None },
        }
    }
}
