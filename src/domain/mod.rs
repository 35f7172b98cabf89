//! The rules of stock: pure.
