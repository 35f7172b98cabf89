//! The bodies of the five stock commands: their members, their rules, and the domain's verbs for them.

use crate::request::field_rules::{at_least_one, not_negative, not_zero, text, version};
use crate::request::optional::present;
use crate::resource::change::by_meaning;
use onhand_domain::limits::RESERVATION_TTL_SECONDS_MAX;
use onhand_domain::stock::{self, CountAsOf, Verb};
use onhand_domain::{Idempotency, Quantity, ReservationId, Sequence, Sku, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;
use validator::Validate;

/// The properties that the bodies of all five share.
pub(crate) trait CommandBody: Serialize + Validate {
    /// The verb in the path, in a batch, and in the scope of an idempotency key.
    const NAME: &'static str;

    /// The version that the command is conditional on, by its body.
    fn expected_version(&self) -> Option<u64>;
}

/// Request body: `{delta, expectedVersion?, reason?, reference?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AdjustBody {
    #[validate(custom(function = "not_zero"))]
    pub delta: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub expected_version: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub reference: Option<SmolStr>,
}

/// Request body: `{qty, expectedVersion?, reservationId?, ttlSeconds?, reference?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReserveBody {
    #[validate(custom(function = "at_least_one"))]
    pub qty: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub expected_version: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    pub reservation_id: Option<ReservationId>,
    #[serde(default, deserialize_with = "present")]
    #[validate(range(min = 1, max = RESERVATION_TTL_SECONDS_MAX, message = "must be from 1 to 31536000 (a year)"))]
    pub ttl_seconds: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub reference: Option<SmolStr>,
}

/// Request body: `{reservationId, qty?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReleaseBody {
    pub reservation_id: ReservationId,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "at_least_one"))]
    pub qty: Option<Quantity>,
}

/// Request body: `{reservationId, qty?, closeRemainder?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CommitBody {
    pub reservation_id: ReservationId,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "at_least_one"))]
    pub qty: Option<Quantity>,
    #[serde(default)]
    pub close_remainder: bool,
}

/// Request body: `{counted, asOf?, reason?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CountBody {
    #[validate(custom(function = "not_negative"))]
    pub counted: Quantity,
    #[serde(default, deserialize_with = "present")]
    pub as_of: Option<Sequence>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub expected_version: Option<u64>,
}

impl CommandBody for AdjustBody {
    const NAME: &'static str = "adjust";

    fn expected_version(&self) -> Option<u64> {
        self.expected_version
    }
}

impl CommandBody for ReserveBody {
    const NAME: &'static str = "reserve";

    fn expected_version(&self) -> Option<u64> {
        self.expected_version
    }
}

impl CommandBody for ReleaseBody {
    const NAME: &'static str = "release";

    fn expected_version(&self) -> Option<u64> {
        None
    }
}

impl CommandBody for CommitBody {
    const NAME: &'static str = "commit";

    fn expected_version(&self) -> Option<u64> {
        None
    }
}

impl CommandBody for CountBody {
    const NAME: &'static str = "count";

    fn expected_version(&self) -> Option<u64> {
        self.expected_version
    }
}

impl From<AdjustBody> for Verb {
    fn from(body: AdjustBody) -> Self {
        Self::Adjust { delta: body.delta, reason: body.reason, reference: body.reference }
    }
}

impl From<ReserveBody> for Verb {
    fn from(body: ReserveBody) -> Self {
        Self::Reserve(stock::Reserve {
            qty: body.qty,
            reservation_id: body.reservation_id.unwrap_or_else(new_reservation_id),
            ttl_seconds: body.ttl_seconds,
            reference: body.reference,
        })
    }
}

impl From<ReleaseBody> for Verb {
    fn from(body: ReleaseBody) -> Self {
        Self::Release { reservation_id: body.reservation_id, qty: body.qty }
    }
}

impl From<CommitBody> for Verb {
    fn from(body: CommitBody) -> Self {
        Self::Commit(stock::Commit {
            reservation_id: body.reservation_id,
            qty: body.qty,
            close_remainder: body.close_remainder,
        })
    }
}

impl CountBody {
    /// The domain's count; `as_of` has the sequence of the body and the quantity recorded then.
    pub(crate) fn into_verb(self, as_of: Option<CountAsOf>) -> Verb {
        Verb::Count { counted: self.counted, as_of, reason: self.reason }
    }
}

/// The identity of a retry of this command: the same on its own route and in a batch.
pub(crate) fn idempotency<M: CommandBody>(
    key: SmolStr,
    store_id: &StoreId,
    sku: &Sku,
    body: &M,
) -> Idempotency {
    by_meaning(key, format_smolstr!("{} {store_id}/{sku}", M::NAME), body)
}

impl From<CountBody> for Verb {
    /// A count of the present stock.
    fn from(body: CountBody) -> Self {
        body.into_verb(None)
    }
}

fn new_reservation_id() -> ReservationId {
    let mut text = Uuid::encode_buffer();
    ReservationId::new(Uuid::now_v7().hyphenated().encode_lower(&mut text)).expect("a UUID is a valid id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body::{parse, validated};
    use crate::response::problem::{Location, Violation};
    use serde::de::DeserializeOwned;

    fn faults<T: DeserializeOwned + Validate>(json: &str) -> Vec<(String, String)> {
        let parsed = parse::<T>(json.as_bytes(), String::new).and_then(|value| validated(value, String::new));
        let problem = parsed.err().expect("the body is refused");
        let place = |fault: &Violation| match &fault.location {
            Location::Pointer(pointer) => pointer.clone(),
            Location::Parameter(name) => panic!("{name} is no place in a body"),
        };
        problem.facts().errors.iter().map(|fault| (place(fault), fault.detail.clone())).collect()
    }

    #[test]
    fn each_fault_names_its_place() {
        for (json, pointer, word) in [
            (r#"{"delta": 1.5}"#, "/delta", "floating point"),
            (r#"{"delta": 1e2}"#, "/delta", "floating point"),
            (r#"{"delta": "1"}"#, "/delta", "expected an integer"),
            (r#"{"delta": 9007199254740992}"#, "/delta", "9007199254740991"),
            (r#"{"delta": -9007199254740992}"#, "/delta", "9007199254740991"),
            (r#"{"delta": 99999999999999999999}"#, "/delta", "floating point"),
            (r#"{"delta": 0}"#, "/delta", "must not be 0"),
            (r#"{"delta": null}"#, "/delta", "null"),
            (r#"{"delta": 1, "delta": 2}"#, "", "duplicate field"),
            (r#"{"delta": 1, "reason": null}"#, "/reason", "null"),
            (r#"{"delta": 1, "reason": ""}"#, "/reason", "1-256"),
            (r#"{"delta": 1, "reason": "a\nb"}"#, "/reason", "control"),
            (r#"{"delta": 1, "reason": "\ud800"}"#, "/reason", "hex escape"),
            (r#"{"delta": 1, "expectedVersion": -1}"#, "/expectedVersion", "an integer of 0 or more"),
            (r#"{"delta": 1, "expectedVersion": 9007199254740992}"#, "/expectedVersion", "at most"),
            (r#"{"delta": 1, "Delta": 1}"#, "/Delta", "unknown field"),
            ("{}", "", "missing field"),
            ("[1]", "", "expected an object"),
            ("null", "", "expected an object"),
            ("", "", "is not JSON"),
            (r#"{"delta": 1"#, "", "is not JSON"),
            (r#"{"delta": 1} x"#, "", "is not JSON"),
            (r#"{"delta": 01}"#, "/delta", "is not JSON"),
            (r#"{"delta": NaN}"#, "/delta", "is not JSON"),
        ] {
            let found = faults::<AdjustBody>(json);
            let [(place, detail)] = found.as_slice() else { panic!("{json}: {found:?}") };
            assert!(detail.contains(word), "{json}: {detail}");
            assert_eq!(place, pointer, "{json}");
        }
    }

    #[test]
    fn all_rules_are_reported_at_once() {
        let found = faults::<ReserveBody>(r#"{"qty": 0, "ttlSeconds": 0, "reference": ""}"#);
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/qty", "/reference", "/ttlSeconds"]);
        assert_eq!(faults::<ReleaseBody>(r#"{"reservationId": "a b"}"#)[0].0, "/reservationId");
    }
}
