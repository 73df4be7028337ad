use super::*;
use zooid_proto::{Limit, Reader};

fn table(watches: &[(WatchKind, &str)]) -> WatchTable {
    let mut table = WatchTable::default();
    for (kind, path) in watches {
        let path = (*path).to_owned();
        table.on_reply(Registration { kind: *kind, path }, ErrorCode::Ok);
    }
    table
}

#[test]
fn a_failed_read_leaves_no_watch_but_exists_on_a_missing_node_does() {
    let mut t = WatchTable::default();
    let on = |kind| Registration {
        kind,
        path: "/a".to_owned(),
    };
    t.on_reply(on(WatchKind::Child), ErrorCode::NoNode);
    t.on_reply(on(WatchKind::Data), ErrorCode::NoAuth);
    assert!(!t.has(WatcherType::Any, "/a"));
    t.on_reply(on(WatchKind::Exist), ErrorCode::NoNode);
    assert!(t.has(WatcherType::Data, "/a"));
}

#[test]
fn events_use_up_one_shot_watches_and_leave_persistent_ones() {
    use WatchKind::{Child, Data, Persistent};
    let mut t = table(&[
        (Data, "/a"),
        (Child, "/a"),
        (Persistent, "/a"),
        (Data, "/b"),
    ]);
    t.on_event(EventType::NodeDataChanged, "/a");
    assert!(!t.has(WatcherType::Data, "/a"));
    assert!(t.has(WatcherType::Children, "/a"));
    t.on_event(EventType::NodeDeleted, "/a");
    assert!(!t.has(WatcherType::Children, "/a"));
    assert!(t.has(WatcherType::Persistent, "/a"));
    assert!(t.has(WatcherType::Data, "/b"));
}

#[test]
fn a_removal_tells_each_kind_once() {
    use WatchKind::{Data, Exist, Persistent, PersistentRecursive};
    let mut t = table(&[
        (Data, "/a"),
        (Exist, "/a"),
        (Persistent, "/a"),
        (PersistentRecursive, "/a"),
    ]);
    assert_eq!(
        t.remove(WatcherType::Any, "/a")
            .into_iter()
            .collect::<Vec<_>>(),
        [RemovedEvent::Data, RemovedEvent::Persistent]
    );
    assert!(t.remove(WatcherType::Any, "/a").is_empty());
}

#[test]
fn watches_are_set_again_in_the_oldest_form_that_can() {
    assert_eq!(WatchTable::default().reset_request(Zxid(7)), None);

    let (op, body) = table(&[(WatchKind::Data, "/a")])
        .reset_request(Zxid(7))
        .unwrap();
    assert_eq!(op, OpCode::SetWatches);
    let body = SetWatches::decode(&mut Reader::new(&body, Limit::default())).unwrap();
    assert_eq!(
        (body.relative_zxid, &body.data_watches[..]),
        (Zxid(7), &["/a".to_owned()][..])
    );

    let (op, body) = table(&[
        (WatchKind::PersistentRecursive, "/r"),
        (WatchKind::Child, "/c"),
    ])
    .reset_request(Zxid(7))
    .unwrap();
    assert_eq!(op, OpCode::SetWatches2);
    let body = SetWatches2::decode(&mut Reader::new(&body, Limit::default())).unwrap();
    assert_eq!(body.child_watches, ["/c"]);
    assert_eq!(body.persistent_recursive_watches, ["/r"]);
}
