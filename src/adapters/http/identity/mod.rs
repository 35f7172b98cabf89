//! Identity: who the caller is (`me`), what somebody may do and why (`explain`), sessions (`login`), passwords (`passwords`), persons
//! (`persons`, `person_list`, `new_person`, `person_body`), tokens (`tokens`, `token_body`), the keys of signed tokens (`keys`), roles and the mode (`mode`); all by way
//! of the vault (`keeper`).

mod explain;
mod explain_body;
mod keeper;
mod keys;
mod login;
mod me;
mod mode;
mod new_person;
mod passwords;
mod person_body;
mod person_list;
mod persons;
mod token_body;
mod tokens;

use crate::edge::endpoint::{delete, get, patch, post, put};
use crate::edge::route::Need;
use crate::node::Routes;
use crate::resource::list;
use onhand_domain::identity::Permission::{IdentityManage, IdentityRead};

/// The routes of identity.
pub(crate) fn routes() -> Routes {
    vec![
        post(Need::Public, "/auth/login", login::login).login(),
        post(Need::Public, "/auth/refresh", login::refresh).login(),
        post(Need::Anyone, "/auth/logout", login::logout),
        get(Need::Anyone, "/auth/me", me::me),
        get(Need::Everywhere(IdentityRead), "/auth/explain", explain::explain).query(explain::PARAMETERS),
        post(Need::Everywhere(IdentityRead), "/auth/explain", explain::explain_body)
            .query(explain::PARAMETERS),
        get(Need::Anyone, "/auth/profile", me::me),
        post(Need::Anyone, "/auth/password", passwords::change).login(),
        post(Need::Public, "/auth/link", passwords::by_link).login(),
        post(Need::Public, "/auth/register", passwords::register).login(),
        get(Need::Public, "/auth/keys", keys::keys),
        post(Need::Everywhere(IdentityManage), "/auth/keys/rotate", keys::rotate),
        get(Need::Everywhere(IdentityRead), "/users", person_list::list)
            .query(person_list::PARAMETERS)
            .sequenced(),
        post(Need::Everywhere(IdentityManage), "/users", persons::add).login(),
        get(Need::Everywhere(IdentityRead), "/users/{userId}", persons::get).versioned(),
        patch(Need::Everywhere(IdentityManage), "/users/{userId}", persons::patch),
        delete(Need::Everywhere(IdentityManage), "/users/{userId}", persons::erase),
        put(Need::Everywhere(IdentityManage), "/users/{userId}/grants", persons::grant),
        post(Need::Everywhere(IdentityManage), "/users/{userId}/reset", persons::reset),
        get(Need::Anyone, "/roles", mode::roles),
        get(Need::Anyone, "/mode", mode::mode).versioned(),
        put(Need::Everywhere(IdentityManage), "/mode", mode::set),
        get(Need::Everywhere(IdentityRead), "/tokens", tokens::list).query(list::PARAMETERS).sequenced(),
        post(Need::Everywhere(IdentityManage), "/tokens", tokens::issue),
        post(Need::Everywhere(IdentityManage), "/tokens/{tokenId}/rotate", tokens::rotate),
        delete(Need::Everywhere(IdentityManage), "/tokens/{tokenId}", tokens::revoke),
    ]
}
