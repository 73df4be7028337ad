//! `wchs`, `wchc`, `wchp`: who watches what (Java `WatchManager`). Of data watches only, as in
//! Java.

use crate::shared::Shared;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use zooid_node::ConnId;
use zooid_proto::SessionId;
use zooid_tree::{WatchSummary, WatcherId};

pub(crate) fn summary_text(summary: &WatchSummary) -> String {
    format!(
        "{} connections watching {} paths\nTotal watches:{}\n",
        summary.connections, summary.paths, summary.total
    )
}

/// What each session watches.
pub(crate) fn by_session(shared: &Shared) -> Vec<(SessionId, Vec<Arc<str>>)> {
    let watches = shared.replica.read().watches_by_watcher();
    let sessions = sessions(shared);
    let named = |(watcher, paths)| Some((*sessions.get(&watcher)?, paths));
    watches.into_iter().filter_map(named).collect()
}

/// By which sessions each path is watched.
pub(crate) fn by_path(shared: &Shared) -> Vec<(Arc<str>, Vec<SessionId>)> {
    let watches = shared.replica.read().watches_by_path();
    let sessions = sessions(shared);
    let named = |watchers: Vec<WatcherId>| {
        watchers
            .iter()
            .filter_map(|watcher| sessions.get(watcher).copied())
            .collect()
    };
    watches
        .into_iter()
        .map(|(path, watchers)| (path, named(watchers)))
        .collect()
}

/// The session behind each connection. One that has gone meanwhile is not among them.
fn sessions(shared: &Shared) -> BTreeMap<WatcherId, SessionId> {
    let clients = shared.clients.all();
    let session = |ConnId(id), session| (WatcherId(id), session);
    clients
        .iter()
        .map(|client| session(client.id, client.conn.lock().session()))
        .collect()
}

pub(crate) fn by_session_text(watches: &[(SessionId, Vec<Arc<str>>)]) -> String {
    let mut text = String::new();
    for (session, paths) in watches {
        let _ = writeln!(text, "{session}");
        for path in paths {
            let _ = writeln!(text, "\t{path}");
        }
    }
    text.push('\n');
    text
}

pub(crate) fn by_path_text(watches: &[(Arc<str>, Vec<SessionId>)]) -> String {
    let mut text = String::new();
    for (path, sessions) in watches {
        let _ = writeln!(text, "{path}");
        for session in sessions {
            let _ = writeln!(text, "\t{session}");
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
