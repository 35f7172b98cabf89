//! The rows for one movement of one level.

use super::{
    Numbers, Shop, adjust, commit, conflict, count, count_as_of, id, insufficient, on, release, reserve,
    reserve_for,
};
use onhand_domain::Expected::{self, Any, Exists, Version};
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::stock::Verb;
use onhand_domain::{Rejection, State};

/// Description, earlier verbs, precondition, the verb, and its expected result.
type Row = (&'static str, Vec<Verb>, Expected, Verb, Result<Vec<Numbers>, Rejection>);

fn check(rows: Vec<Row>) {
    for (story, given, expected, verb, then) in rows {
        let mut shop = Shop::given(&given);
        let before = shop.clone();
        let decided = shop.ask(&on("A", expected, verb));
        assert_eq!(decided.map(|(numbers, _)| numbers).map_err(|refusal| refusal.rejection), then, "{story}");
        if then.is_err()
            && shop.states.iter().map(State::version).eq(before.states.iter().map(State::version))
        {
            assert_eq!(shop.states, before.states, "{story}: a refusal changes nothing");
        }
    }
}

#[test]
fn versions() {
    check(vec![
        ("any is met by nothing", vec![], Any, adjust(1), Ok(vec![(1, 0, 1)])),
        ("version 0 is a level that is not there", vec![], Version(0), adjust(1), Ok(vec![(1, 0, 1)])),
        ("* asks for a level that is there", vec![], Exists, adjust(1), Err(conflict(0))),
        ("* is met", vec![adjust(1)], Exists, adjust(1), Ok(vec![(2, 0, 2)])),
        ("the right version", vec![adjust(1)], Version(1), adjust(1), Ok(vec![(2, 0, 2)])),
        ("a version too old", vec![adjust(1), adjust(1)], Version(1), adjust(1), Err(conflict(2))),
        ("a version too new", vec![adjust(1)], Version(2), adjust(1), Err(conflict(1))),
        ("version 0 of what is there", vec![adjust(1)], Version(0), adjust(1), Err(conflict(1))),
        ("reserve", vec![adjust(1)], Version(9), reserve("r", 1), Err(conflict(1))),
        ("release", vec![adjust(1), reserve("r", 1)], Version(1), release("r", None), Err(conflict(2))),
        ("commit", vec![adjust(1), reserve("r", 1)], Version(1), commit("r", None, false), Err(conflict(2))),
        ("count", vec![adjust(1)], Version(0), count(3), Err(conflict(1))),
        ("count of nothing with *", vec![], Exists, count(3), Err(conflict(0))),
        (
            "an expiry comes first and makes the version old",
            vec![adjust(1), reserve_for("r", 1, 1)],
            Version(2),
            reserve("s", 1),
            Err(conflict(3)),
        ),
        (
            "commit with a rest meets its version once",
            vec![adjust(5), reserve("r", 4)],
            Version(2),
            commit("r", Some(1), true),
            Ok(vec![(4, 3, 3), (4, 0, 4)]),
        ),
    ]);
}

#[test]
fn the_version_is_checked_first() {
    let top = vec![adjust(INTEGER_MAX)];
    check(vec![
        ("before the range", top.clone(), Version(9), adjust(1), Err(conflict(1))),
        ("before the reservation", vec![], Version(9), release("none", None), Err(conflict(0))),
        ("before the stock", vec![], Version(9), reserve("r", 1), Err(conflict(0))),
        ("then the range, before the stock", top, Any, adjust(1), Err(Rejection::OutOfRange)),
        (
            "then the reservation, before the stock",
            vec![adjust(1), reserve("r", 1)],
            Any,
            reserve("r", 99),
            Err(Rejection::AlreadyExists { reservation_id: id("r") }),
        ),
    ]);
}

#[test]
fn adjustments() {
    let held = || vec![adjust(5), reserve("r", 3)];
    check(vec![
        ("nothing goes from nothing", vec![], Any, adjust(-1), Err(insufficient(0, 0))),
        ("all may go", vec![adjust(5)], Any, adjust(-5), Ok(vec![(0, 0, 2)])),
        ("one too many", vec![adjust(5)], Any, adjust(-6), Err(insufficient(5, 1))),
        ("what is promised stays", held(), Any, adjust(-3), Err(insufficient(2, 2))),
        ("what is not promised may go", held(), Any, adjust(-2), Ok(vec![(3, 3, 3)])),
        ("up to 2^53 - 1", vec![adjust(INTEGER_MAX - 1)], Any, adjust(1), Ok(vec![(INTEGER_MAX, 0, 2)])),
        ("not beyond", vec![adjust(INTEGER_MAX)], Any, adjust(1), Err(Rejection::OutOfRange)),
        ("nor far beyond", vec![adjust(INTEGER_MAX)], Any, adjust(INTEGER_MAX), Err(Rejection::OutOfRange)),
        ("nor below", vec![], Any, adjust(-INTEGER_MAX), Err(insufficient(0, 0))),
    ]);
}

#[test]
fn reservations() {
    let exists = |name| Err(Rejection::AlreadyExists { reservation_id: id(name) });
    let taken = || vec![adjust(5), reserve("r", 3)];
    let and = |more: Verb| [taken(), vec![more]].concat();
    check(vec![
        ("of nothing", vec![], Any, reserve("r", 1), Err(insufficient(0, 0))),
        ("of all", vec![adjust(5)], Any, reserve("r", 5), Ok(vec![(5, 5, 2)])),
        ("of more", vec![adjust(5)], Any, reserve("r", 6), Err(insufficient(5, 1))),
        ("of what is promised", taken(), Any, reserve("s", 3), Err(insufficient(2, 2))),
        ("of the rest", taken(), Any, reserve("s", 2), Ok(vec![(5, 5, 3)])),
        ("a name that is open", taken(), Any, reserve("r", 1), exists("r")),
        ("a name that was released", and(release("r", None)), Any, reserve("r", 1), exists("r")),
        ("a name that was committed", and(commit("r", None, false)), Any, reserve("r", 1), exists("r")),
        ("a name that expired", vec![adjust(5), reserve_for("r", 3, 1)], Any, reserve("r", 1), exists("r")),
        ("beyond every number", vec![adjust(5)], Any, reserve("r", INTEGER_MAX), Err(insufficient(5, 1))),
    ]);
}

#[test]
fn releases_and_commits() {
    let not_found = || Err(Rejection::ReservationNotFound { reservation_id: id("r") });
    let closed = || Err(Rejection::ReservationClosed { reservation_id: id("r") });
    let expired = || Err(Rejection::ReservationExpired { reservation_id: id("r") });
    let held = || vec![adjust(9), reserve("r", 4)];
    let and = |more: Verb| [held(), vec![more]].concat();
    let lapsed = || vec![adjust(9), reserve_for("r", 4, 1)];
    check(vec![
        ("release on nothing", vec![], Any, release("r", None), not_found()),
        ("release of another name", vec![adjust(9), reserve("s", 4)], Any, release("r", None), not_found()),
        ("release of all", held(), Any, release("r", None), Ok(vec![(9, 0, 3)])),
        ("release of some", held(), Any, release("r", Some(1)), Ok(vec![(9, 3, 3)])),
        ("release of the rest", and(release("r", Some(1))), Any, release("r", None), Ok(vec![(9, 0, 4)])),
        ("release of more than is held", held(), Any, release("r", Some(5)), Err(insufficient(4, 2))),
        (
            "of more than is left",
            and(release("r", Some(1))),
            Any,
            release("r", Some(4)),
            Err(insufficient(3, 3)),
        ),
        ("release after release", and(release("r", None)), Any, release("r", None), closed()),
        ("release after commit", and(commit("r", None, false)), Any, release("r", Some(1)), closed()),
        ("release after expiry", lapsed(), Any, release("r", None), expired()),
        ("commit on nothing", vec![], Any, commit("r", None, false), not_found()),
        ("commit of all", held(), Any, commit("r", None, false), Ok(vec![(5, 0, 3)])),
        ("commit of some holds the rest", held(), Any, commit("r", Some(1), false), Ok(vec![(8, 3, 3)])),
        (
            "commit of some closes the rest",
            held(),
            Any,
            commit("r", Some(1), true),
            Ok(vec![(8, 3, 3), (8, 0, 4)]),
        ),
        ("commit of all has no rest", held(), Any, commit("r", Some(4), true), Ok(vec![(5, 0, 3)])),
        ("commit of more than is held", held(), Any, commit("r", Some(5), true), Err(insufficient(4, 2))),
        ("commit after commit", and(commit("r", None, false)), Any, commit("r", None, false), closed()),
        (
            "commit after a closed rest",
            and(commit("r", Some(1), true)),
            Any,
            commit("r", None, false),
            closed(),
        ),
        ("commit after release", and(release("r", None)), Any, commit("r", Some(1), false), closed()),
        ("commit after expiry", lapsed(), Any, commit("r", None, false), expired()),
    ]);
}

#[test]
fn counts() {
    let held = || vec![adjust(9), reserve("r", 4)];
    let top = || vec![adjust(INTEGER_MAX)];
    check(vec![
        ("of what is new", vec![], Any, count(3), Ok(vec![(3, 0, 1)])),
        ("of nothing", vec![], Any, count(0), Ok(vec![(0, 0, 1)])),
        ("that agrees", vec![adjust(3)], Any, count(3), Ok(vec![(3, 0, 2)])),
        ("that finds more", vec![adjust(3)], Any, count(5), Ok(vec![(5, 0, 2)])),
        ("that finds less", vec![adjust(3)], Any, count(0), Ok(vec![(0, 0, 2)])),
        ("down to what is promised", held(), Any, count(4), Ok(vec![(4, 4, 3)])),
        ("below what is promised", held(), Any, count(3), Err(insufficient(5, 2))),
        ("earlier, later movements on top", vec![adjust(9)], Any, count_as_of(5, 7), Ok(vec![(7, 0, 2)])),
        ("earlier, when there was nothing", vec![adjust(9)], Any, count_as_of(2, 0), Ok(vec![(11, 0, 2)])),
        ("earlier, below zero by now", vec![adjust(3)], Any, count_as_of(0, 5), Err(insufficient(3, 1))),
        ("earlier, below the promised by now", held(), Any, count_as_of(0, 6), Err(insufficient(5, 2))),
        ("earlier, beyond the range by now", top(), Any, count_as_of(3, 2), Err(Rejection::OutOfRange)),
        ("of the most there can be", top(), Any, count(INTEGER_MAX), Ok(vec![(INTEGER_MAX, 0, 2)])),
    ]);
}
