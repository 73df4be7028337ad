//! What clients asked for and what they were told: the history that the checker judges.
//!
//! Owns the records and their file, one JSON object a line. Knows nothing of servers: a client of any
//! kind may write one.

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::Path;

/// One request, from the moment before it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Which client; it has one session after the other.
    pub client: String,
    /// The session's id.
    pub session: i64,
    /// The operation's place in what its session sent.
    pub number: u64,
    /// The server that it was sent to.
    pub member: i64,
    /// Before it was sent, in nanoseconds of CLOCK_MONOTONIC.
    pub invoked_ns: u64,
    /// After its reply came, in the same nanoseconds; none if none came.
    pub completed_ns: Option<u64>,
    /// What was asked for.
    pub action: Action,
    /// What was answered.
    pub outcome: Outcome,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// One write, or several in a multi: all or none.
    Write(Vec<Write>),
    /// getData.
    Read {
        /// Of the node.
        path: String,
        /// Whether a sync went before it, in the same session, begun not before `invoked_ns`.
        synced: bool,
    },
    /// getChildren.
    List {
        /// Of the parent.
        path: String,
        /// As in `Read`.
        synced: bool,
    },
}

/// A write of one node. No value is ever written twice, and no node is created twice, so that what is
/// read tells who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Write {
    /// create.
    Create {
        /// Of the new node.
        path: String,
        /// Its data.
        value: String,
    },
    /// setData.
    Set {
        /// Of the node.
        path: String,
        /// Its new data.
        value: String,
        /// What the version must be before, if that matters.
        version: Option<i32>,
    },
    /// delete, whatever the version.
    Delete {
        /// Of the node.
        path: String,
    },
}

/// What a client was told. A client that does not see the header of a reply knows no `zxid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing: a write may have been done, may be done later, or never.
    Unknown,
    /// The writes are done.
    Written {
        /// Of the reply's header.
        zxid: Option<i64>,
        /// The nodes' stats where the reply has them, a place for each write.
        stats: Vec<Option<Seen>>,
    },
    /// Nothing is done.
    Refused {
        /// Of the reply's header.
        zxid: Option<i64>,
        /// Which of the writes cannot be done.
        part: usize,
        /// An error code of ZooKeeper.
        code: i32,
    },
    /// The node.
    Found {
        /// Of the reply's header.
        zxid: Option<i64>,
        /// Its data.
        value: String,
        /// Its stat.
        stat: Seen,
    },
    /// There is no such node.
    Absent {
        /// Of the reply's header.
        zxid: Option<i64>,
    },
    /// The node's children.
    Listed {
        /// Of the reply's header.
        zxid: Option<i64>,
        /// Their names.
        children: Vec<String>,
    },
}

/// The part of a stat that tells of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Transaction that created the node.
    pub czxid: i64,
    /// Transaction that last set its data.
    pub mzxid: i64,
    /// Number of times that its data was set.
    pub version: i32,
}

impl Write {
    /// The node.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Write::Create { path, .. } | Write::Set { path, .. } | Write::Delete { path } => path,
        }
    }

    /// What it leaves in the node.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Write::Create { value, .. } | Write::Set { value, .. } => Some(value),
            Write::Delete { .. } => None,
        }
    }
}

impl Operation {
    /// The writes, of which a read has none.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        match &self.action {
            Action::Write(writes) => writes,
            Action::Read { .. } | Action::List { .. } => &[],
        }
    }

    /// Whether it is a read that must show everything acknowledged before it.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        match self.action {
            Action::Write(_) => false,
            Action::Read { synced, .. } | Action::List { synced, .. } => synced,
        }
    }

    /// Takes it as a read without a sync.
    pub fn forget_sync(&mut self) {
        match &mut self.action {
            Action::Write(_) => {}
            Action::Read { synced, .. } | Action::List { synced, .. } => *synced = false,
        }
    }

    /// Of the reply's header: what the server had processed.
    #[must_use]
    pub fn reply_zxid(&self) -> Option<i64> {
        match self.outcome {
            Outcome::Unknown => None,
            Outcome::Written { zxid, .. }
            | Outcome::Refused { zxid, .. }
            | Outcome::Found { zxid, .. }
            | Outcome::Absent { zxid }
            | Outcome::Listed { zxid, .. } => zxid,
        }
    }

    /// The newest transaction that the reply tells of.
    #[must_use]
    pub fn newest_zxid(&self) -> Option<i64> {
        match &self.outcome {
            Outcome::Unknown => None,
            Outcome::Written { zxid, stats } => {
                let told = stats.iter().flatten().map(|stat| stat.mzxid);
                told.chain(*zxid).max()
            }
            Outcome::Found { zxid, stat, .. } => (*zxid).max(Some(stat.mzxid.max(stat.czxid))),
            Outcome::Refused { .. } | Outcome::Absent { .. } | Outcome::Listed { .. } => {
                self.reply_zxid()
            }
        }
    }

    /// Whether it touches the node, or lists it.
    #[must_use]
    pub fn concerns(&self, wanted: &str) -> bool {
        match &self.action {
            Action::Write(writes) => writes.iter().any(|write| write.path() == wanted),
            Action::Read { path, .. } | Action::List { path, .. } => path == wanted,
        }
    }
}

/// Writes a history to a file.
///
/// # Errors
/// When the file cannot be written.
pub fn save(operations: &[Operation], path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    let mut out = BufWriter::new(file);
    for operation in operations {
        writeln!(out, "{}", serde_json::to_string(operation)?)?;
    }
    Ok(out.flush()?)
}

/// Reads a history from a file.
///
/// # Errors
/// When the file cannot be read, or a line is no operation.
pub fn load(path: &Path) -> Result<Vec<Operation>> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut operations = Vec::new();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let operation = serde_json::from_str(&line?)
            .with_context(|| format!("{}, line {}", path.display(), index + 1))?;
        operations.push(operation);
    }
    Ok(operations)
}
