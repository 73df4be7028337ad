use super::*;
use CloseReason::{
    Halted, ImpossibleId, OurOwnId, Replaced, TheyCallBack, TooManyStrangers, TooManyUnintroduced,
    WeCallBack,
};
use alloc::format;
use alloc::vec;

mod simulation;

fn address(host: &str) -> ElectionAddress {
    ElectionAddress {
        host: host.into(),
        port: 3888,
    }
}

fn peers(ids: &[i64]) -> BTreeMap<ServerId, Vec<ElectionAddress>> {
    let peer = |id: &i64| (ServerId(*id), vec![address(&format!("host{id}"))]);
    ids.iter().map(peer).collect()
}

/// Server 3 of 1 to 5.
struct Subject {
    mesh: Mesh,
    now_ms: i64,
    next_conn: u64,
}

impl Subject {
    fn new() -> Subject {
        Subject {
            mesh: Mesh::new(ServerId(3), peers(&[1, 2, 4, 5])),
            now_ms: 0,
            next_conn: 0,
        }
    }

    fn step(&mut self, input: MeshInput) -> Vec<MeshAction> {
        let mut out = Vec::new();
        self.mesh.step(self.now_ms, input, &mut out);
        out
    }

    fn send(&mut self, to: i64, message: &'static str) -> Vec<MeshAction> {
        self.step(MeshInput::Send {
            to: ServerId(to),
            message: Bytes::from_static(message.as_bytes()),
        })
    }

    fn conn(&mut self) -> MeshConnId {
        self.next_conn += 1;
        MeshConnId(self.next_conn)
    }

    fn dialed(&mut self, to: i64) -> (MeshConnId, Vec<MeshAction>) {
        let conn = self.conn();
        let to = ServerId(to);
        (conn, self.step(MeshInput::Dialed { conn, to }))
    }

    fn introduced(&mut self, from: i64, hosts: &[&str]) -> (MeshConnId, Vec<MeshAction>) {
        let conn = self.conn();
        assert_eq!(self.step(MeshInput::Accepted(conn)), []);
        let message = InitialMessage {
            from: ServerId(from),
            addresses: hosts.iter().map(|host| address(host)).collect(),
        };
        (conn, self.step(MeshInput::Introduced { conn, message }))
    }

    fn received(&mut self, conn: MeshConnId) -> Option<i64> {
        let message = Bytes::from_static(b"vote");
        let out = self.step(MeshInput::Received { conn, message });
        match &out[..] {
            [] => None,
            [MeshAction::Deliver { from, .. }] => Some(from.0),
            other => panic!("{other:?}"),
        }
    }

    fn wait(&mut self, ms: i64) -> Vec<MeshAction> {
        self.now_ms += ms;
        self.step(MeshInput::Timer)
    }
}

fn dial(to: i64, hosts: &[&str]) -> MeshAction {
    MeshAction::Dial {
        to: ServerId(to),
        addresses: hosts.iter().map(|host| address(host)).collect(),
    }
}

fn write(conn: MeshConnId, message: &'static str) -> MeshAction {
    MeshAction::Write {
        conn,
        message: Bytes::from_static(message.as_bytes()),
    }
}

fn closes(conn: MeshConnId, reason: CloseReason) -> MeshAction {
    MeshAction::Close { conn, reason }
}

#[test]
fn a_message_makes_a_connection_and_takes_it() {
    let mut s = Subject::new();
    assert_eq!(s.send(1, "a"), [dial(1, &["host1"])]);
    assert_eq!(s.send(1, "b"), []);
    let (conn, out) = s.dialed(1);
    assert_eq!(out, [write(conn, "b")]);
    assert!(s.mesh.is_connected(ServerId(1)));
    assert_eq!(s.received(conn), Some(1));
}

#[test]
fn a_slot_holds_the_newest_message_only() {
    let mut s = Subject::new();
    s.send(1, "a");
    let (conn, _) = s.dialed(1);
    assert_eq!(s.send(1, "b"), []);
    assert_eq!(s.send(1, "c"), []);
    assert_eq!(s.step(MeshInput::Written(conn)), [write(conn, "c")]);
    assert_eq!(s.step(MeshInput::Written(conn)), []);
}

#[test]
fn a_higher_server_is_dialed_to_be_called_back() {
    let mut s = Subject::new();
    assert_eq!(s.send(5, "a"), [dial(5, &["host5"])]);
    let (conn, out) = s.dialed(5);
    assert_eq!(out, [closes(conn, TheyCallBack)]);
    let (conn, out) = s.introduced(5, &["host5"]);
    assert_eq!(out, [write(conn, "a")]);
    assert_eq!(s.mesh.next_wakeup_ms(), None);
}

#[test]
fn a_higher_server_that_does_not_call_back_is_asked_again() {
    let mut s = Subject::new();
    s.send(5, "a");
    s.dialed(5);
    assert_eq!(s.send(5, "b"), []);
    assert_eq!(s.wait(49), []);
    assert_eq!(s.wait(1), [dial(5, &["host5"])]);
    // It may need more time than that.
    s.dialed(5);
    assert_eq!(s.wait(99), []);
    assert_eq!(s.wait(1), [dial(5, &["host5"])]);
}

#[test]
fn a_killed_server_that_was_reached_while_it_died_is_soon_known_to_be_gone() {
    let gone = |id| MeshAction::Unreachable(ServerId(id));
    let mut s = Subject::new();
    s.send(1, "a");
    s.send(5, "a");
    let (conn, _) = s.dialed(1);
    s.dialed(5);
    s.step(MeshInput::Closed(conn));
    assert_eq!(s.wait(10), [dial(1, &["host1"])]);
    assert_eq!(s.step(MeshInput::DialFailed(ServerId(1))), [gone(1)]);
    s.wait(40);
    assert_eq!(s.step(MeshInput::DialFailed(ServerId(5))), [gone(5)]);
}

#[test]
fn a_lower_server_is_called_back_where_it_says_and_where_it_is_configured() {
    let mut s = Subject::new();
    let (conn, out) = s.introduced(1, &["elsewhere", "host1"]);
    assert_eq!(
        out,
        [closes(conn, WeCallBack), dial(1, &["elsewhere", "host1"])]
    );
    let (conn, out) = s.introduced(2, &[]);
    assert_eq!(out, [closes(conn, WeCallBack), dial(2, &["host2"])]);
    // Not twice at a time.
    let (conn, out) = s.introduced(2, &[]);
    assert_eq!(out, [closes(conn, WeCallBack)]);
}

#[test]
fn a_lower_server_that_calls_does_not_believe_in_the_old_connection() {
    let mut s = Subject::new();
    s.send(1, "a");
    let (old, _) = s.dialed(1);
    let (conn, out) = s.introduced(1, &["host1"]);
    let expected = [
        closes(conn, WeCallBack),
        dial(1, &["host1"]),
        closes(old, Replaced),
    ];
    assert_eq!(out, expected);
    assert_eq!(s.received(old), None);
    let (conn, out) = s.dialed(1);
    assert_eq!(out, [write(conn, "a")]);
}

#[test]
fn a_newer_connection_replaces_an_older_one_and_repeats_what_was_sent_last() {
    let mut s = Subject::new();
    s.send(5, "a");
    let (old, _) = s.introduced(5, &[]);
    s.step(MeshInput::Written(old));
    let (new, out) = s.introduced(5, &[]);
    assert_eq!(out, [write(new, "a"), closes(old, Replaced)]);
    assert_eq!(s.step(MeshInput::Closed(old)), []);
    assert_eq!(s.received(old), None);
    assert_eq!(s.received(new), Some(5));
}

#[test]
fn a_message_that_may_not_have_left_is_sent_over_a_new_connection() {
    let mut s = Subject::new();
    s.send(1, "a");
    let (conn, _) = s.dialed(1);
    assert_eq!(s.step(MeshInput::Closed(conn)), []);
    assert_eq!(s.wait(10), [dial(1, &["host1"])]);
    let (conn, out) = s.dialed(1);
    assert_eq!(out, [write(conn, "a")]);
    // One that has left does not need one, unless the connection ends as soon as it began.
    s.step(MeshInput::Written(conn));
    s.now_ms += 1000;
    s.step(MeshInput::Closed(conn));
    assert_eq!(s.mesh.next_wakeup_ms(), None);
}

#[test]
fn what_was_sent_over_a_connection_that_ends_at_once_is_sent_again() {
    let mut s = Subject::new();
    s.send(1, "a");
    let (conn, _) = s.dialed(1);
    s.step(MeshInput::Written(conn));
    s.now_ms += 999;
    s.step(MeshInput::Closed(conn));
    assert_eq!(s.wait(10), [dial(1, &["host1"])]);
    let (conn, out) = s.dialed(1);
    assert_eq!(out, [write(conn, "a")]);
}

#[test]
fn failing_dials_are_repeated_after_ever_longer_waits() {
    let mut s = Subject::new();
    s.send(1, "a");
    let mut expected = vec![MeshAction::Unreachable(ServerId(1))];
    for wait in [10, 20, 40, 80, 160, 320, 640, 1000, 1000] {
        assert_eq!(s.step(MeshInput::DialFailed(ServerId(1))), expected);
        expected.clear();
        assert_eq!(s.mesh.next_wakeup_ms(), Some(s.now_ms + wait));
        assert_eq!(s.send(1, "b"), []);
        assert_eq!(s.wait(wait), [dial(1, &["host1"])]);
    }
}

#[test]
fn a_member_whose_connection_ends_while_it_is_told_something_is_dialed_at_once() {
    let mut s = Subject::new();
    s.send(1, "a");
    let (conn, _) = s.dialed(1);
    s.step(MeshInput::Written(conn));
    s.now_ms += 5000;
    s.send(1, "b");
    s.step(MeshInput::Written(conn));
    assert_eq!(s.step(MeshInput::Closed(conn)), [dial(1, &["host1"])]);
    let gone = [MeshAction::Unreachable(ServerId(1))];
    assert_eq!(s.step(MeshInput::DialFailed(ServerId(1))), gone);
    assert_eq!(s.wait(10), [dial(1, &["host1"])]);
    assert_eq!(s.step(MeshInput::DialFailed(ServerId(1))), []);
}

#[test]
fn a_member_that_was_out_of_reach_is_back_when_it_shows_itself() {
    let back = |id| MeshAction::Reachable(ServerId(id));
    let mut s = Subject::new();
    for id in [1, 2, 5] {
        s.send(id, "a");
        s.step(MeshInput::DialFailed(ServerId(id)));
    }
    // It is reached, it asks to be called back, it calls.
    s.wait(10);
    let (conn, out) = s.dialed(1);
    assert_eq!(out, [back(1), write(conn, "a")]);
    s.step(MeshInput::DialFailed(ServerId(2)));
    let (conn, out) = s.introduced(2, &[]);
    assert_eq!(
        out,
        [closes(conn, WeCallBack), back(2), dial(2, &["host2"])]
    );
    let (conn, out) = s.introduced(5, &[]);
    assert_eq!(out, [back(5), write(conn, "a")]);
}

#[test]
fn of_strangers_nobody_is_told_that_they_are_out_of_reach() {
    let mut s = Subject::new();
    s.introduced(0, &["joiner"]);
    assert_eq!(s.step(MeshInput::DialFailed(ServerId(0))), []);
}

#[test]
fn where_a_server_said_it_is_does_not_hide_where_it_is_configured() {
    let mut s = Subject::new();
    s.introduced(1, &["nowhere"]);
    s.step(MeshInput::DialFailed(ServerId(1)));
    assert_eq!(s.send(1, "a"), [dial(1, &["host1"])]);
}

#[test]
fn our_own_id_and_impossible_ones_are_refused() {
    let mut s = Subject::new();
    let (conn, out) = s.introduced(3, &["host3"]);
    assert_eq!(out, [closes(conn, OurOwnId)]);
    let (conn, out) = s.introduced(-7, &["host"]);
    assert_eq!(out, [closes(conn, ImpossibleId)]);
}

#[test]
fn strangers_may_ask_from_above_and_from_below() {
    let mut s = Subject::new();
    assert_eq!(s.send(9, "a"), []);
    let (conn, _) = s.introduced(9, &[]);
    assert_eq!(s.received(conn), Some(9));
    assert_eq!(s.send(9, "a"), [write(conn, "a")]);
    s.step(MeshInput::Closed(conn));
    assert_eq!(s.send(9, "a"), []);

    let (conn, out) = s.introduced(0, &["joiner"]);
    assert_eq!(out, [closes(conn, WeCallBack), dial(0, &["joiner"])]);
    let (conn, _) = s.dialed(0);
    assert_eq!(s.send(0, "a"), [write(conn, "a")]);
    s.step(MeshInput::Closed(conn));
    assert_eq!(s.mesh.next_wakeup_ms(), None);

    let (conn, out) = s.introduced(0, &["nowhere"]);
    assert_eq!(out.len(), 2);
    assert_ne!(s.received(conn), Some(0));
    s.step(MeshInput::DialFailed(ServerId(0)));
    assert_eq!(s.send(0, "a"), []);
}

#[test]
fn observers_without_an_id_get_one_each() {
    let mut s = Subject::new();
    let (first, out) = s.introduced(i64::MAX, &["observer"]);
    assert_eq!(out, []);
    let (second, _) = s.introduced(i64::MAX, &["observer"]);
    assert_eq!(s.received(first), Some(-1));
    assert_eq!(s.received(second), Some(-2));
    assert_eq!(s.send(-2, "a"), [write(second, "a")]);
}

#[test]
fn strangers_are_bounded_and_members_are_not() {
    let mut s = Subject::new();
    for id in 100..164 {
        assert_eq!(s.introduced(id, &[]).1, []);
    }
    let (conn, out) = s.introduced(164, &[]);
    assert_eq!(out, [closes(conn, TooManyStrangers)]);
    assert_eq!(s.introduced(100, &[]).1.len(), 1);
    assert_eq!(s.introduced(5, &[]).1, []);
}

#[test]
fn connections_that_say_nothing_are_bounded() {
    let mut s = Subject::new();
    for n in 0..64 {
        assert_eq!(s.step(MeshInput::Accepted(MeshConnId(1000 + n))), []);
    }
    let mut newest = |conn| s.step(MeshInput::Accepted(MeshConnId(conn)));
    let oldest = MeshConnId(1000);
    assert_eq!(newest(2000), [closes(oldest, TooManyUnintroduced)]);
    s.step(MeshInput::Closed(MeshConnId(1001)));
    assert_eq!(s.step(MeshInput::Accepted(MeshConnId(2001))), []);
}

#[test]
fn who_leaves_the_configuration_becomes_a_stranger() {
    let mut s = Subject::new();
    let (conn, _) = s.introduced(5, &[]);
    s.send(1, "a");
    s.send(2, "a");
    s.step(MeshInput::DialFailed(ServerId(2)));
    assert_eq!(s.step(MeshInput::Peers(peers(&[4, 6]))), []);
    // Its connection is still good, and the dial is under way; the rest is forgotten.
    assert_eq!(s.send(5, "b"), [write(conn, "b")]);
    let (dialed, out) = s.dialed(1);
    assert_eq!(out, [write(dialed, "a")]);
    assert_eq!(s.mesh.next_wakeup_ms(), None);
    assert_eq!(s.send(6, "a"), [dial(6, &["host6"])]);
}

#[test]
fn names_and_ports_may_change() {
    let mut s = Subject::new();
    let moved = BTreeMap::from([(ServerId(1), vec![address("new"), address("second")])]);
    s.step(MeshInput::Peers(moved));
    assert_eq!(s.send(1, "a"), [dial(1, &["new", "second"])]);
}

#[test]
fn after_a_halt_there_is_nothing() {
    let mut s = Subject::new();
    let (joined, _) = s.introduced(5, &[]);
    let waiting = s.conn();
    s.step(MeshInput::Accepted(waiting));
    s.send(1, "a");
    let out = s.step(MeshInput::Halt);
    assert_eq!(out, [closes(waiting, Halted), closes(joined, Halted)]);
    let (late, out) = s.dialed(1);
    assert_eq!(out, [closes(late, Halted)]);
    assert_eq!(s.send(1, "b"), []);
    assert_eq!(s.received(joined), None);
    assert_eq!(s.wait(10_000), []);
    assert_eq!(s.mesh.next_wakeup_ms(), None);
}
