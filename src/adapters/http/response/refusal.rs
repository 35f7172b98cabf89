//! Rejections and errors of the application as problems. Matched exhaustively: a new rejection does not compile without a code.

use crate::response::code::Code;
use crate::response::problem::{Facts, Problem};
use onhand_app::CommandError;
use onhand_app::central::LetterError;
use onhand_app::ports::HistoryError;
use onhand_app::stock::ReadError;
use onhand_domain::Rejection;
use onhand_domain::orders::OrderMember;
use serde::Serialize;
use smol_str::SmolStr;
use std::io;

/// The code of a rejection.
pub(crate) fn code(rejection: &Rejection) -> Code {
    match rejection {
        Rejection::VersionConflict { .. } => Code::VersionConflict,
        Rejection::InsufficientStock { .. } => Code::InsufficientStock,
        Rejection::ReservationNotFound { .. } => Code::ReservationNotFound,
        Rejection::ReservationClosed { .. } => Code::ReservationClosed,
        Rejection::ReservationExpired { .. } => Code::ReservationExpired,
        Rejection::AlreadyExists { .. }
        | Rejection::PrincipalExists { .. }
        | Rejection::TokenExists { .. } => Code::AlreadyExists,
        Rejection::OutOfRange => Code::OutOfRange,
        Rejection::IdempotencyKeyReused => Code::IdempotencyKeyReused,
        Rejection::ImportOutOfStep { .. } => Code::ImportOutOfStep,
        Rejection::ProductNotFound { .. } => Code::ProductNotFound,
        Rejection::ProductExists { .. } => Code::ProductExists,
        Rejection::ProductDiffers { .. } => Code::ProductDiffers,
        Rejection::StoreExists { .. } => Code::StoreExists,
        Rejection::ThresholdNotFound => Code::ThresholdNotFound,
        Rejection::PrincipalNotFound | Rejection::TokenNotFound => Code::NotFound,
        Rejection::LastAdmin => Code::LastAdmin,
        Rejection::GrantBeyondOwn => Code::Forbidden,
        Rejection::HeldByShipment { .. } => Code::HeldByShipment,
        Rejection::OrderNotFound => Code::OrderNotFound,
        Rejection::OrderExists { .. } => Code::OrderExists,
        Rejection::IllegalTransition { .. } => Code::IllegalTransition,
        Rejection::AlreadyShipped => Code::AlreadyShipped,
        Rejection::NotAllotted { .. } => Code::NotAllotted,
        Rejection::PlanStale { .. } => Code::PlanStale,
        Rejection::TooManyShipments => Code::TooManyShipments,
        Rejection::ShipmentNotFound => Code::ShipmentNotFound,
        Rejection::ShipmentClosed { .. } => Code::ShipmentClosed,
        Rejection::ShipmentExceeds { .. } => Code::ShipmentExceeds,
        Rejection::OrderHeld => Code::OrderHeld,
        Rejection::PaymentExists => Code::PaymentExists,
        Rejection::TooManyPayments => Code::TooManyPayments,
        Rejection::AmountExceeds { .. } => Code::AmountExceeds,
        Rejection::ReturnNotFound => Code::ReturnNotFound,
        Rejection::ReturnExists => Code::ReturnExists,
        Rejection::TooManyReturns => Code::TooManyReturns,
        Rejection::ReturnExceeds { .. } => Code::ReturnExceeds,
    }
}

/// The facts of a rejection.
pub(crate) fn facts(rejection: &Rejection) -> Facts {
    match rejection {
        Rejection::VersionConflict { current_version }
        | Rejection::ProductExists { current_version }
        | Rejection::ProductDiffers { current_version, .. }
        | Rejection::StoreExists { current_version }
        | Rejection::PrincipalExists { current_version }
        | Rejection::TokenExists { current_version }
        | Rejection::OrderExists { current_version, .. } => {
            Facts { current_version: Some(*current_version), ..Facts::default() }
        }
        Rejection::InsufficientStock { available, current_version } => Facts {
            available: Some(available.get()),
            current_version: Some(*current_version),
            ..Facts::default()
        },
        Rejection::PlanStale { available, .. }
        | Rejection::AmountExceeds { available }
        | Rejection::ReturnExceeds { available, .. }
        | Rejection::ShipmentExceeds { held: available, .. } => {
            Facts { available: Some(available.get()), ..Facts::default() }
        }
        Rejection::ImportOutOfStep { rows_done } => Facts { rows_done: Some(*rows_done), ..Facts::default() },
        Rejection::ReservationNotFound { .. }
        | Rejection::ReservationClosed { .. }
        | Rejection::ReservationExpired { .. }
        | Rejection::AlreadyExists { .. }
        | Rejection::OutOfRange
        | Rejection::IdempotencyKeyReused
        | Rejection::ProductNotFound { .. }
        | Rejection::ThresholdNotFound
        | Rejection::PrincipalNotFound
        | Rejection::TokenNotFound
        | Rejection::LastAdmin
        | Rejection::GrantBeyondOwn
        | Rejection::HeldByShipment { .. }
        | Rejection::OrderNotFound
        | Rejection::IllegalTransition { .. }
        | Rejection::AlreadyShipped
        | Rejection::NotAllotted { .. }
        | Rejection::TooManyShipments
        | Rejection::ShipmentNotFound
        | Rejection::OrderHeld
        | Rejection::PaymentExists
        | Rejection::TooManyPayments
        | Rejection::ReturnNotFound
        | Rejection::ReturnExists
        | Rejection::TooManyReturns
        | Rejection::ShipmentClosed { .. } => Facts::default(),
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let problem =
            Self::new(code(&rejection), sentence(&rejection)).with(|members| *members = facts(&rejection));
        match rejection {
            Rejection::OrderExists { differs, .. } => problem.extended(&Differs { differs }),
            Rejection::IllegalTransition { from, to, allowed } => {
                problem.extended(&Transition { from, to, allowed })
            }
            _ => problem,
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => {
                let pointer = refusal.op.map(|op| format!("/operations/{op}"));
                Self::from(refusal.rejection).with(|facts| facts.pointer = pointer)
            }
            CommandError::Overloaded => Self::plain(Code::Overloaded),
            CommandError::ReadOnly => Self::plain(Code::ReadOnly),
            CommandError::Contended => Self::plain(Code::LockContended),
            CommandError::Closed | CommandError::History(HistoryError::TakenOver) => {
                Self::plain(Code::NotReady)
            }
            CommandError::OutcomeUnknown => Self::plain(Code::OutcomeUnknown),
            CommandError::History(HistoryError::Contradiction(_)) => contradiction(),
            CommandError::History(cause) => Self::plain(Code::Internal).because(&cause),
        }
    }
}

/// The members of `order-exists`.
#[derive(Serialize)]
struct Differs {
    differs: Vec<OrderMember>,
}

/// The members of `illegal-transition`.
#[derive(Serialize)]
struct Transition {
    from: SmolStr,
    to: SmolStr,
    allowed: Vec<SmolStr>,
}

fn contradiction() -> Problem {
    Problem::new(
        Code::NotReady,
        "The logs of the processes on this data directory contradict each other, so this one answers nothing more. Stop all of \
         them and run `onhand verify`.",
    )
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::History(HistoryError::TakenOver) => Self::plain(Code::NotReady),
            ReadError::History(HistoryError::Contradiction(_)) => contradiction(),
            ReadError::History(cause) => Self::plain(Code::Internal).because(&cause),
            ReadError::SeveralLogs => Self::parameter(
                "asOf",
                "must be a time here: several processes share the stock, each with sequences of its own",
            ),
            ReadError::Future { end } => Self::parameter(
                "asOf",
                format!("lies in the future; the log ends at sequence {end}, so ask for that or less"),
            ),
        }
    }
}

impl From<LetterError> for Problem {
    fn from(error: LetterError) -> Self {
        match error {
            LetterError::Unknown => Self::new(
                Code::NotFound,
                "There is no dead letter of that id; GET /dead-letters lists them all.",
            ),
            LetterError::Closed => Self::plain(Code::DeadLetterClosed),
            LetterError::Behind(id) => Self::new(
                Code::DeadLetterWaits,
                format!("The level waits for an earlier event; redrive or discard dead letter {id} first."),
            ),
            LetterError::Source(cause) => Self::new(
                Code::NotReady,
                "The node whose event it is cannot be read now; nothing changed. POST /sync shows how it is.",
            )
            .because(&cause),
            LetterError::Breaker(tripped) => {
                let wait_ms = u64::try_from(tripped.retry_after.as_millis()).unwrap_or(u64::MAX);
                Self::plain(Code::BreakerOpen).with(|facts| facts.retry_after_ms = Some(wait_ms))
            }
            LetterError::Io(cause) => Self::new(
                Code::NotReady,
                "What became of it could not be written to the disk; nothing was lost. Try again once the disk is well.",
            )
            .because(&cause),
        }
    }
}

impl Problem {
    /// The problem of an error of the vault: a full disk, or another process that holds the lock, is no fault of the server.
    pub(crate) fn of_vault(error: &io::Error) -> Self {
        let unavailable = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem => {
                Self::new(
                    Code::ReadOnly,
                    "The vault of persons and tokens cannot be written, because the disk is full or read-only. Try again after \
                 Retry-After.",
                )
            }
            io::ErrorKind::TimedOut => Self::new(
                Code::NotReady,
                "Another process has held the vault of persons and tokens for too long. Try again after Retry-After.",
            ),
            _ => Self::plain(Code::Internal),
        };
        unavailable.because(error)
    }
}

/// A rejection as a sentence for a person.
pub(crate) fn sentence(rejection: &Rejection) -> String {
    let text = rejection.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_domain::catalogue::ProductMember;
    use onhand_domain::{Quantity, Refusal, ReservationId, Sku};

    #[test]
    fn every_rejection_has_its_code_and_its_facts() {
        let reservation_id = ReservationId::new("r-1").unwrap();
        let available = Quantity::new(3).unwrap();
        for (rejection, status, fact) in [
            (Rejection::VersionConflict { current_version: 7 }, 409, (Some(7), None, None)),
            (Rejection::InsufficientStock { available, current_version: 7 }, 409, (Some(7), Some(3), None)),
            (
                Rejection::ReservationNotFound { reservation_id: reservation_id.clone() },
                404,
                (None, None, None),
            ),
            (
                Rejection::ReservationClosed { reservation_id: reservation_id.clone() },
                409,
                (None, None, None),
            ),
            (
                Rejection::ReservationExpired { reservation_id: reservation_id.clone() },
                409,
                (None, None, None),
            ),
            (Rejection::AlreadyExists { reservation_id }, 409, (None, None, None)),
            (Rejection::OutOfRange, 409, (None, None, None)),
            (Rejection::IdempotencyKeyReused, 409, (None, None, None)),
            (Rejection::ImportOutOfStep { rows_done: 5 }, 409, (None, None, Some(5))),
            (Rejection::ProductNotFound { sku: Sku::new("A").unwrap() }, 404, (None, None, None)),
            (Rejection::ProductExists { current_version: 7 }, 409, (Some(7), None, None)),
            (
                Rejection::ProductDiffers { current_version: 7, members: vec![ProductMember::Name] },
                409,
                (Some(7), None, None),
            ),
            (Rejection::StoreExists { current_version: 7 }, 409, (Some(7), None, None)),
            (Rejection::ThresholdNotFound, 404, (None, None, None)),
        ] {
            assert_eq!(code(&rejection).slug(), rejection.code(), "log and contract use one word");
            let problem = Problem::from(rejection);
            let facts = problem.facts();
            assert_eq!(problem.code().status(), status);
            assert_eq!((facts.current_version, facts.available, facts.rows_done), fact);
            assert!(
                problem.detail().starts_with(|first: char| !first.is_lowercase()),
                "{}",
                problem.detail()
            );
        }
    }

    #[test]
    fn an_atomic_batch_points_at_the_operation() {
        let refusal = Refusal { rejection: Rejection::OutOfRange, op: Some(3) };
        let problem = Problem::from(CommandError::Refused(refusal));
        assert_eq!(problem.facts().pointer.as_deref(), Some("/operations/3"));
    }

    #[test]
    fn a_vault_that_cannot_be_used_now_is_no_fault_of_the_server() {
        for (kind, expected) in [
            (io::ErrorKind::StorageFull, Code::ReadOnly),
            (io::ErrorKind::QuotaExceeded, Code::ReadOnly),
            (io::ErrorKind::ReadOnlyFilesystem, Code::ReadOnly),
            (io::ErrorKind::TimedOut, Code::NotReady),
            (io::ErrorKind::InvalidData, Code::Internal),
        ] {
            let problem = Problem::of_vault(&io::Error::new(kind, "/srv/data/identity"));
            assert_eq!(problem.code(), expected);
            assert!(!problem.detail().contains("/srv") && problem.cause().is_some());
        }
    }

    #[test]
    fn a_letter_error_hides_internals() {
        for (error, status) in [
            (LetterError::Unknown, 404),
            (LetterError::Closed, 409),
            (LetterError::Behind("n-1".to_owned()), 409),
            (LetterError::Source("http://10.0.0.7".to_owned()), 503),
            (LetterError::Io(io::Error::other("/srv/data")), 503),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.code().status(), status);
            assert!(!problem.detail().contains('7') && !problem.detail().contains("/srv"));
            assert_eq!(problem.cause().is_some(), status == 503);
        }
    }
}
