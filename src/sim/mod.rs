//! The simulated world for rehearsing crashes.
