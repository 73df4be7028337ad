//! What people read, to the letter.

use super::{EVENTS, excerpt, violations};
use crate::checker::check;
use crate::history::{Action, Operation, Outcome, Seen, Write};
use expect_test::expect;
use std::fs;

#[test]
fn a_violation_shows_the_operations_that_make_it() {
    let operations = operations();
    let text = violations(&check(&operations), &operations);
    expect![[r#"
        Monotonic: /r: read at 0x100000002 by a session that has seen 0x200000001, after the write at 0x200000001
              0.001000   0.002500  #1 client-0 0x7/1 at 2: set /r "b" if version 0 -> done at 0x200000001, version 1
              0.003000   0.004000  #2 client-0 0x7/2 at 3: sync, get /r -> "a", version 0 of 0x100000002, told at 0x200000001
        Linearizable: /r: no order explains the answers; 2 of 3 operations are in an order
              0.003000   0.004000  #2 client-0 0x7/2 at 3: sync, get /r -> "a", version 0 of 0x100000002, told at 0x200000001
    "#]]
    .assert_eq(&text);
}

#[test]
fn an_excerpt_shows_what_was_done_to_the_members_in_between() {
    let directory = tempfile::tempdir().expect("a directory");
    let events = "1000000 all members serve\n5500000 LeaderAlone 3\n";
    fs::write(directory.path().join(EVENTS), events).expect("written");
    let all = excerpt(&operations(), directory.path(), Some("/r"), &[], 0).expect("text");
    expect![[r#"
        sent       answered    operation: question -> answer
         -0.004000  ---- all members serve
          0.000000   0.000500  #0 client-0 0x7/0 at 2: create /r "a" -> done at 0x100000002, version 0
          0.000500  ---- LeaderAlone 3
          0.001000   0.002500  #1 client-0 0x7/1 at 2: set /r "b" if version 0 -> done at 0x200000001, version 1
          0.003000   0.004000  #2 client-0 0x7/2 at 3: sync, get /r -> "a", version 0 of 0x100000002, told at 0x200000001"#]]
    .assert_eq(&all);
    let near = excerpt(&operations(), directory.path(), None, &[3], 0).expect("text");
    expect![[r#"
        sent       answered    operation: question -> answer
          0.005000      never  #3 client-0 0x7/3 at 3: delete /n -> no answer"#]]
    .assert_eq(&near);
}

fn operations() -> Vec<Operation> {
    let write = |write| Action::Write(vec![write]);
    let create = write(Write::Create {
        path: "/r".into(),
        value: "a".into(),
    });
    let set = write(Write::Set {
        path: "/r".into(),
        value: "b".into(),
        version: Some(0),
    });
    let delete = write(Write::Delete { path: "/n".into() });
    let read = Action::Read {
        path: "/r".into(),
        synced: true,
    };
    let found = Outcome::Found {
        zxid: Some(0x2_0000_0001),
        value: "a".into(),
        stat: seen(0x1_0000_0002, 0),
    };
    vec![
        operation(
            0,
            2,
            5_000_000,
            Some(5_500_000),
            create,
            done(0x1_0000_0002, 0),
        ),
        operation(
            1,
            2,
            6_000_000,
            Some(7_500_000),
            set,
            done(0x2_0000_0001, 1),
        ),
        operation(2, 3, 8_000_000, Some(9_000_000), read, found),
        operation(3, 3, 10_000_000, None, delete, Outcome::Unknown),
    ]
}

fn operation(
    number: u64,
    member: i64,
    invoked_ns: u64,
    completed_ns: Option<u64>,
    action: Action,
    outcome: Outcome,
) -> Operation {
    Operation {
        client: "client-0".into(),
        session: 7,
        number,
        member,
        invoked_ns,
        completed_ns,
        action,
        outcome,
    }
}

fn done(zxid: i64, version: i32) -> Outcome {
    Outcome::Written {
        zxid: Some(zxid),
        stats: vec![Some(seen(zxid, version))],
    }
}

fn seen(mzxid: i64, version: i32) -> Seen {
    Seen {
        czxid: 0x1_0000_0002,
        mzxid,
        version,
    }
}
