//! How long the caller waits: `Prefer: wait=<seconds>` (RFC 7240, section 4.3).

use http::{HeaderMap, HeaderName};
use onhand_resilience::Deadline;
use std::time::Duration;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The moment until which the caller waits. A preference that cannot be read is ignored, as the RFC requires, and
/// of two the first one counts.
pub(crate) fn deadline(headers: &HeaderMap) -> Deadline {
    if !headers.contains_key(PREFER) {
        return Deadline::NEVER;
    }
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split([',', ';']));
    let waits = preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let seconds = value.trim().trim_matches('"').parse::<u32>().ok();
        seconds.filter(|_| name.trim().eq_ignore_ascii_case("wait"))
    });
    waits.map_or(Deadline::NEVER, |seconds| Deadline::after(Duration::from_secs(seconds.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_says_how_long_it_waits() {
        for (sent, waits) in [
            (&[][..], None),
            (&["wait=2"], Some(2)),
            (&["respond-async, wait=10"], Some(10)),
            (&["return=minimal; wait=3"], Some(3)),
            (&["return=minimal", "Wait = \"5\""], Some(5)),
            (&["wait=7, wait=9"], Some(7)),
            (&["wait=0"], Some(0)),
            (&["wait=-1"], None),
            (&["wait=soon"], None),
            (&["await=2"], None),
            (&["wait"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in sent {
                headers.append(PREFER, value.parse().unwrap());
            }
            let expected =
                waits.map_or(Deadline::NEVER, |seconds| Deadline::after(Duration::from_secs(seconds)));
            assert_eq!(deadline(&headers), expected, "{sent:?}");
        }
    }
}
