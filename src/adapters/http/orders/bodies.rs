//! The JSON of an order that is placed, with the rules of its members.

use crate::request::field_rules::{at_least_one, not_negative, short_text, text};
use crate::request::optional::present;
use crate::response::problem::{Location, Problem, Violation};
use onhand_domain::allocation::Rules;
use onhand_domain::catalogue::Currency;
use onhand_domain::orders::{OrderPolicy, Partial, StockPolicy};
use onhand_domain::{CustomerId, OrderId, Quantity, Sku, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt::Write;
use validator::{Validate, ValidationError};

/// Request body: `{orderId?, channelId?, externalId?, customerId?, customer?, shipTo?, currency?, lines, storeId?, rules?, policy?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OrderBody {
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "own_id"))]
    pub(super) order_id: Option<OrderId>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "channel"))]
    pub(super) channel_id: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    pub(super) external_id: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    pub(super) customer_id: Option<CustomerId>,
    #[serde(default, deserialize_with = "present")]
    #[validate(nested)]
    pub(super) customer: Option<CustomerBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(nested)]
    pub(super) ship_to: Option<AddressBody>,
    #[serde(default, deserialize_with = "present")]
    pub(super) currency: Option<Currency>,
    #[validate(length(min = 1, max = 200, message = "must have 1 to 200 lines"), nested)]
    pub(super) lines: Vec<OrderLineBody>,
    #[serde(default, deserialize_with = "present")]
    pub(super) store_id: Option<StoreId>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "crate::allocation::rules::good_rules"))]
    pub(super) rules: Option<Rules>,
    #[serde(default)]
    pub(super) policy: PolicyBody,
}

/// One line: `{sku | bookId, qty | quantity, name?, unitPrice?, discount?, tax?}`; money in minor units of the currency.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OrderLineBody {
    #[serde(alias = "bookId")]
    pub(super) sku: Sku,
    #[serde(alias = "quantity")]
    #[validate(custom(function = "at_least_one"))]
    pub(super) qty: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) name: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "not_negative"))]
    pub(super) unit_price: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "not_negative"))]
    pub(super) discount: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "not_negative"))]
    pub(super) tax: Option<Quantity>,
}

/// Who ordered: `{name?, email?, phone?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CustomerBody {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    name: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    email: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    phone: Option<SmolStr>,
}

/// Where it goes: `{name?, street?, street2?, postalCode?, city?, region?, country?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AddressBody {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    name: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    street: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    street2: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "short_text"))]
    postal_code: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    city: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    region: Option<SmolStr>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "short_text"))]
    country: Option<SmolStr>,
}

/// Whether something is done without being asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ByHand {
    /// At once.
    Auto,
    /// By a person.
    #[default]
    Hand,
}

/// `{partial?, stock?, confirm?}`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PolicyBody {
    partial: Partial,
    stock: StockPolicy,
    confirm: ByHand,
}

impl PolicyBody {
    pub(super) fn policy(self) -> OrderPolicy {
        OrderPolicy { partial: self.partial, stock: self.stock, auto_confirm: self.confirm == ByHand::Auto }
    }
}

impl From<OrderPolicy> for PolicyBody {
    fn from(policy: OrderPolicy) -> Self {
        let confirm = if policy.auto_confirm { ByHand::Auto } else { ByHand::Hand };
        Self { partial: policy.partial, stock: policy.stock, confirm }
    }
}

impl OrderBody {
    /// Refuses what a customer does not decide: prices, the channel, the stores, what is done without being asked.
    ///
    /// # Errors
    /// 400 that names each such member.
    pub(super) fn require_customers_own(&self) -> Result<(), Problem> {
        let of_order = [
            ("/channelId", self.channel_id.is_some()),
            ("/externalId", self.external_id.is_some()),
            ("/currency", self.currency.is_some()),
            ("/storeId", self.store_id.is_some()),
            ("/rules", self.rules.is_some()),
            ("/policy", self.policy != PolicyBody::default()),
        ];
        let of_lines = self.lines.iter().enumerate().flat_map(|(index, line)| {
            let members = [
                ("name", line.name.is_some()),
                ("unitPrice", line.unit_price.is_some()),
                ("discount", line.discount.is_some()),
                ("tax", line.tax.is_some()),
            ];
            members.map(|(member, sent)| (format!("/lines/{index}/{member}"), sent))
        });
        let all = of_order.into_iter().map(|(pointer, sent)| (pointer.to_owned(), sent)).chain(of_lines);
        let detail = || "is for the shop to say; leave it out".to_owned();
        let faults: Vec<Violation> = all
            .filter(|(_, sent)| *sent)
            .map(|(pointer, _)| Violation { location: Location::Pointer(pointer), detail: detail() })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
    }

    /// The id that the caller names: its own, or that of the channel's order.
    ///
    /// # Errors
    /// 400 when it names only half of the latter, both, or one that makes no id.
    pub(super) fn named_id(&self) -> Result<Option<OrderId>, Problem> {
        match (&self.order_id, &self.channel_id, &self.external_id) {
            (id, _, None) if self.channel_id.is_none() => Ok(id.clone()),
            (None, Some(channel), Some(external)) => {
                let id = format!("{channel}.{}", escaped(external));
                let fault =
                    |error| Problem::pointer("/externalId", format!("makes no id of an order: {error}"));
                OrderId::new(&id).map(Some).map_err(fault)
            }
            (Some(_), Some(_), _) => {
                Err(Problem::pointer("/orderId", "is that of channelId and externalId already; leave it out"))
            }
            (_, Some(_), None) => Err(Problem::pointer("/externalId", "must be there beside channelId")),
            (_, None, Some(_)) => Err(Problem::pointer("/channelId", "must be there beside externalId")),
            (_, None, None) => Ok(None),
        }
    }
}

/// A text as part of an id: every byte that an id may not have, and `.` and `_`, as `_` and two hexadecimal digits, so that no two
/// texts make one id.
fn escaped(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    // `s` and a number would make it the id of a shipment.
    let of_shipment =
        text.strip_prefix('s').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    for (index, byte) in text.bytes().enumerate() {
        if (byte.is_ascii_alphanumeric() || byte == b'-') && !(of_shipment && index == 0) {
            id.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(id, "_{byte:02x}");
        }
    }
    id
}

/// An id of the caller has no full stop: that is for channels.
fn own_id(id: &OrderId) -> Result<(), ValidationError> {
    let good = !id.as_str().contains('.') && id.as_str() != "plan";
    let fault =
        || ValidationError::new("rule").with_message("must have no full stop, and must not be plan".into());
    if good { Ok(()) } else { Err(fault()) }
}

fn channel(id: &SmolStr) -> Result<(), ValidationError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let good = (1..=32).contains(&id.len()) && id.bytes().all(plain);
    let fault = || ValidationError::new("rule").with_message("must have 1-32 of A-Z a-z 0-9 -".into());
    if good { Ok(()) } else { Err(fault()) }
}
