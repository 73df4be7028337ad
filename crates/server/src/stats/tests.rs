use super::*;
use zooid_proto::{SessionId, Zxid};
use zooid_tree::WatcherId;

fn stats() -> ServerStats {
    ServerStats::new(Now::default())
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn fired(watcher: u64, event: EventType, path: &str) -> Fired {
    Fired {
        watcher: WatcherId(watcher),
        event,
        path: path.into(),
        zxid: Zxid(1),
        acl: Vec::new().into(),
    }
}

#[test]
fn watches_are_counted_per_event() {
    let stats = stats();
    stats.watches_fired(&[]);
    stats.watches_fired(&[
        fired(1, EventType::NodeCreated, "/a"),
        fired(2, EventType::NodeCreated, "/a"),
        fired(1, EventType::NodeChildrenChanged, "/"),
        fired(1, EventType::NodeCreated, "/b"),
    ]);
    let summaries = stats.summaries();
    let created = summaries.created_watches;
    assert_eq!((created.count, created.min, created.max), (2, 1, 2));
    assert_eq!(summaries.children_watches.count, 1);
    assert_eq!(summaries.deleted_watches.count, 0);
}

#[test]
fn what_goes_to_the_core_is_told_apart() {
    let open = zooid_node::OpenSession {
        session: SessionId(0),
        password_matches: false,
        timeout_ms: 1000,
        read_only: false,
    };
    let stats = stats();
    stats.queued(&[Input::Open(zooid_node::ConnId(1), open)]);
    stats.queued(&[Input::Timer, Input::Timer]);
    assert_eq!(value(&stats.counters.connect_requests), 1);
    assert_eq!(value(&stats.counters.requests_queued), 3);
}

#[test]
fn the_node_s_totals_are_counted_from_the_last_reset() {
    let total = |sessions_expired| NodeStats {
        sessions_expired,
        ..NodeStats::default()
    };
    let stats = stats();
    stats.node_advanced(&total(0), &total(3));
    stats.reset();
    stats.node_advanced(&total(3), &total(4));
    assert_eq!(value(&stats.counters.sessions_expired), 1);
}

#[test]
fn connections_are_local_or_remote() {
    let stats = stats();
    for remote in [
        "127.0.0.1:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
        "10.0.0.1:1",
    ] {
        stats.accepted(&remote.parse().unwrap());
    }
    assert_eq!(value(&stats.counters.local_connections), 3);
    assert_eq!(value(&stats.counters.remote_connections), 1);
}

#[test]
fn a_reset_keeps_what_java_has_as_gauges() {
    let stats = stats();
    stats.accepted(&"127.0.0.1:1".parse().unwrap());
    stats.word_received();
    stats.synced(Duration::from_millis(5), 10);
    stats.trace_mask.store(7, Ordering::Relaxed);
    stats.reset();
    assert_eq!(value(&stats.counters.local_connections), 1);
    assert_eq!(value(&stats.counters.packets_received), 0);
    assert_eq!(stats.summaries().batch_records, Tally::default());
    assert_eq!(stats.summaries().flushes.tally().count, 0);
    assert_eq!(stats.trace_mask.load(Ordering::Relaxed), 7);
}
