use super::{Increments, Journal, Write, check_journals};
use crate::{NodeDump, TreeDump};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;
use zooid_proto::{SessionId, Stat, Zxid};

fn journal(writes: &[(&str, bool)]) -> Journal {
    let write = |(data, is_acked): &(&str, bool)| Write {
        data: (*data != "deleted").then(|| data.as_bytes().to_vec()),
        is_acked: *is_acked,
    };
    Journal {
        session: SessionId(7),
        last_zxid: Zxid(1),
        connections_lost: 0,
        nodes: BTreeMap::from([("/n".into(), writes.iter().map(write).collect())]),
        increments: BTreeMap::new(),
    }
}

fn counting(acked: &[u64], unknown: &[u64]) -> Journal {
    let set = |values: &[u64]| values.iter().copied().collect::<BTreeSet<u64>>();
    let (acked, unknown) = (set(acked), set(unknown));
    let increments = Increments { acked, unknown };
    Journal {
        nodes: BTreeMap::new(),
        increments: BTreeMap::from([("/c".into(), increments)]),
        ..journal(&[])
    }
}

fn tree(nodes: &[(&str, &str, i64)]) -> TreeDump {
    let node = |(path, data, owner): &(&str, &str, i64)| {
        let stat = Stat {
            ephemeral_owner: *owner,
            ..Stat::default()
        };
        let node = NodeDump {
            data: Some(Bytes::copy_from_slice(data.as_bytes())),
            stat,
            acl: vec![],
        };
        ((*path).to_owned(), node)
    };
    let nodes = nodes.iter().map(node).collect();
    TreeDump { nodes }
}

fn accepts(tree: &TreeDump, journals: &[Journal]) -> bool {
    catch_unwind(|| check_journals(tree, journals)).is_ok()
}

#[test]
fn a_lost_acknowledged_write_is_found() {
    let journals = [journal(&[("1", true)])];
    assert!(accepts(&tree(&[("/n", "1", 0)]), &journals));
    assert!(!accepts(&tree(&[]), &journals));
    assert!(!accepts(&tree(&[("/n", "0", 0)]), &journals));
}

#[test]
fn a_write_that_nobody_acknowledged_may_be_there_or_not() {
    let journals = [journal(&[("1", true), ("2", false), ("3", false)])];
    for data in ["1", "2", "3"] {
        assert!(accepts(&tree(&[("/n", data, 0)]), &journals));
    }
    assert!(!accepts(&tree(&[]), &journals));
    let journals = [journal(&[("1", false)])];
    assert!(accepts(&tree(&[]), &journals));
}

#[test]
fn a_write_before_the_last_acknowledged_one_must_not_be_there() {
    let journals = [journal(&[("1", true), ("2", true)])];
    assert!(!accepts(&tree(&[("/n", "1", 0)]), &journals));
    let journals = [journal(&[("1", true), ("deleted", true)])];
    assert!(accepts(&tree(&[]), &journals));
    assert!(!accepts(&tree(&[("/n", "1", 0)]), &journals));
}

#[test]
fn an_ephemeral_without_a_session_is_found() {
    let journals = [journal(&[("1", true)])];
    let owned_by = |owner| tree(&[("/n", "1", 0), ("/e", "", owner)]);
    assert!(accepts(&owned_by(7), &journals));
    assert!(!accepts(&owned_by(8), &journals));
}

#[test]
fn a_counter_must_have_counted_every_acknowledged_increment_once() {
    let at = |value: &str| tree(&[("/c", value, 0)]);
    let journals = [counting(&[1, 3], &[4]), counting(&[2], &[])];
    assert!(accepts(&at("3"), &journals));
    assert!(accepts(&at("4"), &journals));
    // One is lost, one was made up, two were given the same value.
    assert!(!accepts(&at("2"), &journals));
    assert!(!accepts(&at("5"), &journals));
    assert!(!accepts(
        &at("2"),
        &[counting(&[1, 2], &[]), counting(&[2], &[])]
    ));
}
