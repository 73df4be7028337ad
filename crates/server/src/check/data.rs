//! What is in the data directory, and what starting on it would do.

use super::Group;
use crate::database::recover_options;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use zooid_config::Config;
use zooid_proto::{EphemeralOwner, Zxid};
use zooid_storage::disk::{Disk, DryDisk, RealDisk};
use zooid_storage::{Dirs, EpochFiles, Recovered, Recovery, SkippedSnapshot, Snapshots, recover};
use zooid_tree::Replica;

pub(super) fn check(config: &Config) -> Group {
    let mut group = Group::new("data");
    let disk: Arc<dyn Disk> = Arc::new(DryDisk::new(Arc::new(RealDisk)));
    let dirs = Dirs::new(&config.data_dir, Some(&config.data_log_dir));
    let snapshots = Snapshots::new(Arc::clone(&disk), &dirs);
    let started = Instant::now();
    match recover(&disk, &dirs, &snapshots, &recover_options(config)) {
        Ok(recovered) => {
            let took_ms = started.elapsed().as_millis();
            tell_origin(&recovered, took_ms, &mut group);
            tell_repairs(&recovered.found, &mut group);
            if config.is_distributed() {
                tell_epochs(
                    &EpochFiles::new(disk, &dirs),
                    recovered.last_zxid,
                    &mut group,
                );
            }
            tell_contents(&recovered.replica, config, &mut group);
        }
        Err(error) => group.fault(error.to_string()),
    }
    group
}

fn tell_origin(recovered: &Recovered, took_ms: u128, group: &mut Group) {
    let found = &recovered.found;
    if found.initialized {
        group.note("no data yet: zooid would begin with an empty database");
        return;
    }
    if recovered.last_zxid == Zxid::NONE {
        group.note(
            "no data, and zookeeper.db.autocreate is false: this server would fetch everything from the \
             leader, and not vote before it has it",
        );
        return;
    }
    let from = match &found.snapshot {
        Some(file) => format!("{} loads", file.path.display()),
        None => "there is no snapshot, and none is asked for".to_owned(),
    };
    group.ok(format!(
        "{from}; {} transactions in {} log files follow without a gap, up to zxid {}; loaded in {took_ms} ms",
        found.txns,
        found.logs.len(),
        recovered.last_zxid
    ));
}

/// What recovery would put right, and what it passed over.
fn tell_repairs(found: &Recovery, group: &mut Group) {
    for SkippedSnapshot {
        why, unfinished, ..
    } in &found.skipped_snapshots
    {
        let text = format!("{why}; it is passed over, the logs reach beyond it");
        if *unfinished {
            group.note(text);
        } else {
            group.warn(text);
        }
    }
    if let Some(torn) = &found.torn_tail {
        group.note(format!(
            "{} ends in an unfinished record, or is still being written: never acknowledged, zooid would cut \
             it off at byte {}",
            torn.path.display(),
            torn.good_len
        ));
    }
    if let Some(zxid) = found.uncovered {
        group.note(format!(
            "the snapshot has effects of transactions up to {zxid} that the log does not have; the leader \
             sends them"
        ));
    }
    if found.repeated_txns > 0 {
        group.note(format!(
            "{} transactions are logged twice, as ZooKeeper 3.8.0 does at times when its leader dies; they count \
             once",
            found.repeated_txns
        ));
    }
    for session in &found.orphaned_sessions {
        group.note(format!(
            "session {session} does not exist and owns ephemeral nodes; zooid would delete them"
        ));
    }
}

fn tell_epochs(epochs: &EpochFiles, last: Zxid, group: &mut Group) {
    match epochs.load(last) {
        Ok(epochs) => group.ok(format!(
            "acceptedEpoch {}, currentEpoch {}",
            epochs.accepted.0, epochs.current.0
        )),
        Err(error) => group.fault(error.to_string()),
    }
}

/// What a walk over the tree has counted.
#[derive(Debug, Default)]
struct Contents {
    containers: usize,
    ttl_nodes: usize,
    largest: (usize, String),
    /// Nodes by the schemes of their ACLs.
    schemes: BTreeMap<String, usize>,
}

fn tell_contents(replica: &Replica, config: &Config, group: &mut Group) {
    let contents = Contents::of(replica);
    let (largest, path) = &contents.largest;
    group.ok(format!(
        "{} nodes, {} of them ephemeral, {} containers, {} with a time to live; about {} bytes; {} sessions",
        replica.node_count(),
        replica.ephemerals_count(),
        contents.containers,
        contents.ttl_nodes,
        replica.approximate_data_size(),
        replica.session_count(),
    ));
    group.ok(format!("the largest node is {path}, {largest} bytes"));
    let limit = crate::shared::size(config.client.jute_buffer_bytes_max);
    if *largest > limit {
        group.warn(format!(
            "{path} is larger than jute.maxbuffer ({limit}): raise it, also for clients and the other servers"
        ));
    }
    if replica.digest_mismatches() > 0 {
        group.warn(format!(
            "{} transactions in the log do not leave the digest that is written beside them",
            replica.digest_mismatches()
        ));
    }
    for (scheme, count) in &contents.schemes {
        if let Some(lack) = missing_scheme(scheme) {
            group.fault(format!(
                "{count} nodes have ACLs of the scheme {scheme}, but {lack}: whoever has access by it loses \
                 it. Give others access first, with setAcl"
            ));
        }
    }
}

fn missing_scheme(scheme: &str) -> Option<&'static str> {
    match scheme {
        "sasl" => Some("this version has no SASL"),
        "x509" => Some("this version has no TLS"),
        _ => None,
    }
}

impl Contents {
    fn of(replica: &Replica) -> Contents {
        let mut contents = Contents::default();
        let mut ahead = vec![String::from("/")];
        while let Some(path) = ahead.pop() {
            let Some(node) = replica.node(&path) else {
                continue;
            };
            match node.owner() {
                EphemeralOwner::Container => contents.containers += 1,
                EphemeralOwner::Ttl(_) => contents.ttl_nodes += 1,
                EphemeralOwner::Persistent | EphemeralOwner::Session(_) => {}
            }
            let ids = node.acl().iter().map(|acl| acl.id.scheme.as_deref());
            let mut schemes: Vec<&str> = ids.flatten().collect();
            schemes.sort_unstable();
            schemes.dedup();
            for scheme in schemes {
                *contents.schemes.entry(scheme.to_owned()).or_default() += 1;
            }
            let parent = path.trim_end_matches('/');
            ahead.extend(node.children().map(|child| format!("{parent}/{child}")));
            let len = node.data().map_or(0, <[u8]>::len);
            if len >= contents.largest.0 {
                contents.largest = (len, path);
            }
        }
        contents
    }
}

#[cfg(test)]
mod tests;
