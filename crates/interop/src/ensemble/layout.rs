//! Who is in an ensemble, and the lines of `zoo.cfg` that say so.

#[cfg(test)]
mod tests;

use crate::{Kind, Options};

/// Whether a server's vote counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A participant.
    Voter,
    /// One that follows and never votes.
    Observer,
}

/// The servers of an ensemble, whose ids are 1, 2, 3 and so on.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    seats: Vec<Seat>,
    groups: Vec<Vec<(usize, u32)>>,
    /// Whether every server has a second address.
    has_two_addresses: bool,
    /// Hosts of voters that the configuration names and nobody starts.
    absent: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub kind: Kind,
    pub role: Role,
}

impl Layout {
    /// So many voters of one kind.
    #[must_use]
    pub fn voters(kind: Kind, count: usize) -> Layout {
        Layout::default().seats_of(kind, Role::Voter, count)
    }

    /// Voters of these kinds, by their ids.
    #[must_use]
    pub fn mixed(kinds: &[Kind]) -> Layout {
        let seat = |layout: Layout, kind: &Kind| layout.seats_of(*kind, Role::Voter, 1);
        kinds.iter().fold(Layout::default(), seat)
    }

    /// Voters in groups, each given by the weights of its members: a quorum is more than half of the
    /// weight in more than half of the groups.
    #[must_use]
    pub fn in_groups(kind: Kind, groups: &[&[u32]]) -> Layout {
        let count = groups.iter().map(|weights| weights.len()).sum();
        Layout::voters(kind, count).grouped(groups)
    }

    /// Puts the voters into groups, by their ids, each given by the weights of its members.
    #[must_use]
    pub fn grouped(mut self, groups: &[&[u32]]) -> Layout {
        let mut first_id = 1;
        for weights in groups {
            let members = (first_id..).zip(weights.iter().copied());
            self.groups.push(members.collect());
            first_id += weights.len();
        }
        self
    }

    /// Gives every server a second address (`multiAddress.enabled`), at which it has the same ports.
    #[must_use]
    pub fn at_two_addresses(mut self) -> Layout {
        self.has_two_addresses = true;
        self
    }

    /// Adds servers.
    #[must_use]
    pub fn seats_of(mut self, kind: Kind, role: Role, count: usize) -> Layout {
        self.seats.extend(vec![Seat { kind, role }; count]);
        self
    }

    /// Adds a voter that never runs, on a host that need not exist.
    #[must_use]
    pub fn absent_voter(mut self, host: &str) -> Layout {
        self.absent.push(host.into());
        self
    }

    pub(super) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// A client port for each server that runs, then two ports for each that is named.
    pub(super) fn ports_needed(&self) -> usize {
        self.seats.len() + 2 * (self.seats.len() + self.absent.len())
    }

    /// Where the server at this place, from 0 on, elects.
    pub(super) fn election_port(&self, ports: &[u16], index: usize) -> u16 {
        ports[self.seats.len() + 2 * index + 1]
    }

    /// The lines that are the same for all.
    pub(super) fn server_lines(&self, ports: &[u16]) -> Vec<(String, String)> {
        let running = self.seats.iter().map(|seat| ("127.0.0.1", seat.role));
        let absent = self.absent.iter().map(|host| (host.as_str(), Role::Voter));
        let peer_ports = ports[self.seats.len()..].chunks_exact(2);
        let servers = running.chain(absent).zip(peer_ports).enumerate();
        let mut lines = Vec::new();
        for (index, ((host, role), ports)) in servers {
            let role = match role {
                Role::Voter => "",
                Role::Observer => ":observer",
            };
            let id = index + 1;
            let at = |host: &str| format!("{host}:{}:{}{role}", ports[0], ports[1]);
            let address = if self.has_two_addresses {
                format!("{}|{}", at(host), at(&format!("127.0.1.{id}")))
            } else {
                at(host)
            };
            lines.push((format!("server.{id}"), address));
        }
        for (index, members) in self.groups.iter().enumerate() {
            let ids: Vec<String> = members.iter().map(|(id, _)| id.to_string()).collect();
            lines.push((format!("group.{}", index + 1), ids.join(":")));
            let weights = members.iter();
            lines.extend(weights.map(|(id, weight)| (format!("weight.{id}"), weight.to_string())));
        }
        lines
    }

    /// The options of one member, the test's own having the last word.
    pub(super) fn member_options(
        lines: &[(String, String)],
        seat: &Seat,
        options: &Options,
    ) -> Options {
        let mut own = Options::default()
            .config("initLimit", "10")
            .config("syncLimit", "5");
        for (key, value) in lines {
            own = own.config(key, value);
        }
        if seat.role == Role::Observer {
            own = own.config("peerType", "observer");
        }
        own.and(options)
    }
}
