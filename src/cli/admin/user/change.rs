//! Changes of one person, each conditional on the version that was read: of two that come at once, none is lost.

use crate::admin::connection::{Answer, Connection};
use crate::admin::grants::{in_body, shown_in, with, without};
use crate::admin::options::Output;
use crate::admin::output::{done, secret, text};
use crate::admin::user::person::{found, link, path};
use http::Method;
use onhand_domain::identity::Grant;
use onhand_runtime::exit::{Exit, Failure};
use serde_json::{Value, json};

/// Grants more, or takes grants away.
pub(super) async fn granted(
    connection: &Connection,
    who: &str,
    grants: &[Grant],
    more: bool,
    output: Output,
) -> Result<(), Failure> {
    let Answer { body, etag } = found(connection, who).await?;
    let had = in_body(&body);
    let all = if more { with(had, grants.to_vec())? } else { without(had, grants)? };
    let path = format!("{}/grants", path(text(&body, "userId")));
    let body = connection.change(Method::PUT, &path, Some(&json!({ "grants": all })), etag).await?.body;
    let now =
        Some(shown_in(&body)).filter(|grants| !grants.is_empty()).unwrap_or_else(|| "nothing".to_owned());
    done(output, &body, &format!("{who} is granted {now}"))
}

/// Disables a person, or enables them again.
pub(super) async fn disabled(
    connection: &Connection,
    who: &str,
    disabled: bool,
    output: Output,
) -> Result<(), Failure> {
    let Answer { body, etag } = found(connection, who).await?;
    let change = json!({ "disabled": disabled });
    let body =
        connection.change(Method::PATCH, &path(text(&body, "userId")), Some(&change), etag).await?.body;
    done(output, &body, &format!("{who} is {}", if disabled { "disabled" } else { "enabled" }))
}

/// Makes a link for one use, by which a person chooses another password.
pub(super) async fn reset(connection: &Connection, who: &str, output: Output) -> Result<(), Failure> {
    let person = found(connection, who).await?.body;
    let path = format!("{}/reset", path(text(&person, "userId")));
    let body = connection.change(Method::POST, &path, Some(&json!({})), None).await?.body;
    let (link, expires) = link(&body).ok_or_else(|| {
        Failure::new(Exit::Unavailable, "the answer has no link; is the server of another version?")
    })?;
    let hint = format!(
        "the link is for one use, until {expires}: POST /auth/link takes it with another password of {who}"
    );
    secret(output, &body, link, &hint)
}

/// Erases a person.
pub(super) async fn erased(connection: &Connection, who: &str, output: Output) -> Result<(), Failure> {
    let Answer { body, etag } = found(connection, who).await?;
    let id = text(&body, "userId");
    connection.change(Method::DELETE, &path(id), None::<&Value>, etag).await?;
    done(output, &json!({ "userId": id }), &format!("{who} is erased; what they did stays under {id}"))
}
