use super::*;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zooid_node::Input;

mod bad_input;
mod elections;

/// So long takes only what will never come.
const HANGS: Duration = Duration::from_secs(60);

/// A server that has an election port and nothing else.
struct Server {
    port: ElectionPort,
    address: SocketAddr,
    inbox: mpsc::Receiver<CoreMessage>,
    heard: Vec<(i64, Bytes)>,
}

/// An address that is taken, and not served yet.
async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn election_address(address: SocketAddr) -> ElectionAddress {
    ElectionAddress {
        host: address.ip().to_string(),
        port: address.port(),
    }
}

fn introduction(from: i64, address: SocketAddr) -> Vec<u8> {
    let message = InitialMessage {
        from: ServerId(from),
        addresses: vec![election_address(address)],
    };
    message.encode_one_address()
}

impl Server {
    fn start(me: i64, listener: TcpListener, peers: &BTreeMap<ServerId, SocketAddr>) -> Server {
        Server::start_patient(me, listener, peers, Duration::from_secs(60))
    }

    fn start_patient(
        me: i64,
        listener: TcpListener,
        peers: &BTreeMap<ServerId, SocketAddr>,
        handshake_timeout: Duration,
    ) -> Server {
        let address = listener.local_addr().unwrap();
        let options = Options {
            me: ServerId(me),
            introduction: introduction(me, address),
            connect_timeout: Duration::from_secs(5),
            handshake_timeout,
            keep_alive: true,
        };
        let others = peers.iter().filter(|(id, _)| id.0 != me);
        let others = others.map(|(id, address)| (*id, vec![election_address(*address)]));
        let (core, inbox) = mpsc::channel(16);
        let listeners = vec![listener];
        let port = ElectionPort::serve(
            options,
            others.collect(),
            listeners,
            core,
            CancellationToken::new(),
        );
        Server {
            port,
            address,
            inbox,
            heard: Vec::new(),
        }
    }

    fn send(&self, to: i64, message: &'static str) {
        let message = Bytes::from_static(message.as_bytes());
        self.port.send(ServerId(to), message);
    }

    /// The next messages that have come, if they came together.
    async fn received(&mut self) -> Vec<(i64, Bytes)> {
        let Ok(received) = timeout(HANGS, self.inbox.recv()).await else {
            panic!("nothing comes");
        };
        let Some(CoreMessage::Inputs(inputs)) = received else {
            panic!("the port is gone");
        };
        let vote = |input| match input {
            Input::Vote { from, message } => Some((from.0, message)),
            Input::Unreachable(_) | Input::Reachable(_) => None,
            other => panic!("{other:?}"),
        };
        inputs.into_iter().filter_map(vote).collect()
    }

    /// Waits for a message, among others; what was sent last may come again.
    async fn hears(&mut self, from: i64, message: &str) {
        let expected = (from, Bytes::copy_from_slice(message.as_bytes()));
        while !self.heard.contains(&expected) {
            let received = self.received().await;
            self.heard.extend(received);
        }
    }

    async fn stop(self) {
        self.port.close().await;
    }
}

/// Servers 1 to `count`, which know each other.
async fn servers(count: i64) -> BTreeMap<i64, Server> {
    let mut listeners = Vec::new();
    for id in 1..=count {
        listeners.push((id, listener().await));
    }
    let addresses = listeners.iter().map(|(id, (_, a))| (ServerId(*id), *a));
    let addresses: BTreeMap<ServerId, SocketAddr> = addresses.collect();
    let start = |(id, (listener, _))| (id, Server::start(id, listener, &addresses));
    listeners.into_iter().map(start).collect()
}

#[tokio::test]
async fn every_server_hears_every_other() {
    let mut servers = servers(3).await;
    for server in servers.values() {
        for to in 1..=3 {
            if servers[&to].address != server.address {
                server.send(to, "vote");
            }
        }
    }
    for (id, server) in &mut servers {
        for from in (1..=3).filter(|from| from != id) {
            server.hears(from, "vote").await;
        }
    }
    for server in servers.into_values() {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_message_for_a_server_that_is_not_there_yet_waits_for_it() {
    for (early, late) in [(1, 2), (2, 1)] {
        let (early_listener, early_address) = listener().await;
        let (late_listener, late_address) = listener().await;
        drop(late_listener);
        let addresses = BTreeMap::from([
            (ServerId(early), early_address),
            (ServerId(late), late_address),
        ]);
        let server = Server::start(early, early_listener, &addresses);
        server.send(late, "old");
        server.send(late, "new");
        let late_listener = TcpListener::bind(late_address).await.unwrap();
        let mut other = Server::start(late, late_listener, &addresses);
        other.hears(early, "new").await;
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_told_again() {
    let mut servers = servers(2).await;
    let addresses = servers.iter().map(|(id, s)| (ServerId(*id), s.address));
    let addresses: BTreeMap<ServerId, SocketAddr> = addresses.collect();
    servers[&2].send(1, "vote");
    servers.get_mut(&1).unwrap().hears(2, "vote").await;
    let one = servers.remove(&1).unwrap();
    let address = one.address;
    one.stop().await;
    let listener = TcpListener::bind(address).await.unwrap();
    let mut one = Server::start(1, listener, &addresses);
    one.send(2, "back");
    servers.get_mut(&2).unwrap().hears(1, "back").await;
    one.hears(2, "vote").await;
}

#[tokio::test]
async fn an_unreachable_server_holds_up_nobody() {
    let (one, first) = listener().await;
    let (two, second) = listener().await;
    let unresolvable = ElectionAddress {
        host: "no-such-host.invalid".into(),
        port: 1,
    };
    let addresses = BTreeMap::from([(ServerId(1), first), (ServerId(2), second)]);
    let options = Options {
        me: ServerId(1),
        introduction: introduction(1, first),
        connect_timeout: Duration::from_secs(60),
        handshake_timeout: Duration::from_secs(60),
        keep_alive: false,
    };
    let peers = BTreeMap::from([
        (ServerId(2), vec![election_address(second)]),
        (ServerId(3), vec![unresolvable]),
    ]);
    let (core, _inbox) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let port = ElectionPort::serve(options, peers, vec![one], core, stop);
    port.send(ServerId(3), Bytes::from_static(b"vote"));
    port.send(ServerId(2), Bytes::from_static(b"vote"));
    Server::start(2, two, &addresses).hears(1, "vote").await;
    port.close().await;
}

#[tokio::test]
async fn an_old_server_says_nothing_but_its_id() {
    let mut server = servers(1).await.remove(&1).unwrap();
    let mut old = TcpStream::connect(server.address).await.unwrap();
    old.write_i64(7).await.unwrap();
    old.write_all(b"\0\0\0\x04vote").await.unwrap();
    server.hears(7, "vote").await;
    server.send(7, "answer");
    let mut answer = [0; 10];
    old.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\0\0\0\x06answer");
}

#[tokio::test]
async fn the_introduction_is_what_zookeeper_reads_in_one_piece() {
    let (fake, address) = listener().await;
    let (own, own_address) = listener().await;
    let addresses = BTreeMap::from([(ServerId(1), address), (ServerId(2), own_address)]);
    let server = Server::start(2, own, &addresses);
    server.send(1, "vote");
    let (mut stream, _) = fake.accept().await.unwrap();
    let expected = introduction(2, own_address);
    let mut first = vec![0; expected.len()];
    assert_eq!(stream.read(&mut first).await.unwrap(), expected.len());
    assert_eq!(first, expected);
    let mut message = [0; 8];
    stream.read_exact(&mut message).await.unwrap();
    assert_eq!(&message, b"\0\0\0\x04vote");
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_after_so_many_attempts() {
    let (_taken, address) = listener().await;
    let address = HostPort {
        host: address.ip().to_string(),
        port: address.port(),
    };
    assert!(bind_patiently(&address, 1).await.is_err());
}
