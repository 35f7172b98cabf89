//! The token that commands send: `ONHAND_TOKEN`. There is no option for it, because every process can read the arguments of others.

use http::HeaderValue;
use onhand_runtime::exit::{Exit, Failure};

/// The variable with the token.
const VARIABLE: &str = "ONHAND_TOKEN";

/// The value of `Authorization`; nothing when no token is set.
///
/// # Errors
/// [`Exit::Settings`] when the variable holds what no header may.
pub(crate) fn authorization() -> Result<Option<HeaderValue>, Failure> {
    let Some(token) = std::env::var_os(VARIABLE).filter(|token| !token.is_empty()) else { return Ok(None) };
    let value = token.to_str().map(|token| HeaderValue::try_from(format!("Bearer {}", token.trim())));
    if let Some(Ok(mut value)) = value {
        value.set_sensitive(true);
        Ok(Some(value))
    } else {
        let message = format!("{VARIABLE} is no token: it has characters that no header may have");
        Err(Failure::new(Exit::Settings, message))
    }
}
