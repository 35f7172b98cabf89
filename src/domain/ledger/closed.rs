//! The macros that make the closed enums of the ledger of the lists in `registry.rs`.
//!
//! Closed enums rather than trait objects: the compiler knows every place that looks at a kind, and nothing on the way of a write
//! is called through a pointer.

/// Makes [`Key`](super::Key), [`State`](super::State), [`Undo`](super::Undo), [`Fact`](super::Fact), [`EventKind`](super::EventKind),
/// [`After`](super::After), [`StateRecord`](super::StateRecord), [`StateKey`](super::StateKey) and the JSON of
/// [`Taken`](super::Taken) of the kinds of state.
///
/// One row a kind: `Name "tag" Kind (id: Type, ...) { Event = number "NAME", ... }`. The tag names the kind in the log, in snapshots
/// and in keys, the number an event in an index: neither may ever change. The order of rows is the order in which mutexes are taken.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $name:ident $tag:literal $kind:ty $(, ($($field:ident: $part:ident),+))? {
            $($event:ident = $code:literal $text:literal),+ $(,)?
        }
    )+) => {
        /// The name of one state in the ledger. The order of keys is the order in which their mutexes are taken.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key { $($(#[$doc])* $name $(($($part),+))?,)+ }

        /// One state of the ledger: what the events of its key add up to.
        #[derive(Debug, Clone, PartialEq)]
        pub enum State { $($(#[$doc])* $name(<$kind as Kind>::State),)+ }

        /// How to roll one event back, in reverse order of applying.
        #[derive(Debug)]
        pub enum Undo {
            $($(#[$doc])* $name(<$kind as Kind>::Undo),)+
            /// A state that was taken over: what it was.
            Taken(Box<State>),
        }

        /// What an event says.
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

        /// The numbers a state came to by an event. In the log they stand under the tag of the kind: `{"level":{"onHand":5,...}}`;
        /// before format 2 they stood there without.
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

        impl TryFrom<TakenJson> for Taken {
            type Error = &'static str;

            fn try_from(json: TakenJson) -> Result<Self, &'static str> {
                let states = [$(json.$name.map(StateRecord::$name),)+];
                let mut states = states.into_iter().flatten();
                match (states.next(), states.next()) {
                    (Some(state), None) if !state.key().is_of_one_log() => Ok(Self { epoch: json.epoch, state }),
                    _ => Err("must have one state, such as a level or an import"),
                }
            }
        }

        $(
            impl Registered for $kind {
                fn state(state: &State) -> Option<&Self::State> {
                    if let State::$name(state) = state { Some(state) } else { None }
                }

                fn fact(fact: Self::Fact) -> Fact {
                    Fact::$name(fact)
                }
            }
        )+

        impl Key {
            /// The tag of the key's kind.
            pub const fn tag(&self) -> &'static str {
                match self { $(Self::$name { .. } => $tag,)+ }
            }

            /// The id within the kind, in at most two parts; an empty one for each that it does not have.
            pub fn parts(&self) -> [&str; 2] {
                match self { $(Self::$name $(($($field),+))? => two(&[$($($field.as_str()),+)?]),)+ }
            }

            /// The key of that tag and id, as [`Key`] shows it.
            pub(super) fn of(tag: &str, id: &str) -> Option<Self> {
                match tag {
                    $($tag => {
                        let names: &[&str] = &[$($(stringify!($field)),+)?];
                        let mut parts = id.splitn(names.len().max(1), '/');
                        let key = Self::$name $(($($part::new(parts.next()?).ok()?),+))?;
                        parts.next().is_none_or(str::is_empty).then_some(key)
                    })+
                    _ => None,
                }
            }

            /// Which process may decide on its state.
            pub const fn lease(&self) -> Lease {
                match self { $(Self::$name { .. } => <$kind as Kind>::LEASE,)+ }
            }

            /// Another state that is decided on together with this one.
            pub fn decided_with(&self) -> Option<Self> {
                match self {
                    $(Self::$name $(($($field),+))? => <$kind as Kind>::decided_with(&($($($field.clone(),)+)?)),)+
                }
            }
        }

        impl State {
            /// The state of a key of which no event is known: version 0.
            pub fn absent(key: &Key) -> Self {
                match key { $(Key::$name { .. } => Self::$name(Default::default()),)+ }
            }

            /// Moves the state by one event of its key.
            ///
            /// # Errors
            /// [`Misfit`] when the event cannot have happened to this state, which is then unchanged.
            pub fn apply(&mut self, fact: &Fact, at: Timestamp) -> Result<Undo, Misfit> {
                match (self, fact) {
                    $((Self::$name(state), Fact::$name(fact)) => {
                        <$kind as Kind>::apply(state, fact, at).map(Undo::$name)
                    })+
                    (state, Fact::Take(taken)) => state.take_over(taken).map(Undo::Taken),
                    _ => Err(Misfit::KIND),
                }
            }

            /// Rolls the last event back.
            pub fn undo(&mut self, undo: Undo) {
                match (self, undo) {
                    $((Self::$name(state), Undo::$name(undo)) => <$kind as Kind>::undo(state, undo),)+
                    (state, Undo::Taken(before)) => *state = *before,
                    _ => unreachable!("an undo goes back to the state it came from"),
                }
            }

            /// The numbers that an event records as `after`.
            pub fn after(&self) -> After {
                match self { $(Self::$name(state) => After::$name(<$kind as Kind>::after(state)),)+ }
            }

            /// Strictly increasing by 1 with every event; 0 when there was none.
            pub fn version(&self) -> u64 {
                match self { $(Self::$name(state) => <$kind as Kind>::version(state),)+ }
            }

            /// Sets the time of the last change, once the log has given the entry its time.
            pub fn set_updated_at(&mut self, at: Timestamp) {
                match self { $(Self::$name(state) => <$kind as Kind>::set_updated_at(state, at),)+ }
            }

            /// When something of this state falls due by itself, such as the first expiry of a hold.
            pub fn next_due(&self) -> Option<Timestamp> {
                match self { $(Self::$name(state) => <$kind as Kind>::next_due(state),)+ }
            }

            /// At most `most` facts of what is due at `now` in the state under that key, earliest first.
            pub(super) fn due(&self, key: &Key, now: Timestamp, most: usize) -> Vec<Fact> {
                match (self, key) {
                    $((Self::$name(state), Key::$name $(($($field),+))?) => {
                        let id = ($($($field.clone(),)+)?);
                        let facts = <$kind as Kind>::due(state, &id, now, most);
                        facts.into_iter().map(Fact::$name).collect()
                    })+
                    _ => unreachable!("a state stands under a key of its own kind"),
                }
            }

            /// The snapshot line of the state under that key.
            pub fn record(&self, key: &Key) -> StateRecord {
                match (self, key) {
                    $((Self::$name(state), Key::$name $(($($field),+))?) => {
                        StateRecord::$name(<$kind as Kind>::record(state, ($($($field.clone(),)+)?)))
                    })+
                    _ => unreachable!("a state stands under a key of its own kind"),
                }
            }
        }

        impl Fact {
            /// Which kind of event says it.
            pub fn kind(&self) -> EventKind {
                match self {
                    $(Self::$name(fact) => <$kind as Kind>::event(fact),)+
                    Self::Take(_) => EventKind::Take,
                }
            }

            /// Which state it moves.
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$name(fact) => {
                        let ($($($field,)+)?) = <$kind as Kind>::id(fact);
                        Key::$name $(($($field),+))?
                    })+
                    Self::Take(taken) => taken.key(),
                }
            }

            /// The store and the SKU, when it is about one SKU in one store.
            pub fn place(&self) -> Option<(&StoreId, &Sku)> {
                match self {
                    $(Self::$name(fact) => <$kind as Kind>::place(fact),)+
                    Self::Take(taken) => taken.state.place(),
                }
            }

            /// The kind of movement it is, if it is one.
            pub fn movement(&self) -> Option<MovementKind> {
                match self {
                    $(Self::$name(fact) => <$kind as Kind>::movement(fact),)+
                    Self::Take(_) => None,
                }
            }

            /// What the state was before the event, from what it was after; nothing when the two cannot belong together.
            pub fn before(&self, after: After) -> Option<After> {
                match (self, after) {
                    $((Self::$name(fact), After::$name(after)) => {
                        <$kind as Kind>::before(fact, after).map(After::$name)
                    })+
                    (Self::Take(taken), after) => taken.state.is_of(after).then_some(after),
                    _ => None,
                }
            }

            /// Reads the payload of an event of that kind.
            pub(super) fn read<'de, D: Deserializer<'de>>(event: EventKind, payload: D) -> Result<Self, D::Error> {
                match event {
                    $($(EventKind::$event)|+ => <$kind as Kind>::read(event, payload).map(Self::$name),)+
                    EventKind::Take => Deserialize::deserialize(payload).map(Self::Take),
                }
            }
        }

        impl EventKind {
            pub(super) const UNSORTED: &[Self] = &[$($(Self::$event,)+)+ Self::Take];

            /// The name in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$event => $text,)+)+ Self::Take => "TAKE" }
            }
        }

        impl After {
            pub(super) const TAGS: &[&str] = &[$($tag),+];

            /// The version the state has now.
            pub fn version(&self) -> u64 {
                match self { $(Self::$name(after) => <$kind as Kind>::version_of(after),)+ }
            }

            /// The numbers without the tag, as the feed shows them.
            pub const fn numbers(self) -> Numbers {
                match self { $(Self::$name(after) => Numbers::$name(after),)+ }
            }

            /// Reads the numbers without a tag, of a state that such a fact moves.
            pub(super) fn untagged(fact: &Fact, json: &str) -> Result<Self, serde_json::Error> {
                match fact {
                    $(Fact::$name(_) => serde_json::from_str(json).map(Self::$name),)+
                    Fact::Take(taken) => match &taken.state {
                        $(StateRecord::$name(_) => serde_json::from_str(json).map(Self::$name),)+
                    },
                }
            }
        }

        impl StateRecord {
            /// Which state it is.
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$name(record) => {
                        let ($($($field,)+)?) = <$kind as Kind>::id_in(record);
                        Key::$name $(($($field),+))?
                    })+
                }
            }

            /// The time of the last event.
            pub fn updated_at(&self) -> Timestamp {
                match self { $(Self::$name(record) => <$kind as Kind>::updated_at_in(record),)+ }
            }

            /// The store and the SKU, when it is about one SKU in one store.
            pub fn place(&self) -> Option<(&StoreId, &Sku)> {
                match self { $(Self::$name(record) => <$kind as Kind>::place_in(record),)+ }
            }

            /// How many open holds it carries.
            pub fn holds(&self) -> u64 {
                match self { $(Self::$name(record) => <$kind as Kind>::holds_in(record),)+ }
            }

            /// True when the numbers are those of the same kind of state.
            const fn is_of(&self, after: After) -> bool {
                matches!((self, after), $((Self::$name(_), After::$name(_)))|+)
            }

            /// The state and its key.
            ///
            /// # Errors
            /// [`Misfit`] when the record contradicts itself.
            pub fn restore(self) -> Result<(Key, State), Misfit> {
                match self {
                    $(Self::$name(record) => {
                        let (($($($field,)+)?), state) = <$kind as Kind>::restore(record)?;
                        Ok((Key::$name $(($($field),+))?, State::$name(state)))
                    })+
                }
            }
        }

        impl StateKey {
            /// The key, and the number of open holds.
            pub fn key(self) -> (Key, u64) {
                match self {
                    $(Self::$name { $($($field,)+)? holds } => (Key::$name $(($($field),+))?, holds.len() as u64),)+
                }
            }
        }
    };
}

/// Makes [`Command`](super::Command) of the commands, one variant a row: `Name(Type)`, where the type implements
/// [`Decide`](super::kind::Decide).
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($command:ty),)+) => {
        /// A wish to change something.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Command {
            $($(#[$doc])* $name($command),)+
            /// Let what is due on these states happen, and nothing else; a state that is decided on with another one brings that along.
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

/// Makes [`Rejection`](super::Rejection) of the reasons for which a command is refused: `Name "code" { fact: Type, ... } "sentence";`.
/// The code and the facts stand in the log where a batch refused some of its operations: they may never change.
macro_rules! rejections {
    ($($(#[$doc:meta])* $name:ident $code:literal $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })? $text:literal $([$($argument:tt)+])?;)+) => {
        /// Why a command was refused: nothing was changed. Serialised in the log (`code` and facts) where a batch refused some of its
        /// operations.
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
