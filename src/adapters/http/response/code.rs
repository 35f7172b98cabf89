//! The closed table of problem codes: name, status, title, `Retry-After` and description of each.

use http::StatusCode;

macro_rules! codes {
    ($($variant:ident $slug:literal $status:ident $title:literal retry $retry:expr, $description:literal;)*) => {
        /// The reason of a problem, for programs. The text form is stable and part of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $description] $variant,)*
        }

        impl Code {
            /// Every code, ordered by status.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code in its text form, as in `code` and at the end of `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// The status it is answered with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// A short title, the same in every case.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The cause of the problem and its remedy, in a sentence or two.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)* }
            }

            /// After how many milliseconds a retry makes sense; set for every 429 and 503.
            pub const fn retry_after_ms(self) -> Option<u64> {
                match self { $(Self::$variant => $retry,)* }
            }
        }
    };
}

codes! {
    InvalidRequest "invalid-request" BAD_REQUEST "The request is not valid" retry None,
        "A path, a query parameter, a header or the body breaks the contract; `errors` names each place. \
         Correct the request; repeating it as it is cannot succeed.";
    InvalidCursor "invalid-cursor" BAD_REQUEST "The cursor is not valid" retry None,
        "The cursor was not made by this server for this list. Start again without one.";
    Unauthorized "unauthorized" UNAUTHORIZED "The caller is not known" retry None,
        "The request has no credential, or one that is not good: malformed, expired, revoked, or of a disabled principal. Send \
         `Authorization: Bearer` with a token that is; nothing was done.";
    SetupRequired "setup-required" UNAUTHORIZED "Nobody can log in yet" retry None,
        "The server listens beyond its own machine, and there is no administrator yet. Make one on the machine it runs on: \
         `onhand user add`. Nothing was done.";
    Forbidden "forbidden" FORBIDDEN "It is not allowed" retry None,
        "The caller is known, and not allowed to do this here: `needs` names the permission, `scope` where it is needed, `have` where the \
         caller has it. Ask an administrator for a grant; nothing was done.";
    TlsRequired "tls-required" FORBIDDEN "Passwords need an encrypted connection" retry None,
        "A password came over plain HTTP from beyond this machine, where others can read it on its way; nothing was done. Use TLS, or \
         start the server with `PLAIN_HTTP=true` if the network is trusted. Change the password: it was sent.";
    ModeForbids "mode-forbids" FORBIDDEN "The present mode does not allow it" retry None,
        "The caller is granted this, and the present mode takes it away, as judging takes the injection of events from teams. Wait \
         until the mode is another one (`GET /mode`); nothing was done.";
    CrossSite "cross-site" FORBIDDEN "The request comes from a page of another site" retry None,
        "A browser has sent it for a page of another site, as its `Sec-Fetch-Site` or `Origin` says; nothing was done. Send it from a \
         program or from a page of this server, or start the server with the page's origin in `CORS_ORIGINS`.";
    NotFound "not-found" NOT_FOUND "There is no such thing" retry None,
        "The address leads to no route, or to a level, a product, a store, an import or a dead letter that does not exist. A level comes to be \
         with its first positive adjustment or count.";
    ReservationNotFound "reservation-not-found" NOT_FOUND "There is no such reservation" retry None,
        "The level has no reservation of that name. Check the store, the SKU and the reservationId.";
    ProductNotFound "product-not-found" NOT_FOUND "The catalogue does not know the SKU" retry None,
        "No product of that SKU is described, or not any more; nothing changed. Describe it first, or check the SKU.";
    ThresholdNotFound "threshold-not-found" NOT_FOUND "The store has no threshold of its own" retry None,
        "The store has no low-stock threshold of its own for the SKU; that of the product counts there, if it has one.";
    OrderNotFound "order-not-found" NOT_FOUND "There is no such order" retry None,
        "There is no order of that id, or none that the caller may see. Check the orderId.";
    ShipmentNotFound "shipment-not-found" NOT_FOUND "There is no such shipment" retry None,
        "There is no shipment of that id in a store of the caller. Check the shipmentId.";
    ReturnNotFound "return-not-found" NOT_FOUND "There is no such return" retry None,
        "The order has no return of that id. Check the returnId, or request the return first.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "The method is not allowed here" retry None,
        "The route exists, but not with this method; the Allow header names those that do.";
    RequestTimeout "request-timeout" REQUEST_TIMEOUT "The body did not arrive in time" retry None,
        "The body was not sent completely within the time allowed; nothing was done. Send it again.";
    VersionConflict "version-conflict" CONFLICT "It has another version" retry None,
        "If-Match or expectedVersion names a version that is not the current one; nothing changed. Read it again, \
         decide anew, and send the version in `currentVersion`.";
    InsufficientStock "insufficient-stock" CONFLICT "There is not enough stock" retry None,
        "The change would take more than `available`; nothing changed. Ask for less, or wait for stock.";
    OutOfRange "out-of-range" CONFLICT "The number would be too large" retry None,
        "The result would be beyond 9007199254740991, the largest number that every JSON reader holds exactly; nothing \
         changed. Send a smaller number.";
    IdempotencyKeyReused "idempotency-key-reused" CONFLICT "The idempotency key belongs to another request" retry None,
        "The same Idempotency-Key came before with another payload; nothing changed. Use a new key for a new request.";
    ReservationClosed "reservation-closed" CONFLICT "The reservation is closed" retry None,
        "The reservation has been released or committed completely; nothing is held any more.";
    ReservationExpired "reservation-expired" CONFLICT "The reservation has expired" retry None,
        "The reservation's time ran out and its stock went back on sale. Reserve again.";
    AlreadyExists "already-exists" CONFLICT "It exists already" retry None,
        "A reservation of that name was made before on this level. Choose another reservationId, or leave it out.";
    ProductExists "product-exists" CONFLICT "The catalogue knows the SKU already" retry None,
        "A product of that SKU is described already; nothing changed. Replace or patch it, or choose another SKU.";
    ProductDiffers "product-differs" CONFLICT "The catalogue says otherwise" retry None,
        "Among many products: the catalogue says something else of that SKU; it stays. Send it with `update: true` to \
         replace that, or leave the SKU out.";
    StoreExists "store-exists" CONFLICT "The store is described already" retry None,
        "A store of that name is described already; nothing changed. Replace what is said of it, or choose another \
         storeId.";
    LastAdmin "last-admin" CONFLICT "There would be no administrator" retry None,
        "Nobody could manage identity any more: no administrator would be left, or none that can log in; nothing changed. Make another \
         administrator first. The last token of one is revoked over the local socket only.";
    LoginTaken "login-taken" CONFLICT "Another person has the login" retry None,
        "Another person has this login or e-mail address; nothing changed. Choose another one.";
    ManagedByFile "managed-by-file" CONFLICT "A file declares it" retry None,
        "The person or token is declared in the file of `IDENTITY_FILE`, and changed there alone; nothing changed. Edit that file, and send the \
         server a SIGHUP.";
    OrderExists "order-exists" CONFLICT "There is an order of that id" retry None,
        "There is an order of that id already, and `differs` names what is other than in the request; nothing changed. Choose another id, or \
         send the order as it was.";
    IllegalTransition "illegal-transition" CONFLICT "The status does not follow" retry None,
        "The step does not follow the present status `from`; nothing changed. `allowed` has what can follow.";
    AlreadyShipped "already-shipped" CONFLICT "Pieces have left already" retry None,
        "Pieces of the order have left a store, so it cannot be cancelled any more; nothing changed.";
    NotAllotted "not-allotted" CONFLICT "Pieces wait for stock" retry None,
        "No store has been found for some pieces of the order yet; nothing changed. Allot them when stock has come in, or cancel the order.";
    PlanStale "plan-stale" CONFLICT "Stock was taken meanwhile" retry None,
        "The stores that were chosen had less by the time of the change, several times in a row; nothing changed. Send it again.";
    TooManyShipments "too-many-shipments" CONFLICT "Too many shipments" retry None,
        "An order has at most 50 shipments under way, and 999 in all; nothing changed. Close some, or place another order.";
    HeldByShipment "held-by-shipment" CONFLICT "A shipment holds these pieces" retry None,
        "Ids that end in .s and a number are those of shipments; nothing changed. Use the routes of /shipments, or another reservationId.";
    ShipmentClosed "shipment-closed" CONFLICT "The shipment holds nothing any more" retry None,
        "The shipment was sent, refused or cancelled; nothing changed. Read it to see what became of it.";
    ShipmentExceeds "shipment-exceeds" CONFLICT "More than the shipment holds" retry None,
        "The shipment holds only `available` pieces of the line; nothing changed. Send at most that.";
    OrderHeld "order-held" CONFLICT "The order is on hold" retry None,
        "Nothing of the order is sent as long as it is on hold; nothing changed. Release the hold first.";
    PaymentExists "payment-exists" CONFLICT "There is a payment of that id" retry None,
        "The order has a payment of that id with other content; nothing changed. Choose another paymentId.";
    TooManyPayments "too-many-payments" CONFLICT "Too many payments" retry None,
        "An order has at most 200 payments; nothing changed.";
    AmountExceeds "amount-exceeds" CONFLICT "The amount is too large" retry None,
        "No more is captured than was authorised or than the order costs, and no more is given back than was captured; nothing changed. \
         `available` is what may be.";
    ReturnExists "return-exists" CONFLICT "There is a return of that id" retry None,
        "The order has a return of that id in this state with other content; nothing changed. Choose another returnId.";
    TooManyReturns "too-many-returns" CONFLICT "Too many returns" retry None,
        "An order has at most 100 returns; nothing changed.";
    ReturnExceeds "return-exceeds" CONFLICT "More pieces than were shipped" retry None,
        "More pieces of a line would come back than were shipped; nothing changed. `available` is how many may.";
    DeadLetterClosed "dead-letter-closed" CONFLICT "The dead letter is closed" retry None,
        "The dead letter was redriven or discarded before; nothing changed. Read it to see what became of it.";
    DeadLetterWaits "dead-letter-waits" CONFLICT "An earlier dead letter comes first" retry None,
        "The level waits for an earlier event that could not be applied; nothing changed. Redrive or discard that one \
         first.";
    ImportOutOfStep "import-out-of-step" CONFLICT "The import stands elsewhere" retry None,
        "`afterRow` is not the row the import has reached. Go on after `rowsDone`.";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE "The body is too large" retry None,
        "A command may have 64 KiB, a batch or a piece of an import 16 MiB. Send less at once.";
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "The content type is not supported" retry None,
        "Send `Content-Type: application/json`; a batch may also be `application/x-ndjson`.";
    MisdirectedHost "misdirected-host" MISDIRECTED_REQUEST "The request is for another host" retry None,
        "As long as nobody has to log in, this server answers only callers on its own machine, by `localhost`, `127.0.0.1`, `[::1]` or \
         the address it listens on; so a web page whose name was made to lead here gets nothing. Use one of these names, or start the \
         server with `--insecure`.";
    RateLimited "rate-limited" TOO_MANY_REQUESTS "Too many requests from one client" retry Some(1000),
        "The client has used up its requests, as the headers of its answers have shown; nothing was done. Wait for \
         Retry-After.";
    TooManyAttempts "too-many-attempts" TOO_MANY_REQUESTS "Too many wrong passwords" retry Some(1000),
        "Wrong passwords were sent for this login from this network, so each further try has to wait longer; nothing was compared. Wait for \
         Retry-After.";
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong inside" retry None,
        "A fault of the server. Whether a change was made can be found out with the same Idempotency-Key; quote \
         `requestId` when reporting it.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE "Too much at once" retry Some(1000),
        "The server has more work or more connections than it takes; nothing was done. Try again after Retry-After.";
    ReadOnly "read-only" SERVICE_UNAVAILABLE "The disk takes no changes now" retry Some(5000),
        "The log cannot be written, because the disk is full or failing; nothing was done. What is durable can be read. \
         Try again after Retry-After: it is probed, and goes on by itself.";
    OutcomeUnknown "outcome-unknown" SERVICE_UNAVAILABLE "Whether it was done is not known" retry Some(1000),
        "The log could not say whether the change is durable, or not within `Prefer: wait`. Try again with the same Idempotency-Key: it is then \
         applied exactly once.";
    Timeout "timeout" SERVICE_UNAVAILABLE "It did not come in time" retry Some(1000),
        "The central model did not reach the sequence in `atLeast` in time, or the time given by `Prefer: wait` was \
         over before a change was decided, and nothing was done. Try again, or look at the sources in POST /sync.";
    BreakerOpen "breaker-open" SERVICE_UNAVAILABLE "The other side is left alone for a while" retry Some(1000),
        "The source that is needed has not answered lately and is not asked now; nothing was done. Try again after \
         Retry-After; readiness shows the breaker.";
    LockContended "lock-contended" SERVICE_UNAVAILABLE "Another process is at this stock" retry Some(300),
        "Several processes share the data directory, and the lease of a level that is needed was not given up in time; \
         nothing was done. Try again after Retry-After, or send what concerns one store to one process.";
    NotReady "not-ready" SERVICE_UNAVAILABLE "The server is not ready" retry Some(1000),
        "The server is starting or stopping, or a part of it that was asked for does not run. Try again after \
         Retry-After.";
}

impl Code {
    /// The code with this text form.
    pub fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.slug() == slug)
    }

    /// True when a request is rejected only for load: a caller should wait before the next one.
    pub const fn rejects_for_load(self) -> bool {
        matches!(self, Self::Overloaded | Self::RateLimited)
    }

    /// True when a single request with this code is not logged as an error: a gate, a lease, a breaker or the caller's own
    /// deadline caused it, and the first three log that themselves.
    pub const fn is_reported_elsewhere(self) -> bool {
        let of_a_part =
            matches!(self, Self::LockContended | Self::ReadOnly | Self::BreakerOpen | Self::NotReady);
        self.rejects_for_load() || of_a_part || matches!(self, Self::Timeout)
    }

    /// The code for a status that came from below the handlers (routing, a panic), where no more is known.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            status if status.is_client_error() => Self::InvalidRequest,
            StatusCode::SERVICE_UNAVAILABLE => Self::Overloaded,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_an_error_with_its_own_slug() {
        for (place, code) in Code::ALL.iter().enumerate() {
            assert!(code.status().as_u16() >= 400, "{code:?}");
            assert_eq!(Code::of_slug(code.slug()), Some(*code));
            assert_eq!(Code::ALL.iter().position(|other| other.slug() == code.slug()), Some(place));
            let asks_to_wait = matches!(code.status().as_u16(), 429 | 503);
            assert_eq!(code.retry_after_ms().is_some(), asks_to_wait, "{code:?}");
        }
    }

    #[test]
    fn a_bare_status_gets_a_code_of_its_class() {
        for (status, code) in [
            (404, Code::NotFound),
            (405, Code::MethodNotAllowed),
            (413, Code::BodyTooLarge),
            (415, Code::UnsupportedMediaType),
            (418, Code::InvalidRequest),
            (500, Code::Internal),
            (503, Code::Overloaded),
        ] {
            assert_eq!(Code::of_status(StatusCode::from_u16(status).unwrap()), code, "{status}");
        }
    }
}
