//! The audit trail: how long its entries are kept.

use crate::fault::Faults;
use crate::value_parser::text;
use clap::Args;

const KEEP_DAYS_MAX: u64 = 3_650;

/// Settings of the audit trail, unread.
#[derive(Args, Clone, Debug)]
pub struct RawAudit {
    /// Days that the audit trail keeps refused requests, logins and exports
    #[arg(long, env = "AUDIT_KEEP_DAYS", value_name = "DAYS", default_value = "400")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub audit_keep_days: String,
}

/// Settings of the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// `AUDIT_KEEP_DAYS`: days that entries are kept.
    pub keep_days: u32,
}

impl AuditSettings {
    pub(super) fn read(raw: &RawAudit, faults: &mut Faults) -> Self {
        let days =
            faults.whole("AUDIT_KEEP_DAYS", &raw.audit_keep_days, 1, KEEP_DAYS_MAX, "a whole number of days");
        Self { keep_days: u32::try_from(days).expect("the bound fits") }
    }
}
