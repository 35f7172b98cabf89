//! `Accept`: the media type that a caller requests.

use http::HeaderMap;
use http::header::ACCEPT;

const HTML: &str = "text/html";

/// True when a page is requested rather than JSON, as browsers do for an address that a person opens.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    first_of(headers, &[HTML, "application/json"]) == Some(HTML)
}

/// The first media type of `Accept` that is one of `known`; weights are ignored.
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

    #[test]
    fn a_browser_gets_a_page_and_a_program_gets_json() {
        for (accept, wanted) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true),
            ("TEXT/HTML", true),
            ("application/json, text/html", false),
            ("application/json", false),
            ("*/*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_page(&headers), wanted, "{accept}");
        }
        assert!(!wants_page(&HeaderMap::new()));
    }
}
