//! Notes.

use crate::edge::body::JsonBody;
use crate::edge::endpoint::{get, put};
use crate::edge::route::Need;
use crate::node::{Node, Routes};
use crate::request::context::RequestContext;
use crate::request::path::SkuAt;
use crate::resource::change::{ChangeRequest, by_meaning, changed};
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use onhand_domain::Command;
use onhand_domain::identity::Permission::{CatalogueRead, CatalogueWrite};
use onhand_domain::notes::NoteCommand;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use validator::Validate;

/// The routes of notes.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::Somewhere(CatalogueRead), "/notes/{sku}", note).versioned(),
        put(Need::Everywhere(CatalogueWrite), "/notes/{sku}", set),
    ]
}

/// `{text}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct NoteBody {
    #[validate(length(min = 1, max = 256))]
    text: String,
}

async fn note(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (text, version) = node.ledger.note(&sku).await?.ok_or_else(|| Problem::plain(Code::NotFound))?;
    Ok(shown(&headers, version, &NoteBody { text: text.into() }))
}

async fn set(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    context: RequestContext,
    JsonBody(body): JsonBody<NoteBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("note {sku}");
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &body))?;
    let command = Command::Note(NoteCommand { sku, text: SmolStr::new(&body.text) });
    let (outcome, event) = change.execute_one(&node, command).await?;
    Ok(changed(&outcome, event.after.version(), &body, None))
}

#[cfg(test)]
mod tests {
    use crate::{OPENAPI_YAML, routes};

    #[test]
    fn its_routes_are_served_and_described() {
        let own = routes().into_iter().filter(|route| route.template == "/notes/{sku}").count();
        assert_eq!(own, 2);
        assert!(OPENAPI_YAML.contains("\n  /notes/{sku}:\n"));
    }
}
