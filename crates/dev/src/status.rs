//! What a server says of itself: its answers to `srvr` and `mntr`, and the epoch that it writes down.

use std::fmt;

/// An answer that can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Serving(Status),
    /// The process runs, but serves no clients: it looks for a leader, or is being brought up to
    /// date by one.
    NotServing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) role: Role,
    pub(crate) epoch: u64,
    pub(crate) zxid: u64,
    pub(crate) connections: u64,
    /// Those of the whole ensemble, and this server's local ones; nothing if `mntr` is not allowed.
    pub(crate) sessions: Option<u64>,
    /// Packets since the server started.
    pub(crate) received: u64,
}

/// The values of `Mode:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Standalone,
    Leader,
    Follower,
    Observer,
    ReadOnly,
}

/// What there is to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a> {
    pub(crate) srvr: &'a str,
    pub(crate) mntr: &'a str,
    /// The file `currentEpoch`, of which the first line counts; empty if there is none, as with a
    /// standalone server.
    pub(crate) current_epoch: &'a str,
}

impl Answer {
    /// `None` if the server says something else.
    pub(crate) fn parse(texts: Texts<'_>) -> Option<Answer> {
        let srvr = texts.srvr;
        if srvr.contains(NOT_SERVING) {
            return Some(Answer::NotServing);
        }
        let field = |name: &str| srvr.lines().find_map(|line| line.strip_prefix(name));
        let zxid = field("Zxid: ")?.strip_prefix("0x")?;
        let zxid = u64::from_str_radix(zxid, 16).ok()?;
        // Its last transaction may be older than the epoch in which it follows.
        let epoch = texts
            .current_epoch
            .lines()
            .next()
            .unwrap_or_default()
            .parse();
        Some(Answer::Serving(Status {
            role: Role::from_mode(field("Mode: ")?)?,
            epoch: epoch.unwrap_or(zxid >> EPOCH_SHIFT),
            zxid,
            connections: field("Connections: ")?.parse().ok()?,
            sessions: sessions(texts.mntr),
            received: field("Received: ")?.parse().ok()?,
        }))
    }
}

fn sessions(mntr: &str) -> Option<u64> {
    let field = |name: &str| {
        mntr.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix('\t')?;
            value.parse::<u64>().ok()
        })
    };
    let global = field("zk_global_sessions")?;
    Some(global + field("zk_local_sessions").unwrap_or(0))
}

impl Status {
    /// Connections without the one over which this was asked.
    pub(crate) fn clients(&self) -> u64 {
        self.connections.saturating_sub(1)
    }
}

impl Role {
    fn from_mode(mode: &str) -> Option<Role> {
        ALL.into_iter().find(|role| role.name() == mode)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Standalone => "standalone",
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Observer => "observer",
            Role::ReadOnly => "read-only",
        }
    }

    /// Whether writes end up here.
    pub(crate) fn leads(self) -> bool {
        matches!(self, Role::Standalone | Role::Leader)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const ALL: [Role; 5] = [
    Role::Standalone,
    Role::Leader,
    Role::Follower,
    Role::Observer,
    Role::ReadOnly,
];
/// The upper half of a zxid is its epoch.
const EPOCH_SHIFT: u32 = 32;
const NOT_SERVING: &str = "not currently serving requests";

#[cfg(test)]
mod tests;
