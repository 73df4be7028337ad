//! What reads of a node's data show: a state that there was, not before what the session had seen.

use super::facts::Facts;
use super::{Rule, Violation};
use crate::history::{Action, Outcome};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    for (index, operation) in facts.operations.iter().enumerate() {
        let (Action::Read { path, .. }, Outcome::Found { zxid, value, stat }) =
            (&operation.action, &operation.outcome)
        else {
            continue;
        };
        let Some(author) = facts.author(value) else {
            continue;
        };
        let writer = &facts.operations[author.operation];
        if writer.writes()[author.part].path() != path {
            let text = format!("{path}: {value:?} was written to another node");
            found.push(Violation::new(
                Rule::Value,
                &[author.operation, index],
                text,
            ));
            continue;
        }
        if operation.completed_ns < Some(writer.invoked_ns) {
            let text = format!("{path}: {value:?} was read before anyone wrote it");
            found.push(Violation::new(
                Rule::Value,
                &[author.operation, index],
                text,
            ));
        }
        if zxid.is_some_and(|zxid| zxid < stat.mzxid) {
            let text = format!(
                "{path}: the reply is older than the {:#x} that it shows",
                stat.mzxid
            );
            found.push(Violation::new(Rule::Monotonic, &[index], text));
        }
        check_age(facts, index, path, stat.mzxid, found);
    }
}

/// The next write of the node is not one that must have been seen.
fn check_age(facts: &Facts<'_>, index: usize, path: &str, shown: i64, found: &mut Vec<Violation>) {
    let links = &facts.nodes[path].links;
    let next = links.partition_point(|link| link.zxid <= shown);
    let Some(next) = links.get(next) else { return };
    let at = next.zxid;
    let shown_by = [next.by.operation, index];
    let seen = facts.seen[index];
    if at <= seen {
        let text = format!(
            "{path}: read at {shown:#x} by a session that has seen {seen:#x}, after the write at {at:#x}"
        );
        found.push(Violation::new(Rule::Monotonic, &shown_by, text));
    } else if facts.operations[index].is_synced() && at <= facts.floor[index] {
        let text = format!(
            "{path}: read at {shown:#x} behind a sync, when the write at {at:#x} had been told"
        );
        found.push(Violation::new(Rule::SyncedRead, &shown_by, text));
    }
}
