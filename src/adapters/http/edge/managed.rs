//! People and tokens that a file declares are changed by that file alone: every route that would change one of them refuses.

use crate::edge::route::Route;
use crate::request::path_params::PathParams;
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::Method;
use onhand_app::blocking;
use onhand_app::ports::{Managed, Vault};
use std::sync::Arc;

/// Refuses a change of a person (`/users/{userId}`) or token (`/tokens/{tokenId}`) that is declared. Other routes cost nothing.
pub(crate) async fn check(
    vault: Option<&Arc<dyn Vault>>,
    route: &Route,
    params: &PathParams,
) -> Result<(), Problem> {
    let is_about_one = ["/users/{", "/tokens/{"].iter().any(|start| route.template.starts_with(start));
    let Some(vault) = vault.filter(|_| is_about_one && route.method != Method::GET) else { return Ok(()) };
    let vault = Arc::clone(vault);
    let managed = blocking(move || vault.managed()).await;
    let managed = managed.map_err(|error| Problem::of_vault(&error))?;
    if is_declared(&managed, params) { Err(refusal(&managed)) } else { Ok(()) }
}

fn is_declared(managed: &Managed, params: &PathParams) -> bool {
    let named = |parameter| params.get(parameter).unwrap_or_default();
    let (person, token) = (named("userId"), named("tokenId"));
    managed.persons.iter().any(|id| id.as_str() == person)
        || managed.tokens.iter().any(|id| id.as_str() == token)
}

/// The refusal, with the file that is to be edited.
fn refusal(managed: &Managed) -> Problem {
    let file = &managed.file;
    let detail =
        format!("The file {file} declares it; edit that, and send the server a SIGHUP. Nothing changed.");
    Problem::new(Code::ManagedByFile, detail)
}
