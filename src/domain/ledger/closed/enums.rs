//! The closed enums themselves: one variant a kind.

macro_rules! kind_enums {
    ($(
        $(#[$doc:meta])*
        $name:ident $tag:literal $kind:ty $(, ($($field:ident: $part:ident),+))? {
            $($event:ident = $code:literal $text:literal),+ $(,)?
        }
    )+) => {
        /// The name of one state in the ledger. The order of keys is the order in which their mutexes are taken.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key { $($(#[$doc])* $name $(($($part),+))?,)+ }

        /// One state of the ledger: the result of the events of its key.
        #[derive(Debug, Clone, PartialEq)]
        pub enum State { $($(#[$doc])* $name(<$kind as Kind>::State),)+ }

        /// How to roll one event back, in reverse order of applying.
        #[derive(Debug)]
        pub enum Undo {
            $($(#[$doc])* $name(<$kind as Kind>::Undo),)+
            /// The state before a takeover.
            Taken(Box<State>),
        }

        /// The payload of an event.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Fact {
            $($(#[$doc])* $name(<$kind as Kind>::Fact),)+
            /// A state that another log moved until now.
            Take(Box<Taken>),
        }

        /// The closed list of event types, by the names they have in the log. Each has its number in an index.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the variants are described where their facts are")]
        pub enum EventKind {
            $($(#[serde(rename = $text)] $event = $code,)+)+
            #[serde(rename = "TAKE")]
            Take = 7,
        }

        /// The numbers of a state after an event. In the log they stand under the tag of the kind: `{"level":{"onHand":5,...}}`; before
        /// format 2 they had no tag.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum After { $($(#[$doc])* #[serde(rename = $tag)] $name(<$kind as Kind>::After),)+ }

        /// The numbers of an [`After`] without the tag.
        #[derive(Debug, Clone, Copy, Serialize)]
        #[serde(untagged)]
        #[allow(missing_docs, reason = "the variants of After")]
        pub enum Numbers { $($name(<$kind as Kind>::After),)+ }

        /// A state as a line of a snapshot.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum StateRecord { $($(#[$doc])* #[serde(rename = $tag)] $name(<$kind as Kind>::Record),)+ }

        /// As much of a [`StateRecord`] as tells its key and its holds; reading it skips the rest.
        #[derive(Debug, Deserialize)]
        #[allow(missing_docs, reason = "the fields of Key, by name")]
        pub enum StateKey {
            $(
                $(#[$doc])*
                #[serde(rename = $tag, rename_all = "camelCase")]
                $name { $($($field: $part,)+)? #[serde(default)] holds: Vec<IgnoredAny> },
            )+
        }

        /// The payload of a `TAKE` event: one state, under its tag.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(non_snake_case, reason = "named by the kinds")]
        pub(super) struct TakenJson { epoch: u64, $(#[serde(rename = $tag)] $name: Option<<$kind as Kind>::Record>,)+ }
    };
}

pub(in crate::ledger) use kind_enums;
