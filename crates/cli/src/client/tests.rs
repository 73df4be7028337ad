//! The client against a server that does exactly what a test tells it.

use super::*;
use frame::{FrameReader, write_frame};
use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use zooid_proto::request::SetWatches2;
use zooid_proto::{
    ConnectRequest, ConnectResponse, ReplyHeader, RequestHeader, SessionId, WatcherEvent, Zxid, xid,
};

/// Longest wait for something that must happen; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

const LONG_TIMEOUT: Duration = Duration::from_secs(3600);

struct Server(TcpListener);

impl Server {
    fn start() -> Server {
        Server(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
    }

    fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// The next connection, with its session request read.
    fn accept(&self) -> (Peer, ConnectRequest) {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut peer = Peer(FrameReader::new(stream));
        let frame = peer.frame();
        let request = ConnectRequest::decode(&mut reader(&frame)).unwrap();
        (peer, request)
    }

    /// The next connection, with a session granted.
    fn welcome(&self, id: i64, timeout: Duration) -> (Peer, ConnectRequest) {
        let (mut peer, request) = self.accept();
        peer.send(
            &ConnectResponse {
                protocol_version: 0,
                timeout_ms: i32::try_from(timeout.as_millis()).unwrap(),
                session_id: SessionId(id),
                password: Some(PASSWORD),
                read_only: Some(false),
            }
            .to_vec(),
        );
        (peer, request)
    }
}

const PASSWORD: Bytes = Bytes::from_static(b"sixteen bytes ok");

struct Peer(FrameReader<TcpStream>);

impl Peer {
    fn frame(&mut self) -> Bytes {
        self.0.next().unwrap().expect("a packet in time")
    }

    /// The next request, its id and body.
    fn request(&mut self, op: OpCode) -> (i32, Bytes) {
        let frame = self.frame();
        let mut r = reader(&frame);
        let header = RequestHeader::decode(&mut r).unwrap();
        assert_eq!(OpCode::from_code(header.op), Some(op));
        (header.xid, frame.slice_ref(r.rest()))
    }

    fn reply(&mut self, xid: i32, zxid: i64, err: ErrorCode, body: &[u8]) {
        let zxid = Zxid(zxid);
        let mut packet = ReplyHeader { xid, zxid, err }.to_vec();
        packet.extend_from_slice(body);
        self.send(&packet);
    }

    fn notify(&mut self, zxid: i64, kind: EventType, path: &str) {
        let event = WatcherEvent {
            event_type: kind.code(),
            state: KeeperState::SyncConnected.code(),
            path: path.to_owned(),
        };
        self.reply(xid::NOTIFICATION, zxid, ErrorCode::Ok, &event.to_vec());
    }

    fn send(&mut self, packet: &[u8]) {
        write_frame(self.0.get_ref(), packet).unwrap();
    }

    fn wait_for_end(&mut self) {
        while let Ok(frame) = self.0.next() {
            assert!(frame.is_some(), "the client should have hung up");
        }
    }
}

fn client_of(target: &str) -> (Client, Receiver<String>) {
    let (events, received) = channel();
    let options = ClientOptions {
        target: ConnectString::parse(target).unwrap(),
        session_timeout: PATIENCE,
        read_only: false,
    };
    let client = Client::new(options, move |event| {
        let text = crate::format::event(event);
        let _ = events.send(text.trim_start_matches("WatchedEvent ").to_owned());
    });
    (client, received)
}

#[track_caller]
fn next(events: &Receiver<String>) -> String {
    events.recv_timeout(PATIENCE).expect("an event in time")
}

fn stat_body() -> Vec<u8> {
    Stat::default().to_vec()
}

fn keeper(code: ErrorCode, path: &str) -> ClientError {
    ClientError::keeper(code, Some(path))
}

const CONNECTED: &str = "state:SyncConnected type:None path:null";
const DISCONNECTED: &str = "state:Disconnected type:None path:null";

#[test]
fn nothing_is_dialled_for_a_path_that_is_not_legal() {
    let server = Server::start();
    server.0.set_nonblocking(true).unwrap();
    let (client, _events) = client_of(&server.address());
    assert_eq!(
        client.exists("a", false),
        Err(PathError::NotAbsolute.into())
    );
    assert_eq!(server.0.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn an_event_is_delivered_before_the_reply_after_it() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, request) = server.welcome(7, LONG_TIMEOUT);
        assert_eq!(request.session_id, SessionId(0));
        let (xid, _) = peer.request(OpCode::SetData);
        peer.notify(-1, EventType::NodeDataChanged, "/a");
        peer.reply(xid, 5, ErrorCode::Ok, &stat_body());
        peer
    });
    client.set_data("/a", Bytes::new(), -1).unwrap();
    assert_eq!(next(&events), CONNECTED);
    let event = events.try_recv().expect("delivered before the reply");
    assert_eq!(event, "state:SyncConnected type:NodeDataChanged path:/a");
    drop(serving.join().unwrap());
}

#[test]
fn a_new_connection_takes_the_session_up_with_its_credentials_and_watches() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        peer.request(OpCode::Auth);
        peer.reply(xid::AUTH, 0, ErrorCode::Ok, &[]);
        let (xid, _) = peer.request(OpCode::AddWatch);
        peer.reply(xid, 8, ErrorCode::Ok, &[0; 4]);
        let (xid, _) = peer.request(OpCode::Exists);
        peer.reply(xid, 9, ErrorCode::NoNode, &[]);
        drop(peer);

        let (mut peer, request) = server.welcome(7, LONG_TIMEOUT);
        assert_eq!(request.session_id, SessionId(7));
        assert_eq!(request.password, Some(PASSWORD));
        assert_eq!(request.last_zxid_seen, Zxid(9));
        let (id, body) = peer.request(OpCode::Auth);
        assert_eq!(id, xid::AUTH);
        let auth = AuthPacket::decode(&mut reader(&body)).unwrap();
        assert_eq!(auth.auth.as_deref(), Some(&b"u:p"[..]));
        peer.reply(xid::AUTH, 0, ErrorCode::Ok, &[]);
        let (id, body) = peer.request(OpCode::SetWatches2);
        assert_eq!(id, xid::SET_WATCHES);
        let watches = SetWatches2::decode(&mut reader(&body)).unwrap();
        assert_eq!(watches.relative_zxid, Zxid(9));
        assert_eq!(watches.exist_watches, ["/b"]);
        assert_eq!(watches.persistent_recursive_watches, ["/a"]);
        peer.reply(xid::SET_WATCHES, 9, ErrorCode::Ok, &[]);
        peer
    });
    client
        .add_auth("digest", Some(Bytes::from_static(b"u:p")))
        .unwrap();
    let mode = AddWatchMode::PersistentRecursive;
    client.add_watch("/a", mode).unwrap();
    assert_eq!(client.exists("/b", true), Ok(None));
    drop(serving.join().unwrap());
    assert_eq!(next(&events), CONNECTED);
    assert_eq!(next(&events), DISCONNECTED);
    assert_eq!(next(&events), CONNECTED);
}

#[test]
fn a_request_under_way_is_lost_with_its_connection() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        peer.request(OpCode::Delete);
    });
    let outcome = client.delete("/a", -1);
    assert_eq!(outcome, Err(keeper(ErrorCode::ConnectionLoss, "/a")));
    assert_eq!(next(&events), CONNECTED);
    let event = events.try_recv().expect("delivered before the failure");
    assert_eq!(event, DISCONNECTED);
    serving.join().unwrap();
}

#[test]
fn a_session_that_the_server_no_longer_knows_is_over() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (peer, _) = server.welcome(7, LONG_TIMEOUT);
        drop(peer);
        let (mut peer, _) = server.accept();
        peer.send(&ConnectResponse::refused(Some(false)).to_vec());
    });
    client.dial();
    assert_eq!(next(&events), CONNECTED);
    assert_eq!(next(&events), DISCONNECTED);
    assert_eq!(next(&events), "state:Expired type:None path:null");
    assert_eq!(client.state(), State::Closed);
    let outcome = client.delete("/a", -1);
    assert_eq!(outcome, Err(keeper(ErrorCode::SessionExpired, "/a")));
    serving.join().unwrap();
}

#[test]
fn a_request_waits_for_every_server_to_be_tried_once() {
    let refusing = RefusingPort::reserve();
    let server = Server::start();
    let target = format!("{},{}", refusing.address(), server.address());
    let (client, _events) = client_of(&target);
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        let (xid, _) = peer.request(OpCode::Delete);
        peer.reply(xid, 5, ErrorCode::Ok, &[]);
        peer
    });
    assert_eq!(client.delete("/a", -1), Ok(()));
    drop(serving.join().unwrap());

    let (client, _events) = client_of(&refusing.address());
    let outcome = client.delete("/a", -1);
    assert_eq!(outcome, Err(keeper(ErrorCode::ConnectionLoss, "/a")));
    assert_eq!(client.state(), State::Connecting);
}

#[test]
fn an_idle_session_pings_and_a_silent_server_is_given_up() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, Duration::from_millis(300));
        let (id, _) = peer.request(OpCode::Ping);
        assert_eq!(id, xid::PING);
        peer.wait_for_end();
    });
    client.dial();
    assert_eq!(next(&events), CONNECTED);
    assert_eq!(next(&events), DISCONNECTED);
    serving.join().unwrap();
}

#[test]
fn a_reply_to_something_else_ends_the_connection() {
    let server = Server::start();
    let (client, _events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        let (xid, _) = peer.request(OpCode::Delete);
        peer.reply(xid + 1, 5, ErrorCode::Ok, &[]);
        peer.wait_for_end();
    });
    let outcome = client.delete("/a", -1);
    assert_eq!(outcome, Err(keeper(ErrorCode::ConnectionLoss, "/a")));
    serving.join().unwrap();
}

#[test]
fn garbage_ends_the_connection_not_the_client() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (peer, _) = server.welcome(7, LONG_TIMEOUT);
        peer.0.get_ref().write_all(&[0xff; 64]).unwrap();
        server.welcome(7, LONG_TIMEOUT)
    });
    client.dial();
    assert_eq!(next(&events), CONNECTED);
    assert_eq!(next(&events), DISCONNECTED);
    assert_eq!(next(&events), CONNECTED);
    drop(serving.join().unwrap());
}

#[test]
fn refused_credentials_end_the_session() {
    let server = Server::start();
    let (client, events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        peer.request(OpCode::Auth);
        peer.reply(xid::AUTH, 0, ErrorCode::AuthFailed, &[]);
    });
    let outcome = client.add_auth("digest", None);
    assert_eq!(
        outcome,
        Err(ClientError::keeper(ErrorCode::AuthFailed, None))
    );
    assert_eq!(client.state(), State::AuthFailed);
    assert_eq!(next(&events), CONNECTED);
    assert_eq!(next(&events), "state:AuthFailed type:None path:null");
    serving.join().unwrap();
}

#[test]
fn closing_tells_the_server_and_dropping_tells_only_it() {
    for announced in [true, false] {
        let server = Server::start();
        let (client, events) = client_of(&server.address());
        let serving = thread::spawn(move || {
            let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
            let (xid, _) = peer.request(OpCode::CloseSession);
            peer.reply(xid, 5, ErrorCode::Ok, &[]);
        });
        client.dial();
        assert_eq!(client.wait_connected(PATIENCE), State::Connected);
        assert_eq!(next(&events), CONNECTED);
        if announced {
            client.close();
            assert_eq!(next(&events), "state:Closed type:None path:null");
            assert_eq!(client.state(), State::Closed);
        }
        drop(client);
        serving.join().unwrap();
        // The sender goes with the session's thread, which says nothing more.
        assert!(events.recv_timeout(PATIENCE).is_err());
    }
}

#[test]
fn a_chroot_is_put_on_requests_and_taken_off_answers() {
    let server = Server::start();
    let (client, events) = client_of(&format!("{}/app", server.address()));
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        let (xid, body) = peer.request(OpCode::Create);
        let create = CreateRequest::decode(&mut reader(&body)).unwrap();
        assert_eq!((create.path.as_str(), &create.data), ("/app/a", &None));
        peer.notify(17, EventType::NodeCreated, "/app/a");
        peer.reply(
            xid,
            17,
            ErrorCode::Ok,
            &"/app/a0000000001".to_owned().to_vec(),
        );
        let (xid, body) = peer.request(OpCode::Delete);
        let delete = PathVersion::decode(&mut reader(&body)).unwrap();
        assert_eq!(delete.path, "/");
        peer.reply(xid, 17, ErrorCode::BadArguments, &[]);
        peer
    });
    let node = NewNode {
        data: None,
        acl: vec![Acl::anyone(1)],
        mode: CreateMode::PersistentSequential,
        ttl_ms: 0,
    };
    assert_eq!(client.create("/a", node), Ok("/a0000000001".to_owned()));
    assert_eq!(next(&events), CONNECTED);
    let event = next(&events);
    assert_eq!(
        event,
        "state:SyncConnected type:NodeCreated path:/a zxid: 17"
    );
    let outcome = client.delete("/", -1);
    assert_eq!(outcome, Err(keeper(ErrorCode::BadArguments, "/")));
    drop(serving.join().unwrap());
}

#[test]
fn the_failure_of_a_multi_is_its_first_error() {
    let server = Server::start();
    let (client, _events) = client_of(&server.address());
    let serving = thread::spawn(move || {
        let (mut peer, _) = server.welcome(7, LONG_TIMEOUT);
        let (xid, _) = peer.request(OpCode::Multi);
        let results = [
            MultiResult::Error(ErrorCode::Ok),
            MultiResult::Error(ErrorCode::NotEmpty),
            MultiResult::Error(ErrorCode::RuntimeInconsistency),
        ];
        let mut body = Vec::new();
        MultiResult::encode_all(&results, &mut body);
        peer.reply(xid, 5, ErrorCode::Ok, &body);
        peer
    });
    let paths = ["/a", "/b", "/c"].map(str::to_owned);
    let outcome = client.delete_all_of(&paths);
    assert_eq!(outcome, Err(ClientError::keeper(ErrorCode::NotEmpty, None)));
    drop(serving.join().unwrap());
}

/// The connection was lost just when the session was to be closed: nobody makes another one.
#[test]
fn a_session_that_is_closing_waits_for_no_connection() {
    let server = Server::start();
    let (client, _events) = client_of(&server.address());
    client.session.lose_while_closing();
    let (done, closed) = channel();
    let closing = thread::spawn(move || {
        let _ = done.send(client.delete("/a", -1));
    });
    let outcome = closed.recv_timeout(PATIENCE).expect("an end in time");
    assert_eq!(outcome, Err(keeper(ErrorCode::ConnectionLoss, "/a")));
    closing.join().unwrap();
}

/// A port that refuses connections and that nobody else gets meanwhile: bound, not listening.
pub(crate) struct RefusingPort(socket2::Socket);

impl RefusingPort {
    pub(crate) fn reserve() -> RefusingPort {
        use socket2::{Domain, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any_port = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any_port.into()).unwrap();
        RefusingPort(socket)
    }

    pub(crate) fn address(&self) -> String {
        let address = self.0.local_addr().unwrap().as_socket();
        address.expect("an internet address").to_string()
    }
}
