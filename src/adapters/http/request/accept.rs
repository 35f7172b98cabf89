//! `Accept`: which of the forms a route has is asked for.

use http::HeaderMap;
use http::header::ACCEPT;

/// The first media type of `Accept` that is one of `known`; weights are not looked at.
pub(crate) fn first_of(headers: &HeaderMap, known: &[&'static str]) -> Option<&'static str> {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).find_map(|range| {
        let essence = range.split(';').next().unwrap_or_default().trim();
        known.iter().find(|name| essence.eq_ignore_ascii_case(name)).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_first_known_form_is_taken() {
        const KNOWN: [&str; 2] = ["application/json", "text/event-stream"];
        for (accept, form) in [
            ("application/json", Some(KNOWN[0])),
            ("text/plain, application/json;q=0.5", Some(KNOWN[0])),
            ("TEXT/event-stream, application/json", Some(KNOWN[1])),
            ("text/plain", None),
            ("*/*", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(first_of(&headers, &KNOWN), form, "{accept}");
        }
        assert_eq!(first_of(&HeaderMap::new(), &KNOWN), None);
    }
}
