use super::*;
use crate::step::{ClientRequest, ConnId};
use zooid_proto::request::SetDataRequest;
use zooid_proto::{Jute, QuorumPacket, SessionId, Txn, TxnHeader, TxnRecord, Zxid};
use zooid_tree::{ReplicaBuilder, TreeOptions};
use zooid_zab::LinkId;

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

/// As a client of a learner asks, by way of the learner.
fn forwarded(frame: &[u8]) -> Input {
    let mut data = vec![7; 8];
    data.extend(&frame[LENGTH_BYTES..]);
    let packet = QuorumPacket::with_data(PacketType::Request, Zxid::NONE, data);
    Input::Packet(LinkId(2), packet)
}

#[test]
fn writes_have_their_path_wherever_they_come_from() {
    let create = frame(OpCode::Create, &"/new".to_owned());
    for (frame, path) in [(set("/n2"), "/n2"), (create, "/new")] {
        let body = frame[12..].to_vec().into();
        let op = OpCode::from_code(i32::from_be_bytes(*frame[8..].first_chunk().unwrap()));
        let here = Input::Request(ClientRequest {
            conn: ConnId(1),
            session: SessionId(1),
            cxid: 7,
            op: op.unwrap(),
            body,
            ids: [].into(),
        });
        assert_eq!(written_path(&here), Some(path.as_bytes()));
        assert_eq!(written_path(&forwarded(&frame)), Some(path.as_bytes()));
        for cut in 0..frame.len() {
            let _ = written_path(&forwarded(&frame[..cut.max(LENGTH_BYTES)]));
        }
    }
    let ack = QuorumPacket::new(PacketType::Ack, Zxid(5));
    assert_eq!(written_path(&Input::Packet(LinkId(2), ack)), None);
    assert_eq!(written_path(&Input::Timer), None);
}

#[test]
fn the_nodes_of_commits_are_looked_at() {
    let replica = large_replica();
    let commit = |path: &str| Output::Commit {
        record: Box::new(TxnRecord {
            header: TxnHeader {
                client_id: SessionId(1),
                cxid: 1,
                zxid: Zxid(2),
                time: 3,
                op: OpCode::Delete.code(),
            },
            txn: Txn::Delete { path: path.into() },
            digest: None,
        }),
        owner: None,
    };
    let outputs = [
        commit("/n1"),
        Output::RoleChanged,
        commit("/n2"),
        commit("/missing"),
    ];
    assert_eq!(look_ahead_at_commits(&replica, &outputs), 2);
    assert_eq!(look_ahead_at_commits(&replica, &[]), 0);
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
