//! The admission of one request: its place at the gate of its route, and its turn where the work is long.
//!
//! The edge makes one for each request and drops it with the answer. Handlers and extractors may acquire more
//! through it, but never own a permit, so none can forget to return it.

use crate::edge::gates::{Gate, GateEntry, Gates};
use crate::limits::{BATCH_BODY_BYTES_MAX, COMMAND_BODY_BYTES_MAX};
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use onhand_resilience::{Seat, WorkPermit};
use parking_lot::Mutex;
use std::sync::Arc;

/// The permits that one request holds at its gate.
#[derive(Debug)]
pub(crate) struct Admission {
    gates: Arc<Gates>,
    entry: GateEntry,
    held: Mutex<PlaceAndTurn>,
}

#[derive(Debug)]
struct PlaceAndTurn {
    place: Option<Seat>,
    turn: Option<WorkPermit>,
}

impl Admission {
    /// The admission of a request of a route with this entry, which has its place already or takes it later.
    pub(crate) fn new(gates: Arc<Gates>, entry: GateEntry, place: Option<Seat>) -> Self {
        Self { gates, entry, held: Mutex::new(PlaceAndTurn { place, turn: None }) }
    }

    /// Takes the place of a request that takes it later: now it is complete. Others have theirs.
    pub(crate) fn enter(&self) -> Result<(), Problem> {
        let mut held = self.held.lock();
        if let (GateEntry::Later(gate), None) = (self.entry, &held.place) {
            held.place = Some(self.gates.enter(gate)?);
        }
        Ok(())
    }

    /// Waits for the turn of a request with a large body before reading it, which limits the bodies in memory.
    pub(crate) async fn turn(&self) -> Result<(), Problem> {
        if let GateEntry::AtOnce(gate @ Gate::Bulk) = self.entry {
            let turn = self.gates.work(gate).await?;
            self.held.lock().turn = Some(turn);
        }
        Ok(())
    }

    /// The longest body that the route takes.
    pub(crate) fn body_bytes_max(&self) -> usize {
        match self.entry {
            GateEntry::AtOnce(Gate::Bulk) | GateEntry::Later(Gate::Bulk) => BATCH_BODY_BYTES_MAX,
            GateEntry::Free | GateEntry::AtOnce(_) | GateEntry::Later(_) => COMMAND_BODY_BYTES_MAX,
        }
    }

    /// The admission of the request that has these extensions.
    pub(crate) fn of(extensions: &Extensions) -> Result<Arc<Self>, Problem> {
        let missing = || Problem::plain(Code::Internal).because(&"a request that came by no edge");
        extensions.get::<Arc<Self>>().cloned().ok_or_else(missing)
    }
}

/// The admission as an extractor, for handlers that take the place of their request themselves.
#[derive(Debug)]
pub(crate) struct Admitted(pub(crate) Arc<Admission>);

impl<S: Send + Sync> FromRequestParts<S> for Admitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Admission::of(&parts.extensions).map(Self)
    }
}
