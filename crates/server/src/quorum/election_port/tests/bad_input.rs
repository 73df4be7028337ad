//! Whatever comes to the election port: the members go on talking.

use super::*;

/// Numbers that only look random.
struct Random(u64);

impl Random {
    fn byte(&mut self) -> u8 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let [high, ..] = self.0.to_be_bytes();
        high
    }
}

async fn connect(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Waits until the other side has closed.
async fn is_closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    // A reset is a close as well.
    let closed = timeout(HANGS, stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "it stays open");
    assert_eq!(rest, []);
}

fn framed(len: i32) -> Vec<u8> {
    let mut bytes = 9_i64.to_be_bytes().to_vec();
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes
}

/// After all that: the two hear each other.
async fn talk(servers: &mut BTreeMap<i64, Server>) {
    servers[&1].send(2, "still here");
    servers[&2].send(1, "here, too");
    servers.get_mut(&2).unwrap().hears(1, "still here").await;
    servers.get_mut(&1).unwrap().hears(2, "here, too").await;
}

#[tokio::test]
async fn bad_introductions_are_closed() {
    let mut servers = servers(2).await;
    let good = introduction(9, servers[&2].address);
    let mut long = good.clone();
    long[16..20].copy_from_slice(&2049_i32.to_be_bytes());
    let mut empty = good.clone();
    empty[16..20].copy_from_slice(&0_i32.to_be_bytes());
    let mut nonsense = good.clone();
    *nonsense.last_mut().unwrap() = b'x';
    let mut unknown = good.clone();
    unknown[..8].copy_from_slice(&(-65534_i64).to_be_bytes());
    let own_id = introduction(1, servers[&2].address);
    let impossible = introduction(-5, servers[&2].address);
    let four_letters_and_more = b"\xffuok and what follows".to_vec();
    let bad = [
        long,
        empty,
        nonsense,
        unknown,
        own_id,
        impossible,
        four_letters_and_more,
    ];
    for bytes in bad {
        is_closed(connect(&servers[&1], &bytes).await).await;
    }
    talk(&mut servers).await;
}

#[tokio::test]
async fn introductions_that_are_cut_are_closed() {
    let mut servers = servers(2).await;
    let good = introduction(9, servers[&2].address);
    for len in 0..good.len() {
        let mut stream = connect(&servers[&1], &good[..len]).await;
        stream.shutdown().await.unwrap();
        is_closed(stream).await;
    }
    talk(&mut servers).await;
}

#[tokio::test]
async fn who_says_nothing_is_closed_in_time() {
    let (own, _) = listener().await;
    let patience = Duration::from_millis(50);
    let server = Server::start_patient(1, own, &BTreeMap::new(), patience);
    is_closed(connect(&server, b"").await).await;
    is_closed(connect(&server, b"\xff\xff").await).await;
}

#[tokio::test]
async fn messages_of_impossible_length_end_the_connection() {
    let mut servers = servers(2).await;
    for len in [0, -1, i32::MIN, 524_289, i32::MAX] {
        is_closed(connect(&servers[&1], &framed(len)).await).await;
    }
    let mut cut = connect(&servers[&1], &framed(100)).await;
    cut.write_all(b"not a hundred bytes").await.unwrap();
    cut.shutdown().await.unwrap();
    is_closed(cut).await;
    talk(&mut servers).await;
}

#[tokio::test]
async fn the_longest_message_is_delivered() {
    let mut server = servers(1).await.remove(&1).unwrap();
    let mut bytes = framed(524_288);
    bytes.resize(bytes.len() + 524_288, 7);
    let _stream = connect(&server, &bytes).await;
    let received = server.received().await;
    assert_eq!(received[0].0, 9);
    assert_eq!(received[0].1.len(), 524_288);
}

#[tokio::test]
async fn random_bytes_do_no_harm() {
    let mut servers = servers(2).await;
    let mut random = Random(1);
    for round in 0..200_usize {
        let mut bytes: Vec<u8> = (0..round * 7).map(|_| random.byte()).collect();
        // Half of them get through the door.
        if round % 2 == 0 && bytes.len() > 8 {
            bytes[..8].copy_from_slice(&introduction(9, servers[&2].address)[..8]);
        }
        let mut stream = connect(&servers[&1], &bytes).await;
        // It may be closed already.
        let _ = stream.shutdown().await;
        drop(stream);
    }
    talk(&mut servers).await;
}

#[tokio::test]
async fn a_crowd_of_strangers_does_not_keep_members_out() {
    let mut servers = servers(2).await;
    let mut silent = Vec::new();
    let mut introduced = Vec::new();
    for id in 0..200 {
        silent.push(connect(&servers[&1], b"").await);
        let introduction = introduction(1000 + id, servers[&2].address);
        introduced.push(connect(&servers[&1], &introduction).await);
    }
    talk(&mut servers).await;
    // The first to come are the last that may say nothing.
    is_closed(silent.remove(0)).await;
    is_closed(introduced.pop().unwrap()).await;
}

#[tokio::test]
async fn votes_that_nobody_takes_are_bounded() {
    let mut server = servers(1).await.remove(&1).unwrap();
    let mut stream = connect(&server, &9_i64.to_be_bytes()).await;
    for n in 0..10_000_u32 {
        let mut message = 4_i32.to_be_bytes().to_vec();
        message.extend_from_slice(&n.to_be_bytes());
        stream.write_all(&message).await.unwrap();
    }
    // The newest arrives, and what was dropped was older.
    let mut count = 0;
    let mut last = 0;
    while last != 9_999 {
        for (_, message) in server.received().await {
            let number = u32::from_be_bytes(message[..].try_into().unwrap());
            assert!(count == 0 || number > last);
            last = number;
            count += 1;
        }
    }
}
