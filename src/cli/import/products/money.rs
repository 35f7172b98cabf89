//! Prices as people write them, converted to minor units. Never a float.

use onhand_domain::catalogue::{Currency, Price};
use onhand_domain::limits::INTEGER_MAX;

/// Currencies whose minor unit is not a hundredth (ISO 4217), with its decimals.
const NOT_HUNDREDTHS: [(&str, usize); 26] = [
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("UYI", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
    ("CLF", 4),
    ("UYW", 4),
];

/// Why a text is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PriceError {
    #[error("write it like 2.55")]
    Form,
    #[error("it has more than the {0} decimals of its currency")]
    Decimals(usize),
    #[error("it is beyond 9007199254740991 minor units")]
    TooLarge,
    #[error("it is nothing, as of what was given away or written off")]
    Zero,
    #[error("it is negative")]
    Negative,
}

/// Decimals of a currency's amounts.
fn decimals(currency: Currency) -> usize {
    let other = NOT_HUNDREDTHS.iter().find(|(code, _)| *code == currency.as_str());
    other.map_or(2, |(_, decimals)| *decimals)
}

/// Reads a price: `2.55` is 255 of GBP, and with `minor` that is written `255`. Zeros behind the last decimal are ignored.
pub(crate) fn read(text: &str, currency: Currency, minor: bool) -> Result<Price, PriceError> {
    let decimals = if minor { 0 } else { decimals(currency) };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, fraction)) if fraction.is_empty() || minor => return Err(PriceError::Form),
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(PriceError::Form);
    }
    let fraction = fraction.trim_end_matches('0');
    if negative {
        return Err(PriceError::Negative);
    }
    if fraction.len() > decimals {
        return Err(PriceError::Decimals(decimals));
    }
    let digits = format!("{whole}{fraction:0<decimals$}");
    let amount_minor = digits.parse().ok().filter(|amount| *amount <= INTEGER_MAX.unsigned_abs());
    match amount_minor {
        None => Err(PriceError::TooLarge),
        Some(0) => Err(PriceError::Zero),
        Some(amount_minor) => Ok(Price { amount_minor, currency }),
    }
}

/// A price as text: 255 of GBP is `2.55 GBP`.
pub(super) fn shown(price: Price) -> String {
    format!("{} {}", decimal(u128::from(price.amount_minor), price.currency), price.currency.as_str())
}

/// An amount as people write it, without its currency: 255 of GBP is `2.55`.
pub(crate) fn decimal(amount_minor: u128, currency: Currency) -> String {
    let decimals = decimals(currency);
    let digits = format!("{amount_minor:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_last_minor_unit_and_shown_again() {
        for (text, code, minor, amount, written) in [
            ("2.55", "GBP", false, 255, "2.55 GBP"),
            ("8.5", "GBP", false, 850, "8.50 GBP"),
            ("8", "GBP", false, 800, "8.00 GBP"),
            ("+0.01", "GBP", false, 1, "0.01 GBP"),
            ("2.5500", "GBP", false, 255, "2.55 GBP"),
            ("0.29", "EUR", false, 29, "0.29 EUR"),
            ("1100", "JPY", false, 1100, "1100 JPY"),
            ("1100.0", "JPY", false, 1100, "1100 JPY"),
            ("1.005", "KWD", false, 1005, "1.005 KWD"),
            ("255", "GBP", true, 255, "2.55 GBP"),
            ("90071992547409.91", "GBP", false, 9_007_199_254_740_991, "90071992547409.91 GBP"),
        ] {
            let price = read(text, Currency::new(code).unwrap(), minor).unwrap();
            assert_eq!((price.amount_minor, shown(price).as_str()), (amount, written), "{text}");
        }
    }

    #[test]
    fn an_invalid_price_has_a_reason() {
        let pounds = Currency::new("GBP").unwrap();
        for (text, minor, why) in [
            ("", false, PriceError::Form),
            (".5", false, PriceError::Form),
            ("5.", false, PriceError::Form),
            ("2,55", false, PriceError::Form),
            ("1.2.3", false, PriceError::Form),
            ("1e3", false, PriceError::Form),
            ("\u{a3}2.55", false, PriceError::Form),
            ("NaN", false, PriceError::Form),
            ("-", false, PriceError::Form),
            ("2.55", true, PriceError::Form),
            ("2.555", false, PriceError::Decimals(2)),
            ("90071992547409.92", false, PriceError::TooLarge),
            ("99999999999999999999999", false, PriceError::TooLarge),
            ("0", false, PriceError::Zero),
            ("0.00", false, PriceError::Zero),
            ("-11062.06", false, PriceError::Negative),
            ("-0", false, PriceError::Negative),
        ] {
            assert_eq!(read(text, pounds, minor), Err(why), "{text:?}");
        }
    }
}
