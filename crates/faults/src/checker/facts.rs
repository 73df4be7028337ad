//! What a history says without any doubt: which writes were done, and where in the order.

use super::{Rule, Violation};
use crate::history::{Operation, Outcome, Seen, Write};
use std::collections::BTreeMap;

/// A history and what follows from it.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) operations: &'a [Operation],
    /// Of each write that is known to be done, or was refused: its zxid. A write without an answer is
    /// here as soon as anyone has read what it wrote.
    pub(super) zxids: Vec<Option<i64>>,
    /// The newest zxid that the operation's session had been told of before.
    pub(super) seen: Vec<i64>,
    /// The newest zxid that anyone had been told of before the operation was asked for.
    pub(super) floor: Vec<i64>,
    /// When each zxid, or a later one, was first told to anyone; by zxid.
    told_ns: Vec<(i64, u64)>,
    /// What was asked of every node.
    pub(super) nodes: BTreeMap<&'a str, Node>,
    /// Who wrote this.
    authors: BTreeMap<&'a str, Part>,
}

/// One write of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) operation: usize,
    pub(super) part: usize,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    /// Who asked for it, done or not.
    pub(super) creator: Option<usize>,
    /// Who asked for its end, done or not.
    pub(super) deleter: Option<usize>,
    /// The writes that left a value in it, in their order.
    pub(super) links: Vec<Link>,
    /// The writes of it that nobody knows the end of.
    pub(super) doubtful: Vec<Part>,
}

/// A write in its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) zxid: i64,
    pub(super) by: Part,
    /// That it gave to the node, if anything tells.
    pub(super) version: Option<i32>,
}

impl<'a> Facts<'a> {
    pub(super) fn gather(operations: &'a [Operation], found: &mut Vec<Violation>) -> Facts<'a> {
        let mut facts = Facts {
            operations,
            zxids: vec![None; operations.len()],
            seen: seen_by_session(operations),
            floor: told_to_anyone(operations),
            told_ns: told_first(operations),
            nodes: BTreeMap::new(),
            authors: BTreeMap::new(),
        };
        facts.note_requests();
        let mut versions = BTreeMap::new();
        facts.note_answers(&mut versions, found);
        facts.note_reads(&mut versions, found);
        facts.link(&versions);
        facts
    }

    /// Whether the write is known to be done.
    pub(super) fn is_done(&self, operation: usize) -> bool {
        let is_refused = matches!(self.operations[operation].outcome, Outcome::Refused { .. });
        self.zxids[operation].is_some() && !is_refused
    }

    pub(super) fn author(&self, value: &str) -> Option<Part> {
        self.authors.get(value).copied()
    }

    /// When this transaction, or a later one, was first told to anyone: what is before it in the order
    /// had been sent by then.
    pub(super) fn first_told_ns(&self, zxid: i64) -> u64 {
        let later = self.told_ns.partition_point(|(told, _)| *told < zxid);
        self.told_ns.get(later).map_or(u64::MAX, |(_, at)| *at)
    }

    fn note_requests(&mut self) {
        for (index, operation) in self.operations.iter().enumerate() {
            for (part, write) in operation.writes().iter().enumerate() {
                let node = self.nodes.entry(write.path()).or_default();
                match write {
                    Write::Create { .. } => node.creator = Some(index),
                    Write::Delete { .. } => node.deleter = Some(index),
                    Write::Set { .. } => {}
                }
                if let Some(value) = write.value() {
                    let operation = index;
                    self.authors.insert(value, Part { operation, part });
                }
            }
        }
    }

    fn note_answers(&mut self, versions: &mut Versions, found: &mut Vec<Violation>) {
        for (index, operation) in self.operations.iter().enumerate() {
            match &operation.outcome {
                Outcome::Written { zxid, stats } => {
                    self.zxids[index] = *zxid;
                    for (part, stat) in stats.iter().enumerate() {
                        let Some(stat) = stat else { continue };
                        let operation = index;
                        self.place(Part { operation, part }, *stat, None, versions, found);
                    }
                }
                Outcome::Refused { zxid, .. } => self.zxids[index] = *zxid,
                _ => {}
            }
        }
    }

    fn note_reads(&mut self, versions: &mut Versions, found: &mut Vec<Violation>) {
        for (index, operation) in self.operations.iter().enumerate() {
            let Outcome::Found { value, stat, .. } = &operation.outcome else {
                continue;
            };
            let Some(author) = self.author(value) else {
                let text = format!("{value:?} was read, which nobody wrote");
                found.push(Violation::new(Rule::Value, &[index], text));
                continue;
            };
            self.place(author, *stat, Some(index), versions, found);
        }
    }

    /// A write is where a stat says. `reader` is who saw that, if not the writer.
    fn place(
        &mut self,
        part: Part,
        stat: Seen,
        reader: Option<usize>,
        versions: &mut Versions,
        found: &mut Vec<Violation>,
    ) {
        let Part { operation, .. } = part;
        let shown: Vec<usize> = [operation].into_iter().chain(reader).collect();
        if let Outcome::Refused { .. } = self.operations[operation].outcome {
            let text = "a write that was refused has been done";
            found.push(Violation::new(Rule::Refusal, &shown, text));
            return;
        }
        let zxid = *self.zxids[operation].get_or_insert(stat.mzxid);
        if zxid != stat.mzxid {
            let text = format!("a write is at {zxid:#x} and at {:#x}", stat.mzxid);
            found.push(Violation::new(Rule::OneZxid, &shown, text));
        }
        let version = *versions.entry(part).or_insert(stat.version);
        if version != stat.version {
            let text = format!("a write gave version {version} and {}", stat.version);
            found.push(Violation::new(Rule::Versions, &shown, text));
        }
    }

    fn link(&mut self, versions: &Versions) {
        for (operation, zxid) in self.zxids.iter().enumerate() {
            for (part, write) in self.operations[operation].writes().iter().enumerate() {
                let by = Part { operation, part };
                let node = self.nodes.get_mut(write.path()).expect("noted before");
                match (zxid, &self.operations[operation].outcome) {
                    (_, Outcome::Refused { .. }) => {}
                    (None, _) => node.doubtful.push(by),
                    (Some(zxid), _) if write.value().is_some() => node.links.push(Link {
                        zxid: *zxid,
                        by,
                        version: version_by(write).or(versions.get(&by).copied()),
                    }),
                    (Some(_), _) => {}
                }
            }
        }
        for node in self.nodes.values_mut() {
            node.links.sort_by_key(|link| link.zxid);
        }
    }
}

/// What the request alone tells.
fn version_by(write: &Write) -> Option<i32> {
    match write {
        Write::Create { .. } => Some(0),
        Write::Set { version, .. } => version.map(|version| version + 1),
        Write::Delete { .. } => None,
    }
}

fn seen_by_session(operations: &[Operation]) -> Vec<i64> {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|index| (operations[*index].session, operations[*index].number));
    let mut seen = vec![0; operations.len()];
    let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
    for index in order {
        let newest = newest.entry(operations[index].session).or_default();
        seen[index] = *newest;
        *newest = (*newest).max(operations[index].newest_zxid().unwrap_or(0));
    }
    seen
}

fn told_to_anyone(operations: &[Operation]) -> Vec<i64> {
    let mut moments = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        // At the same nanosecond nothing is before the other.
        moments.push((operation.invoked_ns, false, index));
        if let Some(completed_ns) = operation.completed_ns {
            moments.push((completed_ns, true, index));
        }
    }
    moments.sort_unstable();
    let mut floor = vec![0; operations.len()];
    let mut newest = 0;
    for (_, is_end, index) in moments {
        if is_end {
            newest = newest.max(operations[index].newest_zxid().unwrap_or(0));
        } else {
            floor[index] = newest;
        }
    }
    floor
}

fn told_first(operations: &[Operation]) -> Vec<(i64, u64)> {
    let told = operations
        .iter()
        .filter_map(|operation| Some((operation.newest_zxid()?, operation.completed_ns?)));
    let mut told: Vec<(i64, u64)> = told.collect();
    told.sort_unstable();
    let mut earliest = u64::MAX;
    for (_, at) in told.iter_mut().rev() {
        earliest = earliest.min(*at);
        *at = earliest;
    }
    told
}

type Versions = BTreeMap<Part, i32>;
