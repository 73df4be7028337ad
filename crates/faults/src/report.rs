//! A history as people read it.

#[cfg(test)]
mod tests;

use crate::checker::Violation;
use crate::history::{Action, Operation, Outcome, Write};
use anyhow::Result;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use zooid_proto::ErrorCode;

/// The file of the operations, in a round's directory.
pub const HISTORY: &str = "history.jsonl";
/// The file of what was done to the members.
pub const EVENTS: &str = "events.txt";

/// The violations, with the operations that show them: the first of each rule, and how many more.
#[must_use]
pub fn violations(violations: &[Violation], operations: &[Operation]) -> String {
    let start_ns = start_ns(operations);
    let mut text = String::new();
    for of_rule in violations.chunk_by(|one, next| one.rule == next.rule) {
        for violation in of_rule.iter().take(VIOLATIONS_SHOWN) {
            let _ = writeln!(text, "{violation}");
            for index in &violation.operations {
                let line = line(*index, &operations[*index], start_ns);
                let _ = writeln!(text, "    {line}");
            }
        }
        if let Some(more) = of_rule.len().checked_sub(VIOLATIONS_SHOWN + 1) {
            let rule = of_rule[0].rule;
            let _ = writeln!(text, "{rule:?}: and {} more", more + 1);
        }
    }
    text
}

/// Those operations, in time, that concern a node if one is named, and come at most so far before or
/// after one of these if such are named; between them what was done to the members.
///
/// # Errors
/// When the events are there and cannot be read.
pub fn excerpt(
    operations: &[Operation],
    directory: &Path,
    node: Option<&str>,
    around: &[usize],
    distance: usize,
) -> Result<String> {
    let start_ns = start_ns(operations);
    let mut lines: BTreeSet<(u64, String)> = BTreeSet::new();
    for (index, operation) in operations.iter().enumerate() {
        let is_near =
            around.is_empty() || around.iter().any(|other| other.abs_diff(index) <= distance);
        let is_meant = node.is_none_or(|node| operation.concerns(node)) || around.contains(&index);
        if is_near && is_meant {
            lines.insert((operation.invoked_ns, line(index, operation, start_ns)));
        }
    }
    let first = lines.first().map_or(0, |(at, _)| *at);
    let last = lines.last().map_or(0, |(at, _)| *at);
    let events = directory.join(EVENTS);
    if events.exists() {
        for event in fs::read_to_string(events)?.lines() {
            let Some((at, event)) = event.split_once(' ') else {
                continue;
            };
            let at: u64 = at.parse()?;
            if around.is_empty() || (first <= at && at <= last) {
                lines.insert((at, format!("{}  ---- {event}", seconds(at, start_ns))));
            }
        }
    }
    let lines = lines.into_iter().map(|(_, line)| line);
    let lines: Vec<String> = [HEADER.to_owned()].into_iter().chain(lines).collect();
    Ok(lines.join("\n"))
}

fn start_ns(operations: &[Operation]) -> u64 {
    let invoked = operations.iter().map(|operation| operation.invoked_ns);
    invoked.min().unwrap_or_default()
}

fn line(index: usize, operation: &Operation, start_ns: u64) -> String {
    let Operation {
        client,
        session,
        number,
        member,
        ..
    } = operation;
    let began = seconds(operation.invoked_ns, start_ns);
    let ended = operation.completed_ns.map_or_else(
        || "     never".into(),
        |completed_ns| seconds(completed_ns, start_ns),
    );
    let asked = asked(&operation.action);
    let told = told(&operation.outcome);
    format!(
        "{began} {ended}  #{index} {client} {session:#x}/{number} at {member}: {asked} -> {told}"
    )
}

/// Before the start, for events, it is negative.
fn seconds(at_ns: u64, start_ns: u64) -> String {
    let micros = |ns: u64| i64::try_from(ns / 1_000).unwrap_or(i64::MAX);
    let since = micros(at_ns) - micros(start_ns);
    let (sign, since) = (if since < 0 { "-" } else { "" }, since.unsigned_abs());
    format!(
        "{:>3}.{:06}",
        format!("{sign}{}", since / 1_000_000),
        since % 1_000_000
    )
}

fn asked(action: &Action) -> String {
    let synced = |synced: &bool| if *synced { "sync, " } else { "" };
    match action {
        Action::Write(writes) => {
            let writes: Vec<String> = writes.iter().map(write).collect();
            writes.join(" + ")
        }
        Action::Read { path, synced: s } => format!("{}get {path}", synced(s)),
        Action::List { path, synced: s } => format!("{}list {path}", synced(s)),
    }
}

fn write(write: &Write) -> String {
    match write {
        Write::Create { path, value } => format!("create {path} {value:?}"),
        Write::Set {
            path,
            value,
            version: None,
        } => format!("set {path} {value:?}"),
        Write::Set {
            path,
            value,
            version: Some(version),
        } => format!("set {path} {value:?} if version {version}"),
        Write::Delete { path } => format!("delete {path}"),
    }
}

fn told(outcome: &Outcome) -> String {
    let at = |zxid: &Option<i64>| zxid.map_or(String::new(), |zxid| format!(" at {zxid:#x}"));
    match outcome {
        Outcome::Unknown => "no answer".into(),
        Outcome::Written { zxid, stats } => {
            let versions = stats.iter().flatten().map(|stat| stat.version.to_string());
            let versions: Vec<String> = versions.collect();
            format!("done{}, version {}", at(zxid), versions.join(", "))
        }
        Outcome::Refused { zxid, part, code } => {
            let error = ErrorCode::from(*code);
            format!("refused{}: {} (part {part})", at(zxid), error.name())
        }
        Outcome::Found { zxid, value, stat } => {
            let (version, mzxid) = (stat.version, stat.mzxid);
            format!(
                "{value:?}, version {version} of {mzxid:#x}, told{}",
                at(zxid)
            )
        }
        Outcome::Absent { zxid } => format!("no such node{}", at(zxid)),
        Outcome::Listed { zxid, children } => format!("{} children{}", children.len(), at(zxid)),
    }
}

const HEADER: &str = "sent       answered    operation: question -> answer";
/// Of each rule: one fault breaks a rule again and again.
const VIOLATIONS_SHOWN: usize = 20;
