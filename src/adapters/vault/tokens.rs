//! The verifiers of tokens: in files, and in memory once they were asked for, as they are asked for at every request.
//!
//! One that another process erases stays known here: it was revoked in the log before, so it opens nothing. One that is missing is
//! looked for each time, because another process may make it.

use crate::error::{Remedy, VaultError};
use crate::files::Files;
use crate::record::TokenRecord;
use crate::token::TokenText;
use onhand_app::ports::KeptToken;
use onhand_domain::Timestamp;
use onhand_domain::identity::TokenId;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::io;
use subtle::ConstantTimeEq;

/// What is known of tokens in memory.
#[derive(Default)]
pub(crate) struct Tokens(RwLock<Cache>);

#[derive(Default)]
struct Cache {
    known: HashMap<TokenId, KeptToken>,
    /// Counts what was kept and erased: what was read from a file before that is not what is there now.
    changes: u64,
}

impl Tokens {
    /// Whether a text is the token of that id, as far as memory knows.
    pub(crate) fn is_known(&self, id: &TokenId, text: &str) -> Option<bool> {
        let presented = TokenText::sha256(text);
        self.0.read().known.get(id).map(|token| token.sha256.ct_eq(&presented).into())
    }

    /// What is kept of a token.
    pub(crate) fn get(&self, files: &Files, id: &TokenId) -> io::Result<Option<KeptToken>> {
        let changes = {
            let cache = self.0.read();
            if let Some(token) = cache.known.get(id) {
                return Ok(Some(token.clone()));
            }
            cache.changes
        };
        let path = files.token(id);
        let Some(record) = files.read::<TokenRecord>(&path, Remedy::NewToken)? else { return Ok(None) };
        if record.token_id != *id {
            let reason = format!("it is about {}", record.token_id);
            return Err(VaultError::Damaged { path, reason, remedy: Remedy::NewToken }.into());
        }
        let token = record.token();
        let mut cache = self.0.write();
        if cache.changes == changes {
            cache.known.insert(id.clone(), token.clone());
        }
        Ok(Some(token))
    }

    /// Keeps a token.
    pub(crate) fn keep(&self, files: &Files, id: &TokenId, token: &KeptToken) -> io::Result<()> {
        self.change(files, id, || files.put(&files.token(id), &TokenRecord::new(id, token)))
    }

    /// Removes a token.
    pub(crate) fn erase(&self, files: &Files, id: &TokenId) -> io::Result<()> {
        self.change(files, id, || files.remove(&files.token(id)))
    }

    /// Removes tokens that are useless and old; how many.
    pub(crate) fn sweep(
        &self,
        files: &Files,
        is_useless: &dyn Fn(&TokenId) -> bool,
        before: Timestamp,
    ) -> io::Result<usize> {
        let mut swept = 0;
        for id in files.all_tokens()?.iter().filter(|id| is_useless(id)) {
            if files.modified(&files.token(id))?.is_some_and(|at| at < before) {
                self.erase(files, id)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Changes the file of a token. What is known of it in memory is forgotten, whatever became of the file.
    fn change(&self, files: &Files, id: &TokenId, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let _held = files.hold()?;
        let changed = change();
        let mut cache = self.0.write();
        cache.known.remove(id);
        cache.changes += 1;
        changed
    }
}
