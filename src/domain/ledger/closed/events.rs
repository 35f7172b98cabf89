//! The methods of facts, numbers and records, dispatched by kind.

macro_rules! kind_events {
    ($(
        $(#[$doc:meta])*
        $name:ident $tag:literal $kind:ty $(, ($($field:ident: $part:ident),+))? {
            $($event:ident = $code:literal $text:literal),+ $(,)?
        }
    )+) => {
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

        impl Fact {
            /// The kind of its event.
            pub fn kind(&self) -> EventKind {
                match self {
                    $(Self::$name(fact) => <$kind as Kind>::event(fact),)+
                    Self::Take(_) => EventKind::Take,
                }
            }

            /// The key of the state it moves.
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$name(fact) => {
                        let ($($($field,)+)?) = <$kind as Kind>::id(fact);
                        Key::$name $(($($field),+))?
                    })+
                    Self::Take(taken) => taken.key(),
                }
            }

            /// The store and the SKU of a fact or record about one SKU in one store.
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

            /// The numbers before the event, computed from those after it; none when the two do not fit.
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

            /// The version of the state.
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
            /// The key of the state.
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

            /// The store and the SKU of a fact or record about one SKU in one store.
            pub fn place(&self) -> Option<(&StoreId, &Sku)> {
                match self { $(Self::$name(record) => <$kind as Kind>::place_in(record),)+ }
            }

            /// The number of open holds.
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

pub(in crate::ledger) use kind_events;
