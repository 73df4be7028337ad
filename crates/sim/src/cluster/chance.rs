//! The faults of a run, each with a name, so that a run can be made again with some of them only.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// An occasion at which something may break. Each throws dice of its own, so that others do not change
/// when it passes by unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chance {
    /// The one planned as this, in order of time.
    Planned(u64),
    /// That a leader is deposed without hearing of it.
    Deposition,
    /// That a healthy ensemble's leader gets a bad disk.
    Trial,
    /// When a member begins a life, both counted from 0.
    AtStart {
        /// Which.
        member: usize,
        /// Its how manieth.
        life: u64,
    },
    /// When a member's life ends.
    AtEnd {
        /// Which.
        member: usize,
        /// Its how manieth.
        life: u64,
    },
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Chance::Planned(at) => write!(f, "{at}"),
            Chance::Deposition => f.write_str(DEPOSITION),
            Chance::Trial => f.write_str(TRIAL),
            Chance::AtStart { member, life } => write!(f, "start{member}.{life}"),
            Chance::AtEnd { member, life } => write!(f, "end{member}.{life}"),
        }
    }
}

const DEPOSITION: &str = "deposition";
const TRIAL: &str = "trial";

/// What is no name of a [`Chance`].
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{0:?} names no fault: expected a number, {DEPOSITION}, {TRIAL}, startMEMBER.LIFE or endMEMBER.LIFE"
)]
pub struct NoChance(String);

impl FromStr for Chance {
    type Err = NoChance;

    fn from_str(text: &str) -> Result<Chance, NoChance> {
        let life = |rest: &str| {
            let (member, life) = rest.split_once('.')?;
            Some((member.parse().ok()?, life.parse().ok()?))
        };
        let parsed = if let Some(rest) = text.strip_prefix("start") {
            life(rest).map(|(member, life)| Chance::AtStart { member, life })
        } else if let Some(rest) = text.strip_prefix("end") {
            life(rest).map(|(member, life)| Chance::AtEnd { member, life })
        } else if text == DEPOSITION {
            Some(Chance::Deposition)
        } else if text == TRIAL {
            Some(Chance::Trial)
        } else {
            text.parse().ok().map(Chance::Planned)
        };
        parsed.ok_or_else(|| NoChance(text.to_owned()))
    }
}

/// Which faults happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Script {
    /// Whatever the seed has.
    #[default]
    Everything,
    /// Of those only these.
    Only(BTreeSet<Chance>),
}

impl Script {
    pub(crate) fn allows(&self, chance: Chance) -> bool {
        match self {
            Script::Everything => true,
            Script::Only(chances) => chances.contains(&chance),
        }
    }
}
