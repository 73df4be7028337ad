//! One life of one member: the values under test, and the dull driver around them that stands for
//! threads, sockets and queues. Each method is one turn of one of them.

mod core;
mod outgoing;
mod quorum;
mod socket;
mod storage;

use super::env::{Clock, Env};
use super::fact::Fact;
use super::options::Profile;
use super::schedule::{Event, MemberId, Turn};
use super::site::{Found, Site};
use super::snapshot::{Incoming, Received};
use crate::random::Random;
use crate::schedule::Life;
use bytes::Bytes;
use outgoing::Outgoing;
use quorum::HeldAck;
use socket::Socket;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use storage::Command;
use zooid_node::{ConnId, Context, Input, Member as Peer, Node, Now, Output, Settings};
use zooid_proto::Zxid;
use zooid_storage::{DiskSpace, Ticket, TxnLog};
use zooid_tree::{Replica, Walk};
use zooid_zab::{Epochs, LinkId};

/// Between looks at whom the connections have heard, at most.
const TIMER_US_MAX: u64 = 50_000;

/// Why a life ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    PowerLost,
    Killed,
    /// The disk failed, or so the node says.
    Halted(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::PowerLost => f.write_str("power is lost"),
            End::Killed => f.write_str("it is killed"),
            End::Halted(reason) => f.write_str(reason),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    pub(crate) life: Life,
    pub(crate) site: Site,
    pub(crate) clock: Clock,
    pub(crate) replica: Replica,
    pub(crate) end: Option<End>,
    pub(crate) serves: bool,
    /// Whether the disk has failed in this life.
    pub(crate) disk_has_failed: bool,
    settings: Settings,
    dice: Random,
    node: Node,
    sockets: BTreeMap<ConnId, Socket>,
    inbox: VecDeque<Input>,
    core_is_due: bool,
    timer_due_us: u64,
    outputs: Vec<Output>,
    /// Sockets to wake after the core's turn.
    touched: BTreeSet<ConnId>,
    next_accepted: u64,
    /// Snapshots received, until they are to be installed.
    received: BTreeMap<LinkId, Box<Received>>,
    /// Snapshots of which only a part has come.
    incoming: BTreeMap<LinkId, Incoming>,
    /// Packets, and items of snapshots, of which only a part has come.
    torn: BTreeMap<LinkId, Bytes>,
    /// Snapshots that are on their way to learners.
    outgoing: BTreeMap<LinkId, Outgoing>,
    /// One that a mutant has in its memory only.
    provisional: Option<Box<Received>>,
    held_ack: Option<HeldAck>,
    log: TxnLog,
    commands: VecDeque<Command>,
    storage_is_busy: bool,
    /// As the core knows it.
    space: DiskSpace,
    unsnapshotted: u64,
    snap_count: u64,
    reload_us: u64,
    pub(crate) walk: Option<(Ticket, Walk)>,
    /// How often the replica has been replaced.
    pub(crate) incarnation: u64,
    /// Threads at work on snapshots and purges: until they are done, the process is not gone.
    pub(crate) upkeep: usize,
}

impl Member {
    /// A member over what recovery found.
    pub(crate) fn start(
        env: &mut Env,
        site: Site,
        found: Found,
        epochs: Epochs,
        profile: &Profile,
        seat: Seat,
    ) -> Member {
        let Seat { id, life, clock } = seat;
        let Found { recovered, history } = found;
        let replica = recovered.replica;
        let settings = profile.settings(id);
        let now = clock.now(env.now_us);
        env.tell(&Fact::Started {
            member: id,
            history: &history,
            replica: &replica,
            epochs,
        });
        let capacity = profile.commit_log_count;
        let skipped = recovered.recent.len().saturating_sub(capacity);
        let recent: Vec<(Zxid, Bytes)> = recovered.recent.into_iter().skip(skipped).collect();
        let mut outputs = Vec::new();
        let mut log = site.log(profile, recovered.last_zxid);
        let space = log.look_for_space().unwrap_or_default();
        if space == DiskSpace::Low {
            env.tell(&Fact::Stepped {
                member: id,
                input: &Input::DiskSpace { is_low: true },
            });
        }
        let peer = Peer {
            settings: profile.ensemble(id),
            membership: profile.membership(),
            epochs,
            last: recovered.last_zxid,
            recent,
            recent_max: capacity,
            persists: true,
            leader_serves: true,
            read_only_mode: profile.read_only_mode,
            is_disk_low: space == DiskSpace::Low,
        };
        let node = Node::member(settings.clone(), peer, &replica, now, &mut outputs);
        let mut member = Member {
            log,
            space,
            id,
            life,
            site,
            clock,
            replica,
            end: None,
            serves: false,
            disk_has_failed: false,
            settings,
            dice: Random::stream(life.0, &format!("member {id}")),
            node,
            sockets: BTreeMap::new(),
            inbox: VecDeque::new(),
            core_is_due: false,
            timer_due_us: u64::MAX,
            outputs,
            touched: BTreeSet::new(),
            next_accepted: 0,
            received: BTreeMap::new(),
            incoming: BTreeMap::new(),
            torn: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            provisional: None,
            held_ack: None,
            commands: VecDeque::new(),
            storage_is_busy: false,
            unsnapshotted: recovered.found.txns,
            snap_count: profile.snap_count,
            reload_us: profile.reload_us,
            walk: None,
            incarnation: 0,
            upkeep: 0,
        };
        let purge_us = member.dice.below(profile.purge_interval_us);
        member.after(env, purge_us, Turn::Purge);
        member.wake_core(env);
        member
    }

    fn now(&self, env: &Env) -> Now {
        self.clock.now(env.now_us)
    }

    pub(crate) fn turn(&mut self, env: &mut Env, turn: Turn) {
        match turn {
            Turn::Core => self.core(env),
            Turn::Timer => self.timer(env),
            Turn::Socket(conn) => self.serve(env, conn),
            Turn::Leave(conn) => self.leave(env, conn),
            Turn::Storage => self.work_storage(env),
            Turn::StorageDone(answer) => self.storage_done(env, answer),
            Turn::LookForSpace => self.look_for_space_if_idle(env),
            Turn::LateSync => self.sync_late(env),
            Turn::Snapshot | Turn::Purge => unreachable!("the world lets others go on meanwhile"),
            Turn::TakeSnapshot => self.take_snapshot(env),
            Turn::SendSnapshot(link) => self.send_chunk(env, link),
            Turn::Told(input) => {
                if let Input::LinkDown(link) = input {
                    self.forget_torn(link);
                }
                self.tell_core(env, [input]);
            }
        }
    }

    /// Whatever uses the disk finds out.
    pub(crate) fn notice_power(&mut self) {
        if !self.site.has_power() {
            self.end.get_or_insert(End::PowerLost);
        }
    }

    fn after(&self, env: &mut Env, delay_us: u64, turn: Turn) {
        env.after(delay_us, Event::Member(self.id, self.life, turn));
    }

    fn soon(&mut self, env: &mut Env, most_us: u64, turn: Turn) {
        let delay_us = self.dice.below(most_us);
        self.after(env, delay_us, turn);
    }

    pub(crate) fn tell_core(&mut self, env: &mut Env, inputs: impl IntoIterator<Item = Input>) {
        self.inbox.extend(inputs);
        if !self.inbox.is_empty() {
            self.wake_core(env);
        }
    }

    fn wake_core(&mut self, env: &mut Env) {
        if !self.core_is_due {
            self.core_is_due = true;
            self.soon(env, 150, Turn::Core);
        }
    }

    /// Sees to it that the core hears of the time when it wants to.
    fn arm_timer(&mut self, env: &mut Env) {
        let wanted_us = self.clock.world_us(self.node.next_wakeup_ms());
        let due_us = wanted_us.clamp(env.now_us + 200, env.now_us + TIMER_US_MAX);
        if due_us < self.timer_due_us {
            self.timer_due_us = due_us;
            self.after(env, due_us - env.now_us, Turn::Timer);
        }
    }

    /// Tells the core the time, and before it whom the connections have heard.
    fn timer(&mut self, env: &mut Env) {
        if env.now_us < self.timer_due_us {
            // It was set earlier since.
            return;
        }
        self.timer_due_us = u64::MAX;
        let heard = self
            .sockets
            .values_mut()
            .filter_map(|socket| socket.connection.take_heard());
        let heard: Vec<_> = heard.collect();
        self.tell_core(env, [Input::Touched(heard), Input::Timer]);
    }

    fn with(
        &mut self,
        env: &mut Env,
        id: ConnId,
        act: impl FnOnce(&mut zooid_node::Connection, &Context<'_>),
    ) {
        let ctx = Context {
            now_ms: self.clock.now(env.now_us).mono_ms,
            settings: &self.settings,
            replica: &self.replica,
        };
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        act(&mut socket.connection, &ctx);
        socket.drain(env, self.id);
        self.touched.insert(id);
    }
}

/// Which member, and how many times it has lived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) id: MemberId,
    pub(crate) life: Life,
    pub(crate) clock: Clock,
}
