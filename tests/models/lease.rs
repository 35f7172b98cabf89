//! The lease of a level (`adapters/file/sharing/lease.rs`). Its file is read and written under a lock, so each of these is one step.

/// A process in one of its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Holder {
    pub(crate) node: usize,
    pub(crate) term: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Lease {
    /// Holds it, as soon as `before` is empty.
    pub(crate) holder: Option<Holder>,
    /// Held it when the holder asked for it, and holds it until it gives it up, or its term is over.
    pub(crate) before: Option<Holder>,
}

impl Lease {
    /// Asks for it, and answers whether it is held now.
    pub(crate) fn ask(&mut self, me: Holder, lasts: impl Fn(Holder) -> bool) -> bool {
        for place in [&mut self.holder, &mut self.before] {
            place.take_if(|holder| *holder != me && !lasts(*holder));
        }
        if self.before == Some(me) {
            // Asked for by another process before it was used: it is held until it is given up.
            return true;
        }
        match (self.holder, self.before) {
            (Some(holder), None) if holder != me => *self = Self { holder: Some(me), before: Some(holder) },
            // Whoever asked first comes first.
            (Some(holder), Some(_)) if holder != me => {}
            _ => self.holder = Some(me),
        }
        self.holder == Some(me) && self.before.is_none()
    }

    pub(crate) fn release(&mut self, me: Holder) {
        for place in self.places() {
            place.take_if(|holder| *holder == me);
        }
    }

    pub(crate) fn names(&self, holder: Holder) -> bool {
        [self.holder, self.before].contains(&Some(holder))
    }

    pub(crate) fn places(&mut self) -> [&mut Option<Holder>; 2] {
        [&mut self.holder, &mut self.before]
    }
}
