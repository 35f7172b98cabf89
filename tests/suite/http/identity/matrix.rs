//! The matrix: every route for every kind of caller.

use super::super::Answer;
use super::super::contract::permission_of;
use super::Chain;
use http::Method;
use onhand_domain::identity::{Role, RoleScope};
use onhand_http::{Need, Route, routes};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Members of a grant that limit it, by what they limit it to. The requests are about the store BERLIN.
const EVERYWHERE: (&str, &str) = ("everywhere", "");
const HERE: (&str, &str) = ("here", r#","stores":["BERLIN"]"#);
const ELSEWHERE: (&str, &str) = ("elsewhere", r#","stores":["PARIS"]"#);

/// The scopes that a role is granted within.
fn scopes(role: Role) -> &'static [(&'static str, &'static str)] {
    match role.scope() {
        RoleScope::Anywhere => &[EVERYWHERE, HERE, ELSEWHERE],
        RoleScope::Stores => &[HERE, ELSEWHERE],
        RoleScope::Team => &[("team", r#","team":"red""#)],
        RoleScope::Own => &[("own", "")],
    }
}

/// A request of a route, which must not be about anything that exists beside the store.
fn path(address: &str) -> String {
    address.replace("{storeId}", "BERLIN").replace("{sku}", "TEA").replace("{tokenId}", "000000000000")
}

/// What the door says: 401, 403, or nothing when it lets the request through, whatever is wrong with it then.
fn refused(status: u16) -> Option<u16> {
    Some(status).filter(|status| matches!(status, 401 | 403))
}

/// What the door says to a request of a route, by every method and at every address of it.
async fn met(chain: &Chain, route: &Route, credential: &str) -> Option<u16> {
    let headers = [("authorization", credential)];
    let answer: Answer = chain.say(route.method.clone(), &path(route.template), credential, "{}").await;
    let met = refused(answer.status.as_u16());
    if met == Some(403) {
        assert_eq!(
            answer.json["needs"].as_str(),
            permission_of(route.need),
            "{} {}",
            route.method,
            route.template
        );
    }
    for address in route.addresses() {
        let path = path(&address);
        assert_eq!(
            refused(chain.node.bare(&route.method, &path, &headers).await),
            met,
            "{} {path}",
            route.method
        );
        if route.method == Method::GET {
            assert_eq!(refused(chain.node.head(&path, &headers).await.as_u16()), met, "HEAD {path}");
        }
    }
    met
}

/// One line a route: which roles it lets in. A role without more is let in by whatever it is granted; else its scopes follow. All others
/// get 403, and a credential that is not good 401.
#[tokio::test]
async fn every_route_is_open_to_whom_it_should_be() {
    let chain = Chain::open().await;
    let not_good = chain.not_good().await;
    let mut callers = Vec::new();
    for role in Role::ALL {
        for (scope, member) in scopes(role) {
            let kind = if role == Role::Team { "team" } else { "service" };
            let grants = format!(r#"[{{"role":"{}"{member}}}]"#, role.as_str());
            callers.push((role, *scope, chain.token(kind, &grants).await.0));
        }
    }
    let mut matrix = String::new();
    for route in routes() {
        let is_public = matches!(route.need, Need::Public | Need::Probe);
        for (name, credential) in &not_good {
            let wanted = if is_public { None } else { Some(401) };
            assert_eq!(
                met(&chain, &route, credential).await,
                wanted,
                "{name}: {} {}",
                route.method,
                route.template
            );
        }
        let mut admitted = BTreeSet::new();
        for (role, scope, credential) in &callers {
            match met(&chain, &route, credential).await {
                None => drop(admitted.insert((*role, *scope))),
                refused => assert_eq!(refused, Some(403), "{role:?} {scope}: {}", route.template),
            }
        }
        let names: Vec<String> = Role::ALL.into_iter().filter_map(|role| named(role, &admitted)).collect();
        let names = if is_public { "everybody".to_owned() } else { names.join(", ") };
        let _ = writeln!(matrix, "{} {}: {names}", route.method, route.template);
    }
    insta::assert_snapshot!(matrix);
}

/// A role with the scopes within which it is admitted, if there is one.
fn named(role: Role, admitted: &BTreeSet<(Role, &str)>) -> Option<String> {
    let let_in: Vec<&str> = scopes(role)
        .iter()
        .map(|(scope, _)| *scope)
        .filter(|scope| admitted.contains(&(role, *scope)))
        .collect();
    match let_in.len() {
        0 => None,
        all if all == scopes(role).len() => Some(role.as_str().to_owned()),
        _ => Some(format!("{} ({})", role.as_str(), let_in.join(" "))),
    }
}
