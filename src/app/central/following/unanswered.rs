//! The error of a source that gave no answer.

use crate::central::LetterError;
use crate::ports::SourceError;
use onhand_resilience::Tripped;

/// Why a source gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The request failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No request was made: the breaker is open.
    #[error("its breaker is open")]
    Breaker(#[from] Tripped),
}

impl From<Unanswered> for LetterError {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Source(error) => Self::Source(format!("the source: {error}")),
            Unanswered::Breaker(tripped) => Self::Breaker(tripped),
        }
    }
}
