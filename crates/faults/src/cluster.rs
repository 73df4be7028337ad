//! The servers: started, killed, stopped in time, put on full disks and wrong clocks.
//!
//! Owns the processes and their directories. Each has the same address and the same ports for good, each
//! in a network namespace of its own.

mod full_disks;
mod member;
mod verdict;

pub use member::Status;

use crate::network::{Network, PEER_PORTS};
use anyhow::{Context, Result, bail, ensure};
use member::{Member, State};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::Kind;

/// An ensemble, its network, and what is wrong with them at the moment.
#[derive(Debug)]
pub struct Cluster {
    members: BTreeMap<i64, Member>,
    network: Network,
}

impl Cluster {
    /// Starts members of these kinds in a directory, and waits until they serve.
    ///
    /// # Errors
    /// When they do not come up.
    pub fn start(network: Network, kinds: &[Kind], directory: &Path) -> Result<Cluster> {
        let hosts = network.members().iter();
        let hosts = hosts.map(|id| (*id, server_line(&[Network::address(*id)])));
        let hosts = hosts.collect();
        let mut cluster = Cluster::prepare(network, kinds, directory, &hosts)?;
        cluster.launch_missing()?;
        cluster.wait_until_serving()?;
        Ok(cluster)
    }

    /// Prepares members that call each other by what [`server_line`] makes, each itself by its address.
    ///
    /// # Errors
    /// When there is no place for them.
    pub fn prepare(
        network: Network,
        kinds: &[Kind],
        directory: &Path,
        hosts: &BTreeMap<i64, String>,
    ) -> Result<Cluster> {
        let mut members = BTreeMap::new();
        for (id, kind) in network.members().iter().zip(kinds) {
            let own = directory.join(format!("member-{id}"));
            let member = Member::prepare(*id, *kind, hosts, &own)?;
            members.insert(*id, member);
        }
        Ok(Cluster { members, network })
    }

    /// Starts a member that is down, and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&mut self, id: i64) -> Result<()> {
        self.member(id)?.launch()
    }

    /// Ends a member with SIGTERM; how long that takes.
    ///
    /// # Errors
    /// When it is not running, or does not end.
    pub fn stop(&mut self, id: i64) -> Result<Duration> {
        self.member(id)?.stop()
    }

    /// Has a member, which is down, call itself by this in its configuration from now on.
    ///
    /// # Errors
    /// When its configuration cannot be written.
    pub fn call_itself(&mut self, id: i64, line: String) -> Result<()> {
        self.member(id)?.call_itself(line)
    }

    /// Waits until these members serve, with one of them as leader that has the others in sync.
    ///
    /// # Errors
    /// When they do not in this time.
    pub fn wait_until_served_by(&mut self, ids: &[i64], within: Duration) -> Result<Duration> {
        let started = Instant::now();
        loop {
            self.ensure_alive()?;
            let statuses: Vec<Status> = ids
                .iter()
                .filter_map(|id| self.members.get(id)?.status())
                .collect();
            let leads = |status: &Status| status.synced_followers() >= Some(ids.len() - 1);
            let is_led = statuses
                .iter()
                .filter(|status| status.is_leader())
                .any(leads);
            if statuses.len() == ids.len() && is_led {
                return Ok(started.elapsed());
            }
            if started.elapsed() > within {
                bail!(
                    "{ids:?} do not serve within {within:?}: {:?}",
                    self.statuses()
                );
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// The network.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// All members.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        self.members.keys().copied().collect()
    }

    /// Whose server each member is.
    #[must_use]
    pub fn kind(&self, id: i64) -> Kind {
        self.members[&id].kind()
    }

    /// Where clients connect.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<i64, SocketAddr> {
        let members = self.members.values();
        members
            .map(|member| (member.id(), member.address()))
            .collect()
    }

    /// Who leads, if just one member says so.
    #[must_use]
    pub fn leader(&self) -> Option<i64> {
        let leading = |member: &&Member| {
            let status = member.status();
            status.is_some_and(|status| status.is_leader())
        };
        let leaders: Vec<&Member> = self.members.values().filter(leading).collect();
        match leaders[..] {
            [leader] => Some(leader.id()),
            _ => None,
        }
    }

    /// Ends a member with SIGKILL.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self, id: i64) -> Result<()> {
        self.member(id)?.kill()
    }

    /// Has a member do nothing at all, with its connections open.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pause(&mut self, id: i64) -> Result<()> {
        self.member(id)?.pause()
    }

    /// Sets the clock of a member's process, so many seconds from the true time.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn set_clock(&mut self, id: i64, offset_s: i64) -> Result<()> {
        self.member(id)?.set_clock(offset_s)
    }

    /// Fills a member's disk. From now on the member may end by itself.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn fill_disk(&mut self, id: i64) -> Result<()> {
        self.member(id)?.fill_disk()
    }

    /// Has nothing become durable any more that a member writes.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn stall_disk(&mut self, id: i64) -> Result<()> {
        self.member(id)?.stall_disk()
    }

    /// Checks that no member has ended that had no reason to.
    ///
    /// # Errors
    /// When one has.
    pub fn ensure_alive(&mut self) -> Result<()> {
        for member in self.members.values_mut() {
            member.ensure_alive()?;
        }
        Ok(())
    }

    /// Takes back everything that is wrong, and starts the members that are down.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn mend(&mut self) -> Result<()> {
        self.network.mend()?;
        for member in self.members.values_mut() {
            member.mend()?;
        }
        for member in self.members.values() {
            member.wait_until_it_knows_of_its_room()?;
        }
        self.launch_missing()
    }

    /// Waits until all members serve under one leader that has them in sync.
    ///
    /// # Errors
    /// When one ends, or they do not get so far.
    pub fn wait_until_serving(&mut self) -> Result<()> {
        let started = Instant::now();
        while !self.is_whole() {
            self.ensure_alive()?;
            if started.elapsed() > PATIENCE {
                bail!("the members do not get to serve: {:?}", self.statuses());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Waits until another member leads, whatever this one believes.
    ///
    /// # Errors
    /// When nobody does.
    pub fn wait_for_leader_instead_of(&mut self, deposed: i64, within: Duration) -> Result<i64> {
        let started = Instant::now();
        loop {
            self.ensure_alive()?;
            let mut others = self.members.values().filter(|other| other.id() != deposed);
            let leading = |other: &&Member| other.status().is_some_and(|status| status.is_leader());
            if let Some(leader) = others.find(leading) {
                return Ok(leader.id());
            }
            if started.elapsed() > within {
                bail!("nobody leads instead of {deposed}: {:?}", self.statuses());
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Copies what is on the members' disks to where it can be read after the run.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn keep_data(&self) -> Result<()> {
        self.members.values().try_for_each(Member::keep_data)
    }

    fn launch_missing(&mut self) -> Result<()> {
        for member in self.members.values_mut() {
            if member.state() == State::Down {
                member.launch()?;
            }
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        let statuses: Vec<Status> = self.statuses().into_values().flatten().collect();
        let leaders = statuses.iter().filter(|status| status.is_leader());
        let synced: Vec<Option<usize>> = leaders.map(Status::synced_followers).collect();
        statuses.len() == self.members.len() && synced == [Some(self.members.len() - 1)]
    }

    fn statuses(&self) -> BTreeMap<i64, Option<Status>> {
        let members = self.members.values();
        members
            .map(|member| (member.id(), member.status()))
            .collect()
    }

    fn member(&mut self, id: i64) -> Result<&mut Member> {
        let member = self.members.get_mut(&id);
        member.with_context(|| format!("there is no member {id}"))
    }
}

/// What follows `server.N=` for a member that is to be reached at any of these.
pub fn server_line(hosts: &[impl std::fmt::Display]) -> String {
    let [quorum, election] = PEER_PORTS;
    let addresses = hosts
        .iter()
        .map(|host| format!("{host}:{quorum}:{election}"));
    addresses.collect::<Vec<_>>().join("|")
}

/// The members that more than half of all are.
///
/// # Errors
/// When there is no such part.
pub fn majority_of(members: &[i64]) -> Result<usize> {
    ensure!(members.len() > 2, "an ensemble has three members at least");
    Ok(members.len() / 2 + 1)
}

const PATIENCE: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
