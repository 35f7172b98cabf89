//! The commands of identity: persons, tokens, nodes, keys, the mode, and what a caller may do. Each sends the request that a
//! program would send, so there is one implementation of every change.
//!
//! | file | content |
//! | --- | --- |
//! | `options` | which node, and how the result is printed |
//! | `connection` | the way to that node: HTTP, its local socket, or its files |
//! | `refusal` | a refusal of the node as message and exit code |
//! | `grants` | grants on the command line; added to others, and taken away |
//! | `output` | tables, JSON, secrets, hints |
//! | `token`, `user` | one folder a noun: options, requests, an entry for `IDENTITY_FILE` |
//! | `node_token`, `keys`, `mode`, `access`, `customer` | one file a command |

pub mod access;
mod connection;
pub mod customer;
mod grants;
pub mod keys;
pub mod mode;
pub mod node_token;
mod options;
mod output;
mod refusal;
pub mod token;
pub mod user;

pub use connection::{Local, OpenNode, OpenedNode};
