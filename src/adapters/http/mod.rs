//! HTTP: the contract of openapi.yaml on a socket.
