//! `onhand customer erase`: the personal data of a customer, erased everywhere.

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::options::{AdminOptions, with_exit_codes};
use crate::admin::output::done;
use crate::terminal::run_client;
use clap::{Args, Subcommand};
use http::Method;
use onhand_domain::{CustomerId, OrderId};
use onhand_runtime::exit::{Exit, Failure};
use serde_json::json;

/// Erase the personal data of customers
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand customer erase c-4711
  onhand customer erase --order o-1          a guest, who has no id"))]
pub struct CustomerArgs {
    #[command(subcommand)]
    verb: CustomerVerb,
}

#[derive(Subcommand, Debug)]
enum CustomerVerb {
    /// Erase names and addresses in all orders of a customer: in log, archive, snapshots and backups, for good
    Erase {
        #[command(flatten)]
        node: AdminOptions,

        /// The customer
        #[arg(required_unless_present = "order", conflicts_with = "order", value_parser = customer_id)]
        customer_id: Option<CustomerId>,

        /// An order without a customer, of a guest
        #[arg(long, value_name = "ORDER_ID", value_parser = order_id)]
        order: Option<OrderId>,
    },
}

fn customer_id(text: &str) -> Result<CustomerId, String> {
    CustomerId::new(text).map_err(|error| error.to_string())
}

fn order_id(text: &str) -> Result<OrderId, String> {
    OrderId::new(text).map_err(|error| error.to_string())
}

/// Erases. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &CustomerArgs, open: OpenNode) -> Result<Exit, Failure> {
    let CustomerVerb::Erase { node, customer_id, order } = &args.verb;
    run_client::run(async {
        let connection = Connection::open(node, open).await?;
        let (path, whose) = match (customer_id, order) {
            (Some(id), _) => (format!("/customers/{id}/erase"), format!("customer {id}")),
            (None, Some(id)) => (format!("/orders/{id}/erase"), format!("order {id}")),
            (None, None) => unreachable!("one of them is required"),
        };
        let answer = connection.change(Method::POST, &path, Some(&json!({})), None).await;
        let printed = answer.and_then(|answer| {
            let told = if answer.body.get("erased") == Some(&true.into()) {
                format!("the personal data of {whose} is erased")
            } else {
                format!("there is no personal data of {whose}, or it was erased before")
            };
            done(node.output, &answer.body, &told)
        });
        connection.close(printed.map(|()| Exit::Ok))
    })
}
