//! `dump`: sessions, their ephemerals, and connections (Java `DumpCommand`, `ExpiryQueue.dump`).

use super::java_text::{date, socket_address};
use crate::clock;
use crate::shared::Shared;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use zooid_node::{Node, Now};
use zooid_proto::SessionId;

/// What was alive at one time. Times of expiry are on the monotonic clock, in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Dump {
    pub(crate) now: Now,
    pub(crate) zone: TimeZone,
    pub(crate) sessions: DumpedSessions,
    pub(crate) ephemerals: Vec<(SessionId, Vec<String>)>,
    pub(crate) connections: BTreeMap<i64, Vec<(SocketAddr, SessionId)>>,
}

/// Sessions, as far as the server knows about them.
#[derive(Clone, Debug)]
pub(crate) enum DumpedSessions {
    /// By whoever decides when they expire.
    Tracked {
        by_expiry: Vec<(i64, Vec<SessionId>)>,
        /// Those that are closing included, which do not expire any more.
        count: usize,
    },
    /// By a learner: their timeouts in milliseconds (Java `LearnerSessionTracker`).
    Learned(Vec<(SessionId, i32)>),
}

impl Dump {
    /// `None` when the core has ended.
    pub(crate) async fn take(shared: &Shared) -> Option<Dump> {
        let look = |node: &Node| {
            let learns = node.peer().is_some_and(|peer| peer.leading.is_none());
            let sessions = node.sessions();
            let by_expiry = sessions.by_expiry();
            let by_expiry = by_expiry.map(|(at, ids)| (at, ids.iter().copied().collect()));
            (learns, by_expiry.collect::<Vec<_>>(), sessions.len())
        };
        let (learns, by_expiry, count) = shared.inspect(look).await?;
        let connections = connections(shared, &by_expiry);
        let replica = shared.replica.read();
        Some(Dump {
            now: clock::now(),
            zone: TimeZone::system(),
            connections,
            sessions: if learns {
                DumpedSessions::Learned(replica.sessions().collect())
            } else {
                DumpedSessions::Tracked { by_expiry, count }
            },
            ephemerals: replica.sessions_with_ephemerals().collect(),
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = "SessionTracker dump:\n".to_owned();
        match &self.sessions {
            DumpedSessions::Tracked { by_expiry, count } => {
                text.push_str("Session ");
                self.write_sets(&mut text, by_expiry, *count, SessionId::to_string);
            }
            DumpedSessions::Learned(sessions) => {
                let _ = writeln!(text, "Global Sessions({}):", sessions.len());
                for (session, timeout_ms) in sessions {
                    let _ = writeln!(text, "{session}\t{timeout_ms}ms");
                }
            }
        }
        let _ = write!(
            text,
            "ephemeral nodes dump:\nSessions with Ephemerals ({}):\n",
            self.ephemerals.len()
        );
        for (session, paths) in &self.ephemerals {
            let _ = writeln!(text, "{session}:");
            for path in paths {
                let _ = writeln!(text, "\t{path}");
            }
        }
        text.push_str("Connections dump:\nConnections ");
        let connections: Vec<_> = self
            .connections
            .iter()
            .map(|(at, some)| (*at, some.clone()))
            .collect();
        let count = self.connections.values().map(Vec::len).sum();
        self.write_sets(&mut text, &connections, count, |(remote, session)| {
            format!("ip: {} sessionId: {session}", socket_address(remote))
        });
        text
    }

    fn write_sets<T>(
        &self,
        text: &mut String,
        sets: &[(i64, Vec<T>)],
        count: usize,
        name: impl Fn(&T) -> String,
    ) {
        let _ = writeln!(text, "Sets ({})/({count}):", sets.len());
        for (expires_ms, members) in sets {
            let wall_ms = self.now.wall_ms + (expires_ms - self.now.mono_ms);
            let when = date(wall_ms, self.zone.clone());
            let _ = writeln!(text, "{} expire at {when}:", members.len());
            for member in members {
                let _ = writeln!(text, "\t{}", name(member));
            }
        }
    }
}

/// A connection expires with its session; one without a session, when it has had none for too
/// long. Java rounds both to the interval in which it looks for the latter.
fn connections(
    shared: &Shared,
    sessions: &[(i64, Vec<SessionId>)],
) -> BTreeMap<i64, Vec<(SocketAddr, SessionId)>> {
    let expiry: BTreeMap<SessionId, i64> = sessions
        .iter()
        .flat_map(|(at, ids)| ids.iter().map(|id| (*id, *at)))
        .collect();
    let timeout = shared.limits.sessionless_timeout.as_millis();
    let interval_ms = i64::try_from(timeout).unwrap_or(i64::MAX).max(1);
    let now = clock::now();
    let mut sets: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for client in shared.clients.all() {
        let conn = client.conn.lock();
        let session = conn.session();
        let accepted_ms = now.mono_ms - (now.wall_ms - conn.stats().established_wall_ms);
        let expires_ms = match expiry.get(&session) {
            Some(at) => *at,
            None => accepted_ms.saturating_add(interval_ms),
        };
        let rounded_ms = round_up(expires_ms, interval_ms);
        sets.entry(rounded_ms)
            .or_default()
            .push((client.remote, session));
    }
    sets
}

fn round_up(time_ms: i64, interval_ms: i64) -> i64 {
    let rest = time_ms.rem_euclid(interval_ms);
    if rest == 0 {
        time_ms
    } else {
        time_ms.saturating_add(interval_ms - rest)
    }
}

#[cfg(test)]
mod tests;
