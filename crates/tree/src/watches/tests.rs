//! Which watches hear of what.

use crate::acl::Access;
use crate::testing::{ANYONE, Script, create, delete, open_acl, set_data};
use crate::watch_table::WatcherId;
use zooid_proto::request::SetWatches2;
use zooid_proto::{
    Acl, AddWatchMode, ErrorCode, EventType, SetAclTxn, Txn, WatcherType, Zxid, perms,
};

const ONE: WatcherId = WatcherId(1);
const TWO: WatcherId = WatcherId(2);
const RECURSIVE: AddWatchMode = AddWatchMode::PersistentRecursive;
const PERSISTENT: AddWatchMode = AddWatchMode::Persistent;

impl Script {
    /// The events since the last call, as text.
    fn events(&mut self) -> Vec<String> {
        let event = |fired: crate::Fired| {
            let event = match fired.event {
                EventType::NodeCreated => "created",
                EventType::NodeDeleted => "deleted",
                EventType::NodeDataChanged => "data",
                EventType::NodeChildrenChanged => "children",
                other => panic!("servers send no {other:?}"),
            };
            format!("{} {event} {}", fired.watcher.0, fired.path)
        };
        self.fired.drain(..).map(event).collect()
    }

    fn exists(&self, path: &str, watcher: WatcherId) {
        let _ = self.replica.exists(path, &ANYONE, Some(watcher));
    }

    fn get(&self, path: &str, watcher: WatcherId) {
        let _ = self.replica.get_data(path, &ANYONE, Some(watcher));
    }

    fn list(&self, path: &str, watcher: WatcherId) {
        let _ = self.replica.get_children(path, &ANYONE, Some(watcher));
    }
}

#[test]
fn one_shot_watches_fire_once() {
    let mut script = Script::new();
    script.exists("/a", ONE);
    script.list("/", TWO);
    script.run(&create("/a", b""));
    assert_eq!(script.events(), ["1 created /a", "2 children /"]);
    script.run(&set_data("/a", b"1", 1));
    script.run(&create("/b", b""));
    assert_eq!(script.events(), [""; 0]);

    script.get("/a", ONE);
    script.exists("/a", ONE);
    script.exists("/a", TWO);
    assert_eq!(script.replica.watch_count(), 2);
    script.run(&set_data("/a", b"2", 2));
    assert_eq!(script.events(), ["1 data /a", "2 data /a"]);
    assert_eq!(script.replica.watch_count(), 0);
}

#[test]
fn events_carry_zxid_and_acl_of_what_they_tell() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    let acl = vec![Acl::new(perms::ALL, "digest", "u:h")];
    let set_acl = SetAclTxn {
        path: "/a".into(),
        acl: acl.clone().into(),
        version: 1,
    };
    script.exists("/a", ONE);
    script.list("/", ONE);
    script.run(&Txn::SetAcl(set_acl));
    assert_eq!(script.fired, [], "setACL tells nobody");
    script.run(&delete("/a"));
    let [of_node, of_parent] = script.fired.as_slice() else {
        panic!("two events, not {:?}", script.fired);
    };
    assert_eq!((of_node.zxid, &of_node.acl[..]), (Zxid(3), acl.as_slice()));
    assert_eq!(
        (of_parent.zxid, &of_parent.acl[..]),
        (Zxid(3), open_acl().as_slice())
    );
}

#[test]
fn a_deletion_is_told_once_to_who_watches_data_and_children() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    script.get("/a", ONE);
    script.list("/a", ONE);
    script.list("/a", TWO);
    script.run(&delete("/a"));
    assert_eq!(script.events(), ["1 deleted /a", "2 deleted /a"]);
    assert_eq!(script.replica.watch_count(), 0);
}

#[test]
fn reads_of_missing_or_forbidden_nodes_leave_no_watch_but_exists_of_a_missing_one_does() {
    let mut script = Script::new();
    script.get("/a", ONE);
    script.list("/a", ONE);
    assert_eq!(script.replica.watch_count(), 0);
    script.exists("/a", ONE);
    assert_eq!(script.replica.watch_count(), 1);

    script.run(&create("/secret", b""));
    script.run(&Txn::SetAcl(SetAclTxn {
        path: "/secret".into(),
        acl: vec![Acl::new(perms::ALL, "digest", "u:h")].into(),
        version: 1,
    }));
    script.get("/secret", TWO);
    script.list("/secret", TWO);
    let nobody = Access {
        ids: &[],
        skip_acl: false,
    };
    let denied = script.replica.exists("/secret", &nobody, Some(TWO));
    assert_eq!(denied, Err(ErrorCode::NoAuth));
    assert_eq!(script.replica.watch_count(), 1);
}

#[test]
fn persistent_watches_stay_and_hear_of_children() {
    let mut script = Script::new();
    script.replica.add_watch(ONE, "/a", PERSISTENT);
    script.run(&create("/a", b""));
    script.run(&create("/a/b", b""));
    script.run(&set_data("/a", b"1", 1));
    script.run(&set_data("/a/b", b"1", 1));
    script.run(&delete("/a/b"));
    script.run(&delete("/a"));
    let expected = [
        "1 created /a",
        "1 children /a",
        "1 data /a",
        "1 children /a",
        "1 deleted /a",
    ];
    assert_eq!(script.events(), expected);
    assert_eq!(script.replica.watch_count(), 2, "one entry in each table");
}

#[test]
fn recursive_watches_hear_of_descendants_and_not_of_child_lists() {
    let mut script = Script::new();
    script.replica.add_watch(ONE, "/a", RECURSIVE);
    for path in ["/a", "/a/b", "/a/b/c", "/ab"] {
        script.run(&create(path, b""));
    }
    script.run(&set_data("/a/b/c", b"1", 1));
    script.run(&delete("/a/b/c"));
    let expected = [
        "1 created /a",
        "1 created /a/b",
        "1 created /a/b/c",
        "1 data /a/b/c",
        "1 deleted /a/b/c",
    ];
    assert_eq!(script.events(), expected);
}

#[test]
fn a_recursive_watch_on_the_root_hears_of_everything() {
    let mut script = Script::new();
    script.replica.add_watch(ONE, "/", RECURSIVE);
    script.run(&create("/a", b""));
    script.run(&create("/a/b", b""));
    script.run(&set_data("/", b"1", 1));
    assert_eq!(
        script.events(),
        ["1 created /a", "1 created /a/b", "1 data /"]
    );
}

#[test]
fn a_watcher_hears_of_an_event_once_however_it_watches() {
    let mut script = Script::new();
    script.run(&create("/a", b""));
    script.replica.add_watch(ONE, "/", RECURSIVE);
    script.replica.add_watch(ONE, "/a", RECURSIVE);
    script.replica.add_watch(ONE, "/a", PERSISTENT);
    script.get("/a", ONE);
    script.exists("/a", TWO);
    script.run(&set_data("/a", b"1", 1));
    assert_eq!(script.events(), ["1 data /a", "2 data /a"]);
    let replica = &script.replica;
    assert!(
        !replica.check_watch(ONE, "/a", WatcherType::Data),
        "used up"
    );
    assert!(replica.check_watch(ONE, "/a", WatcherType::Persistent));
    assert!(replica.check_watch(ONE, "/a", WatcherType::PersistentRecursive));
}

#[test]
fn each_type_removes_its_own_kind() {
    let kinds = [
        WatcherType::Children,
        WatcherType::Data,
        WatcherType::Persistent,
        WatcherType::PersistentRecursive,
    ];
    for removed in kinds {
        let mut script = Script::new();
        script.run(&create("/a", b""));
        script.get("/a", ONE);
        script.list("/a", ONE);
        script.replica.add_watch(ONE, "/a", PERSISTENT);
        script.replica.add_watch(ONE, "/a", RECURSIVE);
        let replica = &script.replica;
        assert!(replica.remove_watch(ONE, "/a", removed));
        assert!(!replica.remove_watch(ONE, "/a", removed), "{removed:?}");
        for kind in kinds {
            assert_eq!(replica.check_watch(ONE, "/a", kind), kind != removed);
        }
        assert!(replica.check_watch(ONE, "/a", WatcherType::Any));
        assert!(!replica.check_watch(TWO, "/a", WatcherType::Any));
        assert!(!replica.check_watch(ONE, "/", WatcherType::Any));
        assert!(!replica.remove_watch(TWO, "/a", WatcherType::Any));
        assert!(replica.remove_watch(ONE, "/a", WatcherType::Any));
        assert!(!replica.check_watch(ONE, "/a", WatcherType::Any));
        assert_eq!(replica.watch_count(), 0);
        script.run(&delete("/a"));
        assert_eq!(script.events(), [""; 0]);
    }
}

#[test]
fn a_removed_recursive_watch_hears_nothing_more() {
    let mut script = Script::new();
    script.replica.add_watch(ONE, "/a", RECURSIVE);
    script.replica.add_watch(TWO, "/a", RECURSIVE);
    assert!(
        script
            .replica
            .remove_watch(ONE, "/a", WatcherType::PersistentRecursive)
    );
    script.replica.drop_watcher(TWO);
    script.run(&create("/a", b""));
    script.run(&create("/a/b", b""));
    assert_eq!(script.events(), [""; 0]);
}

#[test]
fn a_dropped_watcher_leaves_the_others_theirs() {
    let mut script = Script::new();
    for watcher in [ONE, TWO] {
        script.exists("/a", watcher);
        script.list("/", watcher);
        script.replica.add_watch(watcher, "/p", PERSISTENT);
    }
    script.replica.drop_watcher(ONE);
    assert_eq!(script.replica.watch_count(), 4);
    script.run(&create("/a", b""));
    script.run(&create("/p", b""));
    let expected = ["2 created /a", "2 children /", "2 created /p"];
    assert_eq!(script.events(), expected);
}

#[test]
fn watches_set_again_tell_at_once_what_was_missed() {
    let mut script = Script::new();
    for path in ["/data", "/list", "/old"] {
        script.run(&create(path, b""));
    }
    script.run(&set_data("/data", b"1", 1)); // zxid 4
    script.run(&create("/list/child", b"")); // zxid 5
    let strings = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let mut told = Vec::new();
    let request = |since| SetWatches2 {
        relative_zxid: Zxid(since),
        data_watches: strings(&["/data", "/old", "/gone"]),
        exist_watches: strings(&["/old", "/still-missing"]),
        child_watches: strings(&["/list", "/old", "/gone"]),
        persistent_watches: strings(&["/p"]),
        persistent_recursive_watches: strings(&["/r"]),
    };
    let mut emit = |event: EventType, path: &str| told.push((event, path.to_owned()));
    script.replica.set_watches(ONE, &request(3), &mut emit);
    let expected = [
        (EventType::NodeDataChanged, "/data"),
        (EventType::NodeDeleted, "/gone"),
        (EventType::NodeCreated, "/old"),
        (EventType::NodeChildrenChanged, "/list"),
        (EventType::NodeDeleted, "/gone"),
    ];
    assert_eq!(told, expected.map(|(event, path)| (event, path.to_owned())));
    let replica = &script.replica;
    for (path, kind) in [
        ("/old", WatcherType::Data),
        ("/still-missing", WatcherType::Data),
        ("/old", WatcherType::Children),
        ("/p", WatcherType::Persistent),
        ("/r", WatcherType::PersistentRecursive),
    ] {
        assert!(replica.check_watch(ONE, path, kind), "{path} {kind:?}");
    }
    for path in ["/data", "/list", "/gone"] {
        assert!(!replica.check_watch(ONE, path, WatcherType::Any), "{path}");
    }
    // At the very zxid nothing was missed.
    told.clear();
    let mut emit = |event: EventType, path: &str| told.push((event, path.to_owned()));
    script.replica.set_watches(TWO, &request(5), &mut emit);
    let events: Vec<EventType> = told.iter().map(|(event, _)| *event).collect();
    let expected = [
        EventType::NodeDeleted,
        EventType::NodeCreated,
        EventType::NodeDeleted,
    ];
    assert_eq!(events, expected);
}

#[test]
fn closing_a_session_tells_of_its_ephemerals() {
    let mut script = Script::new();
    let ephemeral = zooid_proto::CreateTxn {
        path: "/e".into(),
        data: None,
        acl: open_acl().into(),
        ephemeral: true,
        parent_cversion: -1,
    };
    script.run_as(9, &Txn::Create(ephemeral));
    script.get("/e", ONE);
    script.list("/", TWO);
    let close = Txn::CloseSession {
        paths_to_delete: Some(vec!["/e".into()]),
    };
    script.run_as(9, &close);
    assert_eq!(script.events(), ["1 deleted /e", "2 children /"]);
}

#[test]
fn a_replayed_transaction_tells_nobody() {
    let mut script = Script::new();
    script.exists("/a", ONE);
    let txn = create("/a", b"");
    let header = crate::testing::header(1, 1, &txn);
    script.replica.replay(&header, &txn, None);
    assert!(script.replica.check_watch(ONE, "/a", WatcherType::Data));
}

#[test]
fn dumps_and_summary_tell_of_the_data_table() {
    let mut script = Script::new();
    script.exists("/a", TWO);
    script.exists("/a", ONE);
    script.exists("/b", ONE);
    script.list("/", ONE);
    let replica = &script.replica;
    assert_eq!(replica.watch_count(), 4);
    assert_eq!(
        replica.watches_by_watcher(),
        [
            (ONE, vec!["/a".into(), "/b".into()]),
            (TWO, vec!["/a".into()])
        ]
    );
    assert_eq!(
        replica.watches_by_path(),
        [("/a".into(), vec![ONE, TWO]), ("/b".into(), vec![ONE])]
    );
    let summary = |script: &Script| {
        let summary = script.replica.watch_summary();
        (summary.connections, summary.paths, summary.total)
    };
    assert_eq!(summary(&script), (2, 2, 3));
    script.run(&create("/a", b""));
    assert_eq!(
        summary(&script),
        (2, 1, 1),
        "a watcher counts until it is dropped"
    );
    script.replica.drop_watcher(TWO);
    assert_eq!(summary(&script), (1, 1, 1));
    script.replica.remove_watch(ONE, "/b", WatcherType::Any);
    assert_eq!(summary(&script), (0, 0, 0));
}
