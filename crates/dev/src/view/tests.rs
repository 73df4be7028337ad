use super::*;
use crate::ensemble::Ending;
use crate::layout::MemberId;
use crate::status::Role;
use crate::testing::{ensemble, serving};
use expect_test::{Expect, expect};
use std::time::Instant;

/// A leader, a follower, one killed, one starting.
fn mixed() -> Ensemble {
    let mut ensemble = ensemble(3, 1);
    for number in 1..=4 {
        ensemble.started(MemberId(number), 4000 + u32::from(number));
    }
    let now = Instant::now();
    ensemble.observed(MemberId(1), 4001, serving(Role::Follower, 10), now);
    ensemble.observed(MemberId(2), 4002, serving(Role::Leader, 10), now);
    ensemble.ended(MemberId(3), Ending::Killed);
    ensemble
}

fn note(at: &str, text: &str) -> Note {
    Note {
        at: at.to_owned(),
        text: text.to_owned(),
    }
}

fn plain(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let whole: String = line.iter().map(|span| span.text.as_str()).collect();
        text.push_str(whole.trim_end());
        text.push('\n');
    }
    text
}

fn check(notes: &[Note], width: usize, height: usize, expected: &Expect) {
    let lines = lines(&mixed(), notes, Size { width, height });
    assert_eq!(lines.len(), height);
    let is_narrow =
        |line: &Line| line.iter().map(|s| s.text.chars().count()).sum::<usize>() <= width;
    assert!(lines.iter().all(is_narrow), "{lines:?}");
    expected.assert_eq(&plain(&lines));
}

#[test]
fn all_of_it() {
    let notes = [
        note("09:00:00", "server 1: starting, process 4001"),
        note(
            "09:00:01",
            "server 3: ended by itself: exit code 1\nserver 3 | ERROR\tno luck",
        ),
    ];
    check(
        &notes,
        100,
        16,
        &expect![[r#"
        zooid dev  3 servers and 1 observer  /dev-test
        starting: 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183,127.0.0.1:2184

        server  state          port  epoch          zxid  sessions  clients    ops/s      pid
        1       follower       2181      2   0x200000007         5        2        0     4001
        2       leader         2182      2   0x200000007         5        2        0     4002
        3       killed         2183
        4       starting       2184                                                      4004

        09:00:00  server 1: starting, process 4001
        09:00:01  server 3: ended by itself: exit code 1
                  server 3 | ERROR no luck



        1-4 kill or restart   l kill the leader   q stop
    "#]],
    );
}

#[test]
fn a_narrow_terminal_shows_what_matters() {
    check(
        &[],
        44,
        11,
        &expect![[r#"
        zooid dev  3 servers and 1 observer  /dev-te
        starting: 127.0.0.1:2181,127.0.0.1:2182,
        127.0.0.1:2183,127.0.0.1:2184

        server  state                 zxid    ops/s
        1       follower       0x200000007        0
        2       leader         0x200000007        0
        3       killed
        4       starting

        1-4 kill or restart   l kill the leader   q
    "#]],
    );
    check(
        &[],
        20,
        10,
        &expect![[r#"
            starting:
            server  state
            1       follower
            2       leader
            3       killed
            4       starting



            1-4 kill or restart
        "#]],
    );
}

#[test]
fn a_low_terminal_shows_the_last_notes_and_the_keys() {
    let notes = [note("09:00:00", "first"), note("09:00:01", "second")];
    check(
        &notes,
        80,
        12,
        &expect![[r#"
        zooid dev  3 servers and 1 observer  /dev-test
        starting: 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183,127.0.0.1:2184

        server  state          port  epoch          zxid  sessions  clients    ops/s
        1       follower       2181      2   0x200000007         5        2        0
        2       leader         2182      2   0x200000007         5        2        0
        3       killed         2183
        4       starting       2184

        09:00:01  second

        1-4 kill or restart   l kill the leader   q stop
    "#]],
    );
    check(
        &notes,
        80,
        5,
        &expect![[r#"
        starting: 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183,127.0.0.1:2184
        server  state          port  epoch          zxid  sessions  clients    ops/s
        1       follower       2181      2   0x200000007         5        2        0
        2       leader         2182      2   0x200000007         5        2        0
        1-4 kill or restart   l kill the leader   q stop
    "#]],
    );
}

#[test]
fn no_terminal_is_too_small() {
    for width in 0..30 {
        for height in 0..12 {
            let notes = [note("09:00:00", "something")];
            let lines = lines(&mixed(), &notes, Size { width, height });
            assert!(lines.len() <= height.max(1));
        }
    }
}

#[test]
fn the_leader_stands_out_and_the_dead_do_too() {
    let lines = lines(
        &mixed(),
        &[],
        Size {
            width: 100,
            height: 20,
        },
    );
    let style_of = |state: &str| {
        let mut spans = lines.iter().flatten();
        spans
            .find(|span| span.text.trim() == state)
            .map(|span| span.style)
    };
    assert_eq!(style_of("leader"), Some(Style::Leading));
    assert_eq!(style_of("follower"), Some(Style::Good));
    assert_eq!(style_of("killed"), Some(Style::Bad));
    assert_eq!(style_of("starting"), Some(Style::Waiting));
}
