//! Several servers, which have to find each other.

use rustix::process::Signal;

use crate::dev::{Dev, ask, signal};

/// The number that a line is about.
fn server_of(line: &str) -> u16 {
    let number = line
        .strip_prefix("server ")
        .and_then(|rest| rest.split(':').next());
    number.and_then(|text| text.parse().ok()).expect(line)
}

/// The epoch that a line ends with.
fn epoch_of(line: &str) -> u64 {
    let epoch = line.rsplit(' ').next().and_then(|text| text.parse().ok());
    epoch.expect(line)
}

#[test]
fn servers_and_an_observer_serve_together_and_survive_their_leader() {
    let directory = tempfile::tempdir().unwrap();
    let options = ["--servers", "3", "--observers", "1"];
    let mut dev = Dev::start(directory.path(), 4, &options);
    let ready = dev.wait_for("ready: ");
    assert_eq!(ready.matches("127.0.0.1:").count(), 4, "{ready}");
    assert!(ask(dev.base_port + 3, "srvr").contains("Mode: observer"));

    let leader = server_of(&dev.wait_for(": leader, "));
    signal(dev.pid_of(leader), Signal::KILL);
    dev.wait_for_new(&format!("server {leader}: ended by itself: signal 9"));
    let next = server_of(&dev.wait_for_new(": leader, "));
    assert_ne!(next, leader);

    let lines = dev.stop();
    for server in (1..=4).filter(|server| *server != leader) {
        let stopped = format!("server {server}: stopped");
        assert!(lines.contains(&stopped), "{lines:#?}");
    }
}

#[test]
fn an_ensemble_starts_again_with_its_history() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 3, &["--servers", "3"]);
    dev.wait_for("ready: ");
    let first = epoch_of(&dev.wait_for(": leader, "));
    dev.stop();

    let mut dev = Dev::start(directory.path(), 3, &[]);
    dev.wait_for("ready: ");
    let second = epoch_of(&dev.wait_for(": leader, "));
    assert!(second > first, "{second} after {first}");
    dev.stop();
}
