//! What has happened, told as a line of text or as a JSON object.

use std::fmt;

use serde_json::{Value, json};

use crate::layout::MemberId;
use crate::status::Role;

/// Something worth a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Starting {
        id: MemberId,
        pid: u32,
    },
    /// There is no process, for the reason given.
    CannotStart {
        id: MemberId,
        reason: String,
    },
    /// Serves clients, or does so in another role.
    Serving {
        id: MemberId,
        role: Role,
        epoch: u64,
    },
    NotServing {
        id: MemberId,
    },
    /// Runs, has served, and no longer answers.
    Silent {
        id: MemberId,
    },
    Killed {
        id: MemberId,
    },
    /// By itself.
    Ended {
        id: MemberId,
        how: String,
        last_lines: Vec<String>,
    },
    /// Every server serves, for the first time.
    Ready {
        connect: String,
    },
    NoLeader,
    Stopping,
    /// As asked; if not well, then how.
    Stopped {
        id: MemberId,
        how: Option<String>,
    },
    /// Had to be killed, because it did not stop.
    Overdue {
        id: MemberId,
    },
    AllStopped {
        directory: String,
    },
}

impl Change {
    pub(crate) fn json(&self) -> Value {
        match self {
            Change::Starting { id, pid } => {
                json!({ "event": "starting", "server": id.0, "pid": pid })
            }
            Change::CannotStart { id, reason } => {
                json!({ "event": "cannot-start", "server": id.0, "reason": reason })
            }
            Change::Serving { id, role, epoch } => json!({
                "event": "serving", "server": id.0, "role": role.name(), "epoch": epoch,
            }),
            Change::NotServing { id } => json!({ "event": "not-serving", "server": id.0 }),
            Change::Silent { id } => json!({ "event": "silent", "server": id.0 }),
            Change::Killed { id } => json!({ "event": "killed", "server": id.0 }),
            Change::Ended {
                id,
                how,
                last_lines,
            } => json!({
                "event": "ended", "server": id.0, "how": how, "last_lines": last_lines,
            }),
            Change::Ready { connect } => json!({ "event": "ready", "connect": connect }),
            Change::NoLeader => json!({ "event": "no-leader" }),
            Change::Stopping => json!({ "event": "stopping" }),
            Change::Stopped { id, how } => {
                json!({ "event": "stopped", "server": id.0, "how": how })
            }
            Change::Overdue { id } => json!({ "event": "overdue", "server": id.0 }),
            Change::AllStopped { directory } => {
                json!({ "event": "all-stopped", "directory": directory })
            }
        }
    }
}

/// One line, or with a server's last words, several.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Starting { id, pid } => write!(f, "server {id}: starting, process {pid}"),
            Change::CannotStart { id, reason } => write!(f, "server {id}: cannot start: {reason}"),
            Change::Serving { id, role, epoch } => {
                write!(f, "server {id}: {role}, epoch {epoch}")
            }
            Change::NotServing { id } => write!(f, "server {id}: not serving"),
            Change::Silent { id } => write!(f, "server {id}: does not answer"),
            Change::Killed { id } => write!(f, "server {id}: killed"),
            Change::Ended {
                id,
                how,
                last_lines,
            } => {
                write!(f, "server {id}: ended by itself: {how}")?;
                last_lines
                    .iter()
                    .try_for_each(|line| write!(f, "\nserver {id} | {line}"))
            }
            Change::Ready { connect } => write!(f, "ready: {connect}"),
            Change::NoLeader => f.write_str("no server leads now"),
            Change::Stopping => f.write_str("stopping"),
            Change::Stopped { id, how: None } => write!(f, "server {id}: stopped"),
            Change::Stopped { id, how: Some(how) } => write!(f, "server {id}: stopped, {how}"),
            Change::Overdue { id } => write!(f, "server {id}: does not stop, so it is killed"),
            Change::AllStopped { directory } => write!(f, "all stopped; data kept in {directory}"),
        }
    }
}
