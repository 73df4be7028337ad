//! A network of its own for every member of an ensemble, and for the clients another.
//!
//! ```text
//!   member 1            member 2            member 3        namespaces m1, m2, m3
//!   10.77.0.1           10.77.0.2           10.77.0.3
//!       │                   │                   │
//!      v1                  v2                  v3           the test's own namespace:
//!       └──── rules: who may send to whom ──────┘           rules, wires, clients
//!             wires: how long it takes                      10.77.255.254
//! ```
//!
//! Everything between two members passes the test's namespace. There a rule of routing may drop it (a
//! cut, in one direction). The kernel takes it on to the other member; or, in a network that has them,
//! one of the [`Wires`], a proxy that neither end notices and that can make it wait. All of it is in namespaces of this process: the kernel removes it when the process
//! ends, however it ends.

pub mod namespaces;
mod wires;

pub use wires::Wires;

use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};

/// How bytes go from member to member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As the kernel forwards them.
    Direct,
    /// Through proxies, which can make them wait.
    Wires,
}

/// The network between members 1, 2, 3 and so on.
#[derive(Debug)]
pub struct Network {
    members: Vec<i64>,
    cuts: BTreeSet<(i64, i64)>,
    unplugged: BTreeSet<i64>,
    wires: Option<Wires>,
}

impl Network {
    /// Lays it, in the namespaces that [`namespaces::enter`] has made.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn lay(members: &[i64], way: Way) -> Result<Network> {
        ip("link set lo up\n")?;
        std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("switch on forwarding")?;
        for member in members {
            run(Command::new("ip").args(["netns", "add", &namespace(*member)]))?;
            ip(&member_link(*member))?;
            ip_within(*member, &member_side(*member))?;
        }
        let wires = match way {
            Way::Direct => None,
            Way::Wires => {
                ip(&take_up(members))?;
                Some(Wires::start(&PEER_PORTS)?)
            }
        };
        Ok(Network {
            members: members.to_vec(),
            cuts: BTreeSet::new(),
            unplugged: BTreeSet::new(),
            wires,
        })
    }

    /// A member's address.
    #[must_use]
    pub fn address(member: i64) -> Ipv4Addr {
        let last = u8::try_from(member).expect("members are few");
        Ipv4Addr::new(10, 77, 0, last)
    }

    /// Gives a member one more address.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn give(&self, member: i64, address: Ipv4Addr) -> Result<()> {
        ip_within(member, &format!("addr add {address}/32 dev eth0\n"))?;
        ip(&format!("route add {address}/32 dev v{member}\n"))
    }

    /// A command that runs another within a member's namespace, in the same process.
    #[must_use]
    pub fn command_within(member: i64) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", namespace(member)));
        command.arg("--");
        command
    }

    /// Drops everything that one member sends to another. Nobody is told.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn cut(&mut self, from: i64, to: i64) -> Result<()> {
        if from != to && self.cuts.insert((from, to)) {
            ip(&format!("rule add {}", cut_rule(from, to)))?;
        }
        Ok(())
    }

    /// Cuts both directions between all members here and all there.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn part(&mut self, here: &[i64], there: &[i64]) -> Result<()> {
        for one in here {
            for other in there {
                self.cut(*one, *other)?;
                self.cut(*other, *one)?;
            }
        }
        Ok(())
    }

    /// Takes a member's cable out: neither members nor clients reach it.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn unplug(&mut self, member: i64) -> Result<()> {
        self.unplugged.insert(member);
        ip(&format!("link set v{member} down"))
    }

    /// The proxies.
    ///
    /// # Errors
    /// When the network has none.
    pub fn wires(&self) -> Result<&Wires> {
        let wires = self.wires.as_ref();
        wires.context("nothing can be delayed in a network without wires")
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> &[i64] {
        &self.members
    }

    /// Everything gets through again, at once.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn mend(&mut self) -> Result<()> {
        if let Some(wires) = &self.wires {
            wires.calm();
        }
        for (from, to) in std::mem::take(&mut self.cuts) {
            ip(&format!("rule del {}", cut_rule(from, to)))?;
        }
        for member in std::mem::take(&mut self.unplugged) {
            // The route went with the link.
            let address = Network::address(member);
            ip(&format!(
                "link set v{member} up\nroute replace {address}/32 dev v{member}"
            ))?;
        }
        Ok(())
    }
}

fn namespace(member: i64) -> String {
    format!("m{member}")
}

/// Which member has this address.
fn member_at(address: IpAddr) -> Option<i64> {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [10, 77, 0, last] => Some(i64::from(last)),
            _ => None,
        },
        IpAddr::V6(_) => None,
    }
}

/// In the test's namespace.
fn member_link(member: i64) -> String {
    let address = Network::address(member);
    let namespace = namespace(member);
    format!(
        "link add v{member} type veth peer name eth0 netns {namespace}\n\
         addr add {CLIENTS}/32 dev v{member}\n\
         link set v{member} up\n\
         route add {address}/32 dev v{member}\n"
    )
}

/// What comes from a member for another is delivered here, to the wires.
fn take_up(members: &[i64]) -> String {
    let mut lines = format!("route add local default dev lo table {WIRES_TABLE}\n");
    for member in members {
        let _ = writeln!(
            lines,
            "rule add priority 100 iif v{member} to {MEMBERS} lookup {WIRES_TABLE}"
        );
    }
    lines
}

/// In the member's namespace.
fn member_side(member: i64) -> String {
    let address = Network::address(member);
    format!(
        "link set lo up\n\
         addr add {address}/32 dev eth0\n\
         link set eth0 up\n\
         route add {CLIENTS}/32 dev eth0\n\
         route add default via {CLIENTS}\n"
    )
}

fn cut_rule(from: i64, to: i64) -> String {
    let address = Network::address(to);
    format!("priority 10 iif v{from} to {address}/32 blackhole")
}

fn ip(lines: &str) -> Result<()> {
    batch(Command::new("ip").args(["-batch", "-"]), lines)
}

fn ip_within(member: i64, lines: &str) -> Result<()> {
    let namespace = namespace(member);
    batch(
        Command::new("ip").args(["-netns", &namespace, "-batch", "-"]),
        lines,
    )
}

fn batch(command: &mut Command, lines: &str) -> Result<()> {
    let mut child = command.stdin(Stdio::piped()).spawn().context("start ip")?;
    let mut input = child.stdin.take().context("ip has an input")?;
    input.write_all(lines.as_bytes())?;
    drop(input);
    let status = child.wait()?;
    let mut shown = String::new();
    for line in lines.lines() {
        let _ = writeln!(shown, "  ip {line}");
    }
    ensure!(status.success(), "ip failed ({status}):\n{shown}");
    Ok(())
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("start {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// What each member's server lines name: quorum, election.
pub const PEER_PORTS: [u16; 2] = [2888, 3888];
const CLIENTS: &str = "10.77.255.254";
/// Where clients are, and whatever else the test has in the network.
pub const TEST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 255, 254);
const MEMBERS: &str = "10.77.0.0/24";
const WIRES_TABLE: &str = "200";
