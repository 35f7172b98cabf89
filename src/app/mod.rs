//! The use cases: async, they know ports and no technology.
