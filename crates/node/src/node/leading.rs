//! What a leader does besides ordering: what its `Leader` asks for, and the requests that learners
//! forward (Java `LearnerHandler.run`).

use super::orderer::Order;
use super::{Node, Role, kept};
use crate::prep::Pending;
use crate::step::{Input, Now, Output, Owner};
use crate::{Sessions, Settings};
use bytes::Bytes;
use zooid_proto::quorum::{ForwardedRequest, SessionTouch};
use zooid_proto::{Epoch, ErrorCode, Jute, Limit, OpCode, Reader, SessionId, Zxid};
use zooid_tree::Replica;
use zooid_zab::{History, Leader, LeaderAction, LinkId};

impl Node {
    /// Lets the leader do something and carries out what it asks for.
    pub(super) fn lead(
        &mut self,
        now: Now,
        replica: &Replica,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Leader, &History, &mut Vec<LeaderAction>),
    ) {
        let (Role::Leading(leader), Some(peer)) = (&mut self.role, &self.peer) else {
            return;
        };
        let mut actions = std::mem::take(&mut self.leader_actions);
        act(leader, peer.history(), &mut actions);
        self.carry_out(now, &mut actions, replica, out);
        self.leader_actions = kept(actions);
    }

    pub(super) fn carry_out(
        &mut self,
        now: Now,
        actions: &mut Vec<LeaderAction>,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        for action in actions.drain(..) {
            // One before may have ended the role.
            if !matches!(self.role, Role::Leading(_)) || self.halted {
                return;
            }
            self.leader_action(now, action, replica, out);
        }
    }

    fn leader_action(
        &mut self,
        now: Now,
        action: LeaderAction,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        match action {
            LeaderAction::Send(link, packet) => out.push(Output::Send { link, packet }),
            LeaderAction::Broadcast(links, packet) => {
                out.push(Output::Broadcast { links, packet });
            }
            LeaderAction::SendRun(link, run) => out.push(Output::SendRun { link, run }),
            LeaderAction::SendLog { link, after, upto } => {
                out.push(Output::SendLog { link, after, upto });
            }
            LeaderAction::SendSnapshot(link) => out.push(Output::SendSnapshot { link }),
            LeaderAction::ProbeLog { link, after } => out.push(Output::ProbeLog { link, after }),
            LeaderAction::Hangup(link, reason) => self.hang_up(link, reason, out),
            LeaderAction::AcceptEpoch(epoch) => self.store(Output::AcceptEpoch(epoch), out),
            LeaderAction::EnterEpoch(epoch) => self.store(Output::EnterEpoch(epoch), out),
            LeaderAction::Established(epoch) => self.established(now, epoch, replica, out),
            LeaderAction::Committed(zxid) => self.committed(zxid, out),
            LeaderAction::Confirmed => self.release_barriers(out),
            LeaderAction::Request(link, request) => {
                self.forwarded(now, link, &request, replica, out);
            }
            LeaderAction::Revalidate {
                link,
                session,
                timeout_ms,
            } => {
                let valid = self.take_over(now, link, session, timeout_ms, out);
                self.lead(now, replica, out, |leader, _, actions| {
                    leader.revalidated(link, session, valid, actions);
                });
            }
            LeaderAction::Touched(touches) => self.heard_by_learner(now, &touches),
            LeaderAction::Resign(reason) => self.resign(reason, out),
        }
    }

    /// The epoch has begun: this server's history is the ensemble's, and every session gets its full
    /// time again.
    fn established(&mut self, now: Now, epoch: Epoch, replica: &Replica, out: &mut Vec<Output>) {
        self.sessions = tracked_sessions(&self.settings, replica, now);
        self.pending = Pending::new(replica);
        let start = Zxid::start_of(epoch);
        out.push(Output::AdvanceTo(start));
        let serves = self.peer.as_ref().is_some_and(|peer| peer.leader_serves());
        self.peer_established(epoch, serves, out);
    }

    fn take_over(
        &mut self,
        now: Now,
        link: LinkId,
        session: SessionId,
        timeout_ms: i32,
        out: &mut Vec<Output>,
    ) -> bool {
        self.stats.revalidations += 1;
        self.close_older(session, out);
        let owner = Owner::Learner(link);
        self.sessions
            .attach(session, owner, timeout_ms, now.mono_ms)
    }

    fn heard_by_learner(&mut self, now: Now, touches: &[SessionTouch]) {
        for touch in touches {
            self.sessions.touch(touch.session, now.mono_ms);
        }
    }

    /// A request that a learner forwards. What makes no sense is dropped: its client, if there is one,
    /// waits for nothing but its own timeout.
    fn forwarded(
        &mut self,
        now: Now,
        link: LinkId,
        request: &ForwardedRequest,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let Some(op) = request.op_code().filter(|_| self.is_ordering()) else {
            return;
        };
        let session = request.session;
        match op {
            OpCode::Sync => self.lead(now, replica, out, |leader, _, actions| {
                leader.sync(link, actions);
            }),
            OpCode::CreateSession => {
                let mut r = Reader::new(&request.body, Limit::default());
                if let Ok(timeout_ms) = i32::decode(&mut r) {
                    let owner = Owner::Learner(link);
                    self.create_session(now, owner, session, timeout_ms, replica, out);
                }
            }
            _ => {
                // A session that is gone gets its answer from prep, as in Java.
                self.sessions.touch(session, now.mono_ms);
                let order = Order {
                    owner: Owner::Learner(link),
                    session,
                    cxid: request.cxid,
                    op,
                    body: &request.body,
                    ids: &request.ids,
                };
                self.order_write(now, &order, replica, out);
            }
        }
    }

    pub(super) fn lead_proposal(
        &mut self,
        now: Now,
        zxid: Zxid,
        record: Bytes,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        if let Some(peer) = &mut self.peer {
            peer.appended(zxid);
        }
        self.lead(now, replica, out, |leader, _, actions| {
            leader.propose(now.mono_ms, zxid, record, actions);
        });
    }

    pub(super) fn leader_input(
        &mut self,
        now: Now,
        input: Input,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        self.lead(now, replica, out, |leader, history, actions| match input {
            Input::LinkAccepted(link) => leader.link_opened(now.mono_ms, link),
            Input::LinkDown(link) => leader.link_closed(now.mono_ms, link, actions),
            Input::Packet(link, packet) => {
                leader.packet(now.mono_ms, link, &packet, history, actions);
            }
            Input::PacketRun(link, run) => {
                leader.packet_run(now.mono_ms, link, run, history, actions);
            }
            Input::LinkProgress(link) => leader.sending(now.mono_ms, link),
            Input::LogProbed(link, probe) => {
                leader.log_probed(now.mono_ms, link, probe, history, actions);
            }
            Input::EpochAccepted(epoch) => leader.epoch_accepted(now.mono_ms, epoch, actions),
            Input::EpochEntered(epoch) => leader.epoch_entered(now.mono_ms, epoch, actions),
            // Of an earlier role's link.
            _ => {}
        });
    }
}

/// Every session of the replica, with its full time before it.
fn tracked_sessions(settings: &Settings, replica: &Replica, now: Now) -> Sessions {
    let mut sessions = Sessions::new(settings.tick_ms, ErrorCode::SessionExpired);
    for (id, timeout_ms) in replica.sessions() {
        sessions.track(id, timeout_ms, now.mono_ms);
    }
    sessions
}

#[cfg(test)]
mod tests;
