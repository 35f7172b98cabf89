//! A person in the answers of a node, and how one is found.

use crate::admin::connection::{Answer, Connection};
use crate::admin::output::{is, text};
use crate::terminal::client::query_value;
use onhand_domain::identity::PrincipalId;
use onhand_runtime::exit::{Exit, Failure};
use serde_json::Value;

/// The link for one use in an answer, and when it expires.
pub(super) fn link(body: &Value) -> Option<(&str, &str)> {
    let link = body.get("link").filter(|link| link.is_object())?;
    Some((text(link, "text"), text(link, "expiresAt")))
}

pub(super) fn state(person: &Value) -> &'static str {
    if is(person, "disabled") { "disabled" } else { "enabled" }
}

/// The person with a login or an id, as they are now.
pub(super) async fn found(connection: &Connection, who: &str) -> Result<Answer, Failure> {
    let id = if PrincipalId::new(who).is_ok() {
        who.to_owned()
    } else {
        let page = connection.get(&format!("/users?login={}", query_value(who))).await?.body;
        let first = page.get("items").and_then(|items| items.get(0));
        let id = first.map(|person| text(person, "userId").to_owned());
        id.ok_or_else(|| {
            let message = format!("nobody has the login {who}; onhand user list shows everybody");
            Failure::new(Exit::Unavailable, message)
        })?
    };
    connection.get(&path(&id)).await
}

pub(super) fn path(id: &str) -> String {
    format!("/users/{}", query_value(id))
}
