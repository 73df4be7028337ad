use std::process::{Child, Command};

use serde_json::Value;

use crate::fake_server::{FakeServer, Fault};
use crate::scenario::tests::run;

/// Somebody to kill in the place of a server.
fn victim() -> Child {
    Command::new("sleep").arg("600").spawn().unwrap()
}

/// Opens sessions, and kills a process that has nothing to do with them.
fn open_and_kill(server: &FakeServer, count: u32) -> Value {
    let mut victim = victim();
    let args = format!("sessions -c {count} -i 5 --idle 0 --kill {}", victim.id());
    let findings = run(server, &args).unwrap();
    assert!(!victim.wait().unwrap().success());
    findings.to_json()
}

#[test]
fn every_session_is_opened_once() {
    let server = FakeServer::start(Fault::None);
    let json = run(&server, "sessions -c 100 -i 7 --idle 0")
        .unwrap()
        .to_json();
    assert_eq!(json["phases"]["open"]["count"], 100);
    assert_eq!(json["phases"]["back"], Value::Null);
    assert_eq!(json["failures"]["total"], 0);
    assert_eq!(server.sessions(), 100);
}

#[test]
fn a_session_is_back_when_its_server_has_answered_a_sync() {
    let server = FakeServer::start(Fault::None);
    let json = open_and_kill(&server, 30);
    assert_eq!(json["phases"]["back"]["count"], 30);
    assert_eq!(json["failures"]["total"], 0);
    assert_eq!(server.sessions(), 30);
    assert_eq!(server.count(zooid_proto::OpCode::Sync), 30);
}

#[test]
fn a_session_whose_connection_is_lost_goes_on_with_another() {
    let server = FakeServer::start(Fault::CloseAtSync);
    let json = open_and_kill(&server, 30);
    assert_eq!(json["phases"]["back"]["count"], 30);
    assert_eq!(json["failures"]["total"], 0);
    // No new one was opened in its place.
    assert_eq!(server.sessions(), 30);
}

#[test]
fn a_session_that_the_server_does_not_know_any_more_is_a_failure() {
    let server = FakeServer::start(Fault::ExpireAtSync);
    let json = open_and_kill(&server, 3);
    assert_eq!(json["phases"]["back"]["count"], 0);
    assert_eq!(json["failures"]["by_kind"]["session expired"], 3);
}

#[test]
fn memory_is_that_of_what_is_watched() {
    let server = FakeServer::start(Fault::None);
    let watched = format!(
        "sessions -c 2 --idle 0 --watch-process me={}",
        std::process::id()
    );
    let json = run(&server, &watched).unwrap().to_json();
    assert_eq!(json["memory"]["unit"], "session");
    assert_eq!(json["memory"]["count"], 2);
    assert_eq!(json["memory"]["processes"][0]["name"], "me");
}
