//! The decision of an import's rows: each row on its own, all in one entry with the step of the import.

use crate::catalogue::check_listed;
use crate::identity::{Access, Denied, Permission};
use crate::imports::{Import, ImportFact, RefusedRow};
use crate::stock::{self, AdjustKind, Adjusted, Level, StockFact};
use crate::{Decide, Draft, Fact, ImportId, Key, Quantity, Refusal, Rejection, Sku, StoreId, Timestamp};
use smol_str::SmolStr;

/// Rows of one import that follow those already done.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRows {
    /// The id of the import.
    pub import_id: ImportId,
    /// The last decided row; must be that of the import.
    pub after_row: u64,
    /// The last row of this step; rows in between that are missing were refused by the importer itself.
    pub through_row: u64,
    /// True when no row follows.
    pub last: bool,
    /// The rows, strictly increasing within (`after_row`, `through_row`].
    pub rows: Vec<ImportRow>,
    /// True when the caller has begun the import, or begins it with these rows.
    pub is_own: bool,
}

/// One row: a movement of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRow {
    /// Its number in the file, from 1.
    pub row: u64,
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
    /// The kind of movement, which tells whether pieces come or go.
    pub kind: AdjustKind,
    /// How many pieces, at least 1.
    pub quantity: Quantity,
    /// The caller's reference, such as an invoice number.
    pub reference: Option<SmolStr>,
    /// The time of the movement in the shop, for information.
    pub occurred_at: Option<Timestamp>,
    /// The opening stock of a level at version 0, before the movement.
    pub opening_stock: Option<Quantity>,
}

impl Decide for ImportRows {
    /// An import belongs to who began it. Others may go on with it, or end it, where they may run imports everywhere.
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        if !self.is_own || !access.may_somewhere(Permission::ImportRun) {
            return access.permit(Permission::ImportRun);
        }
        let permit = |(part, row): (usize, &ImportRow)| {
            let permitted = access.permit_in(Permission::ImportRun, &row.store_id);
            permitted.map_err(|denied| Denied { part: Some(("rows", part)), ..denied })
        };
        self.rows.iter().enumerate().try_for_each(permit)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.extend(self.rows.iter().map(|row| Key::Level(row.store_id.clone(), row.sku.clone())));
        keys.push(Key::Import(self.import_id.clone()));
    }

    /// Decides every row on its own, and then records the step.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let import = draft.state::<Import>(&Key::Import(self.import_id.clone()));
        if import.rows_done != self.after_row || import.finished {
            return Err(Rejection::ImportOutOfStep { rows_done: import.rows_done }.into());
        }
        let mut refused = Vec::new();
        for row in &self.rows {
            if let Err(rejection) = decide_row(draft, row) {
                refused.push(RefusedRow { row: row.row, rejection });
            }
        }
        let applied = (self.rows.len() - refused.len()) as u64;
        draft.record(Fact::Import(ImportFact {
            import_id: self.import_id.clone(),
            after_row: self.after_row,
            through_row: self.through_row,
            applied,
            refused,
            last: self.last,
        }));
        Ok(())
    }
}

fn decide_row(draft: &mut Draft<'_>, row: &ImportRow) -> Result<(), Rejection> {
    let key = Key::Level(row.store_id.clone(), row.sku.clone());
    let movement = |delta: Quantity, reason: &'static str| Adjusted {
        sku: row.sku.clone(),
        store_id: row.store_id.clone(),
        delta,
        expected_version: None,
        reason: Some(SmolStr::new_static(reason)),
        reference: row.reference.clone(),
        occurred_at: row.occurred_at,
        kind: None,
    };
    let delta = row.kind.delta(row.quantity);
    let opening = row.opening_stock.filter(|pieces| *pieces > Quantity::ZERO);
    let opening = opening.filter(|_| draft.state::<Level>(&key).version() == 0);
    if opening.is_some() || !delta.is_negative() {
        check_listed(draft, &key, &row.sku)?;
    }
    if let Some(opening) = opening {
        draft.record(Fact::Level(StockFact::Adjust(movement(opening, "opening stock"))));
    }
    stock::check_delta(draft.state::<Level>(&key), delta)?;
    draft.record(Fact::Level(StockFact::Adjust(movement(delta, row.kind.as_str()))));
    Ok(())
}
