//! Nodes are there from their creation to their deletion, and a list of them is of one moment.

use super::facts::{Facts, Node};
use super::{Rule, Violation};
use crate::history::{Action, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::ErrorCode;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    let mut sights: BTreeMap<&str, Sights> = BTreeMap::new();
    for index in 0..facts.operations.len() {
        note(facts, index, &mut sights, found);
    }
    for (path, sights) in &sights {
        let Some(node) = facts.nodes.get(path) else {
            let shown: Vec<usize> = sights.there.iter().map(|sight| sight.by).take(1).collect();
            if !shown.is_empty() {
                let text = format!("{path} is there, which nobody created");
                found.push(Violation::new(Rule::Existence, &shown, text));
            }
            continue;
        };
        Life::of(facts, path, node, sights).check(found);
    }
}

/// Who saw a node, or saw that it is missing: in a state between `low` and `high`.
#[derive(Clone, Copy, Debug)]
struct Sight {
    by: usize,
    low: i64,
    high: i64,
    completed_ns: u64,
    /// How a sight is broken that only a sync makes so new.
    rule: Rule,
}

#[derive(Debug, Default)]
struct Sights {
    there: Vec<Sight>,
    missing: Vec<Sight>,
}

impl Sight {
    fn of(facts: &Facts<'_>, by: usize) -> Sight {
        let operation = &facts.operations[by];
        let (seen, floor) = (facts.seen[by], facts.floor[by]);
        let is_raised = operation.is_synced() && floor > seen;
        Sight {
            by,
            low: if is_raised { floor } else { seen },
            high: operation.newest_zxid().unwrap_or(i64::MAX),
            completed_ns: operation.completed_ns.unwrap_or(u64::MAX),
            rule: if is_raised {
                Rule::SyncedRead
            } else {
                Rule::Existence
            },
        }
    }

    /// A refusal tells of the state just before it.
    fn before(facts: &Facts<'_>, by: usize, zxid: Option<i64>) -> Sight {
        let sight = Sight::of(facts, by);
        let before = zxid.map(|zxid| zxid - 1);
        Sight {
            low: before.unwrap_or(sight.low),
            high: before.unwrap_or(sight.high),
            ..sight
        }
    }
}

fn note<'a>(
    facts: &Facts<'a>,
    index: usize,
    sights: &mut BTreeMap<&'a str, Sights>,
    found: &mut Vec<Violation>,
) {
    let operation = &facts.operations[index];
    match (&operation.action, &operation.outcome) {
        (Action::Read { path, .. }, Outcome::Found { zxid, .. }) => {
            let mut sight = Sight::of(facts, index);
            // Its own stat says nothing of how new the state was.
            sight.high = zxid.unwrap_or(i64::MAX);
            sights.entry(path).or_default().there.push(sight);
        }
        (Action::Read { path, .. }, Outcome::Absent { .. }) => {
            let sight = Sight::of(facts, index);
            sights.entry(path).or_default().missing.push(sight);
        }
        (Action::List { path, .. }, Outcome::Listed { children, .. }) => {
            let listed: BTreeSet<String> = children
                .iter()
                .map(|child| format!("{path}/{child}"))
                .collect();
            note_list(facts, index, path, &listed, sights, found);
        }
        (Action::Write(writes), Outcome::Refused { zxid, part, code }) => {
            let Some(write) = writes.get(*part) else {
                return;
            };
            let sight = Sight::before(facts, index, *zxid);
            let sights = sights.entry(write.path()).or_default();
            match ErrorCode::from(*code) {
                ErrorCode::NoNode => sights.missing.push(sight),
                ErrorCode::NodeExists => sights.there.push(sight),
                _ => {}
            }
        }
        _ => {}
    }
}

fn note_list<'a>(
    facts: &Facts<'a>,
    index: usize,
    parent: &str,
    listed: &BTreeSet<String>,
    sights: &mut BTreeMap<&'a str, Sights>,
    found: &mut Vec<Violation>,
) {
    let sight = Sight::of(facts, index);
    let mut strangers = listed.clone();
    let mut moment = Moment {
        low: sight.low,
        high: sight.high,
        not_in: Vec::new(),
    };
    for (path, node) in &facts.nodes {
        let is_child = path
            .rsplit_once('/')
            .is_some_and(|(above, _)| above == parent);
        if !is_child {
            continue;
        }
        let sights = sights.entry(path).or_default();
        let is_listed = strangers.remove(*path);
        if is_listed {
            sights.there.push(sight);
        } else {
            sights.missing.push(sight);
        }
        moment.narrow(facts, node, is_listed);
    }
    for stranger in strangers {
        let text = format!("{stranger} is there, which nobody created");
        found.push(Violation::new(Rule::Existence, &[index], text));
    }
    if !moment.exists() {
        let text = format!("the list of {parent} is not that of any one moment");
        found.push(Violation::new(sight.rule, &[index], text));
    }
}

/// Where in the order a list can have been read.
struct Moment {
    low: i64,
    high: i64,
    /// From the first to before the second.
    not_in: Vec<(i64, i64)>,
}

impl Moment {
    fn narrow(&mut self, facts: &Facts<'_>, node: &Node, is_listed: bool) {
        let Some((created, deleted)) = exact_life(facts, node) else {
            return;
        };
        if is_listed {
            self.low = self.low.max(created);
            self.high = self.high.min(deleted.saturating_sub(1));
        } else {
            self.not_in.push((created, deleted));
        }
    }

    fn exists(mut self) -> bool {
        self.not_in.sort_unstable();
        let mut at = self.low;
        for (created, deleted) in self.not_in {
            if created <= at && at < deleted {
                at = deleted;
            }
        }
        at <= self.high
    }
}

/// When the node is there, if that is known to the last transaction.
fn exact_life(facts: &Facts<'_>, node: &Node) -> Option<(i64, i64)> {
    let created = node.creator.filter(|creator| facts.is_done(*creator))?;
    let deleted = match node.deleter {
        Some(deleter) if facts.is_done(deleter) => facts.zxids[deleter]?,
        Some(deleter) if is_doubtful(facts, deleter) => return None,
        _ => i64::MAX,
    };
    Some((facts.zxids[created]?, deleted))
}

fn is_doubtful(facts: &Facts<'_>, operation: usize) -> bool {
    !matches!(facts.operations[operation].outcome, Outcome::Refused { .. })
        && facts.zxids[operation].is_none()
}

/// What is known of one node's life, and who saw what of it.
struct Life<'a> {
    facts: &'a Facts<'a>,
    path: &'a str,
    sights: &'a Sights,
    creator: Option<usize>,
    deleter: Option<usize>,
    /// At the latest.
    created: Option<i64>,
    /// Exactly, if it is known.
    deleted: Option<i64>,
}

impl<'a> Life<'a> {
    fn of(facts: &'a Facts<'a>, path: &'a str, node: &Node, sights: &'a Sights) -> Life<'a> {
        let is_possible =
            |operation: &usize| facts.is_done(*operation) || is_doubtful(facts, *operation);
        let creator = node.creator.filter(is_possible);
        let deleter = node.deleter.filter(is_possible);
        let seen_by = sights.there.iter().map(|sight| sight.high).min();
        Life {
            facts,
            path,
            sights,
            creator,
            deleter,
            created: creator.and_then(|creator| facts.zxids[creator]).or(seen_by),
            deleted: deleter.and_then(|deleter| facts.zxids[deleter]),
        }
    }

    fn check(&self, found: &mut Vec<Violation>) {
        for sight in &self.sights.there {
            self.check_there(*sight, found);
        }
        for sight in &self.sights.missing {
            self.check_missing(*sight, found);
        }
        self.check_doubtful_end(found);
    }

    fn check_there(&self, sight: Sight, found: &mut Vec<Violation>) {
        let path = self.path;
        let Some(creator) = self.creator else {
            let text = format!("{path} is there, and nobody can have created it");
            found.push(Violation::new(Rule::Existence, &[sight.by], text));
            return;
        };
        let is_asked_for = self.facts.operations[creator].invoked_ns < sight.completed_ns;
        let created = self.facts.zxids[creator];
        if !is_asked_for || created.is_some_and(|created| created > sight.high) {
            let text = format!("{path} is there before it was created");
            found.push(Violation::new(Rule::Existence, &[creator, sight.by], text));
        }
        if let (Some(deleter), Some(deleted)) = (self.deleter, self.deleted)
            && deleted <= sight.low
        {
            let text = format!("{path} is there after it was deleted at {deleted:#x}");
            found.push(Violation::new(sight.rule, &[deleter, sight.by], text));
        }
    }

    fn check_missing(&self, sight: Sight, found: &mut Vec<Violation>) {
        let (Some(creator), Some(created)) = (self.creator, self.created) else {
            return;
        };
        if created > sight.low || self.can_be_deleted(sight) {
            return;
        }
        let path = self.path;
        let text = format!("{path} is missing, created at {created:#x} and not deleted");
        found.push(Violation::new(sight.rule, &[creator, sight.by], text));
    }

    fn can_be_deleted(&self, sight: Sight) -> bool {
        match (self.deleter, self.deleted) {
            (Some(_), Some(deleted)) => deleted <= sight.high,
            (Some(deleter), None) => self.facts.operations[deleter].invoked_ns < sight.completed_ns,
            (None, _) => false,
        }
    }

    /// A deletion without an answer may be seen or not; once seen it stays.
    fn check_doubtful_end(&self, found: &mut Vec<Violation>) {
        let (Some(_), None, Some(created)) = (self.deleter, self.deleted, self.created) else {
            return;
        };
        let after = self.sights.missing.iter();
        let gone = after.filter(|sight| sight.low >= created);
        let Some(gone) = gone.min_by_key(|sight| sight.high) else {
            return;
        };
        for sight in &self.sights.there {
            if sight.low >= gone.high {
                let text = format!("{} is there again after it was gone", self.path);
                found.push(Violation::new(sight.rule, &[gone.by, sight.by], text));
            }
        }
    }
}
