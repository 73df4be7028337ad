//! Giving up the lead in good order: because the epoch has no zxid left, because the disk is full, or
//! because the server stops.
//!
//! From the first moment on nothing new is taken. What is proposed commits and is answered, for a
//! second at the most, and then the followers find each other without delay: this server looks for a
//! leader with them, or is gone.

use super::{Node, Role};
use crate::step::{Now, Output};

/// How long proposals may take to commit. Without a quorum they never do.
const WAIT_MS_MAX: i64 = 1000;

/// A leader that takes nothing new.
#[derive(Clone, Copy, Debug)]
pub(super) struct SteppingDown {
    then: Then,
    until_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    LookAgain { reason: &'static str },
    Leave,
}

impl SteppingDown {
    pub(super) fn until_ms(&self) -> i64 {
        self.until_ms
    }
}

impl Node {
    /// A new epoch must begin.
    pub(super) fn step_down(&mut self, now: Now, reason: &'static str) {
        if !self.is_stepping_down() {
            self.give_up_the_lead(now, Then::LookAgain { reason });
        }
    }

    /// The server is about to stop.
    pub(super) fn prepare_to_leave(&mut self, now: Now, out: &mut Vec<Output>) {
        match &self.role {
            Role::Leading(leader) if leader.is_established() => {
                self.give_up_the_lead(now, Then::Leave);
            }
            _ => self.leave(out),
        }
    }

    fn give_up_the_lead(&mut self, now: Now, then: Then) {
        if let Some(peer) = &mut self.peer {
            peer.stepping_down = Some(SteppingDown {
                then,
                until_ms: now.mono_ms.saturating_add(WAIT_MS_MAX),
            });
        }
    }

    pub(super) fn is_stepping_down(&self) -> bool {
        let peer = self.peer.as_ref();
        peer.is_some_and(|peer| peer.stepping_down.is_some())
    }

    /// Goes on as soon as everything is answered.
    pub(super) fn step_down_if_done(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(SteppingDown { then, until_ms }) =
            self.peer.as_ref().and_then(|peer| peer.stepping_down)
        else {
            return;
        };
        let is_waiting = match &self.role {
            Role::Leading(leader) => leader.outstanding() > 0 && now.mono_ms < until_ms,
            _ => false,
        };
        match then {
            _ if is_waiting => {}
            Then::LookAgain { reason } => self.resign(reason.to_owned(), out),
            Then::Leave => self.leave(out),
        }
    }

    /// From here on there is nothing that this server would say or do.
    fn leave(&mut self, out: &mut Vec<Output>) {
        out.push(Output::Serve(false));
        out.push(Output::Left);
        self.halted = true;
    }
}

#[cfg(test)]
mod tests;
