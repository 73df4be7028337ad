//! The file: what is written is read, by line and number if it is no operation.

use super::{Action, Operation, Outcome, Seen, Write, load, save};
use std::fs;

/// As tests/kazoo/history_client.py writes it.
const KAZOO: &str = r#"{"client": "kazoo-0", "session": 7, "number": 3, "member": 2, "invoked_ns": 10,
 "completed_ns": 20, "action": {"write": [{"set": {"path": "/r", "value": "a", "version": null}}]},
 "outcome": {"written": {"zxid": null, "stats": [{"czxid": 1, "mzxid": 5, "version": 1}]}}}"#;

#[test]
fn a_line_of_another_program_is_an_operation() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("kazoo.jsonl");
    fs::write(&file, KAZOO.replace('\n', "")).expect("written");
    let operations = load(&file).expect("operations");
    assert_eq!(operations, [set()]);
    assert_eq!(operations[0].newest_zxid(), Some(5));
    assert_eq!(operations[0].reply_zxid(), None);
}

#[test]
fn what_is_saved_is_loaded() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("history.jsonl");
    let lost = Operation {
        completed_ns: None,
        action: Action::Read {
            path: "/r".into(),
            synced: true,
        },
        outcome: Outcome::Unknown,
        ..set()
    };
    let operations = [set(), lost];
    save(&operations, &file).expect("saved");
    assert_eq!(load(&file).expect("loaded"), operations);
}

#[test]
fn a_line_that_is_no_operation_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("torn.jsonl");
    save(&[set()], &file).expect("saved");
    let whole = fs::read_to_string(&file).expect("read");
    fs::write(&file, format!("{whole}{}", &whole[..30])).expect("written");
    let error = load(&file).expect_err("the second line is torn");
    let told = format!("{error:#}");
    assert!(told.contains("torn.jsonl, line 2"), "{told}");
}

fn set() -> Operation {
    Operation {
        client: "kazoo-0".into(),
        session: 7,
        number: 3,
        member: 2,
        invoked_ns: 10,
        completed_ns: Some(20),
        action: Action::Write(vec![Write::Set {
            path: "/r".into(),
            value: "a".into(),
            version: None,
        }]),
        outcome: Outcome::Written {
            zxid: None,
            stats: vec![Some(Seen {
                czxid: 1,
                mzxid: 5,
                version: 1,
            })],
        },
    }
}
