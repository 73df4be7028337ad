use super::{Occupant, about, occupant, probe};
use crate::check::{Group, Level};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use zooid_config::HostPort;

fn local(port: u16) -> HostPort {
    HostPort {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

#[test]
fn the_answer_to_srvr_tells_version_and_mode() {
    let answer = "Zookeeper version: 3.8.0-5a02a05, built on 2022-02-25 08:49 UTC\n\
                  Latency min/avg/max: 0/0.0/0\nMode: follower\nNode count: 5\n";
    assert_eq!(
        about(answer).as_deref(),
        Some("version 3.8.0, mode follower")
    );
    let starting = "This ZooKeeper instance is not currently serving requests\n";
    assert_eq!(about(starting).as_deref(), Some("it does not serve now"));
    assert_eq!(about("HTTP/1.1 400 Bad Request"), None);
}

#[test]
fn who_answers_in_other_words_is_a_stranger() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        stream.write_all(b"220 ready\r\n").unwrap();
        listener
    });
    assert!(matches!(occupant(&local(port)), Occupant::Stranger));

    let _listener = serving.join().unwrap();
    let mut group = Group::new("network");
    probe("client port", &local(port), &mut group);
    assert_eq!(group.findings[0].level, Level::Fault);
    assert!(group.findings[0].text.contains("taken"), "{group:?}");
}

#[test]
fn an_address_of_another_machine_cannot_be_had() {
    let mut group = Group::new("network");
    // Reserved for documentation: nobody has it.
    let elsewhere = HostPort {
        host: "192.0.2.1".to_owned(),
        port: 2888,
    };
    probe("quorum port", &elsewhere, &mut group);
    assert!(
        group.findings[0]
            .text
            .contains("not an address of this machine")
    );
}
