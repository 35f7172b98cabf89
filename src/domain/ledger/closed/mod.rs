//! The macros that generate the closed enums of the ledger from the lists in `registry.rs`: `enums` their variants, `states` and
//! `events` their methods.
//!
//! Closed enums instead of trait objects: the compiler checks every match on a kind, and the write path has no dynamic dispatch.

mod enums;
mod events;
mod states;

pub(super) use {enums::kind_enums, events::kind_events, states::kind_states};

/// At most two parts of an id.
pub(super) fn two<'a>(parts: &[&'a str]) -> [&'a str; 2] {
    let part = |place: usize| parts.get(place).copied().unwrap_or_default();
    [part(0), part(1)]
}

/// Makes [`Key`](super::Key), [`State`](super::State), [`Undo`](super::Undo), [`Fact`](super::Fact), [`EventKind`](super::EventKind),
/// [`After`](super::After), [`StateRecord`](super::StateRecord), [`StateKey`](super::StateKey) and the JSON of
/// [`Taken`](super::Taken) of the kinds of state.
///
/// One row a kind: `Name "tag" Kind (id: Type, ...) { Event = number "NAME", ... }`. The tag names the kind in the log, in snapshots
/// and in keys, the number an event in an index: neither may ever change. The order of rows is the order in which mutexes are taken.
macro_rules! kinds {
    ($($rows:tt)*) => {
        kind_enums! { $($rows)* }
        kind_states! { $($rows)* }
        kind_events! { $($rows)* }
    };
}

/// Makes [`Command`](super::Command) of the commands, one variant a row: `Name(Type)`, where the type implements
/// [`Decide`](super::Decide).
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($command:ty),)+) => {
        /// A command: one change that a caller requests.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Command {
            $($(#[$doc])* $name($command),)+
            /// Only the due work on these states; the keys include the states that each is decided with.
            Due(Vec<Key>),
        }

        impl Command {
            pub(super) fn part(&self) -> Option<&dyn Decide> {
                match self { $(Self::$name(command) => Some(command),)+ Self::Due(_) => None }
            }

            pub(super) fn part_mut(&mut self) -> Option<&mut dyn Decide> {
                match self { $(Self::$name(command) => Some(command),)+ Self::Due(_) => None }
            }
        }
    };
}

/// Makes [`Rejection`](super::Rejection) of the reasons to refuse a command: `Name "code" { fact: Type, ... }
/// "sentence";`. The code and the facts stand in the log where a batch refused some of its operations: they may
/// never change.
macro_rules! rejections {
    ($($(#[$doc:meta])* $name:ident $code:literal $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })? $text:literal $([$($argument:tt)+])?;)+) => {
        /// The reason of a refusal; nothing was changed. Serialised in the log (`code` and facts) where a batch
        /// refused some of its operations.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
        #[serde(tag = "code", rename_all_fields = "camelCase")]
        pub enum Rejection {
            $(
                $(#[$doc])*
                #[serde(rename = $code)]
                #[error($text $(, $($argument)+)?)]
                $name $({ $($(#[$field_doc])* $field: $type,)+ })?,
            )+
        }

        impl Rejection {
            /// The stable code, as in the log and in the HTTP contract.
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)+ }
            }
        }
    };
}

pub(super) use {commands, kinds, rejections};
