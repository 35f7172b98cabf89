//! One operation of a batch: the fields of any verb, of which each verb takes its own.
//!
//! Flat on purpose: one pass over the JSON, no buffering to find `op` first.

use crate::request::body::validated;
use crate::request::idempotency_key;
use crate::request::optional::present;
use crate::response::problem::{Location, Problem, Violation};
use crate::stock::bodies::{
    AdjustBody, CommandBody, CommitBody, CountBody, ReleaseBody, ReserveBody, idempotency,
};
use onhand_domain::stock::{self, StockCommand, Verb};
use onhand_domain::{Expected, Quantity, ReservationId, Sku, StoreId};
use serde::Deserialize;
use smol_str::SmolStr;

/// One operation of a request: `{op, storeId, sku, idempotencyKey?, ...}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OperationBody {
    op: Op,
    store_id: StoreId,
    sku: Sku,
    #[serde(default, deserialize_with = "present")]
    idempotency_key: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    expected_version: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    delta: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    qty: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    counted: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    reservation_id: Option<ReservationId>,
    #[serde(default, deserialize_with = "present")]
    ttl_seconds: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    close_remainder: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    reference: Option<SmolStr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Adjust,
    Reserve,
    Release,
    Commit,
    Count,
}

impl Op {
    const fn name(self) -> &'static str {
        match self {
            Self::Adjust => AdjustBody::NAME,
            Self::Reserve => ReserveBody::NAME,
            Self::Release => ReleaseBody::NAME,
            Self::Commit => CommitBody::NAME,
            Self::Count => CountBody::NAME,
        }
    }

    const fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Adjust => &["delta", "expectedVersion", "reason", "reference"],
            Self::Reserve => &["qty", "expectedVersion", "reservationId", "ttlSeconds", "reference"],
            Self::Release => &["reservationId", "qty"],
            Self::Commit => &["reservationId", "qty", "closeRemainder"],
            Self::Count => &["counted", "reason", "expectedVersion"],
        }
    }
}

impl OperationBody {
    /// The domain's operation; `index` is its position in the batch.
    pub(crate) fn into_domain(self, index: usize) -> Result<stock::Operation, Problem> {
        self.check_fields(index)?;
        let Self { op, store_id, sku, expected_version, qty, reservation_id, reason, reference, .. } = self;
        let of = Subject { store_id, sku, key: self.idempotency_key, index };
        match op {
            Op::Adjust => {
                let delta = needed(self.delta, "delta", op, index)?;
                of.build(AdjustBody { delta, expected_version, reason, reference })
            }
            Op::Reserve => {
                let qty = needed(qty, "qty", op, index)?;
                let ttl_seconds = self.ttl_seconds;
                of.build(ReserveBody { qty, expected_version, reservation_id, ttl_seconds, reference })
            }
            Op::Release => {
                let reservation_id = needed(reservation_id, "reservationId", op, index)?;
                of.build(ReleaseBody { reservation_id, qty })
            }
            Op::Commit => {
                let reservation_id = needed(reservation_id, "reservationId", op, index)?;
                let close_remainder = self.close_remainder.unwrap_or_default();
                of.build(CommitBody { reservation_id, qty, close_remainder })
            }
            Op::Count => {
                let counted = needed(self.counted, "counted", op, index)?;
                of.build(CountBody { counted, as_of: None, reason, expected_version })
            }
        }
    }

    fn check_fields(&self, index: usize) -> Result<(), Problem> {
        let given = [
            ("expectedVersion", self.expected_version.is_some()),
            ("delta", self.delta.is_some()),
            ("qty", self.qty.is_some()),
            ("counted", self.counted.is_some()),
            ("reservationId", self.reservation_id.is_some()),
            ("ttlSeconds", self.ttl_seconds.is_some()),
            ("closeRemainder", self.close_remainder.is_some()),
            ("reason", self.reason.is_some()),
            ("reference", self.reference.is_some()),
        ];
        let takes = self.op.takes();
        let strange = given.into_iter().filter(|(name, there)| *there && !takes.contains(name));
        let errors: Vec<Violation> = strange
            .map(|(name, _)| Violation {
                location: Location::Pointer(format!("/operations/{index}/{name}")),
                detail: format!("does not belong to {}, which takes {}", self.op.name(), takes.join(", ")),
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }
}

fn needed<T>(value: Option<T>, name: &str, op: Op, index: usize) -> Result<T, Problem> {
    value.ok_or_else(|| {
        Problem::pointer(format!("/operations/{index}/{name}"), format!("is missing; {} needs it", op.name()))
    })
}

/// The level, the key and the index of an operation, whatever its verb.
struct Subject {
    store_id: StoreId,
    sku: Sku,
    key: Option<SmolStr>,
    index: usize,
}

impl Subject {
    fn build<M: CommandBody + Into<Verb>>(self, body: M) -> Result<stock::Operation, Problem> {
        let Self { store_id, sku, key, index } = self;
        let body = validated(body, || format!("/operations/{index}"))?;
        if let Some(Err(detail)) = key.as_deref().map(idempotency_key::check) {
            return Err(Problem::pointer(format!("/operations/{index}/idempotencyKey"), detail));
        }
        let idempotency = key.map(|key| idempotency(key, &store_id, &sku, &body));
        let expected = body.expected_version().map_or(Expected::Any, Expected::Version);
        let command = StockCommand { store_id, sku, expected, verb: body.into() };
        Ok(stock::Operation { command, idempotency, known: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(json: &str) -> Result<stock::Operation, Problem> {
        serde_json::from_str::<OperationBody>(json).expect("the shape is right").into_domain(3)
    }

    #[test]
    fn each_verb_takes_its_own_fields_and_no_other() {
        let fields = [
            ("delta", "5"),
            ("qty", "2"),
            ("counted", "9"),
            ("reservationId", "\"r\""),
            ("ttlSeconds", "60"),
            ("closeRemainder", "true"),
            ("reason", "\"why\""),
            ("reference", "\"ref\""),
            ("expectedVersion", "7"),
        ];
        for op in [Op::Adjust, Op::Reserve, Op::Release, Op::Commit, Op::Count] {
            let own: Vec<String> = fields
                .iter()
                .filter(|(name, _)| op.takes().contains(name))
                .map(|(name, value)| format!("\"{name}\":{value}"))
                .collect();
            let start = format!(r#"{{"op":"{}","storeId":"S","sku":"A","idempotencyKey":"k""#, op.name());
            let whole = built(&format!("{start},{}}}", own.join(","))).unwrap();
            assert_eq!(whole.idempotency.unwrap().scope, format!("{} S/A", op.name()));
            for (name, value) in fields.iter().filter(|(name, _)| !op.takes().contains(name)) {
                let problem = built(&format!("{start},{},\"{name}\":{value}}}", own.join(","))).unwrap_err();
                let location = Location::Pointer(format!("/operations/3/{name}"));
                assert_eq!(problem.facts().errors[0].location, location, "{op:?}");
            }
        }
    }

    #[test]
    fn what_a_verb_needs_must_be_there_and_be_right() {
        for (fields, pointer) in [
            (r#""op":"adjust""#, "/operations/3/delta"),
            (r#""op":"adjust","delta":0"#, "/operations/3/delta"),
            (r#""op":"reserve""#, "/operations/3/qty"),
            (r#""op":"reserve","qty":1,"ttlSeconds":0"#, "/operations/3/ttlSeconds"),
            (r#""op":"release""#, "/operations/3/reservationId"),
            (r#""op":"commit""#, "/operations/3/reservationId"),
            (r#""op":"count""#, "/operations/3/counted"),
            (r#""op":"adjust","delta":1,"idempotencyKey":"a b""#, "/operations/3/idempotencyKey"),
        ] {
            let problem = built(&format!(r#"{{"storeId":"S","sku":"A",{fields}}}"#)).unwrap_err();
            assert_eq!(problem.facts().errors[0].location, Location::Pointer(pointer.into()), "{fields}");
        }
    }

    #[test]
    fn a_key_means_the_same_on_its_own_route_and_in_a_batch() {
        let operation =
            built(r#"{"sku":"A","op":"reserve","qty":2,"storeId":"S","idempotencyKey":"k"}"#).unwrap();
        let body: ReserveBody = serde_json::from_str(r#"{ "qty": 2 }"#).unwrap();
        let (store_id, sku) = (StoreId::new("S").unwrap(), Sku::new("A").unwrap());
        assert_eq!(operation.idempotency, Some(idempotency("k".into(), &store_id, &sku, &body)));
    }
}
