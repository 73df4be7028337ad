//! Ten thousand connections that never open a session.

use crate::bystander::Bystander;
use crate::packet::connect;
use crate::zooid::{PATIENCE, Setup, Zooid};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const CROWD: usize = 10_000;
/// What the test and the server need besides the crowd, in descriptors.
const DESCRIPTORS_BESIDES: usize = 200;
/// Resident memory that one half-open connection may cost the server: its task, its buffers, its
/// place in the lists. The kernel's socket buffers are not in it.
const HALF_OPEN_BYTES_MAX: usize = 8 << 10;

/// Raises this process's limit of descriptors, which the server inherits, and returns how large a
/// crowd that allows.
fn raise_descriptor_limit() -> usize {
    let wanted = u64::try_from(CROWD + DESCRIPTORS_BESIDES).expect("a small number");
    let old = getrlimit(Resource::Nofile);
    // Only the privileged may raise the hard limit; others get as far as it goes.
    let hard = old.maximum.map(|hard| hard.max(wanted));
    let ambitious = Rlimit {
        current: hard,
        maximum: hard,
    };
    let modest = Rlimit {
        current: old.maximum,
        maximum: old.maximum,
    };
    let raised = setrlimit(Resource::Nofile, ambitious);
    raised
        .or_else(|_| setrlimit(Resource::Nofile, modest))
        .expect("the soft limit may go up to the hard one");
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let crowd = limit.saturating_sub(DESCRIPTORS_BESIDES).min(CROWD);
    if crowd < CROWD {
        println!("limited to {limit} descriptors: a crowd of {crowd} instead of {CROWD}");
    }
    crowd
}

/// A connection that stops somewhere before its session.
fn half_open(zooid: &Zooid, index: usize) -> TcpStream {
    let mut stream = TcpStream::connect(zooid.address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = connect();
    let claim = 1_000_000_u32.to_be_bytes();
    let begun = match index % 5 {
        0 => &[][..],
        1 => &request[..2],
        2 => &request[..4],
        3 => &claim[..],
        _ => &request[..request.len() - 2],
    };
    stream.write_all(begun).expect("the server listens");
    stream
}

#[test]
fn ten_thousand_half_open_connections_are_borne_and_dropped() {
    let crowd = raise_descriptor_limit();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let zooid = Setup::on(directory.path())
        .config("maxClientCnxns", &0)
        .property("zookeeper.nio.sessionlessCnxnTimeout", &8000)
        .start();
    let mut bystander = Bystander::arrive(&zooid);
    let (descriptors, resident) = (zooid.descriptors(), zooid.resident_bytes());

    let mut streams = Vec::new();
    for index in 0..crowd {
        streams.push(half_open(&zooid, index));
        if index % 500 == 0 {
            bystander.write();
        }
    }
    bystander.assert_unharmed();
    let open = zooid.descriptors() - descriptors;
    let each = zooid.resident_bytes().saturating_sub(resident) / crowd;
    println!("{open} of {crowd} are open at once; each takes {each} bytes");
    assert!(each <= HALF_OPEN_BYTES_MAX, "{each} bytes per connection");

    for stream in &mut streams {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("dropped in time");
        assert_eq!(answer, b"");
    }
    while zooid.descriptors() > descriptors {
        bystander.ping();
    }
    bystander.assert_unharmed();
}
