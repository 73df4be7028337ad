//! The versions of a node: one write, one version, and no gap that nobody can have filled.

use super::facts::{Facts, Link, Node, Part};
use super::{Rule, Violation};
use crate::history::{Outcome, Write};
use zooid_proto::ErrorCode;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    for (path, node) in &facts.nodes {
        let mut doubtful: Vec<Doubt> = node
            .doubtful
            .iter()
            .filter_map(|part| Doubt::of(facts, *part))
            .collect();
        let mut before = None;
        let mut unplaced: Vec<Link> = Vec::new();
        for link in &node.links {
            let Some(version) = link.version else {
                unplaced.push(*link);
                continue;
            };
            let step = Step {
                path,
                before,
                after: (version, *link),
                unplaced: std::mem::take(&mut unplaced),
            };
            step.check(facts, &mut doubtful, found);
            before = Some((version, *link));
        }
    }
    check_refusals(facts, found);
}

/// From one known version of a node to the next.
struct Step<'a> {
    path: &'a str,
    before: Option<(i32, Link)>,
    after: (i32, Link),
    /// Writes between whose versions nobody has told.
    unplaced: Vec<Link>,
}

impl Step<'_> {
    fn check(&self, facts: &Facts<'_>, doubtful: &mut Vec<Doubt>, found: &mut Vec<Violation>) {
        let (version, after) = self.after;
        let Some((previous, before)) = self.before else {
            return self.check_first(found);
        };
        let path = self.path;
        let shown = [before.by.operation, after.by.operation];
        let between = version - previous - 1;
        if between < 0 {
            let text = format!("{path}: version {previous} and then {version}");
            found.push(Violation::new(Rule::Versions, &shown, text));
            return;
        }
        let known = i32::try_from(self.unplaced.len()).unwrap_or(i32::MAX);
        if known > between {
            let text = format!("{path}: {known} writes between versions {previous} and {version}");
            found.push(Violation::new(Rule::Versions, &shown, text));
            return;
        }
        let deadline_ns = facts.first_told_ns(after.zxid);
        for missing in previous + 1..version - known {
            if !Doubt::take(doubtful, missing, deadline_ns) {
                let text = format!("{path}: nobody can have written version {missing}");
                found.push(Violation::new(Rule::Versions, &shown, text));
                return;
            }
        }
    }

    fn check_first(&self, found: &mut Vec<Violation>) {
        let (version, first) = self.after;
        let is_creation = version == 0 && self.unplaced.is_empty();
        if !is_creation {
            let text = format!("{}: version {version} before it was created", self.path);
            found.push(Violation::new(Rule::Versions, &[first.by.operation], text));
        }
    }
}

/// A write whose end nobody knows and which may have taken a version that nobody has seen.
struct Doubt {
    /// What a conditional one makes of the node.
    version: Option<i32>,
    invoked_ns: u64,
}

impl Doubt {
    fn of(facts: &Facts<'_>, part: Part) -> Option<Doubt> {
        let operation = &facts.operations[part.operation];
        let Write::Set { version, .. } = &operation.writes()[part.part] else {
            return None;
        };
        Some(Doubt {
            version: version.map(|version| version + 1),
            invoked_ns: operation.invoked_ns,
        })
    }

    /// Takes one away that can have written this version by then; one that can have written nothing
    /// else, if there is one.
    fn take(doubtful: &mut Vec<Doubt>, version: i32, deadline_ns: u64) -> bool {
        let fits = |doubt: &Doubt, wanted: Option<i32>| {
            doubt.version == wanted && doubt.invoked_ns < deadline_ns
        };
        let exact = doubtful.iter().position(|doubt| fits(doubt, Some(version)));
        let any = || doubtful.iter().position(|doubt| fits(doubt, None));
        let Some(index) = exact.or_else(any) else {
            return false;
        };
        doubtful.remove(index);
        true
    }
}

/// A conditional write is refused only if the version was another.
fn check_refusals(facts: &Facts<'_>, found: &mut Vec<Violation>) {
    for (index, operation) in facts.operations.iter().enumerate() {
        let Outcome::Refused { zxid, part, code } = operation.outcome else {
            continue;
        };
        if code != ErrorCode::BadVersion.code() {
            continue;
        }
        let Some(write) = operation.writes().get(part) else {
            continue;
        };
        let Write::Set {
            version: Some(expected),
            path,
            ..
        } = write
        else {
            let text = "a write without a condition was refused for its version";
            found.push(Violation::new(Rule::Refusal, &[index], text));
            continue;
        };
        // A client that sees no header cannot say where that was; the twin looks at it all the same.
        let Some(zxid) = zxid else { continue };
        if let Some(link) = certain_at(&facts.nodes[path.as_str()], zxid)
            && link.version == Some(*expected)
        {
            let text = format!("{path}: refused, although the version was {expected}");
            let shown = [link.by.operation, index];
            found.push(Violation::new(Rule::Refusal, &shown, text));
        }
    }
}

/// The write whose version the node had just before this zxid, if no other can have come between.
fn certain_at(node: &Node, zxid: i64) -> Option<Link> {
    let later = node.links.partition_point(|link| link.zxid < zxid);
    let before = *node.links[..later].last()?;
    let after = node.links.get(later)?;
    (after.version? == before.version? + 1).then_some(before)
}
