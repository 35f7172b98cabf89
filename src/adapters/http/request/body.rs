//! Reading a body: media type, size, time, shape, values; each refusal names its place.
//!
//! A body is parsed straight into its struct. Only when that fails is it parsed again with the path tracked, so that a good
//! request does not pay for the pointer of a bad one.

use crate::limits::{BODY_DISCARD_BYTES_MAX, BODY_DISCARD_MS_MAX, BODY_READ_MS_MAX, COMMAND_BODY_BYTES_MAX};
use crate::request::json_object::Object;
use crate::response::code::Code;
use crate::response::problem::{Location, Problem, Violation};
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use serde::de::Deserialize;
use serde_path_to_error::Segment;
use std::fmt::Write;
use std::time::Duration;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

/// The media type of the body, which is one of `known`. 415 for anything else, for none, and for a content coding: none is
/// decoded.
pub(crate) fn media_type(headers: &HeaderMap, known: &[&'static str]) -> Result<&'static str, Problem> {
    let plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        let detail = "Send the body as it is, without Content-Encoding: no coding of it is decoded.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let sent = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let essence = sent.map(|text| text.split(';').next().unwrap_or_default().trim());
    let found = known.iter().find(|name| essence.is_some_and(|essence| essence.eq_ignore_ascii_case(name)));
    found.copied().ok_or_else(|| {
        Problem::new(
            Code::UnsupportedMediaType,
            format!("Send the body with Content-Type: {}.", known.join(" or ")),
        )
    })
}

/// Reads a body of at most `bytes_max`, within the time a body may take.
pub(crate) async fn read(body: Body, headers: &HeaderMap, bytes_max: usize) -> Result<Bytes, Problem> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > bytes_max as u64) {
        // A sender that waits for "100 Continue" has sent nothing yet and sees the answer at once.
        if !headers.contains_key(EXPECT) {
            // A body within the limit would have been read as well: only the excess has a limit of its own.
            discard(body, bytes_max + BODY_DISCARD_BYTES_MAX).await;
        }
        return Err(too_large(bytes_max));
    }
    match tokio::time::timeout(Duration::from_millis(BODY_READ_MS_MAX), collect(body, bytes_max)).await {
        Err(_) => Err(Problem::plain(Code::RequestTimeout)),
        Ok(outcome) => outcome,
    }
}

async fn collect(mut body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| broken_off())?.into_data() else {
            continue;
        };
        if all.as_ref().map_or(first.len(), BytesMut::len) + data.len() > bytes_max {
            discard(body, BODY_DISCARD_BYTES_MAX).await;
            return Err(too_large(bytes_max));
        }
        match &mut all {
            Some(all) => all.extend_from_slice(&data),
            // Nearly every command arrives as one piece, which then is not copied.
            None if first.is_empty() => first = data,
            None => {
                let expected = usize::try_from(body.size_hint().lower()).unwrap_or_default().min(bytes_max);
                let mut joined = BytesMut::with_capacity(first.len() + data.len() + expected);
                joined.extend_from_slice(&first);
                joined.extend_from_slice(&data);
                all = Some(joined);
            }
        }
    }
    Ok(all.map_or(first, BytesMut::freeze))
}

/// Reads on for a while and drops the bytes: if the connection were closed while the peer still writes, it would be reset and
/// the answer lost.
async fn discard(mut body: Body, bytes_max: usize) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > bytes_max {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(BODY_DISCARD_MS_MAX), reading).await;
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("The body may have at most {bytes_max} bytes; send less at once."),
    )
}

fn broken_off() -> Problem {
    Problem::pointer("", "broke off before its end")
}

/// Parses a JSON object; `at` gives the pointer of the document inside the body.
pub(crate) fn parse<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    at: impl FnOnce() -> String,
) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map(|Object(value)| value).map_err(|error| {
        let at = at();
        let fault = locate::<T>(bytes, &at).unwrap_or_else(|| fault(at, &error));
        Problem::invalid(vec![fault])
    })
}

fn locate<'de, T: Deserialize<'de>>(bytes: &'de [u8], at: &str) -> Option<Violation> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let error = serde_path_to_error::deserialize::<_, Object<T>>(&mut reader).err()?;
    let mut pointer = at.to_owned();
    for segment in error.path() {
        match segment {
            Segment::Map { key } => push_token(&mut pointer, key),
            Segment::Seq { index } => push_token(&mut pointer, &index.to_string()),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    Some(fault(pointer, error.inner()))
}

fn fault(pointer: String, error: &serde_json::Error) -> Violation {
    let detail = match error.classify() {
        // serde names Rust's types, which mean nothing to the caller.
        serde_json::error::Category::Data => error
            .to_string()
            .replace("expected i64", "expected an integer")
            .replace("expected u64", "expected an integer of 0 or more"),
        _ => format!("is not JSON: {error}"),
    };
    Violation { location: Location::Pointer(pointer), detail }
}

/// Adds one reference token (RFC 6901, section 3: `~` and `/` are escaped).
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    let _ = write!(pointer, "/{}", token.replace('~', "~0").replace('/', "~1"));
}

/// Validates a value; `at` gives its pointer inside the body.
pub(crate) fn validated<T: Validate>(value: T, at: impl FnOnce() -> String) -> Result<T, Problem> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(errors) => {
            let mut faults = Vec::new();
            gather(&errors, &at(), &mut faults);
            Err(Problem::invalid(faults))
        }
    }
}

/// Works on a large body on a blocking thread, so that other requests are served meanwhile.
pub(crate) async fn off_thread<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if bytes <= COMMAND_BODY_BYTES_MAX {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn gather(errors: &ValidationErrors, at: &str, faults: &mut Vec<Violation>) {
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_by_key(|(left, _)| *left);
    for (field, kind) in fields {
        let mut pointer = at.to_owned();
        if field != "__all__" {
            push_token(&mut pointer, &camel_case(field));
        }
        match kind {
            ValidationErrorsKind::Struct(inner) => gather(inner, &pointer, faults),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    gather(inner, &format!("{pointer}/{index}"), faults);
                }
            }
            ValidationErrorsKind::Field(found) => faults.extend(found.iter().map(|error| Violation {
                location: Location::Pointer(pointer.clone()),
                detail: error.message.as_deref().unwrap_or(&error.code).to_owned(),
            })),
        }
    }
}

/// The JSON name of a Rust field.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_escape_what_rfc_6901_says() {
        let mut pointer = String::from("/a");
        push_token(&mut pointer, "m~n/o");
        assert_eq!(pointer, "/a/m~0n~1o");
        assert_eq!(camel_case("close_remainder"), "closeRemainder");
    }

    #[test]
    fn a_body_says_what_it_is() {
        for (sent, known) in [
            (Some("application/json"), true),
            (Some("application/json; charset=utf-8"), true),
            (Some("Application/JSON"), true),
            (Some("text/json"), false),
            (Some("application/problem+json"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = sent {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(sent));
            }
            let outcome = media_type(&headers, &["application/json"]);
            assert_eq!(outcome.is_ok(), known, "{sent:?}");
        }
    }

    #[test]
    fn a_body_is_sent_as_it_is() {
        for (coding, known) in [
            (&["identity"][..], true),
            (&["Identity"], true),
            (&["gzip"], false),
            (&["identity", "gzip"], false),
            (&["identity, gzip"], false),
            (&[""], false),
            (&["br"], false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            for coding in coding {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
            assert_eq!(media_type(&headers, &["application/json"]).is_ok(), known, "{coding:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_limit_and_no_further() {
        let pieces = |sizes: &[usize]| {
            let pieces: Vec<Result<Bytes, std::io::Error>> =
                sizes.iter().map(|size| Ok(Bytes::from(vec![b'x'; *size]))).collect();
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        for (sizes, length) in
            [(&[][..], Some(0)), (&[10], Some(10)), (&[4, 6], Some(10)), (&[11], None), (&[4, 4, 4], None)]
        {
            let outcome = read(pieces(sizes), &HeaderMap::new(), 10).await;
            assert_eq!(outcome.as_ref().ok().map(Bytes::len), length, "{sizes:?}");
            assert!(length.is_some() || outcome.unwrap_err().code() == Code::BodyTooLarge);
        }
        let mut declared = HeaderMap::new();
        declared.insert(CONTENT_LENGTH, HeaderValue::from_static("11"));
        assert_eq!(read(Body::empty(), &declared, 10).await.unwrap_err().code(), Code::BodyTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_end_times_out() {
        let outcome = read(
            Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>()),
            &HeaderMap::new(),
            10,
        )
        .await;
        assert_eq!(outcome.unwrap_err().code(), Code::RequestTimeout);
    }
}
