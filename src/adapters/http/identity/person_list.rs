//! The list of persons.

use crate::identity::keeper::{person, with_vault};
use crate::identity::person_body::EMAIL_MAX;
use crate::node::Node;
use crate::request::query::Query;
use crate::resource::list::ListPage;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use onhand_domain::identity::PrincipalId;
use std::sync::Arc;

/// The query parameters of the list.
pub(super) const PARAMETERS: &[&str] = &["limit", "cursor", "login"];

/// A login or an e-mail address to look for, within the bounds of the longer one.
fn login_or_email(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.chars().count() > EMAIL_MAX {
        return Err("must be a login or an e-mail address, 1 to 254 characters");
    }
    Ok(text.to_owned())
}

/// `GET /users`, with `login=` the one person that has it.
pub(crate) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let page = ListPage::of("users", &query, &uri)?;
    let after = page.after(|mark| PrincipalId::new(mark).ok())?;
    let ids = match query.read("login", login_or_email)? {
        Some(login) => with_vault(&node, move |vault| vault.person_of(&login)).await?.into_iter().collect(),
        None => node.ledger.person_ids(),
    };
    let mut rows = Vec::new();
    for id in ids.into_iter().filter(|id| after.as_ref().is_none_or(|after| id > after)) {
        if rows.len() == page.rows_max() {
            break;
        }
        match person(&node, &id).await {
            Ok(row) => rows.extend(row),
            // One damaged file must not hide all others; `onhand verify` names it.
            Err(problem) if problem.code() == Code::Internal => {
                let cause = problem.cause().unwrap_or_default();
                tracing::error!(principal = %id, cause, "a person is left out of a list");
            }
            Err(problem) => return Err(problem),
        }
    }
    let rows = page.cut(rows);
    Ok(page.answer(&rows.rows, rows.next(|person| person.user_id.as_str())))
}
