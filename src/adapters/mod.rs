//! One folder per technology; siblings never import each other.

pub mod file;
pub mod http;
pub mod remote;
