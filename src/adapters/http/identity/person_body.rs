//! The bodies of requests about persons, and a person as answers show them.

use crate::request::field_rules::{short_text, text, version};
use crate::request::optional::{nullable, present};
use onhand_app::ports::KeptPerson;
use onhand_domain::Timestamp;
use onhand_domain::identity::{Grant, Principal, PrincipalId, Role};
use onhand_domain::master::Master;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::borrow::Cow;
use validator::{Validate, ValidationError};

/// Grants of one person.
const GRANTS_MAX: u64 = 100;
/// RFC 5321, section 4.5.3.1.3.
pub(super) const EMAIL_MAX: usize = 254;

/// `{login?, name?, email?, password?, grants}`; with an e-mail address, that is the login unless another one is given.
#[derive(Deserialize, Serialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PersonBody {
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "login_name"))]
    pub(super) login: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) name: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "email_address"))]
    pub(super) email: Option<SmolStr>,
    /// Not written: the log keeps a hash of the rest, to know a retry.
    #[serde(default, deserialize_with = "present", skip_serializing)]
    pub(super) password: Option<String>,
    #[validate(length(max = GRANTS_MAX, message = "must be at most 100 grants"))]
    pub(super) grants: Vec<Grant>,
}

/// `{login?, name?, email?, password}`
#[derive(Deserialize, Serialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RegisterBody {
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "login_name"))]
    pub(super) login: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) name: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "email_address"))]
    pub(super) email: Option<SmolStr>,
    #[serde(skip_serializing)]
    pub(super) password: String,
}

/// A merge patch: `{login?, name?, email?, disabled?, expectedVersion?}`, in which `null` removes name or e-mail address.
#[derive(Debug, Deserialize, Serialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(clippy::option_option, reason = "left out, removed and given are three cases")]
pub(crate) struct PersonPatch {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "login_name"))]
    pub(super) login: Option<SmolStr>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    pub(super) name: Option<Option<SmolStr>>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "email_address"))]
    pub(super) email: Option<Option<SmolStr>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) disabled: Option<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// `{grants, expectedVersion?}`
#[derive(Debug, Deserialize, Serialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GrantsBody {
    #[validate(length(max = GRANTS_MAX, message = "must be at most 100 grants"))]
    pub(super) grants: Vec<Grant>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// A person.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonShown {
    pub(super) user_id: PrincipalId,
    pub(super) login: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    /// The first role that is granted, for programs that know one role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    pub(super) grants: Vec<Grant>,
    pub(super) disabled: bool,
    pub(super) has_password: bool,
    pub(super) version: u64,
    pub(super) created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<LinkShown>,
}

/// `{link}`
#[derive(Serialize)]
pub(super) struct ResetShown {
    pub(super) link: LinkShown,
}

/// A link that sets a password once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkShown {
    /// What is sent to `POST /auth/link`.
    pub(super) text: String,
    pub(super) expires_at: Timestamp,
}

impl PersonPatch {
    /// True when it changes what the vault keeps.
    pub(super) const fn is_personal(&self) -> bool {
        self.login.is_some() || self.name.is_some() || self.email.is_some()
    }

    /// Changes what the vault keeps.
    pub(super) fn apply(&self, person: &mut KeptPerson) {
        let owned = |text: &Option<SmolStr>| text.as_ref().map(SmolStr::to_string);
        if let Some(login) = &self.login {
            person.login = login.to_string();
        }
        if let Some(name) = &self.name {
            person.name = owned(name);
        }
        if let Some(email) = &self.email {
            person.email = owned(email);
        }
    }
}

/// A login: 1-64 characters without spaces, `:` (which ends it in Basic) and control characters; or an e-mail address.
fn login_name(login: &SmolStr) -> Result<(), ValidationError> {
    if login.contains('@') {
        return email_address(login);
    }
    short_text(login)?;
    if login.contains(|character: char| character.is_whitespace() || character == ':') {
        return Err(rule("must have no spaces and no colon"));
    }
    Ok(())
}

/// An e-mail address, as far as a form can tell: something, `@`, something with a dot or without; nothing is sent to it.
fn email_address(email: &SmolStr) -> Result<(), ValidationError> {
    let plain = |character: char| !character.is_whitespace() && !character.is_control() && character != ':';
    let parts = email.rsplit_once('@').filter(|(name, domain)| !name.is_empty() && !domain.is_empty());
    if parts.is_none() || email.len() > EMAIL_MAX || !email.chars().all(plain) {
        return Err(rule("must be an e-mail address of at most 254 bytes"));
    }
    Ok(())
}

fn rule(message: &'static str) -> ValidationError {
    ValidationError::new("rule").with_message(Cow::Borrowed(message))
}

impl PersonShown {
    pub(super) fn of(user_id: PrincipalId, kept: KeptPerson, master: Master<Principal>) -> Option<Self> {
        let Principal { grants, disabled, .. } = master.details?;
        let role = grants.iter().find_map(Grant::named_role).map(Role::as_str);
        let KeptPerson { login, name, email, password, created_at } = kept;
        let (has_password, version) = (password.is_some(), master.version);
        Some(Self {
            user_id,
            login,
            name,
            email,
            role,
            grants,
            disabled,
            has_password,
            version,
            created_at,
            link: None,
        })
    }
}
