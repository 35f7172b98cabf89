//! Every answer of 400 and above: `application/problem+json` (RFC 9457).
//!
//! A handler returns a [`Problem`]; it travels as an extension of a response without a body. The outermost layer,
//! which knows the request id and the path, writes the body with [`render`]. Any other response of the router with
//! such a status (an unknown route, a wrong method) becomes a problem there too: no refusal has another shape.

use crate::response::code::Code;
use crate::response::etag::etag;
use crate::response::hints::Noted;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

/// A refusal, rendered as `application/problem+json`.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    /// The status, where it differs from that of the code.
    status: Option<StatusCode>,
    detail: Cow<'static, str>,
    facts: Box<Facts>,
    /// Extension members of one capability, as a JSON object.
    extension: Option<Box<[u8]>>,
    cause: Option<Arc<str>>,
    /// Its entry in the audit trail.
    noted: Option<Box<Noted>>,
}

/// Members for programs beside the code; only those that are set are sent.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The version the level has now (0: it does not exist). Also sent as `ETag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<u64>,
    /// Pieces that could have been taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
    /// The last row that the import has processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_done: Option<u64>,
    /// After how many milliseconds to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The item of a batch that the whole problem is about, as an RFC 6901 pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Each place of the request that breaks the contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Violation>,
}

/// One place of a request that breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Its location: a place in the body, or the name of a parameter.
    #[serde(flatten)]
    pub location: Location,
    /// Description of the violation, for a person.
    pub detail: String,
}

/// The location of a violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Location {
    /// An RFC 6901 pointer into the body; empty for the body as a whole.
    Pointer(String),
    /// The name of a path parameter, a query parameter or a header.
    Parameter(Cow<'static, str>),
}

impl Problem {
    /// A problem of this code; `detail` describes cause and remedy, for a person.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let facts = Facts { retry_after_ms: code.retry_after_ms(), ..Facts::default() };
        Self {
            code,
            status: None,
            detail: detail.into(),
            facts: Box::new(facts),
            extension: None,
            cause: None,
            noted: None,
        }
    }

    /// A problem whose detail is the description of its code.
    pub fn plain(code: Code) -> Self {
        Self::new(code, code.description())
    }

    /// 400 for one parameter of the path, the query or the headers.
    pub fn parameter(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Violation { location: Location::Parameter(name.into()), detail: detail.into() }])
    }

    /// 400 for one place of the body.
    pub fn pointer(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Violation { location: Location::Pointer(pointer.into()), detail: detail.into() }])
    }

    /// 400 for several places at once.
    pub fn invalid(errors: Vec<Violation>) -> Self {
        let detail = match errors.as_slice() {
            [Violation { location: Location::Pointer(pointer), detail }] if pointer.is_empty() => {
                format!("The body: {detail}.")
            }
            [Violation { location: Location::Pointer(pointer), detail }] => format!("{pointer}: {detail}."),
            [Violation { location: Location::Parameter(name), detail }] => format!("{name}: {detail}."),
            _ => format!("{} places of the request are not valid; `errors` names them.", errors.len()),
        };
        let mut problem = Self::new(Code::InvalidRequest, detail);
        problem.facts.errors = errors;
        problem
    }

    /// The same problem with facts filled in.
    #[must_use]
    pub fn with(mut self, fill: impl FnOnce(&mut Facts)) -> Self {
        fill(&mut self.facts);
        self
    }

    /// The same problem with extension members (RFC 9457, section 3.2) that only one capability has; they follow all others.
    ///
    /// # Panics
    /// When `members` is not a struct that becomes a JSON object.
    #[must_use]
    pub fn extended(mut self, members: &impl Serialize) -> Self {
        let json = serde_json::to_vec(members).expect("a plain struct becomes JSON");
        assert!(json.starts_with(b"{"), "extension members are an object");
        self.extension = Some(json.into());
        self
    }

    /// The same problem with its cause: for the log, never for the caller.
    #[must_use]
    pub fn because(mut self, cause: &dyn Display) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    /// The cause, when it is known.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The same problem with its entry in the audit trail, which the caller never sees.
    #[must_use]
    pub(crate) fn note(mut self, noted: Noted) -> Self {
        self.noted = Some(Box::new(noted));
        self
    }

    /// Its entry in the audit trail.
    pub(crate) fn noted(&self) -> Option<&Noted> {
        self.noted.as_deref()
    }

    /// The same problem with another status and another `Retry-After`.
    #[must_use]
    pub fn answered(mut self, status: StatusCode, retry_after_ms: u64) -> Self {
        self.status = Some(status);
        self.facts.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The code of the problem.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Cause and remedy, for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The members for programs.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a refusal: of the [`Problem`] that travels in `response`, or of one made from its bare status.
/// Headers that the response has already (such as Allow) are kept. Returns the problem for the log.
pub(crate) fn render(response: &mut Response, instance: &str, request_id: &str) -> Problem {
    let problem = response.extensions_mut().remove::<Problem>().unwrap_or_else(|| of_bare(response.status()));
    let code = problem.code;
    let status = problem.status.unwrap_or(code.status());
    let members = ProblemBody {
        kind: code,
        title: code.title(),
        status: status.as_u16(),
        detail: &problem.detail,
        instance,
        code: code.slug(),
        request_id,
        facts: &problem.facts,
    };
    let mut json = serde_json::to_vec(&members).expect("strings and numbers always become JSON");
    if let Some([b'{', more @ ..]) = problem.extension.as_deref().filter(|object| object.len() > 2) {
        // Neither object is empty: a comma takes the place of the brace between them.
        json.pop();
        json.push(b',');
        json.extend_from_slice(more);
    }
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(milliseconds) = problem.facts.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(milliseconds.div_ceil(1000).max(1)));
    }
    if let Some(version) = problem.facts.current_version {
        headers.insert(ETAG, etag(version));
    }
    *response.body_mut() = Body::from(json);
    problem
}

fn of_bare(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => {
            Problem::new(Code::NotFound, "No route has this address; GET /docs shows them all.")
        }
        _ => Problem::plain(Code::of_status(status)),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemBody<'a> {
    #[serde(rename = "type", serialize_with = "type_of")]
    kind: Code,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(flatten)]
    facts: &'a Facts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn type_of<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("/problems/{}", code.slug()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    async fn rendered(mut response: Response) -> (Response<()>, Value) {
        render(&mut response, "/stores/S1", "till-7");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
        (Response::from_parts(parts, ()), serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_has_every_member_and_only_the_facts_that_are_set() {
        let problem =
            Problem::new(Code::VersionConflict, "read again").with(|facts| facts.current_version = Some(8));
        let (head, mut body) = rendered(problem.into_response()).await;
        assert_eq!(head.status(), 409);
        assert_eq!(head.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(head.headers()[ETAG], "\"8\"");
        assert!(body["requestId"].take().is_string());
        assert_eq!(
            body,
            json!({"type": "/problems/version-conflict", "title": "It has another version", "status": 409,
                   "detail": "read again", "instance": "/stores/S1", "code": "version-conflict", "requestId": null,
                   "currentVersion": 8})
        );
    }

    #[tokio::test]
    async fn a_503_says_when_to_come_back() {
        let hurried = Problem::plain(Code::Overloaded).with(|facts| facts.retry_after_ms = Some(1));
        for (problem, seconds) in [(Problem::plain(Code::OutcomeUnknown), "1"), (hurried, "1")] {
            let (head, body) = rendered(problem.into_response()).await;
            assert_eq!(head.headers()[RETRY_AFTER], seconds);
            assert!(body["retryAfterMs"].is_u64());
        }
    }

    #[tokio::test]
    async fn extension_members_follow_all_others() {
        #[derive(Serialize)]
        struct Extension {
            ready: bool,
            mode: &'static str,
        }
        let problem = Problem::plain(Code::NotReady).extended(&Extension { ready: false, mode: "draining" });
        let mut response = problem.into_response();
        render(&mut response, "/readyz", "till-7");
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(
            text.ends_with(r#""requestId":"till-7","retryAfterMs":1000,"ready":false,"mode":"draining"}"#),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_bare_status_becomes_a_problem_and_keeps_its_headers() {
        let bare = ([("allow", "GET,HEAD")], StatusCode::METHOD_NOT_ALLOWED);
        let (head, body) = rendered((bare.1, bare.0).into_response()).await;
        assert_eq!(head.headers()["allow"], "GET,HEAD");
        assert_eq!(body["code"], "method-not-allowed");
    }

    #[tokio::test]
    async fn faults_name_their_place() {
        let problem = Problem::invalid(vec![
            Violation { location: Location::Pointer("/delta".into()), detail: "must not be 0".into() },
            Violation {
                location: Location::Parameter("limit".into()),
                detail: "must be at most 1000".into(),
            },
        ]);
        let (_, body) = rendered(problem.into_response()).await;
        assert_eq!(
            body["errors"],
            json!([{"pointer": "/delta", "detail": "must not be 0"},
                   {"parameter": "limit", "detail": "must be at most 1000"}])
        );
    }
}
