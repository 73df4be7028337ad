use super::{look_ahead, path_of, split_prefixed};
use zooid_proto::request::SetDataRequest;
use zooid_proto::{Jute, OpCode};
use zooid_tree::{Replica, ReplicaBuilder, TreeOptions};

/// Just so many that looking ahead is done at all.
fn large_replica() -> Replica {
    let mut builder = ReplicaBuilder::new(TreeOptions::default());
    let mut node = |path: &str| {
        let stat = zooid_proto::StatPersisted::default();
        builder.node(path, Some(b"data"), -1, stat).unwrap();
    };
    node("");
    for number in 0..1 << 16 {
        node(&format!("/n{number}"));
    }
    builder.finish(zooid_proto::Zxid(1)).unwrap()
}

fn frame(op: OpCode, body: &impl Jute) -> Vec<u8> {
    let mut request = Vec::new();
    7_i32.encode(&mut request);
    op.code().encode(&mut request);
    body.encode(&mut request);
    let mut frame = Vec::new();
    i32::try_from(request.len()).unwrap().encode(&mut frame);
    frame.extend(request);
    frame
}

fn get(path: &str) -> Vec<u8> {
    // The watch flag is none of a path's business.
    frame(OpCode::GetData, &path.to_owned())
}

fn set(path: &str) -> Vec<u8> {
    let request = SetDataRequest {
        path: path.into(),
        data: None,
        version: -1,
    };
    frame(OpCode::SetData, &request)
}

#[test]
fn the_nodes_of_whole_requests_are_looked_at() {
    let replica = large_replica();
    let mut frames = [get("/n1"), set("/n2"), get("/missing"), get("/n65535")].concat();
    assert_eq!(look_ahead(&replica, &frames), 3);
    frames.extend(&get("/n4")[..18]);
    assert_eq!(
        look_ahead(&replica, &frames),
        3,
        "the last one is not whole"
    );
    let small = Replica::new(TreeOptions::default());
    assert_eq!(look_ahead(&small, &get("/zookeeper")), 0);
}

#[test]
fn what_has_no_path_is_passed_over() {
    assert_eq!(path_of(&get("/a")[4..]), Some(&b"/a"[..]));
    let ping = frame(OpCode::Ping, &0_i32);
    assert_eq!(path_of(&ping[4..]), None);
    let multi = frame(OpCode::Multi, &"/a".to_owned());
    assert_eq!(path_of(&multi[4..]), None);
    assert_eq!(split_prefixed(&[0xff; 10]), None);
}

/// Every byte of two requests takes every value, and the rest is cut anywhere.
#[test]
fn any_bytes_do_no_harm() {
    let replica = Replica::new(TreeOptions::default());
    let frames = [get("/a"), set("/zookeeper")].concat();
    for at in 0..frames.len() {
        assert_eq!(look_ahead(&replica, &frames[..at]), 0);
        let _ = path_of(&frames[at..]);
        for byte in 0..=u8::MAX {
            let mut changed = frames.clone();
            changed[at] = byte;
            assert_eq!(look_ahead(&replica, &changed), 0);
            assert!(path_of(&changed[4..]).is_none_or(|path| path.len() < frames.len()));
        }
    }
}
