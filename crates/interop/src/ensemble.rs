//! Several servers that are one: voters and observers of either kind, each killed and started as a
//! test likes.
//!
//! Owns the members' directories, configuration and ports, and the waiting until they serve. What a
//! member is and does otherwise is a [`Server`].

mod complaints;
mod layout;
mod ports;
mod status;

pub use layout::{Layout, Role};
pub use status::{Mode, Status};

use crate::{Kind, Options, Server, Session, TreeDump};
use anyhow::{Context, Result, bail, ensure};
use complaints::complaints;
use ports::Ports;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use zooid_proto::ServerId;

/// Of one member and the next: whose clients have no threads of their own, and whose have.
const WORKER_THREADS: [&str; 2] = ["0", "2"];

/// The members of an ensemble, by their ids from 1 on; killed when dropped.
#[derive(Debug)]
pub struct Ensemble {
    members: BTreeMap<ServerId, Member>,
    // Held for its drop: removes the members' directories.
    _directory: TempDir,
    // As long as the members may come back to them.
    _ports: Ports,
}

#[derive(Debug)]
struct Member {
    server: Server,
    role: Role,
    election_port: u16,
    state: MemberState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemberState {
    Down,
    Up,
    /// Stopped by SIGSTOP: neither gone nor answering.
    Paused,
}

impl Ensemble {
    /// Starts all members at once, on empty directories, and waits until all of them serve.
    ///
    /// # Errors
    /// When they do not come up.
    pub fn start(layout: &Layout, options: &Options) -> Result<Ensemble> {
        let mut attempt = 1;
        loop {
            let mut ensemble = Ensemble::prepare(layout, options)?;
            match ensemble.start_all() {
                Ok(()) => return Ok(ensemble),
                // A port that was free may be taken by someone else before its server has it.
                Err(_) if attempt < START_ATTEMPTS_MAX && ensemble.has_lost_a_port() => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes every member's configuration and starts none.
    ///
    /// # Errors
    /// When there is no place for them.
    pub fn prepare(layout: &Layout, options: &Options) -> Result<Ensemble> {
        let directory = TempDir::with_prefix("zooid-ensemble-")?;
        let mut members = BTreeMap::new();
        let ports = Ports::reserve(layout.ports_needed())?;
        let lines = layout.server_lines(&ports.numbers);
        for (index, seat) in layout.seats().iter().enumerate() {
            let id = ServerId(i64::try_from(index + 1)?);
            let own_directory = directory.path().join(id.to_string());
            fs::create_dir_all(own_directory.join("data"))?;
            fs::write(own_directory.join("data/myid"), id.to_string())?;
            let options = Options::default()
                .config("nio.numWorkerThreads", WORKER_THREADS[index % 2])
                .and(&Layout::member_options(&lines, seat, options));
            let port = ports.numbers[index];
            let member = Member {
                server: Server::on_port(seat.kind, options, &own_directory, port),
                role: seat.role,
                election_port: layout.election_port(&ports.numbers, index),
                state: MemberState::Down,
            };
            members.insert(id, member);
        }
        Ok(Ensemble {
            members,
            _directory: directory,
            _ports: ports,
        })
    }

    /// Starts every member that is down, all at once, and waits until all serve.
    ///
    /// # Errors
    /// When they do not come up.
    pub fn start_all(&mut self) -> Result<()> {
        for id in self.with_state(MemberState::Down) {
            self.launch(id)?;
        }
        self.wait_until_serving()
    }

    /// Starts every member that is down, in such an order that this one is elected, which has the highest
    /// id and no less history than the others: it is in the smallest majority that there can be, and the
    /// others come when that has elected it.
    ///
    /// # Errors
    /// When they do not come up, or elect another.
    pub fn start_led_by(&mut self, wanted: ServerId) -> Result<()> {
        self.launch(wanted)?;
        self.wait_until_it_listens(wanted)?;
        let voters = self.voters();
        let others = voters.iter().filter(|id| **id != wanted);
        for id in others.take(voters.len() / 2) {
            self.launch(*id)?;
        }
        let leader = self.wait_for_leader()?;
        ensure!(leader == wanted, "server {leader} is elected");
        self.start_all()
    }

    /// Starts a member and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&mut self, id: ServerId) -> Result<()> {
        let member = self.member_mut(id)?;
        member.server.launch()?;
        member.state = MemberState::Up;
        Ok(())
    }

    /// Ends a member with SIGKILL.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self, id: ServerId) -> Result<()> {
        let member = self.member_mut(id)?;
        member.state = MemberState::Down;
        member.server.kill()
    }

    /// Ends every member with SIGKILL.
    ///
    /// # Errors
    /// When one had ended by itself.
    pub fn kill_all(&mut self) -> Result<()> {
        let running = [MemberState::Up, MemberState::Paused].map(|state| self.with_state(state));
        for id in running.concat() {
            self.kill(id)?;
        }
        Ok(())
    }

    /// Ends a member with SIGTERM and waits for it.
    ///
    /// # Errors
    /// When it is not running.
    pub fn stop(&mut self, id: ServerId) -> Result<()> {
        let member = self.member_mut(id)?;
        member.state = MemberState::Down;
        member.server.stop()?;
        Ok(())
    }

    /// Has a member do nothing at all, with its connections open.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pause(&mut self, id: ServerId) -> Result<()> {
        let member = self.member_mut(id)?;
        member.state = MemberState::Paused;
        member.server.pause()
    }

    /// Has a member go on after [`Ensemble::pause`].
    ///
    /// # Errors
    /// When it is not running.
    pub fn resume(&mut self, id: ServerId) -> Result<()> {
        let member = self.member_mut(id)?;
        member.state = MemberState::Up;
        member.server.signal("CONT")
    }

    /// Puts a server of this kind in a member's place, which is down: it will work on the same data directory
    /// with the same `zoo.cfg`.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn replace(&mut self, id: ServerId, kind: Kind) -> Result<()> {
        self.member_mut(id)?.server.replace(kind);
        Ok(())
    }

    /// Removes what a member has stored, which is down, but not its id.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn empty(&self, id: ServerId) -> Result<()> {
        Ok(fs::remove_dir_all(
            self.server(id).data_dir().join("version-2"),
        )?)
    }

    /// A member.
    ///
    /// # Panics
    /// When there is no such member.
    #[must_use]
    pub fn server(&self, id: ServerId) -> &Server {
        let member = self.members.get(&id);
        &member.expect("tests ask for members that exist").server
    }

    /// Every member's id.
    pub fn ids(&self) -> impl Iterator<Item = ServerId> {
        self.members.keys().copied()
    }

    /// Those that run and can answer.
    #[must_use]
    pub fn up(&self) -> Vec<ServerId> {
        self.with_state(MemberState::Up)
    }

    /// Those that vote, running or not.
    #[must_use]
    pub fn voters(&self) -> Vec<ServerId> {
        let voters = self
            .members
            .iter()
            .filter(|(_, member)| member.role == Role::Voter);
        voters.map(|(id, _)| *id).collect()
    }

    /// Where clients connect, of every member, running or not.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let servers = self.members.values().map(|member| &member.server);
        servers.map(Server::address).collect()
    }

    /// What clients call the ensemble: `host:port,host:port`.
    #[must_use]
    pub fn connect_string(&self) -> String {
        let addresses = self.addresses().into_iter();
        let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
        addresses.join(",")
    }

    /// The member that leads.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub fn leader(&self) -> Result<ServerId> {
        let leaders = self.in_mode(Mode::Leader);
        ensure!(leaders.len() == 1, "the leaders are {leaders:?}");
        Ok(leaders[0])
    }

    /// Those that follow the leader.
    #[must_use]
    pub fn followers(&self) -> Vec<ServerId> {
        self.in_mode(Mode::Follower)
    }

    /// A member that serves as this.
    ///
    /// # Errors
    /// When there is none.
    pub fn one_in_mode(&self, mode: Mode) -> Result<ServerId> {
        let found = self.in_mode(mode).first().copied();
        found.with_context(|| format!("no {mode:?} in {:?}", self.statuses()))
    }

    /// What a member says about itself; `None` while it does not serve.
    #[must_use]
    pub fn status(&self, id: ServerId) -> Option<Status> {
        Status::parse(&self.server(id).four_letter_word("mntr").ok()?)
    }

    /// Opens a session that may do everything, on a member with
    /// [`SUPER_DIGEST`](crate::SUPER_DIGEST), and has the member catch up.
    ///
    /// # Errors
    /// When the member does not grant it.
    pub fn open_synced(&self, id: ServerId) -> Result<Session> {
        let mut session = Session::open_as_super(self.server(id))?;
        session.sync("/")?;
        Ok(session)
    }

    /// Checks that the running members agree: one tree, one digest at each zxid, and none of Zooid's has
    /// found another's transaction to leave a wrong digest. Java's tell that in their logs.
    ///
    /// # Errors
    /// When they do not, or one cannot be asked.
    pub fn check_agreement(&self) -> Result<TreeDump> {
        let tree = self.agreed_tree()?;
        let compared = self.compare_digests()?;
        ensure!(compared > 0, "no digest was compared");
        let is_zooid = |id: &ServerId| self.server(*id).kind() == Kind::Zooid;
        for id in self.up().into_iter().filter(is_zooid) {
            let status = self.status(id).context("it does not serve")?;
            let mismatches = status.number("digest_mismatches_count");
            ensure!(
                mismatches == Some(0),
                "server {id}: {mismatches:?} digests were wrong"
            );
        }
        Ok(tree)
    }

    /// Checks that no member of this kind has said that something is wrong, as far as servers that are
    /// killed and come back are not.
    ///
    /// # Errors
    /// When one has.
    pub fn check_logs_of(&self, kind: Kind) -> Result<()> {
        let members = self.members.iter();
        for (id, member) in members.filter(|(_, member)| member.server.kind() == kind) {
            let log = member.server.log();
            let found = complaints(member.server.kind(), &log);
            let lines = found.iter().map(|(line, next)| format!("{line}\n{next}\n"));
            ensure!(
                found.is_empty(),
                "server {id} says:\n{}",
                lines.collect::<String>()
            );
        }
        Ok(())
    }

    /// Waits until every running member serves, all of them under one leader that has them in sync.
    ///
    /// # Errors
    /// When one ends, or they do not get so far.
    pub fn wait_until_serving(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            self.ensure_none_has_ended()?;
            if self.is_whole() {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                bail!("the members do not get to serve: {:?}", self.statuses());
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits until there is a leader that serves, whoever may be missing.
    ///
    /// # Errors
    /// When one ends, or none gets so far.
    pub fn wait_for_leader(&mut self) -> Result<ServerId> {
        let started = Instant::now();
        loop {
            self.ensure_none_has_ended()?;
            if let Ok(leader) = self.leader() {
                return Ok(leader);
            }
            if started.elapsed() > PATIENCE {
                bail!("nobody leads: {:?}", self.statuses());
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits until no running member serves: there is no quorum.
    ///
    /// # Errors
    /// When they go on.
    pub fn wait_until_not_serving(&self) -> Result<()> {
        let started = Instant::now();
        while self.up().iter().any(|id| self.status(*id).is_some()) {
            if started.elapsed() > PATIENCE {
                bail!("there is no quorum, and yet: {:?}", self.statuses());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// The tree as each running member has it, all of them the same.
    ///
    /// # Errors
    /// When one cannot be read, or two differ.
    pub fn agreed_tree(&self) -> Result<TreeDump> {
        let mut agreed: Option<(ServerId, TreeDump)> = None;
        for id in self.up() {
            let mut tree = TreeDump::read(&mut self.open_synced(id)?)?;
            // Each member writes this one for itself, when it starts.
            if let Some(config) = tree.nodes.get_mut("/zookeeper/config") {
                config.stat.mtime = 0;
            }
            let Some((first, expected)) = &agreed else {
                agreed = Some((id, tree));
                continue;
            };
            let difference = expected.difference(&tree);
            ensure!(
                difference.is_empty(),
                "the tree of server {first} (-) is not that of server {id} (+):\n{difference}"
            );
        }
        Ok(agreed.context("no member runs")?.1)
    }

    /// Checks that the running members have had equal digests at equal zxids, as the word `hash` tells
    /// of every 128th, and returns how many zxids they could be compared at.
    ///
    /// # Errors
    /// When they differ, or one cannot be asked.
    pub fn compare_digests(&self) -> Result<usize> {
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut tellers: BTreeMap<String, usize> = BTreeMap::new();
        for id in self.up() {
            for line in self.server(id).four_letter_word("hash")?.lines() {
                let (zxid, digest) = line.split_once(": ").context("a line of hash")?;
                seen.entry(zxid.into()).or_default().insert(digest.into());
                *tellers.entry(zxid.into()).or_default() += 1;
            }
        }
        let differing: Vec<_> = seen.iter().filter(|(_, all)| all.len() > 1).collect();
        ensure!(differing.is_empty(), "digests differ: {differing:?}");
        let all = self.up().len();
        Ok(tellers.values().filter(|count| **count == all).count())
    }

    /// A member looks for a leader from when it has its election port.
    fn wait_until_it_listens(&mut self, id: ServerId) -> Result<()> {
        let started = Instant::now();
        let port = self.member_mut(id)?.election_port;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            self.ensure_none_has_ended()?;
            ensure!(started.elapsed() < PATIENCE, "server {id} does not listen");
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn in_mode(&self, mode: Mode) -> Vec<ServerId> {
        let statuses = self.statuses().into_iter();
        let fitting = statuses.filter(|(_, found)| *found == Some(mode));
        fitting.map(|(id, _)| id).collect()
    }

    fn statuses(&self) -> BTreeMap<ServerId, Option<Mode>> {
        let up = self.up().into_iter();
        up.map(|id| (id, self.status(id).map(|status| status.mode)))
            .collect()
    }

    fn is_whole(&self) -> bool {
        let up = self.up();
        let statuses: Vec<Status> = up.iter().filter_map(|id| self.status(*id)).collect();
        let observers = up
            .iter()
            .filter(|id| self.members[id].role == Role::Observer)
            .count();
        let followers = up.len() - observers - 1;
        let mut leaders = statuses.iter().filter(|status| status.mode == Mode::Leader);
        let (Some(leader), None) = (leaders.next(), leaders.next()) else {
            return false;
        };
        statuses.len() == up.len()
            && leader.number("synced_followers") == Some(followers)
            && leader.number("synced_observers") == Some(observers)
            && up
                .iter()
                .all(|id| Session::is_refused(self.server(*id).address()))
    }

    fn ensure_none_has_ended(&mut self) -> Result<()> {
        for (id, member) in &mut self.members {
            if member.state == MemberState::Up
                && let Some(status) = member.server.ended()?
            {
                member.state = MemberState::Down;
                bail!("server {id} ended: {status}\n{}", member.server.log());
            }
        }
        Ok(())
    }

    fn has_lost_a_port(&self) -> bool {
        let mut servers = self.members.values().map(|member| &member.server);
        servers.any(|server| server.log().contains("Address already in use"))
    }

    fn with_state(&self, state: MemberState) -> Vec<ServerId> {
        let members = self
            .members
            .iter()
            .filter(|(_, member)| member.state == state);
        members.map(|(id, _)| *id).collect()
    }

    fn member_mut(&mut self, id: ServerId) -> Result<&mut Member> {
        self.members.get_mut(&id).context("no such member")
    }
}

const START_ATTEMPTS_MAX: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
