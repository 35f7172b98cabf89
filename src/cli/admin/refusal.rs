//! A refusal of the node, as a person at a shell needs it: what was wrong, what to do, and the exit code.

use http::{Method, StatusCode};
use onhand_runtime::exit::{Exit, Failure};
use serde::Deserialize;
use std::fmt::Write as _;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refusal {
    code: String,
    detail: String,
    request_id: String,
    errors: Vec<Place>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    pointer: Option<String>,
    parameter: Option<String>,
    detail: String,
}

/// The failure of a command whose request was refused.
pub(super) fn refusal(method: &Method, path: &str, status: StatusCode, body: &[u8]) -> Failure {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    if refusal.code.is_empty() {
        let message = format!("{method} {path} was answered {status}; is this an Onhand server?");
        return Failure::new(Exit::Unavailable, message);
    }
    let mut message = format!("{}: {}", refusal.code, refusal.detail);
    if refusal.errors.len() > 1 {
        for Place { pointer, parameter, detail } in &refusal.errors {
            let place = pointer.as_deref().or(parameter.as_deref()).unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = write!(message, "\n  {place}: {detail}");
        }
    }
    if let Some(remedy) = remedy(&refusal.code) {
        message.push_str("\n  ");
        message.push_str(remedy);
    }
    if !refusal.request_id.is_empty() {
        let _ = write!(message, " (request {})", refusal.request_id);
    }
    let exit = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Permission,
        _ => Exit::Unavailable,
    };
    Failure::new(exit, message)
}

/// What to do at a shell, where that is more than the node can say.
fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "unauthorized" => Some(
            "set ONHAND_TOKEN to the token of an administrator; or, on the machine of the node, leave --server out",
        ),
        "setup-required" => Some("run the command on the machine of the node, without --server"),
        "last-admin" => Some("make another one: onhand user add LOGIN --admin"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> (Exit, String) {
        let failure =
            refusal(&Method::POST, "/tokens", StatusCode::from_u16(status).unwrap(), body.as_bytes());
        (failure.exit, failure.to_string())
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        for (status, body, exit, wanted) in [
            (401, r#"{"code":"unauthorized","detail":"No."}"#, Exit::Permission, "ONHAND_TOKEN"),
            (401, r#"{"code":"setup-required","detail":"No."}"#, Exit::Permission, "without --server"),
            (403, r#"{"code":"forbidden","detail":"This needs x."}"#, Exit::Permission, "This needs x."),
            (409, r#"{"code":"last-admin","detail":"No."}"#, Exit::Unavailable, "user add LOGIN --admin"),
            (
                404,
                r#"{"code":"not-found","detail":"No.","requestId":"r-1"}"#,
                Exit::Unavailable,
                "(request r-1)",
            ),
            (
                400,
                r#"{"code":"invalid-request","detail":"2 places","errors":[{"pointer":"/name","detail":"is long"},
                    {"parameter":"limit","detail":"is large"}]}"#,
                Exit::Unavailable,
                "\n  /name: is long\n  limit: is large",
            ),
            (502, "<html>", Exit::Unavailable, "is this an Onhand server?"),
        ] {
            let (found, message) = told(status, body);
            assert!(found == exit && message.contains(wanted), "{body}: {message}");
        }
    }
}
