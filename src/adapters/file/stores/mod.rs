//! Files of the worker and the webhook: the central model, dead letters, the last alert sent.

pub mod alerts_sent;
pub mod central;
pub mod dead_letters;
