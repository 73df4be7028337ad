//! Histories made by hand: a good one, and one for each thing that can be wrong.

mod book;

use super::{Rule, check};
use crate::history::{Outcome, Write};
use book::{Book, create, set};

#[test]
fn a_good_history_has_no_violation() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.read(2, 21..22, "a", 2, 1);
    book.cas(2, 30..40, "b", 1, 3, 2);
    book.refused(1, 35..45, "c", 1, 4);
    book.synced_read(1, 50..60, "b", 3, 2);
    book.create(1, 61..62, "/n/x", 5);
    book.list(2, 63..64, &["x"], 5);
    book.delete(1, 65..66, "/n/x", 6);
    book.list(1, 67..68, &[], 6);
    book.assert_broken(&[]);
}

#[test]
fn an_unanswered_write_may_be_done_late_or_never() {
    let mut book = Book::with_register();
    book.unanswered(1, 10, "a");
    book.unanswered(1, 11, "b");
    book.set(2, 20..30, "c", 3, 1);
    // "a" is never seen, but somebody must have written version 2.
    book.cas(2, 40..50, "d", 2, 8, 3);
    book.read(2, 60..61, "d", 8, 3);
    book.assert_broken(&[]);
    book.read(3, 62..63, "b", 5, 2);
    book.assert_broken(&[]);
}

#[test]
fn a_lost_update() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.set(2, 30..40, "b", 3, 1);
    book.assert_broken(&[Rule::Versions, Rule::Linearizable]);
}

#[test]
fn an_acknowledged_write_that_is_gone_in_the_end() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.synced_read(9, 100..110, "initial", 1, 0);
    book.assert_broken(&[Rule::SyncedRead, Rule::Linearizable]);
}

#[test]
fn a_comparison_that_two_have_won() {
    let mut book = Book::with_register();
    book.cas(1, 10..30, "a", 0, 2, 1);
    book.cas(2, 10..30, "b", 0, 3, 1);
    book.assert_broken(&[Rule::Versions, Rule::Linearizable]);
}

#[test]
fn an_unanswered_write_that_is_done_twice() {
    let mut book = Book::with_register();
    book.unanswered(1, 10, "a");
    book.read(2, 20..21, "a", 2, 1);
    book.read(2, 30..31, "a", 3, 2);
    book.assert_broken(&[Rule::OneZxid, Rule::Versions]);
}

#[test]
fn a_version_that_nobody_can_have_written() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.set(1, 30..40, "b", 5, 3);
    // Asked for too late.
    book.unanswered(2, 41, "c");
    book.assert_broken(&[Rule::Versions, Rule::Linearizable]);
}

#[test]
fn a_conditional_write_that_was_refused_for_nothing() {
    let mut book = Book::with_register();
    book.refused(1, 10..20, "a", 0, 2);
    book.set(1, 30..40, "b", 3, 1);
    book.assert_broken(&[Rule::Refusal, Rule::Linearizable]);
}

#[test]
fn a_refused_write_that_was_done() {
    let mut book = Book::with_register();
    book.refused(1, 10..20, "a", 7, 2);
    book.read(1, 30..40, "a", 2, 1);
    book.assert_broken(&[Rule::Refusal]);
}

#[test]
fn a_stale_read_after_ones_own_write() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.read(1, 30..40, "initial", 1, 0);
    book.assert_broken(&[Rule::Monotonic]);
}

#[test]
fn a_stale_read_of_another_session_is_allowed_and_behind_a_sync_it_is_not() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.read(2, 30..40, "initial", 1, 0);
    book.assert_broken(&[]);
    book.synced_read(3, 30..40, "initial", 1, 0);
    book.assert_broken(&[Rule::SyncedRead, Rule::Linearizable]);
}

#[test]
fn a_session_that_goes_back() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.read(2, 30..40, "a", 2, 1);
    book.read(2, 50..60, "initial", 1, 0);
    book.assert_broken(&[Rule::Monotonic]);
}

#[test]
fn a_reply_that_is_older_than_its_session() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 5, 1);
    book.absent(1, 30..40, "/n/x", 4);
    book.assert_broken(&[Rule::Monotonic]);
}

/// The register may have been left alone for long.
#[test]
fn a_read_without_a_header_tells_nothing_of_its_age_but_what_it_shows() {
    let mut book = Book::with_register();
    book.create(1, 10..20, "/n/x", 5);
    book.read(1, 30..40, "initial", 1, 0);
    book.forget_headers();
    book.assert_broken(&[]);
    book.set(1, 41..42, "a", 6, 1);
    book.read(1, 50..60, "initial", 1, 0);
    book.forget_headers();
    book.assert_broken(&[Rule::Monotonic]);
}

#[test]
fn a_value_that_nobody_wrote() {
    let mut book = Book::with_register();
    book.read(2, 30..40, "stranger", 2, 1);
    book.assert_broken(&[Rule::Value]);
}

#[test]
fn a_value_that_is_read_before_it_is_written() {
    let mut book = Book::with_register();
    book.read(2, 5..8, "a", 2, 1);
    book.set(1, 10..20, "a", 2, 1);
    book.assert_broken(&[Rule::RealTime, Rule::Value]);
}

#[test]
fn a_torn_multi() {
    let mut book = Book::with_register();
    book.multi(
        1,
        10..20,
        &[set("/r", "a"), create("/n/x")],
        2,
        &[Some(1), None],
    );
    book.absent(1, 30..40, "/n/x", 3);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn an_unanswered_multi_of_which_only_half_is_done() {
    let mut book = Book::with_register();
    let half = [set("/r", "a"), create("/n/x")];
    book.unanswered_multi(1, 10, &half);
    book.read(2, 20..30, "a", 2, 1);
    book.absent(2, 40..50, "/n/x", 2);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn parts_of_a_multi_at_two_places() {
    let mut book = Book::with_register();
    book.multi(
        1,
        10..20,
        &[set("/r", "a"), create("/n/x")],
        2,
        &[Some(1), None],
    );
    let operation = book.operations.last_mut().expect("written");
    let Outcome::Written { stats, .. } = &mut operation.outcome else {
        panic!("it was written");
    };
    stats[0].as_mut().expect("a stat").mzxid = 3;
    book.assert_broken(&[Rule::OneZxid]);
}

#[test]
fn a_created_node_that_is_lost() {
    let mut book = Book::with_register();
    book.create(1, 10..20, "/n/x", 2);
    book.list(1, 30..40, &[], 3);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn a_deleted_node_that_is_there_again() {
    let mut book = Book::with_register();
    book.create(1, 10..20, "/n/x", 2);
    book.delete(1, 30..40, "/n/x", 3);
    book.list(1, 50..60, &["x"], 4);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn a_node_that_comes_and_goes_after_a_deletion_without_an_answer() {
    let mut book = Book::with_register();
    book.create(1, 10..20, "/n/x", 2);
    let deletion = Write::Delete {
        path: "/n/x".into(),
    };
    book.unanswered_multi(1, 30, &[deletion]);
    book.list(2, 40..41, &["x"], 3);
    book.list(2, 42..43, &[], 4);
    book.assert_broken(&[]);
    book.list(2, 44..45, &["x"], 5);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn a_list_of_two_moments() {
    let mut book = Book::with_register();
    book.create(1, 10..20, "/n/x", 2);
    book.create(1, 21..22, "/n/y", 3);
    // Someone else's, who had seen nothing.
    book.list(2, 30..40, &["y"], 5);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn a_node_that_nobody_created() {
    let mut book = Book::with_register();
    book.list(2, 30..40, &["stranger"], 5);
    book.assert_broken(&[Rule::Existence]);
}

#[test]
fn writes_in_another_order_than_in_real_time() {
    let mut book = Book::with_register();
    book.create(1, 10..20, "/n/x", 3);
    book.create(2, 30..40, "/n/y", 2);
    book.assert_broken(&[Rule::RealTime]);
}

#[test]
fn writes_of_a_session_in_another_order() {
    let mut book = Book::with_register();
    // Both under way at the same time.
    book.create(1, 10..40, "/n/x", 3);
    book.create(1, 11..41, "/n/y", 2);
    book.assert_broken(&[Rule::SessionOrder, Rule::Monotonic]);
}

#[test]
fn two_transactions_with_one_zxid() {
    let mut book = Book::with_register();
    book.create(1, 10..40, "/n/x", 3);
    book.create(2, 11..41, "/n/y", 3);
    book.assert_broken(&[Rule::OneZxid]);
}

/// The twin knows versions and values only, and needs no zxid to see this.
#[test]
fn the_twin_sees_an_old_value_without_zxids() {
    let mut book = Book::with_register();
    book.set(1, 10..20, "a", 2, 1);
    book.set(2, 30..40, "b", 3, 2);
    book.synced_read(3, 50..60, "a", 2, 1);
    book.forget_headers();
    assert!(book.broken().contains(&Rule::Linearizable));
}

/// Many writes whose end nobody knows must not cost the twin its patience.
#[test]
fn the_twin_bears_with_many_unanswered_writes() {
    let mut book = Book::with_register();
    for number in 0..200 {
        book.unanswered(1, 10 + number, &format!("lost-{number}"));
    }
    for number in 0..500 {
        let at = 1_000 + u64::try_from(number).expect("small") * 10;
        let value = format!("kept-{number}");
        book.set(2, at..at + 5, &value, i64::from(number) + 2, number + 1);
    }
    book.assert_broken(&[]);
}

/// Of two writes without an answer the first has made version 1, and nobody has seen it; the second made
/// version 3, as everyone sees at last. Many ask at a time in between, so that going back to version 1 by way
/// of every order of theirs would take for ever.
#[test]
fn the_twin_tells_unanswered_writes_apart_by_what_is_shown_later() {
    const ASKING: i64 = 20;
    let mut book = Book::with_register();
    book.unanswered(1, 10, "never seen");
    book.unanswered(1, 11, "seen late");
    book.set(2, 20..30, "between", 3, 2);
    for session in 0..ASKING {
        book.refused(10 + session, 40..50, "refused", 0, 4 + session);
    }
    book.synced_read(3, 60..70, "seen late", 4 + ASKING, 3);
    book.assert_broken(&[]);
}
