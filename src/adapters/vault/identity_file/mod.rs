//! The file that declares people and tokens, and whether logins of central are good (`IDENTITY_FILE`), in TOML:
//!
//! ```toml
//! [[people]]
//! login = "ada"
//! name = "Ada L."                                          # may be left out
//! email = "ada@example.com"                                # may be left out
//! password_hash = "$argon2id$v=19$m=19456,t=2,p=1$..."
//! grants = [{ role = "admin" }]
//!
//! [[tokens]]
//! id = "0123456789ab"
//! name = "till-3"
//! kind = "till"                                            # service, till, team or node
//! sha256 = "64 hexadecimal digits"                         # of the whole text of the token
//! grants = [{ role = "till", stores = ["BERLIN"] }]
//! expires = 2027-11-30T00:00:00Z                           # may be left out: as long as the file names it
//!
//! [central]                                                # may be left out: nobody of central may do anything here
//! url = "https://central.example.com"
//! grants = [{ role = "manager", stores = ["BERLIN"] }]     # the ceiling of its people here
//! ```
//! A password has no place in it, only its hash. `onhand user new` and `onhand token new` print entries. A fault names line and
//! column, and never a value: it may be a secret.

mod entry;
mod fault;
mod read;

pub use entry::{person_entry, token_entry};
pub use fault::IdentityFileFault;
pub use read::parse;
