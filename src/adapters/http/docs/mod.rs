//! What explains the program: the contract, the page to try it on, the meaning of each problem, and the entry page.

pub(crate) mod home;
pub(crate) mod openapi;
pub(crate) mod problems;
pub(crate) mod swagger;
