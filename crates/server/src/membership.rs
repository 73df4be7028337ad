//! From the configuration to what the protocol wants to know about the ensemble.

use std::collections::BTreeSet;
use zooid_config::{Config, Hierarchy, QuorumOptions, ServerList};
use zooid_proto::ServerId;
use zooid_zab::{EnsembleSettings, Group, Membership, QuorumVerifier, View};

/// Java takes a greater factor for a mistake (`ZKDatabase.setSnapshotSizeFactor`).
const SNAPSHOT_SIZE_FACTOR_MAX: f64 = 1.0;
const SNAPSHOT_SIZE_FACTOR_DEFAULT: f64 = 0.33;

/// Who takes part, as the configuration says.
pub(crate) fn membership(config: &Config) -> Membership {
    Membership {
        committed: view(&config.servers),
        last_seen: config.last_seen_servers.as_ref().map(view),
    }
}

fn view(servers: &ServerList) -> View {
    let voters: BTreeSet<ServerId> = servers.voters().collect();
    View {
        version: servers.version,
        verifier: match servers.hierarchy() {
            None => QuorumVerifier::Majority(voters.clone()),
            Some(hierarchy) => QuorumVerifier::Hierarchical(groups(hierarchy)),
        },
        voters,
        observers: servers.observers().collect(),
        text: servers.config_text().into(),
    }
}

fn groups(hierarchy: &Hierarchy) -> Vec<Group> {
    let weight = |id: &ServerId| hierarchy.weights.get(id).copied().unwrap_or(1);
    let groups = hierarchy.groups.values();
    groups
        .map(|members| Group {
            members: members.iter().map(|id| (*id, weight(id))).collect(),
        })
        .collect()
}

/// What the operator has chosen for server `me`.
pub(crate) fn ensemble_settings(config: &Config, me: ServerId) -> EnsembleSettings {
    let quorum = &config.quorum;
    EnsembleSettings {
        me,
        tick_ms: i64::from(config.tick_time_ms),
        init_limit: i64::from(quorum.init_limit_ticks),
        sync_limit: i64::from(quorum.sync_limit_ticks),
        notification_ms_min: millis(quorum.notification_interval_ms_min),
        notification_ms_max: millis(quorum.notification_interval_ms_max),
        force_snapshot_sync: quorum.force_snapshot_sync,
        log_sync: snapshot_size_factor(config.storage.snapshot_size_factor).is_some(),
        snap_syncs_max: crate::shared::size(quorum.concurrent_snap_syncs_max),
        diff_syncs_max: crate::shared::size(quorum.concurrent_diff_syncs_max),
        counter_max: quorum.counter_max.unwrap_or(EnsembleSettings::COUNTER_MAX),
    }
}

/// How much log, relative to the newest snapshot, may be sent instead of it; infinite when there is no
/// limit, `None` when none may.
pub(crate) fn snapshot_size_factor(configured: f64) -> Option<f64> {
    if configured < 0.0 {
        None
    } else if configured == 0.0 {
        Some(f64::INFINITY)
    } else if configured > SNAPSHOT_SIZE_FACTOR_MAX {
        Some(SNAPSHOT_SIZE_FACTOR_DEFAULT)
    } else {
        Some(configured)
    }
}

/// How long a learner may take to connect and to say its first word, in milliseconds.
pub(crate) fn init_limit_ms(config: &Config) -> u64 {
    ticks_ms(config, config.quorum.init_limit_ticks)
}

/// How long a learner tries to reach its leader, in milliseconds.
pub(crate) fn connect_limit_ms(config: &Config) -> u64 {
    let QuorumOptions {
        connect_to_learner_master_limit_ticks: own,
        init_limit_ticks,
        ..
    } = config.quorum;
    ticks_ms(config, if own > 0 { own } else { init_limit_ticks })
}

fn ticks_ms(config: &Config, ticks: u32) -> u64 {
    let tick_ms = u64::try_from(config.tick_time_ms).unwrap_or(0);
    tick_ms.saturating_mul(u64::from(ticks))
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
