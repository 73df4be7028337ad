//! Without a terminal: lines that scripts can wait for.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use rustix::process::Signal;

use crate::dev::{Dev, ask, free_base_port, signal, wait_until_gone};

const ONE: &[&str] = &["--servers", "1"];

#[test]
fn a_standalone_server_becomes_ready_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 1, ONE);
    let port = dev.base_port;
    dev.wait_for(&format!("ready: 127.0.0.1:{port}"));
    assert!(ask(port, "srvr").contains("Mode: standalone"));
    let server = dev.pid_of(1);

    let lines = dev.stop();
    let end = &lines[lines.len() - 3..];
    assert_eq!(end[0], "stopping");
    assert_eq!(end[1], "server 1: stopped");
    assert!(end[2].starts_with("all stopped; data kept in "), "{end:?}");
    wait_until_gone(server);
    let log = fs::read_to_string(directory.path().join("server1/log")).unwrap();
    assert!(log.contains("serving clients"), "{log}");
}

#[test]
fn the_next_start_goes_on_with_the_data() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 1, ONE);
    dev.wait_for("ready: ");
    dev.stop();

    // The number of servers is known by now.
    let mut dev = Dev::start(directory.path(), 1, &[]);
    dev.wait_for("ready: ");
    dev.stop();
    let old = fs::read_to_string(directory.path().join("server1/log.old")).unwrap();
    assert!(old.contains("a new database was created"), "{old}");
    let log = fs::read_to_string(directory.path().join("server1/log")).unwrap();
    assert!(!log.contains("a new database was created"), "{log}");
}

#[test]
fn another_number_of_servers_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 1, ONE);
    dev.wait_for("ready: ");
    let port = dev.base_port;
    dev.stop();

    let (status, lines) = Dev::start_on(directory.path(), port, &["--servers", "3"]).wait();
    assert_eq!(status.code(), Some(1));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("start it with --servers 1"), "{lines:#?}");
}

#[test]
fn a_busy_port_is_named_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let port = free_base_port(1);
    let _busy = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (status, lines) = Dev::start_on(directory.path(), port, ONE).wait();
    assert_eq!(status.code(), Some(1));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let said = &lines[0];
    assert!(said.contains(&format!("cannot use port {port}")), "{said}");
    assert!(said.contains("--base-port"), "{said}");
}

#[test]
fn when_every_server_has_died_it_says_why_and_fails() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 1, ONE);
    dev.wait_for("ready: ");
    signal(dev.pid_of(1), Signal::KILL);
    dev.wait_for("server 1: ended by itself: signal 9");
    let (status, lines) = dev.wait();
    assert_eq!(status.code(), Some(1), "{lines:#?}");
    let shows_the_log = |line: &String| line.starts_with("server 1 | ") && line.contains("serving");
    assert!(lines.iter().any(shows_the_log), "{lines:#?}");
}

#[test]
fn a_server_that_refuses_to_start_shows_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let server = directory.path().join("server1");
    fs::create_dir_all(&server).unwrap();
    fs::write(server.join("zoo.cfg"), "tickTime=soon\n").unwrap();
    let dev = Dev::start(directory.path(), 1, ONE);
    let (status, lines) = dev.wait();
    assert_eq!(status.code(), Some(1), "{lines:#?}");
    let is_reason = |line: &String| line.starts_with("server 1 | ") && line.contains("tickTime");
    assert!(lines.iter().any(is_reason), "{lines:#?}");
}

#[test]
fn servers_do_not_outlive_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 1, ONE);
    dev.wait_for("ready: ");
    let server = dev.pid_of(1);
    signal(dev.pid(), Signal::KILL);
    wait_until_gone(server);
    let log = fs::read_to_string(directory.path().join("server1/log")).unwrap();
    assert!(log.contains("SIGTERM"), "{log}");
}

#[test]
fn changes_come_as_json_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(directory.path(), 1, &["--servers", "1", "--json"]);
    let ready = dev.wait_for(r#""event":"ready""#);
    let address = format!("127.0.0.1:{}", dev.base_port);
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(ready["connect"], address);
    for line in dev.stop() {
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(object["event"].is_string(), "{line}");
    }
}
