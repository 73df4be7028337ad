//! What is done to an ensemble, fault by fault.
//!
//! A fault strikes members that the dice pick, and says whether clients must get on all the same. All
//! faults are taken back by [`Cluster::mend`].

use crate::cluster::{Cluster, majority_of};
use crate::dice::Dice;
use crate::network::Way;
use anyhow::Result;
use std::fmt;
use std::time::Duration;
use zooid_interop::Kind;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The network falls into two parts.
    Halves,
    /// The network falls into two parts, of which one member sees both.
    Bridge,
    /// Nobody hears a member, which hears all.
    Muted,
    /// A member hears nobody, and all hear it.
    Deaf,
    /// Nobody reaches the leader but the clients.
    LeaderAlone,
    /// A member is reached by nobody, not by clients either.
    Unplugged,
    /// What a member sends and is sent takes its time.
    Delay,
    /// What the leader sends to one other does not arrive. The connections stay.
    Stall,
    /// SIGSTOP for a member.
    Pause,
    /// SIGSTOP for the leader.
    PauseLeader,
    /// SIGKILL for a member.
    Kill,
    /// SIGKILL for the leader.
    KillLeader,
    /// SIGKILL for all.
    KillAll,
    /// A member's clock is set to another time.
    ClockJump,
    /// A member's disk is full.
    FullDisk,
    /// The leader's disk is full.
    FullDiskOfLeader,
    /// Everybody's disk is full.
    FullDisks,
    /// What a member writes does not become durable.
    StalledDisk,
    /// What the leader writes does not become durable.
    StalledDiskOfLeader,
}

/// A fault that has struck.
#[derive(Debug)]
pub struct Struck {
    /// Which fault, and whom.
    pub text: String,
    /// How many writes the clients must get done while it lasts; none if it leaves no quorum for sure.
    pub acks_meanwhile: u64,
    /// Who must be replaced as leader while it lasts.
    pub deposed: Option<i64>,
    /// How soon.
    pub deposed_within: Duration,
    /// Whether members must refuse what stores data while it lasts, and nothing else.
    pub leaves_no_room: bool,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Fault; 19] = [
        Fault::Halves,
        Fault::Bridge,
        Fault::Muted,
        Fault::Deaf,
        Fault::LeaderAlone,
        Fault::Unplugged,
        Fault::Delay,
        Fault::Stall,
        Fault::Pause,
        Fault::PauseLeader,
        Fault::Kill,
        Fault::KillLeader,
        Fault::KillAll,
        Fault::ClockJump,
        Fault::FullDisk,
        Fault::FullDiskOfLeader,
        Fault::FullDisks,
        Fault::StalledDisk,
        Fault::StalledDiskOfLeader,
    ];

    /// Those that a network of this way, and servers of these kinds, can have.
    #[must_use]
    pub fn all_in(way: Way, kinds: &[Kind]) -> Vec<Fault> {
        let can_be = |fault: &Fault| match fault {
            Fault::Delay | Fault::Stall => way == Way::Wires,
            // ZooKeeper's servers would all end on full disks; and they lead on without a disk.
            Fault::FullDisks | Fault::StalledDisk | Fault::StalledDiskOfLeader => {
                kinds.iter().all(|kind| *kind == Kind::Zooid)
            }
            _ => true,
        };
        Fault::ALL.into_iter().filter(can_be).collect()
    }

    /// Has it happen.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn strike(self, cluster: &mut Cluster, dice: &mut Dice) -> Result<Struck> {
        let all = dice.shuffled(&cluster.ids());
        let one = all[0];
        // While there is none, whoever is first is as good.
        let leader = cluster.leader().unwrap_or(one);
        let others: Vec<i64> = all.iter().copied().filter(|id| *id != leader).collect();
        match self {
            Fault::Halves => {
                let (most, few) = all.split_at(majority_of(&all)?);
                cluster.network().part(most, few)?;
                Ok(self.struck(format_args!("{most:?} without {few:?}"), ACKS))
            }
            Fault::Bridge => {
                let (here, there) = all[1..].split_at(all.len() / 2);
                cluster.network().part(here, there)?;
                let text = format_args!("{here:?} and {there:?}, {one} sees both");
                Ok(self.struck(text, 0))
            }
            Fault::Muted | Fault::Deaf => {
                for other in &all[1..] {
                    match self {
                        Fault::Muted => cluster.network().cut(one, *other)?,
                        _ => cluster.network().cut(*other, one)?,
                    }
                }
                Ok(self.struck(format_args!("{one}"), 0))
            }
            Fault::LeaderAlone => {
                let parted = cluster.network().part(&[leader], &others);
                self.leader_goes(leader, parted)
            }
            Fault::Unplugged => {
                cluster.network().unplug(one)?;
                Ok(self.struck(format_args!("{one}"), ACKS))
            }
            Fault::Delay => {
                let by = Duration::from_millis(20 + 10 * u64::try_from(dice.below(15))?);
                for other in &all[1..] {
                    cluster.network().wires()?.delay(one, *other, by);
                    cluster.network().wires()?.delay(*other, one, by);
                }
                Ok(self.struck(format_args!("{one} by {by:?}"), 0))
            }
            Fault::Stall => {
                cluster.network().wires()?.stall(leader, others[0]);
                Ok(self.struck(format_args!("from {leader} to {}", others[0]), ACKS))
            }
            Fault::Pause => self.one_goes(one, cluster.pause(one)),
            Fault::PauseLeader => self.leader_goes(leader, cluster.pause(leader)),
            Fault::Kill => self.one_goes(one, cluster.kill(one)),
            Fault::KillLeader => self.leader_goes(leader, cluster.kill(leader)),
            Fault::KillAll => {
                for id in all {
                    cluster.kill(id)?;
                }
                Ok(self.struck(format_args!(""), 0))
            }
            Fault::ClockJump => {
                let offset_s = dice.pick(&JUMPS_S);
                cluster.set_clock(one, offset_s)?;
                Ok(self.struck(format_args!("{one} by {offset_s} s"), ACKS))
            }
            Fault::StalledDisk => self.one_goes(one, cluster.stall_disk(one)),
            Fault::StalledDiskOfLeader => Ok(Struck {
                deposed_within: SYNC_LIMIT_PATIENCE,
                ..self.leader_goes(leader, cluster.stall_disk(leader))?
            }),
            Fault::FullDisk => self.disk_fills(one, cluster),
            Fault::FullDiskOfLeader => self.disk_of_leader_fills(leader, cluster),
            Fault::FullDisks => {
                cluster.leave_something_to_delete()?;
                for id in all {
                    cluster.fill_disk(id)?;
                }
                Ok(Struck {
                    leaves_no_room: true,
                    ..self.struck(format_args!(""), 0)
                })
            }
        }
    }

    /// Whether both can strike at the same time: what is dead can be neither stopped nor killed again.
    #[must_use]
    pub fn goes_with(self, other: Fault) -> bool {
        self != other && !(self.ends_processes() && other.ends_processes())
    }

    fn ends_processes(self) -> bool {
        match self {
            Fault::Pause
            | Fault::PauseLeader
            | Fault::Kill
            | Fault::KillLeader
            | Fault::KillAll
            | Fault::FullDisk
            | Fault::FullDiskOfLeader
            | Fault::FullDisks => true,
            Fault::Halves
            | Fault::Bridge
            | Fault::Muted
            | Fault::Deaf
            | Fault::LeaderAlone
            | Fault::Unplugged
            | Fault::Delay
            | Fault::Stall
            | Fault::StalledDisk
            | Fault::StalledDiskOfLeader
            | Fault::ClockJump => false,
        }
    }

    fn one_goes(self, id: i64, done: Result<()>) -> Result<Struck> {
        done?;
        Ok(self.struck(format_args!("{id}"), ACKS))
    }

    fn disk_fills(self, id: i64, cluster: &mut Cluster) -> Result<Struck> {
        cluster.fill_disk(id)?;
        Ok(self.struck(format_args!("{id}"), ACKS_FOR_A_LOG))
    }

    /// It knows, and hands over before it must. ZooKeeper's servers go on until they end.
    fn disk_of_leader_fills(self, leader: i64, cluster: &mut Cluster) -> Result<Struck> {
        let hands_over = cluster.kind(leader) == Kind::Zooid;
        Ok(Struck {
            deposed: hands_over.then_some(leader),
            deposed_within: HAND_OVER_PATIENCE,
            ..self.disk_fills(leader, cluster)?
        })
    }

    fn struck(self, whom: fmt::Arguments<'_>, acks_meanwhile: u64) -> Struck {
        Struck {
            text: format!("{self:?} {whom}"),
            acks_meanwhile,
            deposed: None,
            deposed_within: PATIENCE,
            leaves_no_room: false,
        }
    }

    fn leader_goes(self, id: i64, done: Result<()>) -> Result<Struck> {
        Ok(Struck {
            deposed: Some(id),
            ..self.one_goes(id, done)?
        })
    }
}

/// Until there is another leader, however it comes to that.
const PATIENCE: Duration = Duration::from_secs(90);
/// Until there is one where the old one hands over. It takes a fraction of a second on a machine that has
/// nothing else to do; and a disk is looked at once a second.
const HAND_OVER_PATIENCE: Duration = Duration::from_secs(8);
/// Until there is another where the old one has owed its own acknowledgement for `syncLimit`, which is two
/// seconds here.
const SYNC_LIMIT_PATIENCE: Duration = Duration::from_secs(12);
const ACKS: u64 = 30;
/// More than fit into what a log has reserved for itself (preAllocSize) when the disk fills.
const ACKS_FOR_A_LOG: u64 = 600;
/// A little, longer than any session, a day; both ways.
const JUMPS_S: [i64; 6] = [3, -3, 600, -600, 86_400, -86_400];
