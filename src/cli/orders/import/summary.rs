//! The summary of a run, for a person or as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::options::ImportOrdersArgs;
use super::report::Refusals;
use super::survey::OrderSurvey;
use super::tally::Tally;
use crate::import::products::money::decimal;
use crate::import::report_file::takes_stdout;
use crate::import::summary::line;
use crate::terminal::print::thousands;
use onhand_domain::catalogue::Currency;

/// SKUs that the summary of a dry run names.
const SKUS_NAMED_MAX: usize = 10;

/// A run that has ended, or was asked to stop.
pub(super) struct Ended<'a> {
    pub(super) args: &'a ImportOrdersArgs,
    pub(super) survey: &'a OrderSurvey,
    pub(super) tally: &'a Tally,
    pub(super) refusals: &'a Refusals,
    pub(super) interrupted: bool,
    pub(super) took: Duration,
}

impl Ended<'_> {
    /// The summary as lines.
    pub(super) fn text(&self) -> String {
        let (path, tally) = (self.survey.path.display(), self.tally);
        let mut text = match (self.args.dry_run, self.interrupted) {
            (true, _) => format!("Dry run of the orders of {path}: nothing was changed.\n"),
            (false, true) => format!("Imported a part of the orders of {path}: it was interrupted.\n"),
            (false, false) if self.survey.rows == 0 => {
                format!("{path} has a header and no rows: nothing was sent.\n")
            }
            (false, false) if tally.placed + tally.shipped + tally.returns.received == 0 => {
                format!("Imported the orders of {path}: there is nothing new.\n")
            }
            (false, false) => format!("Imported the orders of {path}.\n"),
        };
        line(&mut text, "rows", &thousands(self.survey.rows));
        line(&mut text, "orders", &thousands(self.survey.orders.len() as u64));
        let mut count =
            |what: &str, number: u64| line(&mut text, "", &format!("{:>6} {what}", thousands(number)));
        if self.args.dry_run {
            count("would get all", tally.fine);
            count("would get less", tally.short);
        } else {
            count("placed", tally.placed);
        }
        count("were there already", tally.there);
        count("refused", self.refusals.orders);
        if tally.returns.credit_notes > 0 {
            count(
                if self.args.dry_run { "credit notes, not looked at" } else { "credit notes" },
                tally.returns.credit_notes,
            );
        }
        if self.left() > 0 {
            count("not reached", self.left());
        }
        if self.args.dry_run {
            self.short(&mut text);
        }
        self.sums(&mut text);
        self.refused(&mut text);
        let orders = u32::try_from(tally.done).unwrap_or(u32::MAX);
        let rate = f64::from(orders) / self.took.as_secs_f64().max(0.001);
        line(&mut text, "took", &format!("{:.2} s, {rate:.0} orders/s", self.took.as_secs_f64()));
        text
    }

    /// The orders that an interrupted run has not seen to.
    fn left(&self) -> u64 {
        let looked_at = if self.args.dry_run { self.tally.returns.credit_notes } else { 0 };
        self.survey.sent().saturating_sub(self.tally.done + looked_at)
    }

    /// Pieces, amounts and returns of the orders that are there.
    fn sums(&self, text: &mut String) {
        let (pieces, returns) = (self.tally.pieces, self.tally.returns);
        let all = [
            ("ordered", pieces.ordered),
            ("cancelled", pieces.cancelled),
            ("waiting for stock", pieces.waiting),
            ("held", pieces.held),
            ("shipped", pieces.shipped),
            ("returned", returns.pieces),
        ];
        let mut label = "pieces";
        for (what, number) in
            all.into_iter().filter(|(what, number)| *number > 0 || (*what == "ordered" && !self.args.dry_run))
        {
            let number = thousands(u64::try_from(number).unwrap_or(u64::MAX));
            line(text, label, &format!("{number:>9} {what}"));
            label = "";
        }
        for (currency, amount) in &self.tally.amounts {
            line(text, "amount", &format!("{:>9} {currency}", shown(*amount, currency)));
        }
        if returns.received + returns.there > 0 {
            let store = self.args.return_store.as_ref().map(ToString::to_string).unwrap_or_default();
            let rows = [
                (returns.received, format!("rows were received in {store}")),
                (returns.there, "rows were there already".to_owned()),
            ];
            let rows = rows.into_iter().filter(|(number, _)| *number > 0);
            let rows: Vec<String> =
                rows.map(|(number, what)| format!("{} {what}", thousands(number))).collect();
            line(text, "returns", &rows.join(", "));
        }
        if self.tally.shipped > 0 {
            line(text, "shipped", &format!("{} orders by this run", thousands(self.tally.shipped)));
        }
        for (code, orders) in &self.tally.unshipped {
            line(text, "not shipped", &format!(" {} orders, {code}", thousands(*orders)));
        }
    }

    /// The SKUs that a dry run finds short, those with the most missing pieces first.
    fn short(&self, text: &mut String) {
        let mut skus: Vec<_> = self.tally.short_skus.iter().collect();
        let missing: i64 = skus.iter().map(|(_, (pieces, _))| pieces).sum();
        let (missing, count) = (thousands(missing.unsigned_abs()), thousands(skus.len() as u64));
        line(text, "short", &format!("{missing:>9} pieces, of {count} SKUs"));
        skus.sort_by_key(|(sku, (pieces, _))| (-pieces, (*sku).clone()));
        for (sku, (pieces, orders)) in skus.iter().take(SKUS_NAMED_MAX) {
            let pieces = thousands(pieces.unsigned_abs());
            line(text, "", &format!("{pieces:>9} of {sku}, in {} orders", thousands(*orders)));
        }
        if skus.len() > SKUS_NAMED_MAX {
            let _ = writeln!(text, "  ... and of {} SKUs more", skus.len() - SKUS_NAMED_MAX);
        }
    }

    fn refused(&self, text: &mut String) {
        let (refusals, report) = (self.refusals, self.args.report.as_deref());
        line(
            text,
            if self.args.dry_run { "reported" } else { "refused" },
            &format!("{} rows", thousands(refusals.rows)),
        );
        for (code, rows) in &refusals.by_code {
            line(text, "", &format!("{:>6} {code}", thousands(*rows)));
        }
        for named in &refusals.first {
            let order = named.order_id.as_ref().map(|id| format!(", order {id}")).unwrap_or_default();
            let (code, detail) = (&named.reason.code, &named.reason.detail);
            let _ = writeln!(text, "  row {} (line {}){order}: {code}: {detail}", named.row, named.line);
        }
        match report {
            Some(_) if takes_stdout(report) => line(text, "report", "standard output"),
            Some(path) => line(text, "report", &path.display().to_string()),
            None if refusals.rows > refusals.first.len() as u64 => {
                let _ = writeln!(text, "  ... --report FILE names all {} rows", thousands(refusals.rows));
            }
            None => {}
        }
    }

    /// The summary as one JSON object.
    pub(super) fn json(&self) -> Value {
        let (tally, pieces, returns) = (self.tally, self.tally.pieces, self.tally.returns);
        let number = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        let amounts: serde_json::Map<String, Value> = tally
            .amounts
            .iter()
            .map(|(currency, amount)| {
                (currency.to_string(), json!(u64::try_from(*amount).unwrap_or(u64::MAX)))
            })
            .collect();
        let short: Vec<Value> = tally
            .short_skus
            .iter()
            .map(|(sku, (pieces, orders))| json!({"sku": sku, "pieces": pieces, "orders": orders}))
            .collect();
        json!({
            "file": self.survey.path,
            "dryRun": self.args.dry_run,
            "interrupted": self.interrupted,
            "rows": self.survey.rows,
            "orders": self.survey.orders.len(),
            "placed": tally.placed,
            "alreadyThere": tally.there,
            "shippedNow": tally.shipped,
            "notReached": self.left(),
            "refused": self.refusals,
            "pieces": {
                "ordered": number(pieces.ordered),
                "cancelled": number(pieces.cancelled),
                "waiting": number(pieces.waiting),
                "held": number(pieces.held),
                "shipped": number(pieces.shipped),
                "returned": number(returns.pieces),
            },
            "amounts": amounts,
            "notShipped": tally.unshipped,
            "returns": {
                "creditNotes": returns.credit_notes,
                "received": returns.received,
                "alreadyThere": returns.there,
            },
            "wouldGetAll": tally.fine,
            "wouldGetLess": tally.short,
            "short": short,
            "tookMs": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// An amount as people write it.
fn shown(amount: u128, currency: &SmolStr) -> String {
    Currency::new(currency).map_or_else(|_| amount.to_string(), |currency| decimal(amount, currency))
}
