//! What a client asks for next.

use crate::dice::Dice;
use crate::history::{Action, Outcome, Write};
use std::collections::BTreeMap;

/// Makes up a client's actions, no value of which is written twice.
#[derive(Debug)]
pub(super) struct Work {
    name: String,
    count: u64,
    /// Of the registers, as the client has seen them last.
    versions: BTreeMap<String, i32>,
    /// The nodes that the client has created and not deleted.
    own: Vec<String>,
}

impl Work {
    pub(super) fn new(name: &str) -> Work {
        Work {
            name: name.into(),
            count: 0,
            versions: BTreeMap::new(),
            own: Vec::new(),
        }
    }

    /// A few actions, to be sent one behind the other.
    pub(super) fn next(&mut self, dice: &mut Dice) -> Vec<Action> {
        let count = if dice.hits(70) { 1 } else { 2 + dice.below(4) };
        (0..count).map(|_| self.action(dice)).collect()
    }

    /// Takes in what was answered.
    pub(super) fn learn(&mut self, action: &Action, outcome: &Outcome) {
        match (action, outcome) {
            (Action::Read { path, .. }, Outcome::Found { stat, .. }) => {
                self.versions.insert(path.clone(), stat.version);
            }
            (Action::Write(writes), Outcome::Written { stats, .. }) => {
                for (write, stat) in writes.iter().zip(stats) {
                    match (write, stat) {
                        (Write::Set { path, .. }, Some(stat)) => {
                            self.versions.insert(path.clone(), stat.version);
                        }
                        (Write::Create { path, .. }, _) => self.own.push(path.clone()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn action(&mut self, dice: &mut Dice) -> Action {
        let register = register(dice.below(REGISTERS));
        match dice.below(20) {
            0..4 => Action::Write(vec![self.set(register, None)]),
            4..8 => Action::Write(vec![self.compare_and_set(register)]),
            8..10 => Action::Write(vec![self.create()]),
            10 | 11 => self.delete(),
            12 => Action::Write(self.transfer(dice)),
            13 => {
                let writes = vec![self.compare_and_set(register), self.create()];
                Action::Write(writes)
            }
            14 | 15 => Action::Read {
                path: register,
                synced: true,
            },
            16 => Action::List {
                path: NODES.into(),
                synced: dice.hits(30),
            },
            _ => Action::Read {
                path: register,
                synced: false,
            },
        }
    }

    fn set(&mut self, path: String, version: Option<i32>) -> Write {
        let value = self.value();
        Write::Set {
            path,
            value,
            version,
        }
    }

    fn compare_and_set(&mut self, path: String) -> Write {
        let version = self.versions.get(&path).copied();
        self.set(path, version)
    }

    fn create(&mut self) -> Write {
        let value = self.value();
        let path = format!("{NODES}/{value}");
        Write::Create { path, value }
    }

    fn delete(&mut self) -> Action {
        let delete = self.own.pop().map(|path| Write::Delete { path });
        let write = delete.unwrap_or_else(|| self.create());
        Action::Write(vec![write])
    }

    /// Two registers and a node, at once.
    fn transfer(&mut self, dice: &mut Dice) -> Vec<Write> {
        let all: Vec<usize> = (0..REGISTERS).collect();
        let both = dice.shuffled(&all);
        let mut writes: Vec<Write> = both[..2]
            .iter()
            .map(|number| self.set(register(*number), None))
            .collect();
        writes.push(self.create());
        writes
    }

    fn value(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.name, self.count)
    }
}

/// The nodes that everybody works on.
pub(super) fn setup() -> Vec<Action> {
    let parents = [NODES, EPHEMERALS, REGISTER_PARENT].map(str::to_owned);
    let registers = (0..REGISTERS).map(register);
    let create = |path: String| {
        let value = format!("first of {path}");
        Action::Write(vec![Write::Create { path, value }])
    };
    parents.into_iter().chain(registers).map(create).collect()
}

/// Everything, behind a sync.
pub(super) fn final_reads() -> Vec<Action> {
    let synced = true;
    let registers = (0..REGISTERS).map(register);
    let mut reads: Vec<Action> = registers
        .map(|path| Action::Read { path, synced })
        .collect();
    let path = NODES.into();
    reads.push(Action::List { path, synced });
    reads
}

/// One of the nodes that are set again and again.
fn register(number: usize) -> String {
    format!("{REGISTER_PARENT}/{number}")
}

/// The parent of the nodes that are created once and deleted once.
const NODES: &str = "/nodes";
/// The parent of the sessions' own nodes.
pub const EPHEMERALS: &str = "/ephemerals";
const REGISTER_PARENT: &str = "/registers";
const REGISTERS: usize = 4;
