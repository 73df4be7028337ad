//! The order of the writes: zxids, real time, sessions.

use super::facts::Facts;
use super::{Rule, Violation};
use crate::history::Outcome;
use std::collections::BTreeMap;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    check_unique(facts, found);
    check_real_time(facts, found);
    check_sessions(facts, found);
}

fn check_unique(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    let mut owners: BTreeMap<i64, usize> = BTreeMap::new();
    for (index, zxid) in facts.zxids.iter().enumerate() {
        let Some(zxid) = *zxid else { continue };
        if let Some(other) = owners.insert(zxid, index) {
            let text = format!("two transactions have the zxid {zxid:#x}");
            found.push(Violation::new(Rule::OneZxid, &[other, index], text));
        }
    }
}

fn check_real_time(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    for (index, zxid) in facts.zxids.iter().enumerate() {
        let floor = facts.floor[index];
        if let Some(zxid) = *zxid
            && zxid <= floor
        {
            let told = first_told(facts, floor);
            let text =
                format!("a write is at {zxid:#x}, and {floor:#x} had been told before it was sent");
            found.push(Violation::new(Rule::RealTime, &[told, index], text));
        }
    }
}

/// Who was told of it first.
fn first_told(facts: &Facts<'_>, zxid: i64) -> usize {
    let operations = facts.operations.iter().enumerate();
    let told = operations.filter(|(_, operation)| operation.newest_zxid() == Some(zxid));
    let first = told.min_by_key(|(_, operation)| operation.completed_ns);
    first.map_or(0, |(index, _)| index)
}

fn check_sessions(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    let mut order: Vec<usize> = (0..facts.operations.len()).collect();
    order.sort_by_key(|index| {
        let operation = &facts.operations[*index];
        (operation.session, operation.number)
    });
    // Of each session: its newest write, and where that is.
    let mut newest: BTreeMap<i64, (i64, usize)> = BTreeMap::new();
    for index in order {
        let operation = &facts.operations[index];
        let told = operation.reply_zxid().unwrap_or(i64::MAX);
        if told < facts.seen[index] {
            let seen = facts.seen[index];
            let text = format!("a session that has seen {seen:#x} is told {told:#x}");
            found.push(Violation::new(Rule::Monotonic, &[index], text));
        }
        let Some(zxid) = facts.zxids[index] else {
            continue;
        };
        if let Some((before, other)) = newest.insert(operation.session, (zxid, index))
            && before >= zxid
        {
            let text = format!("a session's writes are at {before:#x} and then at {zxid:#x}");
            found.push(Violation::new(Rule::SessionOrder, &[other, index], text));
        }
    }
    check_replies(facts, found);
}

/// A write is behind all that its session had seen.
fn check_replies(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    for (index, operation) in facts.operations.iter().enumerate() {
        let is_answered = !matches!(operation.outcome, Outcome::Unknown);
        if let Some(zxid) = facts.zxids[index]
            && is_answered
            && zxid <= facts.seen[index]
        {
            let seen = facts.seen[index];
            let text = format!("a session that has seen {seen:#x} writes at {zxid:#x}");
            found.push(Violation::new(Rule::SessionOrder, &[index], text));
        }
    }
}
