//! Identity: who the caller is (`me`), what somebody may do and why (`explain`), tokens (`tokens`, `token_body`), roles and the mode (`mode`).

mod explain;
mod explain_body;
mod me;
mod mode;
mod token_body;
mod tokens;

use crate::edge::endpoint::{delete, get, post, put};
use crate::edge::route::Need;
use crate::node::Routes;
use crate::resource::list;
use onhand_domain::identity::Permission::{IdentityManage, IdentityRead};

/// The routes of identity.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::Anyone, "/auth/me", me::me),
        get(Need::Everywhere(IdentityRead), "/auth/explain", explain::explain).query(explain::PARAMETERS),
        get(Need::Anyone, "/roles", mode::roles),
        get(Need::Anyone, "/mode", mode::mode).versioned(),
        put(Need::Everywhere(IdentityManage), "/mode", mode::set),
        get(Need::Everywhere(IdentityRead), "/tokens", tokens::list).query(list::PARAMETERS),
        post(Need::Everywhere(IdentityManage), "/tokens", tokens::issue),
        post(Need::Everywhere(IdentityManage), "/tokens/{tokenId}/rotate", tokens::rotate),
        delete(Need::Everywhere(IdentityManage), "/tokens/{tokenId}", tokens::revoke),
    ]
}
