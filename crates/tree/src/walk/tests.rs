//! A walk under writes against a twin that was set aside when it began.

use super::*;
use crate::slot_set::counting;
use crate::testing::{
    Model, OPTIONS, Script, Step, Twins, as_model, create, delete, set_data, step,
};
use crate::{LoadError, ReplicaBuilder};
use proptest::prelude::*;
use std::collections::BTreeSet;
use zooid_proto::{AclList, Limit, Reader, SessionId, StatPersisted};

/// Loads a walk's stream; fails if a node comes before its parent or twice.
fn load(stream: &[u8], zxid: Zxid) -> Result<Replica, LoadError> {
    let mut r = Reader::new(stream, Limit(usize::MAX));
    let mut builder = ReplicaBuilder::new(OPTIONS);
    for _ in 0..r.i32().unwrap() {
        builder.session(SessionId(r.i64().unwrap()), r.i32().unwrap());
    }
    for _ in 0..r.i32().unwrap() {
        let id = r.i64().unwrap();
        builder.acl(id, &AclList::decode(&mut r).unwrap());
    }
    loop {
        let path = String::decode(&mut r).unwrap();
        if path == "/" {
            assert!(r.is_empty(), "nothing comes after the terminator");
            return builder.finish(zxid);
        }
        let data = r.buffer().unwrap();
        let acl_id = r.i64().unwrap();
        builder.node(&path, data, acl_id, StatPersisted::decode(&mut r).unwrap())?;
    }
}

/// As many nodes below the root, and their paths.
fn grown_by(count: u32) -> (Script, Vec<String>) {
    let mut script = Script::new();
    let paths: Vec<String> = (0..count).map(|number| format!("/n{number}")).collect();
    for path in &paths {
        script.run(&create(path, b""));
    }
    (script, paths)
}

struct Running {
    walk: Walk,
    stream: Vec<u8>,
    expected: Model,
}

impl Running {
    fn begin(twins: &mut Twins) -> Running {
        Running {
            walk: twins.replica.begin_walk(),
            stream: Vec::new(),
            expected: twins.model.clone(),
        }
    }

    fn finish(mut self, replica: &mut Replica) {
        while self.walk.next_chunk(replica, &mut self.stream, 50) {}
        let (zxid, digest) = (self.walk.zxid(), self.walk.digest());
        assert_eq!(zxid.0, self.expected.zxid);
        assert_eq!(digest, self.expected.digest());
        let loaded = load(&self.stream, zxid).unwrap();
        assert_eq!(as_model(&loaded), self.expected);
        assert_eq!(loaded.digest(), digest);
    }
}

/// What happens between two transactions.
#[derive(Clone, Debug)]
enum Event {
    Step(Step),
    Begin,
    Chunk(usize, usize),
    Finish(usize),
    Abandon(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => step().prop_map(Event::Step),
        1 => Just(Event::Begin),
        4 => (any::<usize>(), 1..300_usize).prop_map(|(walk, max)| Event::Chunk(walk, max)),
        1 => any::<usize>().prop_map(Event::Finish),
        1 => any::<usize>().prop_map(Event::Abandon),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_under_writes_yields_the_tree_as_it_was_when_it_began(
        events in prop::collection::vec(event(), 0..250),
    ) {
        let mut twins = Twins::new();
        let mut running: Vec<Running> = Vec::new();
        for event in events {
            let pick = |at: usize| at % running.len().max(1);
            match event {
                Event::Step(step) => twins.step(&step),
                Event::Begin => running.push(Running::begin(&mut twins)),
                Event::Chunk(at, max_bytes) => {
                    let at = pick(at);
                    if let Some(Running { walk, stream, .. }) = running.get_mut(at) {
                        walk.next_chunk(&twins.replica, stream, max_bytes);
                    }
                }
                Event::Finish(at) if !running.is_empty() => {
                    let at = pick(at);
                    running.swap_remove(at).finish(&mut twins.replica);
                }
                Event::Abandon(at) if !running.is_empty() => {
                    let at = pick(at);
                    drop(running.swap_remove(at));
                }
                Event::Finish(_) | Event::Abandon(_) => {}
            }
        }
        for walk in running {
            walk.finish(&mut twins.replica);
        }
        prop_assert_eq!(as_model(&twins.replica), twins.model);
    }

    #[test]
    fn the_stream_does_not_depend_on_how_it_is_cut(
        steps in prop::collection::vec(step(), 0..60),
        max_bytes in 1..200_usize,
    ) {
        let mut twins = Twins::new();
        for step in &steps {
            twins.step(step);
        }
        let mut streams = BTreeSet::new();
        for max_bytes in [1, max_bytes, usize::MAX] {
            let mut walk = twins.replica.begin_walk();
            let mut stream = Vec::new();
            while walk.next_chunk(&twins.replica, &mut stream, max_bytes) {}
            prop_assert!(!walk.next_chunk(&twins.replica, &mut stream, max_bytes));
            streams.insert(stream);
        }
        prop_assert_eq!(streams.len(), 1);
        let stream = streams.pop_first().unwrap();
        let loaded = load(&stream, twins.replica.last_zxid()).unwrap();
        crate::testing::assert_same(&loaded, &twins.model);
    }
}

#[test]
fn a_fresh_trees_stream_is_what_a_snapshot_of_it_holds() {
    let mut replica = Replica::new(OPTIONS);
    let mut walk = replica.begin_walk();
    let mut stream = Vec::new();
    assert!(!walk.next_chunk(&replica, &mut stream, usize::MAX));
    // A snapshot of an empty tree by ZooKeeper 3.8 has 457 bytes, of which 16 are the file's header,
    // 13 the first seal and 33 the digest with its seal.
    assert_eq!(stream.len(), 457 - 16 - 13 - 33);
}

#[test]
fn a_node_is_written_although_another_one_has_its_slot() {
    let mut script = Script::new();
    script.run(&create("/old", b"old"));
    let (nodes, _) = script.replica.storage();
    let end = nodes.end();
    let mut walk = script.replica.begin_walk();
    script.run(&delete("/old"));
    script.run(&create("/new", b"new"));
    let (nodes, _) = script.replica.storage();
    assert_eq!(nodes.end(), end, "/new took /old's slot");
    let mut stream = Vec::new();
    while walk.next_chunk(&script.replica, &mut stream, 1) {}
    let loaded = load(&stream, walk.zxid()).unwrap();
    assert!(loaded.node("/old").is_some());
    assert!(loaded.node("/new").is_none());
}

#[test]
fn only_nodes_yet_to_be_visited_are_saved_and_only_once() {
    let mut script = Script::new();
    for name in ["/a", "/b", "/c"] {
        script.run(&create(name, b"old"));
    }
    let mut walk = script.replica.begin_walk();
    let mut stream = Vec::new();
    let queued = |walk: &Walk| walk.progress.lock().queue.parts.iter().map(Vec::len).sum();
    script.run(&set_data("/c", b"new", 1));
    let once: usize = queued(&walk);
    assert_ne!(once, 0);
    script.run(&set_data("/c", b"newer", 2));
    assert_eq!(queued(&walk), once);
    while walk.next_chunk(&script.replica, &mut stream, 1) {}
    assert_eq!(queued(&walk), 0);
    script.run(&set_data("/a", b"new", 1));
    assert_eq!(queued(&walk), 0);
    let loaded = load(&stream, walk.zxid()).unwrap();
    assert_eq!(loaded.node("/c").unwrap().data(), Some(b"old".as_slice()));
}

#[test]
fn for_a_walk_that_was_dropped_nothing_is_saved() {
    let mut script = Script::new();
    script.run(&create("/a", b"old"));
    let progress = Arc::downgrade(&script.replica.begin_walk().progress);
    assert!(progress.upgrade().is_some());
    script.run(&set_data("/a", b"new", 1));
    assert!(progress.upgrade().is_none());
}

#[test]
fn ephemeral_quota_and_ttl_state_is_rebuilt_from_the_stream() {
    let mut script = Script::new();
    for path in ["/q", "/zookeeper/quota/q"] {
        script.run(&create(path, b"12345"));
    }
    let limits = "/zookeeper/quota/q/zookeeper_limits";
    script.run(&create(limits, b"count=5,bytes=-1=;countHardLimit=9"));
    script.run(&create("/zookeeper/quota/q/zookeeper_stats", b""));
    script.run(&create("/q/x", b"123"));
    let mut walk = script.replica.begin_walk();
    let mut stream = Vec::new();
    while walk.next_chunk(&script.replica, &mut stream, 64) {}
    let loaded = load(&stream, walk.zxid()).unwrap();
    let quota = loaded.quota_of("/q/x").unwrap();
    assert_eq!(Some(&quota), script.replica.quota_of("/q/x").as_ref());
    assert_eq!((quota.used_count, quota.used_bytes), (2, 8));
    assert_eq!(quota.limits.count_hard, 9);
}

/// What is not there is passed over: looking at each of its slots would be as much work as a large tree's.
#[test]
fn a_tree_that_has_shrunk_is_walked_as_a_small_one() {
    let (mut script, paths) = grown_by(100_000);
    for path in &paths {
        script.run(&delete(path));
    }
    let mut replica = script.replica;
    let mut walk = replica.begin_walk();
    let mut stream = Vec::new();
    let mut chunks = 1;
    while walk.next_chunk(&replica, &mut stream, 4096) {
        chunks += 1;
    }
    assert_eq!(chunks, 1);
    assert!(stream.len() < 4096);
}

/// A tree whose nodes all go while it is written leaves nothing to look for. A search for each node that had gone
/// took a snapshot from a tenth of a second to half a minute.
#[test]
fn a_tree_that_goes_away_meanwhile_is_walked_once() {
    const NODES: u32 = 50_000;
    let (mut script, paths) = grown_by(NODES);
    let mut walk = script.replica.begin_walk();
    for path in &paths {
        script.run(&delete(path));
    }
    let replica = script.replica;
    let mut stream = Vec::new();
    let (before, mut chunks) = (counting::looks(), 1);
    while walk.next_chunk(&replica, &mut stream, 32 << 10) {
        chunks += 1;
    }
    let looks = counting::looks() - before;
    let words = u64::from(NODES.div_ceil(64)) + 1;
    assert!(looks <= chunks * words, "{looks} looks in {chunks} chunks");
    let zxid = walk.zxid();
    let loaded = load(&stream, zxid).unwrap();
    assert!(paths.iter().all(|path| loaded.node(path).is_some()));
}
