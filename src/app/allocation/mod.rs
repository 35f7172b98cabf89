//! Allocation on the levels of the ledger: where lines would be sent from, now or on the levels of an earlier moment.

use crate::Ledger;
use crate::ports::Moment;
use crate::stock::ReadError;
use onhand_domain::allocation::{Demand, Plan, Routing, Rules, Site, SiteLevel};
use onhand_domain::identity::StoreScope;
use onhand_domain::{Key, Sku, State, StoreId};

/// Levels that one plan looks at, at most: those of a thousand stores for twenty SKUs.
pub const PLAN_LEVELS_MAX: usize = 20_000;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A level cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It would look at more than [`PLAN_LEVELS_MAX`] levels.
    #[error("{stores} stores and {skus} SKUs have more than {PLAN_LEVELS_MAX} levels")]
    TooLarge {
        /// The stores that have or had stock.
        stores: usize,
        /// The SKUs that are asked for.
        skus: usize,
    },
}

impl Ledger {
    /// The routing of the chain with its version; that of one which has set none is at version 0.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log of another process cannot be read.
    pub async fn routing(&self) -> Result<(Routing, u64), ReadError> {
        let seen = self.read(&Key::Routing, |state| match state {
            State::Routing(master) => (master.details.clone().unwrap_or_default(), master.version),
            _ => (Routing::default(), 0),
        });
        Ok(seen.await?.unwrap_or_default())
    }

    /// The rules for the orders of a channel, or of none, with the version of the routing.
    ///
    /// # Errors
    /// As [`Ledger::routing`].
    pub(crate) async fn rules_of(&self, channel_id: Option<&str>) -> Result<(Rules, u64), ReadError> {
        let seen = self.read(&Key::Routing, |state| match state {
            State::Routing(master) => {
                let rules = master.details.as_ref().map(|routing| routing.of(channel_id).clone());
                (rules.unwrap_or_default(), master.version)
            }
            _ => (Rules::default(), 0),
        });
        Ok(seen.await?.unwrap_or_default())
    }

    /// Plans where a demand would be sent from, among the stores of `scope` that have or had stock. Nothing is changed, and nothing is
    /// held. `as_of` takes the levels of then; whether a store is closed is that of now.
    ///
    /// # Errors
    /// [`PlanError`].
    pub async fn plan(
        &self,
        demand: &Demand,
        rules: &Rules,
        scope: &StoreScope,
        as_of: Option<Moment>,
    ) -> Result<Plan, PlanError> {
        self.catch_up().await.map_err(ReadError::from)?;
        let stores: Vec<StoreId> = self.stores_with_stock(None).filter(|store| scope.covers(store)).collect();
        let skus = demand.skus().len();
        if stores.len().saturating_mul(skus) > PLAN_LEVELS_MAX {
            return Err(PlanError::TooLarge { stores: stores.len(), skus });
        }
        let mut sites = Vec::with_capacity(stores.len());
        for store_id in stores {
            let described = self.store(&store_id).await?.and_then(|view| view.described);
            let mut levels = Vec::with_capacity(skus);
            for sku in demand.skus() {
                levels.push(self.site_level(&store_id, sku, as_of).await?);
            }
            sites.push(Site {
                store_id,
                closed: described.is_some_and(|described| !described.store.active),
                levels,
            });
        }
        Ok(Plan::of(demand, &sites, rules))
    }

    async fn site_level(
        &self,
        store_id: &StoreId,
        sku: &Sku,
        as_of: Option<Moment>,
    ) -> Result<SiteLevel, ReadError> {
        let level = match as_of {
            None => self.level(store_id, sku).await?,
            Some(moment) => self.level_as_of(store_id, sku, moment).await?,
        };
        let level = level.map(|level| SiteLevel { qty: level.numbers.qty(), version: level.numbers.version });
        Ok(level.unwrap_or_default())
    }
}
