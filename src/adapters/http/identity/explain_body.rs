//! The answer of `/auth/explain`: a verdict, and what led to it.

use crate::edge::need;
use crate::edge::route::{Need, Route};
use crate::request::path_params::PathParams;
use onhand_app::Ledger;
use onhand_domain::identity::{Denied, Grant, Mode, Permission, Principal, PrincipalId, PrincipalKind};
use onhand_domain::{Command, StoreId};
use serde::Serialize;

/// A verdict.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    pub(super) allowed: bool,
    pub(super) reason: String,
    principal_id: PrincipalId,
    kind: PrincipalKind,
    disabled: bool,
    mode: Mode,
    /// The route that the request takes: method and template.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<Permission>,
    /// The store in which it is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    grants: Vec<GrantExplained>,
}

/// What one grant gives towards the need.
#[derive(Debug, Serialize)]
struct GrantExplained {
    grant: Grant,
    gives: bool,
    why: String,
}

/// The principal that is asked about.
pub(super) struct Subject {
    pub(super) id: PrincipalId,
    pub(super) principal: Principal,
    /// Why its credential is not good, where it was named by one.
    pub(super) credential: Option<&'static str>,
}

impl Explanation {
    /// A verdict on a request that takes no route.
    pub(super) fn without_route(subject: Subject, mode: Mode, reason: String) -> Self {
        let Subject { id, principal, .. } = subject;
        let Principal { kind, disabled, .. } = principal;
        Self {
            allowed: false,
            reason,
            principal_id: id,
            kind,
            disabled,
            mode,
            route: None,
            needs: None,
            scope: None,
            grants: Vec::new(),
        }
    }

    /// The verdict of the check that the route itself makes.
    pub(super) fn of(
        subject: Subject,
        mode: Mode,
        (route, params): (&Route, &PathParams),
        command: Option<&Command>,
    ) -> Self {
        let Subject { id, principal, credential } = subject;
        let verdict = |principal: &Principal, mode| {
            let access = Ledger::access_in(mode, principal);
            need::check(route.need, &access, params)?;
            command.map_or(Ok(()), |command| command.permit(&access))
        };
        let found = verdict(&principal, mode);
        let is_public = matches!(route.need, Need::Public | Need::Probe);
        let refusal = match (&found, credential) {
            _ if is_public => None,
            (_, Some(fault)) => Some(fault.to_owned()),
            _ if principal.disabled => Some("the principal is disabled".to_owned()),
            (Err(denied), None) if verdict(&principal, Mode::Development).is_ok() => {
                Some(format!("the mode takes {} away", denied.needs))
            }
            (Err(denied), None) => Some(missing(denied)),
            (Ok(()), None) => None,
        };
        let alone = |grant: &Grant| Principal { grants: vec![grant.clone()], ..principal.clone() };
        let needs = found.as_ref().err().map(|denied| denied.needs).or(permission(route.need));
        let grants = principal.grants.iter().map(|grant| {
            let gives = needs.is_some() && verdict(&alone(grant), mode).is_ok();
            let masked = !gives && verdict(&alone(grant), Mode::Development).is_ok();
            GrantExplained { why: why(grant, needs, gives, masked), grant: grant.clone(), gives }
        });
        let of_path = matches!(route.need, Need::InStore(_) | Need::OrOwn(_))
            .then(|| params.get("storeId").unwrap_or_default())
            .filter(|store| !store.is_empty());
        let of_body = found.as_ref().err().and_then(|denied| denied.store_id.as_ref()).map(StoreId::as_str);
        let store = of_path.or(of_body).map(str::to_owned);
        Self {
            allowed: refusal.is_none(),
            reason: refusal.unwrap_or_else(|| match command {
                Some(_) => "all that the body does is granted".to_owned(),
                None => granted(route.need),
            }),
            grants: grants.collect(),
            principal_id: id,
            kind: principal.kind,
            disabled: principal.disabled,
            mode,
            route: Some(format!("{} {}", route.method, route.template)),
            needs,
            scope: store,
        }
    }
}

fn permission(need: Need) -> Option<Permission> {
    match need {
        Need::Public | Need::Probe | Need::Anyone => None,
        Need::Metrics => Some(Permission::OpsRead),
        Need::Everywhere(needs) | Need::InStore(needs) | Need::Somewhere(needs) | Need::OrOwn(needs) => {
            Some(needs)
        }
    }
}

fn granted(need: Need) -> String {
    match need {
        Need::Public | Need::Probe => "the route is open to everybody".to_owned(),
        Need::Anyone => {
            "the route is open to every known principal; what the request does is checked with its body"
                .to_owned()
        }
        Need::Metrics => "ops:read is granted".to_owned(),
        Need::Everywhere(needs) => format!("{needs} is granted everywhere"),
        Need::InStore(needs) => format!("{needs} is granted in this store"),
        Need::OrOwn(needs) => {
            format!("{needs} is granted; the request shows no more than is granted")
        }
        Need::Somewhere(needs) => {
            format!("{needs} is granted somewhere; the request sees and changes no more than is granted")
        }
    }
}

fn missing(denied: &Denied) -> String {
    let Denied { needs, store_id, part } = denied;
    let place = part.map(|(list, index)| format!(" (/{list}/{index})")).unwrap_or_default();
    match store_id {
        Some(store) => format!("{needs} is not granted in the store {store}{place}"),
        None => format!("{needs} is not granted here{place}"),
    }
}

fn why(grant: &Grant, needs: Option<Permission>, gives: bool, masked: bool) -> String {
    let Some(needs) = needs else { return "no permission is needed".to_owned() };
    let stores =
        grant.stores().unwrap_or_default().iter().map(StoreId::as_str).collect::<Vec<_>>().join(", ");
    let place = match grant.team() {
        Some(team) => format!("for the team {team} alone"),
        None if grant.is_own() => "for what is their own alone".to_owned(),
        None if stores.is_empty() => "everywhere".to_owned(),
        None => format!("in {stores} alone"),
    };
    if !grant.permissions().has(needs) {
        format!("it does not include {needs}")
    } else if masked {
        format!("the mode takes {needs} away")
    } else if gives {
        format!("it gives {needs} {place}")
    } else {
        format!("it gives {needs} {place}, which is not enough here")
    }
}
