//! Members that find each other by name, when names are not to be had at once, or not at all, or come to
//! mean another machine.

use crate::cluster::{Cluster, server_line};
use crate::name_server::{Answer, NameServer};
use crate::network::{Network, TEST_ADDRESS, Way, namespaces};
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;
use zooid_interop::Kind;

/// What becomes of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody knows them when the members start; later some are known, and then all.
    Late,
    /// Nobody ever answers about one member.
    Silent,
    /// Each comes to mean another address when its member comes back.
    Moving,
}

impl Trouble {
    /// Starts three members of these kinds and has them go through it. The process must be in namespaces of
    /// its own.
    ///
    /// # Errors
    /// When they do not come through in time.
    pub fn play(self, kinds: &[Kind], directory: &Path) -> Result<()> {
        namespaces::settle(&MEMBERS)?;
        namespaces::ask_for_names_at(TEST_ADDRESS)?;
        let network = Network::lay(&MEMBERS, Way::Direct)?;
        let names = NameServer::start(TEST_ADDRESS)?;
        let mut hosts = BTreeMap::new();
        for id in MEMBERS {
            let is_named = self != Trouble::Silent || id == SILENT;
            let line = if is_named {
                server_line(&[name(id)])
            } else {
                server_line(&[Network::address(id)])
            };
            hosts.insert(id, line);
        }
        let cluster = Cluster::prepare(network, kinds, directory, &hosts)?;
        match self {
            Trouble::Late => late(cluster, &names),
            Trouble::Silent => silent(cluster, &names),
            Trouble::Moving => moving(cluster, &names),
        }
    }
}

fn late(mut cluster: Cluster, names: &NameServer) -> Result<()> {
    for id in MEMBERS {
        names.say(&name(id), Answer::Unknown);
        cluster.launch(id)?;
    }
    let nobody = cluster.wait_until_served_by(&[1, 2], Duration::from_secs(3));
    ensure!(
        nobody.is_err(),
        "nobody knows the others, and yet they serve"
    );
    // Who is elected must be known to the others: that is the one with the highest id.
    for id in [2, 3] {
        names.say(&name(id), Answer::Address(Network::address(id)));
    }
    let took = cluster.wait_until_served_by(&[2, 3], SOON)?;
    println!("2 and 3 serve {took:.1?} after their names are known");
    names.say(&name(1), Answer::Address(Network::address(1)));
    let took = cluster.wait_until_served_by(&MEMBERS, SOON)?;
    println!("all serve {took:.1?} after all names are known");
    Ok(())
}

fn silent(mut cluster: Cluster, names: &NameServer) -> Result<()> {
    names.say(&name(SILENT), Answer::Silence);
    let others: Vec<i64> = MEMBERS.into_iter().filter(|id| *id != SILENT).collect();
    for id in &others {
        cluster.launch(*id)?;
    }
    let took = cluster.wait_until_served_by(&others, SOON)?;
    println!("{others:?} serve after {took:.1?}, and nobody answers about {SILENT}");
    // Whose votes are waited for in vain, again and again, while threads are at the name.
    for id in others.iter().cycle().take(4) {
        let took = cluster.stop(*id)?;
        ensure!(took < STOPS_WITHIN, "member {id} took {took:?} to stop");
        cluster.launch(*id)?;
        let took = cluster.wait_until_served_by(&others, SOON)?;
        println!("{others:?} serve {took:.1?} after {id} was started again");
    }
    cluster.launch(SILENT)?;
    names.say(&name(SILENT), Answer::Address(Network::address(SILENT)));
    let took = cluster.wait_until_served_by(&MEMBERS, RESOLVERS_PATIENCE + SOON)?;
    println!("all serve {took:.1?} after {SILENT} was started and is known");
    Ok(())
}

fn moving(mut cluster: Cluster, names: &NameServer) -> Result<()> {
    for id in MEMBERS {
        names.say(&name(id), Answer::Address(Network::address(id)));
        cluster.launch(id)?;
    }
    cluster.wait_until_served_by(&MEMBERS, SOON)?;
    // Twice, so that whoever leads meanwhile has moved before.
    for round in 1..=2 {
        for id in MEMBERS {
            cluster.stop(id)?;
            let address = moved(id, round);
            cluster.network().give(id, address)?;
            // Its ports are at the new address only.
            cluster.call_itself(id, server_line(&[address]))?;
            names.say(&name(id), Answer::Address(address));
            cluster.launch(id)?;
            let took = cluster.wait_until_served_by(&MEMBERS, SOON)?;
            println!("all serve {took:.1?} after {id} is at {address}");
        }
    }
    Ok(())
}

fn name(id: i64) -> String {
    format!("member-{id}.test")
}

fn moved(id: i64, round: u8) -> Ipv4Addr {
    let id = u8::try_from(id).expect("members are few");
    Ipv4Addr::new(10, 77, 0, 100 + 10 * round + id)
}

const MEMBERS: [i64; 3] = [1, 2, 3];
/// With the highest id: it is the others that must find it.
const SILENT: i64 = 3;
/// An election, on a busy machine, and the start of a process before it.
const SOON: Duration = Duration::from_secs(15);
/// However many names are being asked for.
const STOPS_WITHIN: Duration = Duration::from_secs(5);
/// How long the system's resolver asks for a name.
const RESOLVERS_PATIENCE: Duration = Duration::from_secs(20);
