//! Which worlds are the same: processes are alike, and of terms only matters which are equal.

use crate::lease::{Holder, Lease};
use crate::world::{PROCESSES, World};

/// One world for all that are the same.
pub(crate) fn representative(world: &World) -> World {
    let mut world = world.clone();
    forget_ended(&mut world);
    let mut order: [usize; PROCESSES] = std::array::from_fn(|number| number);
    order.sort_by_cached_key(|number| {
        let holder = world.holder(*number);
        (
            world.nodes[*number].clone(),
            world.leases.map(|lease| (lease.holder == holder, lease.before == holder)),
        )
    });
    let mut sorted = world.clone();
    for (to, from) in order.into_iter().enumerate() {
        sorted.nodes[to].clone_from(&world.nodes[from]);
        for (holder, before) in holders(&mut sorted).into_iter().zip(holders(&mut world)) {
            if let (Some(holder), Some(before)) = (holder, before)
                && before.node == from
            {
                holder.node = to;
            }
        }
    }
    (0..PROCESSES).for_each(|number| renumber_terms(&mut sorted, number));
    sorted
}

/// Whoever asks for a lease forgets these first.
fn forget_ended(world: &mut World) {
    let World { nodes, leases, .. } = world;
    let is_over = |holder: &mut Holder| {
        let node = &nodes[holder.node];
        node.term.number != holder.term
            && node.process.as_ref().is_none_or(|process| process.term != holder.term)
    };
    for place in leases.iter_mut().flat_map(Lease::places) {
        place.take_if(is_over);
    }
}

fn holders(world: &mut World) -> Vec<Option<&mut Holder>> {
    let World { leases, noted, .. } = world;
    let leases = leases.iter_mut().flat_map(Lease::places).map(Option::as_mut);
    leases.chain([noted.as_mut().map(|(holder, _)| holder)]).collect()
}

fn renumber_terms(world: &mut World, number: usize) {
    let mut terms: Vec<u8> = Vec::new();
    each_term(world, number, |term| terms.push(*term));
    terms.sort_unstable();
    terms.dedup();
    each_term(world, number, |term| {
        let rank = terms.iter().position(|one| one == term).unwrap_or_default();
        *term = u8::try_from(rank).unwrap_or(u8::MAX);
    });
}

fn each_term(world: &mut World, number: usize, mut look: impl FnMut(&mut u8)) {
    let node = &mut world.nodes[number];
    look(&mut node.term.number);
    node.term_before.iter_mut().for_each(|term| look(&mut term.number));
    node.process.iter_mut().for_each(|process| look(&mut process.term));
    let named = holders(world).into_iter().flatten().filter(|holder| holder.node == number);
    named.for_each(|holder| look(&mut holder.term));
}
