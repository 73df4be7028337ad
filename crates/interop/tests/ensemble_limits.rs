//! What an ensemble bears: peers that are not there, and thousands of sessions that lose their leader.
//! And how long its elections take, beside ZooKeeper's.

use rustix::process::{Resource, getrlimit, setrlimit};
use std::env;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::{
    Ensemble, Kind, Layout, Mode, Options, SUPER_DIGEST, Session, SessionGone, anyone,
};
use zooid_proto::{CreateMode, ServerId};

/// Three of five: one peer has a name that nobody knows, another has an address where nobody is.
#[test]
fn peers_that_cannot_be_reached_stop_nothing() {
    let layout = Layout::voters(Kind::under_test(), 3)
        .absent_voter("no-such-host.invalid")
        .absent_voter("127.0.0.1");
    let mut ensemble = Ensemble::start(&layout, &options()).expect("three servers of five");
    let first = ensemble.leader().expect("one leads");
    create(&ensemble, "/before");
    ensemble.kill(first).expect("it runs");
    ensemble
        .wait_until_not_serving()
        .expect("two of five are no quorum");
    ensemble.start_all().expect("three servers of five");
    create(&ensemble, "/after");
    let tree = ensemble.agreed_tree().expect("one tree");
    assert!(tree.nodes.contains_key("/before"));
    assert!(tree.nodes.contains_key("/after"));
}

/// `INTEROP_ELECTIONS=20` holds more. The times are printed for people to compare.
#[test]
fn elections_end() {
    let rounds = number_in("INTEROP_ELECTIONS").unwrap_or(5);
    let mut kinds = vec![Kind::under_test(), Kind::Java];
    kinds.dedup();
    for kind in kinds {
        let elections = hold_elections(kind, rounds);
        println!(
            "{kind:?}, median of {rounds}: from a cold start {:?} (the election itself {:?}); \
             after the leader's death {:?} (the election itself {:?})",
            median(elections.iter().map(|round| round.cold)),
            median(elections.iter().map(|round| round.cold_election)),
            median(elections.iter().map(|round| round.failover)),
            median(elections.iter().map(|round| round.failover_election)),
        );
    }
}

/// `INTEROP_SESSIONS=5000` opens more. Each session owns an ephemeral, and pings as clients do.
#[test]
fn sessions_stay_alive_across_a_change_of_leader() {
    raise_file_limit();
    let count = number_in("INTEROP_SESSIONS").unwrap_or(1_000);
    let layout = Layout::voters(Kind::under_test(), 3);
    let mut ensemble = Ensemble::start(&layout, &options()).expect("three servers");
    create(&ensemble, "/alive");
    let addresses = ensemble.addresses();
    let share = |first: usize| Share::open(&addresses, (first..count).step_by(THREADS));
    let mut shares = in_threads((0..THREADS).collect(), share);
    let leader = ensemble.leader().expect("one leads");
    ensemble.kill(leader).expect("it runs");
    let others: Vec<_> = ensemble.up();
    let others: Vec<_> = others
        .iter()
        .map(|id| ensemble.server(*id).address())
        .collect();
    shares = in_threads(shares, |mut share| {
        share.reattach(&others);
        // Nobody lives on by what the old leader knew.
        share.ping_until(Instant::now() + 2 * TIMEOUT);
        share
    });
    for id in ensemble.up() {
        assert_eq!(
            count_alive(&ensemble, id),
            count,
            "ephemerals on server {id}"
        );
    }
    // Those that leave are gone at once, and only those.
    let leaving = shares[0].clients.drain(..LEAVING);
    leaving.for_each(|client| client.close().expect("it ends"));
    assert_eq!(count_alive(&ensemble, ensemble.up()[0]), count - LEAVING);
}

fn count_alive(ensemble: &Ensemble, id: ServerId) -> usize {
    let mut session = ensemble.open_synced(id).expect("a session");
    session
        .get_children("/alive")
        .expect("it reads")
        .children
        .len()
}

/// Does something to each in a thread of its own.
fn in_threads<T: Send, U: Send>(each: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let work = &work;
    thread::scope(|scope| {
        let threads = each.into_iter().map(|one| scope.spawn(move || work(one)));
        let threads: Vec<_> = threads.collect();
        let joined = threads.into_iter();
        joined
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    })
}

struct Elections {
    /// From the start of the processes until all serve.
    cold: Duration,
    /// As the members' `mntr` tells it.
    cold_election: Duration,
    /// From the leader's death until another one serves.
    failover: Duration,
    failover_election: Duration,
}

fn hold_elections(kind: Kind, rounds: usize) -> Vec<Elections> {
    let layout = Layout::voters(kind, 3);
    let mut ensemble = Ensemble::prepare(&layout, &options()).expect("three places");
    let mut elections = Vec::new();
    for _ in 0..rounds {
        let started = Instant::now();
        ensemble.start_all().expect("three servers");
        let cold = started.elapsed();
        let cold_election = longest_election(&ensemble);
        let leader = ensemble.leader().expect("one leads");
        let died = Instant::now();
        ensemble.kill(leader).expect("it runs");
        ensemble.wait_for_leader().expect("another one leads");
        let failover = died.elapsed();
        ensemble.wait_until_serving().expect("the others serve");
        let failover_election = longest_election(&ensemble);
        elections.push(Elections {
            cold,
            cold_election,
            failover,
            failover_election,
        });
        ensemble.kill_all().expect("they run");
    }
    elections
}

/// The longest that any member has taken since it was started.
fn longest_election(ensemble: &Ensemble) -> Duration {
    let statuses = ensemble
        .up()
        .into_iter()
        .filter_map(|id| ensemble.status(id));
    let times = statuses.filter_map(|status| status.number("max_election_time"));
    let longest = times.max().expect("members tell how long they took");
    Duration::from_millis(u64::try_from(longest).expect("short"))
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// For the clients here, and for the servers, which inherit it.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the maximum is allowed");
}

/// Clients of one thread.
struct Share {
    clients: Vec<Session>,
    addresses: Vec<SocketAddr>,
    pinged: Instant,
}

impl Share {
    fn open(addresses: &[SocketAddr], numbers: impl Iterator<Item = usize>) -> Share {
        let mut share = Share {
            clients: Vec::new(),
            addresses: addresses.to_vec(),
            pinged: Instant::now(),
        };
        for number in numbers {
            let address = addresses[number % addresses.len()];
            let mut client = Session::open(address, TIMEOUT_MS).expect("a session");
            let path = format!("/alive/{number}");
            let created = client.create(&path, None, &anyone(), CreateMode::Ephemeral);
            created.expect("it writes");
            share.clients.push(client);
            share.ping_if_due(share.clients.len());
        }
        share
    }

    /// Brings every client to another server, with the session that it had.
    fn reattach(&mut self, addresses: &[SocketAddr]) {
        self.addresses = addresses.to_vec();
        self.pinged = Instant::now();
        for index in 0..self.clients.len() {
            self.reattach_one(index);
            self.ping_if_due(index + 1);
        }
    }

    fn reattach_one(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let started = Instant::now();
        for address in self
            .addresses
            .iter()
            .cycle()
            .skip(index % self.addresses.len())
        {
            match client.reattach(*address) {
                Ok(again) => {
                    assert_eq!(again.id(), client.id());
                    *client = again;
                    return;
                }
                Err(error) if error.is::<SessionGone>() => panic!("{}: {error}", client.id()),
                Err(error) if started.elapsed() > PATIENCE => panic!("{}: {error}", client.id()),
                Err(_) => thread::sleep(RETRY_PAUSE),
            }
        }
    }

    fn ping_until(&mut self, until: Instant) {
        while Instant::now() < until {
            self.ping_if_due(self.clients.len());
            thread::sleep(TIMEOUT / 10);
        }
    }

    /// The first so many clients ping as often as clients do.
    fn ping_if_due(&mut self, count: usize) {
        if self.pinged.elapsed() < TIMEOUT / 3 {
            return;
        }
        self.pinged = Instant::now();
        for index in 0..count {
            if self.clients[index].ping().is_err() {
                self.reattach_one(index);
            }
        }
    }
}

fn create(ensemble: &Ensemble, path: &str) {
    let leader = ensemble.one_in_mode(Mode::Leader).expect("one leads");
    let mut session = ensemble.open_synced(leader).expect("a session");
    let created = session.create(path, None, &anyone(), CreateMode::Persistent);
    created.expect("it writes");
}

fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .config("tickTime", "500")
}

fn number_in(variable: &str) -> Option<usize> {
    env::var(variable).ok()?.parse().ok()
}

const THREADS: usize = 8;
const LEAVING: usize = 5;
const TIMEOUT_MS: i32 = 6_000;
const TIMEOUT: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(60);
const RETRY_PAUSE: Duration = Duration::from_millis(20);
