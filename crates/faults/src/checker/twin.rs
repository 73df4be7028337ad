//! The same question by another road: is there any order of a register's operations that explains what
//! was answered, and in which nothing goes before what was answered before it was asked for?
//!
//! A search after Wing, Gong and Lowe, which looks at no zxid. Plain reads have no part in it: they may
//! be old. A write without an answer may be anywhere after its request, or nowhere.

use super::{Rule, Violation};
use crate::history::{Action, Operation, Outcome, Write};
use std::collections::{BTreeMap, BTreeSet};
use zooid_proto::ErrorCode;

pub(super) fn check(operations: &[Operation], found: &mut Vec<Violation>) {
    for (path, steps) in registers(operations) {
        let search = Search::new(steps);
        if let Err(stuck) = search.run() {
            let text = format!("{path}: {}", stuck.text);
            found.push(Violation::new(Rule::Linearizable, &stuck.operations, text));
        }
    }
}

/// An operation on one register.
#[derive(Clone, Debug)]
struct Step<'a> {
    operation: usize,
    invoked_ns: u64,
    /// Never, if it was not answered.
    completed_ns: u64,
    effect: Effect<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Effect<'a> {
    Create {
        value: &'a str,
    },
    Set {
        value: &'a str,
        expected: Option<i32>,
        /// As the answer says.
        version: Option<i32>,
    },
    RefuseVersion {
        expected: i32,
    },
    Show {
        value: &'a str,
        version: i32,
    },
}

/// A register: its version and value, once it is there.
type State<'a> = Option<(i32, &'a str)>;

impl<'a> Effect<'a> {
    fn changes_nothing(self) -> bool {
        matches!(self, Effect::RefuseVersion { .. } | Effect::Show { .. })
    }

    /// The version that it has made, as its answer says.
    fn told(self) -> Option<i32> {
        match self {
            Effect::Set { version, .. } => version,
            _ => None,
        }
    }

    /// The value that it has read, and its version.
    fn shown(self) -> Option<(&'a str, i32)> {
        match self {
            Effect::Show { value, version } => Some((value, version)),
            _ => None,
        }
    }

    /// The register after it; `None` if it cannot happen now.
    fn apply(self, state: State<'a>) -> Option<State<'a>> {
        match (self, state) {
            (Effect::Create { value }, None) => Some(Some((0, value))),
            (
                Effect::Set {
                    value,
                    expected,
                    version,
                },
                Some((before, _)),
            ) => {
                let after = before + 1;
                let is_as_expected = expected.is_none_or(|expected| expected == before);
                let is_as_told = version.is_none_or(|version| version == after);
                (is_as_expected && is_as_told).then_some(Some((after, value)))
            }
            (Effect::RefuseVersion { expected }, Some((before, _))) => {
                (expected != before).then_some(state)
            }
            (Effect::Show { value, version }, Some(shown)) => {
                (shown == (version, value)).then_some(state)
            }
            _ => None,
        }
    }
}

fn registers(operations: &[Operation]) -> BTreeMap<&str, Vec<Step<'_>>> {
    let mut registers: BTreeMap<&str, Vec<Step<'_>>> = BTreeMap::new();
    for (index, operation) in operations.iter().enumerate() {
        for (path, effect) in effects(operation) {
            registers.entry(path).or_default().push(Step {
                operation: index,
                invoked_ns: operation.invoked_ns,
                completed_ns: operation.completed_ns.unwrap_or(u64::MAX),
                effect,
            });
        }
    }
    // Nodes that nobody sets are the business of another rule.
    registers.retain(|_, steps| {
        let mut effects = steps.iter().map(|step| step.effect);
        effects.any(|effect| matches!(effect, Effect::Set { .. }))
    });
    registers
}

fn effects(operation: &Operation) -> Vec<(&str, Effect<'_>)> {
    match (&operation.action, &operation.outcome) {
        (Action::Write(writes), Outcome::Written { stats, .. }) => {
            let told = stats.iter().map(|stat| stat.map(|stat| stat.version));
            let told = told.chain(std::iter::repeat(None));
            writes.iter().zip(told).filter_map(done).collect()
        }
        (Action::Write(writes), Outcome::Unknown) => {
            let untold = writes.iter().zip(std::iter::repeat(None));
            untold.filter_map(done).collect()
        }
        (Action::Write(writes), Outcome::Refused { part, code, .. }) => {
            refused(&writes[*part], ErrorCode::from(*code))
                .into_iter()
                .collect()
        }
        (Action::Read { path, synced: true }, Outcome::Found { value, stat, .. }) => {
            let version = stat.version;
            vec![(path, Effect::Show { value, version })]
        }
        _ => Vec::new(),
    }
}

fn done<'a>((write, told): (&'a Write, Option<i32>)) -> Option<(&'a str, Effect<'a>)> {
    match write {
        Write::Create { path, value } => Some((path, Effect::Create { value })),
        Write::Set {
            path,
            value,
            version: expected,
        } => {
            let (expected, version) = (*expected, told);
            let effect = Effect::Set {
                value,
                expected,
                version,
            };
            Some((path, effect))
        }
        Write::Delete { .. } => None,
    }
}

fn refused(write: &Write, code: ErrorCode) -> Option<(&str, Effect<'_>)> {
    match (write, code) {
        (
            Write::Set {
                path,
                version: Some(expected),
                ..
            },
            ErrorCode::BadVersion,
        ) => {
            let expected = *expected;
            Some((path, Effect::RefuseVersion { expected }))
        }
        _ => None,
    }
}

/// Depth first, from the earliest operation on. Answers name versions and values, and no value is written
/// twice, so that there is hardly ever a choice but for writes without an answer.
struct Search<'a> {
    /// By the time of the request.
    steps: Vec<Step<'a>>,
    /// The step that was told to have made a version.
    told: BTreeMap<i32, usize>,
    /// The version as which a value was shown, and the other way round.
    shown_as: BTreeMap<&'a str, i32>,
    shown_at: BTreeMap<i32, &'a str>,
    is_taken: Vec<bool>,
    /// Those before are all taken, or unanswered.
    first: usize,
    answered_left: usize,
    state: State<'a>,
    path: Vec<Choice<'a>>,
    /// What led nowhere.
    dead_ends: BTreeSet<(Vec<usize>, State<'a>)>,
    attempts: usize,
}

/// A step that was taken, and what else could have been.
struct Choice<'a> {
    step: usize,
    others: Vec<usize>,
    state_before: State<'a>,
    first_before: usize,
}

/// Where the search ended.
struct Stuck {
    text: String,
    operations: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(mut steps: Vec<Step<'a>>) -> Search<'a> {
        steps.sort_by_key(|step| step.invoked_ns);
        let answered = steps.iter().filter(|step| step.is_answered());
        let told = steps.iter().enumerate();
        let shown = || steps.iter().filter_map(|step| step.effect.shown());
        Search {
            told: told
                .filter_map(|(index, step)| Some((step.effect.told()?, index)))
                .collect(),
            shown_as: shown().collect(),
            shown_at: shown().map(|(value, version)| (version, value)).collect(),
            is_taken: vec![false; steps.len()],
            first: 0,
            answered_left: answered.count(),
            state: None,
            path: Vec::new(),
            dead_ends: BTreeSet::new(),
            attempts: 0,
            steps,
        }
    }

    fn run(mut self) -> Result<(), Stuck> {
        let mut deepest = (0, Vec::new());
        let mut candidates = self.candidates();
        while self.answered_left > 0 {
            if self.path.len() >= deepest.0 {
                deepest = (self.path.len(), self.window());
            }
            self.attempts += 1;
            if self.attempts > ATTEMPTS_MAX {
                return Err(self.stuck(&deepest, "the search was given up"));
            }
            if let Some(step) = candidates.pop() {
                if let Some(after) = self.steps[step].effect.apply(self.state) {
                    self.take(step, candidates, after);
                    let is_new = self.dead_ends.insert((self.window(), self.state));
                    candidates = if is_new {
                        self.candidates()
                    } else {
                        Vec::new()
                    };
                }
            } else if let Some(choice) = self.path.pop() {
                candidates = self.undo(choice);
            } else {
                return Err(self.stuck(&deepest, "no order explains the answers"));
            }
        }
        Ok(())
    }

    /// What may be next, the likeliest last: what was answered first.
    fn candidates(&self) -> Vec<usize> {
        let mut candidates = self.window();
        candidates.retain(|step| self.may_be_next(*step));
        // What changes nothing can as well be now as at any later time.
        let changes_nothing = |step: &&usize| self.steps[**step].effect.changes_nothing();
        if let Some(step) = candidates.iter().find(changes_nothing) {
            return vec![*step];
        }
        candidates.sort_by_key(|step| std::cmp::Reverse(self.steps[*step].completed_ns));
        candidates
    }

    fn may_be_next(&self, step: usize) -> bool {
        let effect = self.steps[step].effect;
        let Some(after) = effect.apply(self.state) else {
            return false;
        };
        let Some((version, value)) = after.filter(|_| !effect.changes_nothing()) else {
            return true;
        };
        self.told.get(&version).is_none_or(|told| *told == step)
            && self
                .shown_at
                .get(&version)
                .is_none_or(|shown| *shown == value)
            && self
                .shown_as
                .get(value)
                .is_none_or(|shown| *shown == version)
    }

    /// What is not taken and was asked for before the first answer among those.
    fn window(&self) -> Vec<usize> {
        let mut window = Vec::new();
        let mut end_ns = u64::MAX;
        for index in self.first..self.steps.len() {
            let step = &self.steps[index];
            if step.invoked_ns > end_ns {
                break;
            }
            if !self.is_taken[index] {
                end_ns = end_ns.min(step.completed_ns);
                window.push(index);
            }
        }
        window
    }

    fn take(&mut self, step: usize, others: Vec<usize>, after: State<'a>) {
        self.path.push(Choice {
            step,
            others,
            state_before: self.state,
            first_before: self.first,
        });
        self.is_taken[step] = true;
        self.answered_left -= usize::from(self.steps[step].is_answered());
        self.state = after;
        while self.is_taken.get(self.first) == Some(&true) {
            self.first += 1;
        }
    }

    fn undo(&mut self, choice: Choice<'a>) -> Vec<usize> {
        self.is_taken[choice.step] = false;
        self.answered_left += usize::from(self.steps[choice.step].is_answered());
        self.state = choice.state_before;
        self.first = choice.first_before;
        choice.others
    }

    fn stuck(&self, (depth, window): &(usize, Vec<usize>), reason: &str) -> Stuck {
        let total = self.steps.len();
        let operations = window.iter().map(|step| self.steps[*step].operation);
        Stuck {
            text: format!("{reason}; {depth} of {total} operations are in an order"),
            operations: operations.collect(),
        }
    }
}

impl Step<'_> {
    fn is_answered(&self) -> bool {
        self.completed_ns != u64::MAX
    }
}

/// More than any good history needs: there each step has its place.
const ATTEMPTS_MAX: usize = 3_000_000;
