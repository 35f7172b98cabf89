//! Reads of the movements of a level, oldest first, with the numbers before and after.

use crate::Ledger;
use crate::blocking;
use crate::ports::{History, HistoryError, Moment, Movement, MovementQuery};
use onhand_domain::stock::LevelAfter;
use onhand_domain::{After, Fact, Key, Sequence, Sku, StoreId};
use std::collections::BTreeMap;
use std::fmt;

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log cannot be read back.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A sequence is ambiguous in a ledger with several logs.
    #[error("the stock has several logs, each with sequences of its own")]
    SeveralLogs,
    /// The moment is in the future.
    #[error("asOf lies in the future: the log ends at sequence {end}")]
    Future {
        /// The durable end of the log.
        end: Sequence,
    },
}

/// One movement with the numbers before and after it.
#[derive(Debug, Clone, PartialEq)]
pub struct MovementView {
    /// The number of its log; 0 when there is one log.
    pub log: u16,
    /// The event with the data of its entry.
    pub movement: Movement,
    /// The numbers before it.
    pub before: LevelAfter,
    /// The numbers after it.
    pub after: LevelAfter,
}

/// The position of a reader of movements in each log of the ledger. Written `1041` for one log, and `1:1041,2:77` for several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovementPlace(BTreeMap<u16, Sequence>);

impl MovementPlace {
    /// Parses the written form.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(sequence) = text.parse() {
            return Some(Self(BTreeMap::from([(0, Sequence(sequence))])));
        }
        let part = |part: &str| {
            let (log, sequence) = part.split_once(':')?;
            Some((log.parse().ok()?, Sequence(sequence.parse().ok()?)))
        };
        text.split(',').map(part).collect::<Option<_>>().map(Self)
    }

    /// The position in a log.
    pub(crate) fn of(&self, log: u16) -> Sequence {
        self.0.get(&log).copied().unwrap_or_default()
    }

    /// Sets the position in a log.
    pub(crate) fn reach(&mut self, log: u16, through: Sequence) {
        self.0.insert(log, through);
    }

    /// Advances the position behind a movement.
    pub fn pass(&mut self, view: &MovementView) {
        self.0.insert(view.log, view.movement.sequence);
    }
}

impl fmt::Display for MovementPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (log, sequence)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match log {
                0 => write!(formatter, "{comma}{sequence}")?,
                log => write!(formatter, "{comma}{log}:{sequence}")?,
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// The movements of a level after `place`, in the order of its versions; empty when it never existed.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn movements(
        &self,
        store_id: &StoreId,
        sku: &Sku,
        place: &MovementPlace,
        query: MovementQuery,
    ) -> Result<Vec<MovementView>, ReadError> {
        let histories = self.histories().await?;
        let (key, place) = (Key::Level(store_id.clone(), sku.clone()), place.clone());
        let read = move || {
            let mut views = Vec::new();
            for (log, history) in histories {
                views.extend(movements(
                    &*history,
                    &key,
                    log,
                    MovementQuery { after: place.of(log), ..query },
                )?);
            }
            views.sort_by_key(|view| view.after.version);
            views.truncate(query.limit);
            Ok::<_, HistoryError>(views)
        };
        Ok(blocking(read).await?)
    }

    pub(crate) fn check_past(&self, moment: Moment) -> Result<(), ReadError> {
        if matches!(moment, Moment::Sequence(_)) && self.is_shared() {
            return Err(ReadError::SeveralLogs);
        }
        let end = self.parts.log.durable().sequence();
        let future = match moment {
            Moment::Sequence(sequence) => sequence > end,
            // The current millisecond is not over, so a read of it could still change.
            Moment::Time(time) => time >= self.now(),
        };
        if future { Err(ReadError::Future { end }) } else { Ok(()) }
    }
}

/// Reads until the page is full: a `TAKE` in the history is no movement.
fn movements(
    history: &dyn History,
    key: &Key,
    log: u16,
    mut query: MovementQuery,
) -> Result<Vec<MovementView>, HistoryError> {
    let mut views: Vec<MovementView> = Vec::new();
    while query.limit > 0 {
        let movements = history.movements(key, &query)?;
        let more = movements.len() == query.limit;
        let Some(last) = movements.last().filter(|_| more).map(|movement| movement.sequence) else {
            views.extend(movements.into_iter().filter_map(|movement| view(log, movement)));
            break;
        };
        let found = views.len();
        views.extend(movements.into_iter().filter_map(|movement| view(log, movement)));
        (query.after, query.limit) = (last, query.limit - (views.len() - found));
    }
    Ok(views)
}

pub(crate) fn view(log: u16, movement: Movement) -> Option<MovementView> {
    match (&movement.event.fact, movement.event.after) {
        (Fact::Level(fact), After::Level(after)) => {
            let before = after.before(fact.effect())?;
            Some(MovementView { log, movement, before, after })
        }
        _ => None,
    }
}
