//! Endpoints: a route and the handler that answers it.
//!
//! A handler is an axum handler; all share one state. [`get`] makes a read; [`post`], [`put`], [`patch`] and [`delete`] make
//! a change of one thing. The methods of [`Endpoint`] make the other kinds of routes.

use crate::edge::gates::{Gate, GateEntry};
use crate::edge::route::{Cache, Need, ReadCommand, Route};
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use http::Method;
use std::pin::Pin;

/// A route and its handler, not yet bound to the state.
pub(crate) struct Endpoint<S> {
    /// The route as openapi.yaml describes it.
    pub(crate) route: Route,
    bind: Box<dyn FnOnce(S) -> Answering>,
}

/// The handler of a route, bound to the state.
pub(crate) type Answering =
    Box<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $method:ident $entry:expr;)*) => {
        $($(#[$doc])*
        pub(crate) fn $name<T: 'static, S: Clone + Send + Sync + 'static>(
            need: Need,
            template: &'static str,
            handler: impl Handler<T, S>,
        ) -> Endpoint<S> {
            Endpoint::new(need, Method::$method, template, $entry, handler)
        })*
    };
}

constructors! {
    /// A read of something that has no version.
    get GET GateEntry::AtOnce(Gate::Reads);
    /// A change of one thing, with a body.
    post POST GateEntry::Later(Gate::Writes);
    /// A replacement of one thing, admitted as a [`post`].
    put PUT GateEntry::Later(Gate::Writes);
    /// A partial change of one thing, admitted as a [`post`].
    patch PATCH GateEntry::Later(Gate::Writes);
    /// A change of one thing without a body, so there is none to wait for.
    delete DELETE GateEntry::AtOnce(Gate::Writes);
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    fn new<T: 'static>(
        need: Need,
        method: Method,
        template: &'static str,
        entry: GateEntry,
        handler: impl Handler<T, S>,
    ) -> Self {
        let bind = |state: S| -> Answering {
            Box::new(move |request| Box::pin(handler.clone().call(request, state.clone())))
        };
        let route = Route {
            template,
            method,
            query: &[],
            entry,
            sequenced: false,
            cache: Cache::Never,
            need,
            command: None,
        };
        Self { route, bind: Box::new(bind) }
    }

    /// The same endpoint with query parameters.
    pub(crate) fn query(mut self, names: &'static [&'static str]) -> Self {
        self.route.query = names;
        self
    }

    /// The same endpoint with the reader of the command in its body, which decides what is needed.
    pub(crate) fn explained(mut self, command: ReadCommand) -> Self {
        self.route.command = Some(command);
        self
    }

    /// A list of what the log says, with the sequence that it includes at least: its caller follows the feed behind it.
    pub(crate) fn sequenced(mut self) -> Self {
        self.route.sequenced = true;
        self
    }

    /// A read of one thing that has a version, and so an `ETag`.
    pub(crate) fn versioned(mut self) -> Self {
        self.route.cache = Cache::Revalidate;
        self
    }

    /// A read that may wait before it reads: it takes its place only then.
    pub(crate) fn waiting(self) -> Self {
        self.entered(GateEntry::Later(Gate::Reads))
    }

    /// A read that is answered under any load.
    pub(crate) fn free(self) -> Self {
        self.entered(GateEntry::Free)
    }

    /// Many changes in one large body.
    pub(crate) fn bulk(self) -> Self {
        self.entered(GateEntry::AtOnce(Gate::Bulk))
    }

    /// A login, or what else takes a password.
    pub(crate) fn login(self) -> Self {
        self.entered(GateEntry::Later(Gate::Logins))
    }

    /// An operator's task.
    pub(crate) fn administration(self) -> Self {
        self.entered(GateEntry::AtOnce(Gate::Administration))
    }

    fn entered(mut self, entry: GateEntry) -> Self {
        self.route.entry = entry;
        self
    }

    /// The route, and its handler bound to the state.
    pub(crate) fn bound(self, state: S) -> (Route, Answering) {
        (self.route, (self.bind)(state))
    }
}
