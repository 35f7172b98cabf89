//! The methods of keys and states, dispatched by kind.

macro_rules! kind_states {
    ($(
        $(#[$doc:meta])*
        $name:ident $tag:literal $kind:ty $(, ($($field:ident: $part:ident),+))? {
            $($event:ident = $code:literal $text:literal),+ $(,)?
        }
    )+) => {
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

            /// The id within the kind, in at most two parts; missing parts are empty.
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
            pub const fn lease(&self) -> Leasing {
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
            /// The state of a key without events: version 0.
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

            /// The number of events of the state; 0 when there was none.
            pub fn version(&self) -> u64 {
                match self { $(Self::$name(state) => <$kind as Kind>::version(state),)+ }
            }

            /// Sets the time of the last change, once the log has given the entry its time.
            pub fn set_updated_at(&mut self, at: Timestamp) {
                match self { $(Self::$name(state) => <$kind as Kind>::set_updated_at(state, at),)+ }
            }

            /// The next moment at which part of the state falls due, such as the first expiry of a hold.
            pub fn next_due(&self) -> Option<Timestamp> {
                match self { $(Self::$name(state) => <$kind as Kind>::next_due(state),)+ }
            }

            /// At most `most` facts of the parts due at `now` in the state under that key, earliest first.
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
    };
}

pub(in crate::ledger) use kind_states;
