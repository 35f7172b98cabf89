//! The vault of a node, as the handlers of identity use it: off the threads of the runtime.

use crate::identity::person_body::PersonShown;
use crate::node::Node;
use crate::request::arrived::Arrived;
use crate::request::network::network_of;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use onhand_app::blocking;
use onhand_app::ports::{KeepError, KeptPerson, PasswordsBusy, Vault};
use onhand_domain::identity::PrincipalId;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// How a request came, for what takes passwords.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way {
    /// The network it came from.
    pub(super) network: Option<IpAddr>,
    /// True when nobody could read it on its way.
    pub(super) encrypted: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Way {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let arrived = parts.extensions.get::<Arrived>();
        Ok(arrived
            .map(|arrived| Self { network: arrived.address.map(network_of), encrypted: arrived.encrypted })
            .unwrap_or_default())
    }
}

impl Way {
    /// Refuses a password that others could have read.
    pub(super) fn require_private(self, node: &Node) -> Result<(), Problem> {
        if self.encrypted || node.open.plain_passwords {
            Ok(())
        } else {
            Err(Problem::plain(Code::TlsRequired))
        }
    }
}

/// The vault of the node.
pub(super) fn vault(node: &Node) -> Result<Arc<dyn Vault>, Problem> {
    node.vault.clone().ok_or_else(|| Problem::plain(Code::NotReady))
}

/// Runs something with the vault of the node where it may block.
pub(super) async fn with_vault<T: Send + 'static>(
    node: &Node,
    work: impl FnOnce(&dyn Vault) -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let vault = vault(node)?;
    blocking(move || work(&*vault)).await.map_err(|error| Problem::of_vault(&error))
}

/// What the vault keeps of a person.
pub(super) async fn kept(node: &Node, id: &PrincipalId) -> Result<Option<KeptPerson>, Problem> {
    let id = id.clone();
    with_vault(node, move |vault| vault.person(&id)).await
}

/// Checks a new password of somebody with these logins, and makes what is kept of it. `pointer` is its place in the body.
pub(super) async fn hashed(
    node: &Node,
    password: &str,
    logins: &[Option<&str>],
    pointer: &'static str,
) -> Result<String, Problem> {
    let vault = vault(node)?;
    let logins: Vec<&str> = logins.iter().flatten().copied().collect();
    vault.check_password(password, &logins).map_err(|fault| Problem::pointer(pointer, fault))?;
    let password = password.to_owned();
    let hash: Result<String, PasswordsBusy> = blocking(move || vault.hash_password(&password)).await;
    hash.map_err(|error| Problem::plain(Code::Overloaded).because(&error))
}

/// Keeps a person.
pub(super) async fn keep(node: &Node, id: &PrincipalId, person: KeptPerson) -> Result<(), Problem> {
    let (keeper, id) = (vault(node)?, id.clone());
    blocking(move || keeper.keep_person(&id, &person)).await.map_err(of_keeping)
}

/// Changes what is kept of a person.
pub(super) async fn change_kept(
    node: &Node,
    id: &PrincipalId,
    change: impl Fn(&mut KeptPerson) + Send + 'static,
) -> Result<(), Problem> {
    let (keeper, id) = (vault(node)?, id.clone());
    blocking(move || keeper.change_person(&id, &change)).await.map(drop).map_err(of_keeping)
}

fn of_keeping(error: KeepError) -> Problem {
    match error {
        KeepError::LoginTaken => Problem::plain(Code::LoginTaken),
        KeepError::Disk(error) => Problem::of_vault(&error),
    }
}

/// A person with grants and version, once these are durable; nothing for one that was erased.
pub(super) async fn person(node: &Node, id: &PrincipalId) -> Result<Option<PersonShown>, Problem> {
    let Some(kept) = kept(node, id).await? else { return Ok(None) };
    let master = node.ledger.principal(id).await?;
    Ok(master.and_then(|master| PersonShown::of(id.clone(), kept, master)))
}

/// The same; 404 when there is none.
pub(super) async fn required(node: &Node, id: &PrincipalId) -> Result<PersonShown, Problem> {
    person(node, id).await?.ok_or_else(unknown)
}

/// The refusal of an id that nobody has.
pub(super) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "There is no person of that id; GET /users lists them.")
}
