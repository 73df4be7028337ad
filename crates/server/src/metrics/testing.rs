//! Fixed readings for tests.

use super::Readings;
use super::process::Descriptors;
use super::quotas::NamespaceQuota;
use super::readings::DatabaseReadings;
use crate::stats::ServerStats;
use std::collections::BTreeMap;
use std::time::Duration;
use zooid_node::{Recent, Sent, Tally};
use zooid_proto::Zxid;

fn tally(values: &[i64]) -> Tally {
    let mut tally = Tally::default();
    values.iter().for_each(|value| tally.add(*value));
    tally
}

/// A server that has done a little of everything.
pub(crate) fn readings(stats: &ServerStats) -> Readings<'_> {
    let recent = Recent {
        packets_received: 41,
        reads: tally(&[0, 2]),
        writes: tally(&[5]),
        auth_failures: 1,
        throttled: 2,
        sent: Sent {
            packets: 40,
            replies: tally(&[16, 90]),
            events: tally(&[30]),
            last_bytes: 30,
            lists_found: 5,
            lists_made: 3,
        },
    };
    stats.add(&recent, &tally(&[0, 0, 7]));
    stats.quota_refused("app");
    stats.synced(Duration::from_millis(3), 1);
    stats.synced(Duration::from_millis(4), 2);
    stats.recovered(Duration::from_millis(120), 17);
    let quota = NamespaceQuota {
        count_limit: 100,
        bytes_limit: -1,
        count_used: 3,
        bytes_used: 42,
    };
    Readings {
        member: None,
        uptime_ms: 12_345,
        connections: 2,
        outstanding: 1,
        descriptors: Descriptors {
            open: 39,
            max: 20_000,
        },
        database: DatabaseReadings {
            last_zxid: Zxid(0x1_0000_00a0),
            nodes: 5,
            watches: 4,
            ephemerals: 1,
            sessions: 2,
            data_size: 44,
            quotas: BTreeMap::from([("app".to_owned(), quota)]),
        },
        summaries: stats.summaries(),
        drop_probability: 0.25,
        stats,
    }
}
