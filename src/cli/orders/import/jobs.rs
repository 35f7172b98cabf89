//! The second pass: the orders of the file, each as soon as its last row was read.

use std::collections::HashMap;

use super::columns::{self, OrderColumns};
use super::options::ImportOrdersArgs;
use super::row::{self, OrderRow, OrderedLine};
use super::survey::OrderSurvey;
use crate::import::table::CsvFile;
use onhand_domain::catalogue::Currency;
use onhand_domain::{CustomerId, OrderId, Sku};
use onhand_runtime::exit::{Exit, Failure};

/// Rows of unfinished orders that are held in memory, at most.
const ROWS_HELD_MAX: usize = 1_000_000;

/// An order that is to be sent, or a credit note.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its place in the survey.
    pub(super) place: usize,
    pub(super) order_id: OrderId,
    pub(super) customer_id: Option<CustomerId>,
    pub(super) lines: Vec<OrderedLine>,
    pub(super) is_credit_note: bool,
}

/// The orders of the file, in the order of their last rows. An order that cannot be sent is left out.
pub(super) struct Jobs<'a> {
    survey: &'a OrderSurvey,
    table: CsvFile,
    columns: OrderColumns,
    currency: Option<Currency>,
    /// Orders of which rows are still to come, by place.
    open: HashMap<usize, Job>,
    held: usize,
}

impl Job {
    /// The SKUs of its lines; one may come twice.
    pub(super) fn skus(&self) -> impl Iterator<Item = &Sku> {
        self.lines.iter().map(|line| &line.sku)
    }
}

impl<'a> Jobs<'a> {
    /// Opens the file again.
    ///
    /// # Errors
    /// Those of [`columns::open`].
    pub(super) fn open(survey: &'a OrderSurvey, args: &ImportOrdersArgs) -> Result<Self, Failure> {
        let (table, columns) = columns::open(args)?;
        Ok(Self { survey, table, columns, currency: args.currency, open: HashMap::new(), held: 0 })
    }

    /// The next order; none at the end of the file.
    ///
    /// # Errors
    /// Those of reading the file; [`Exit::Data`] when it has changed, or its orders are scattered too widely.
    pub(super) fn next(&mut self) -> Result<Option<Job>, Failure> {
        while let Some(record) = self.table.next()? {
            let (number, read) = (record.row, row::read(&record, &self.columns, self.currency));
            let Ok(row) = read else { continue };
            let place = self.survey.place(&row.order_id);
            let place = place.ok_or_else(|| changed(self.survey))?;
            let order = self.survey.orders.get(place).expect("a place is that of an order");
            if !order.is_sent() {
                continue;
            }
            let job = self.open.entry(place).or_insert_with(|| Job {
                place,
                order_id: row.order_id.clone(),
                customer_id: None,
                lines: Vec::new(),
                is_credit_note: order.is_credit_note,
            });
            add(job, row);
            self.held += 1;
            if number == order.last_row {
                let job = self.open.remove(&place);
                self.held -= job.as_ref().map_or(0, |job| job.lines.len());
                return Ok(job);
            }
            if self.held > ROWS_HELD_MAX {
                return Err(self.scattered(number));
            }
        }
        let same = self.table.fingerprint() == self.survey.fingerprint;
        if same { Ok(None) } else { Err(changed(self.survey)) }
    }

    fn scattered(&self, row: u64) -> Failure {
        let message = format!(
            "{}: up to row {row} more than {ROWS_HELD_MAX} rows are of orders that go on later; sort the file by its \
             order column and run the same command again",
            self.survey.path.display()
        );
        Failure::new(Exit::Data, message)
    }
}

fn add(job: &mut Job, row: OrderRow) {
    job.customer_id = job.customer_id.take().or(row.customer_id);
    job.lines.push(row.line);
}

/// The failure for a file that is another one than at the first pass.
pub(super) fn changed(survey: &OrderSurvey) -> Failure {
    let path = survey.path.display();
    let message = format!(
        "{path} changed while it was read; what was done stays done, put it back as it was and run the same command again"
    );
    Failure::new(Exit::Data, message)
}
