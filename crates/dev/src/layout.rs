//! Which servers there are, on which ports, with their files where.

use std::fmt;
use std::path::{Path, PathBuf};

/// How many servers there are of which kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Those that vote.
    pub servers: u16,
    /// Those that do not.
    pub observers: u16,
}

/// What the command line says about the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) servers: Option<u16>,
    pub(crate) observers: Option<u16>,
}

/// Why options make no ensemble.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Nobody would lead.
    #[error("--servers must be at least 1")]
    NoServers,
    /// More than there are digits.
    #[error("{0} servers are too many: each has a digit as its key, so at most {MEMBERS_MAX}")]
    TooMany(u32),
    /// A standalone server has no observers.
    #[error("observers need an ensemble to observe: --servers 2 or more")]
    ObserversAlone,
    /// Port numbers end.
    #[error("--base-port {0} is not possible: choose one from 1 to {BASE_PORT_MAX}")]
    BasePort(u16),
    /// `zoo.cfg` is text.
    #[error("{} is not UTF-8, so zoo.cfg cannot name it; choose another --dir", .0.display())]
    NotUtf8(PathBuf),
}

/// The N of `server.N`, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberId(pub(crate) u16);

/// One server's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: MemberId,
    pub(crate) is_observer: bool,
    pub(crate) directory: PathBuf,
    pub(crate) client_port: u16,
    pub(crate) quorum_port: u16,
    pub(crate) election_port: u16,
}

/// A whole ensemble's places, in the order of their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) directory: PathBuf,
    pub(crate) shape: Shape,
    pub(crate) places: Vec<Place>,
}

impl Wish {
    /// What is wished for, where nothing is said as it is there already, or else by default.
    pub(crate) fn shape(self, held: Option<Shape>) -> Shape {
        let fallback = held.unwrap_or(Shape {
            servers: SERVERS,
            // Whoever asks for a standalone server and says no more wants no observers.
            observers: OBSERVERS,
        });
        Shape {
            servers: self.servers.unwrap_or(fallback.servers),
            observers: self.observers.unwrap_or(fallback.observers),
        }
    }
}

impl Shape {
    /// Whether the one server is on its own, with no quorum ports.
    pub(crate) fn is_standalone(self) -> bool {
        self.servers == 1
    }

    fn check(self) -> Result<(), LayoutError> {
        let members = u32::from(self.servers) + u32::from(self.observers);
        if self.servers == 0 {
            return Err(LayoutError::NoServers);
        }
        if members > u32::from(MEMBERS_MAX) {
            return Err(LayoutError::TooMany(members));
        }
        if self.is_standalone() && self.observers > 0 {
            return Err(LayoutError::ObserversAlone);
        }
        Ok(())
    }

    /// The options that ask for this shape.
    pub(crate) fn options(self) -> String {
        match self.observers {
            0 => format!("--servers {}", self.servers),
            observers => format!("--servers {} --observers {observers}", self.servers),
        }
    }
}

/// As in "3 servers and 1 observer".
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u16| if count == 1 { "" } else { "s" };
        write!(f, "{} server{}", self.servers, plural(self.servers))?;
        match self.observers {
            0 => Ok(()),
            count => write!(f, " and {count} observer{}", plural(count)),
        }
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl MemberId {
    /// Its place in a list of all members.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0 - 1)
    }
}

impl Layout {
    /// `directory` must be absolute, so that a server can be started from anywhere.
    pub(crate) fn new(
        directory: &Path,
        shape: Shape,
        base_port: u16,
    ) -> Result<Layout, LayoutError> {
        shape.check()?;
        if !(1..=BASE_PORT_MAX).contains(&base_port) {
            return Err(LayoutError::BasePort(base_port));
        }
        if directory.to_str().is_none() {
            return Err(LayoutError::NotUtf8(directory.to_owned()));
        }
        let place = |number: u16| {
            let client_port = base_port + (number - 1);
            Place {
                id: MemberId(number),
                is_observer: number > shape.servers,
                directory: directory.join(format!("server{number}")),
                client_port,
                quorum_port: client_port + QUORUM_OFFSET,
                election_port: client_port + ELECTION_OFFSET,
            }
        };
        Ok(Layout {
            directory: directory.to_owned(),
            shape,
            places: (1..=shape.servers + shape.observers).map(place).collect(),
        })
    }

    /// What a client is given to reach the ensemble.
    pub(crate) fn connect_string(&self) -> String {
        let address = |place: &Place| format!("{HOST}:{}", place.client_port);
        let addresses: Vec<_> = self.places.iter().map(address).collect();
        addresses.join(",")
    }

    /// Every port that will be listened on, with what it is for.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (u16, Purpose)> {
        let between_servers = !self.shape.is_standalone();
        self.places.iter().flat_map(move |place| {
            let client = (place.client_port, Purpose::Clients(place.id));
            let quorum = (place.quorum_port, Purpose::Quorum(place.id));
            let election = (place.election_port, Purpose::Election(place.id));
            std::iter::once(client).chain(
                [quorum, election]
                    .into_iter()
                    .filter(move |_| between_servers),
            )
        })
    }
}

impl Place {
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.join("zoo.cfg")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(crate) fn my_id(&self) -> PathBuf {
        self.data().join("myid")
    }

    /// Where a server writes down the epoch that it works in.
    pub(crate) fn current_epoch(&self) -> PathBuf {
        self.data().join("version-2").join("currentEpoch")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// The log of the run before this one.
    pub(crate) fn old_log(&self) -> PathBuf {
        self.directory.join("log.old")
    }
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Clients of a server.
    Clients(MemberId),
    /// Learners of a server, when it leads.
    Quorum(MemberId),
    /// Votes.
    Election(MemberId),
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Purpose::Clients(id) => write!(f, "clients of server {id}"),
            Purpose::Quorum(id) => write!(f, "followers of server {id}"),
            Purpose::Election(id) => write!(f, "elections of server {id}"),
        }
    }
}

/// Where all servers listen.
pub(crate) const HOST: &str = "127.0.0.1";
/// ZooKeeper's own port.
pub(crate) const BASE_PORT: u16 = 2181;
/// Voters by default: the smallest number that survives a failure.
const SERVERS: u16 = 3;
const OBSERVERS: u16 = 0;
/// Each server has a digit as its key.
pub(crate) const MEMBERS_MAX: u16 = 9;
const QUORUM_OFFSET: u16 = 1000;
const ELECTION_OFFSET: u16 = 2000;
/// The last server's election port is the highest of all.
const BASE_PORT_MAX: u16 = u16::MAX - ELECTION_OFFSET - (MEMBERS_MAX - 1);

#[cfg(test)]
mod tests;
