//! What is known of the servers, and how that changes.

use std::time::{Duration, Instant};

use crate::change::Change;
use crate::layout::{Layout, MemberId, Place};
use crate::status::{Answer, Role, Status};

/// All servers, in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Ensemble {
    pub(crate) layout: Layout,
    pub(crate) members: Vec<Member>,
    /// Whether all of them have served at once.
    was_ready: bool,
    pub(crate) is_stopping: bool,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) place: Place,
    pub(crate) condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Up(Up),
    Down(Cause),
}

/// A process that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Up {
    pub(crate) pid: u32,
    pub(crate) activity: Activity,
    /// Probes in a row that brought nothing.
    misses: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Has not answered yet.
    Starting,
    NotServing,
    Serving(Serving),
    /// Has answered once, and no longer does.
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Serving {
    pub(crate) status: Status,
    pub(crate) ops_per_second: u64,
    observed_at: Instant,
}

/// Why there is no process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    NotStarted,
    Killed,
    Stopped,
    CannotStart,
    /// By itself, so.
    Ended(String),
}

/// How a process came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Killed,
    /// As asked; if not well, then how.
    Stopped(Option<String>),
    ByItself {
        how: String,
        last_lines: Vec<String>,
    },
}

impl Ensemble {
    pub(crate) fn new(layout: Layout) -> Ensemble {
        let member = |place: &Place| Member {
            place: place.clone(),
            condition: Condition::Down(Cause::NotStarted),
        };
        Ensemble {
            members: layout.places.iter().map(member).collect(),
            layout,
            was_ready: false,
            is_stopping: false,
        }
    }

    pub(crate) fn started(&mut self, id: MemberId, pid: u32) -> Change {
        self.member_mut(id).condition = Condition::Up(Up {
            pid,
            activity: Activity::Starting,
            misses: 0,
        });
        Change::Starting { id, pid }
    }

    pub(crate) fn failed_to_start(&mut self, id: MemberId, reason: String) -> Change {
        self.member_mut(id).condition = Condition::Down(Cause::CannotStart);
        Change::CannotStart { id, reason }
    }

    pub(crate) fn ended(&mut self, id: MemberId, ending: Ending) -> Vec<Change> {
        let (cause, change) = match ending {
            Ending::Killed => (Cause::Killed, Change::Killed { id }),
            Ending::Stopped(how) => (Cause::Stopped, Change::Stopped { id, how }),
            Ending::ByItself { how, last_lines } => (
                Cause::Ended(how.clone()),
                Change::Ended {
                    id,
                    how,
                    last_lines,
                },
            ),
        };
        self.member_mut(id).condition = Condition::Down(cause);
        // It may have been the one that the others were waiting for.
        std::iter::once(change).chain(self.became_ready()).collect()
    }

    /// Takes what a process said when it was asked; `None` if it said nothing that can be
    /// understood. A process that has been replaced since is not listened to.
    pub(crate) fn observed(
        &mut self,
        id: MemberId,
        pid: u32,
        answer: Option<Answer>,
        now: Instant,
    ) -> Vec<Change> {
        if self.is_stopping {
            return Vec::new();
        }
        let change = match &mut self.member_mut(id).condition {
            Condition::Up(up) if up.pid == pid => up.observed(id, answer, now),
            Condition::Up(_) | Condition::Down(_) => None,
        };
        change.into_iter().chain(self.became_ready()).collect()
    }

    pub(crate) fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id.index())
    }

    fn member_mut(&mut self, id: MemberId) -> &mut Member {
        &mut self.members[id.index()]
    }

    /// Whoever decides about writes.
    pub(crate) fn leader(&self) -> Option<MemberId> {
        self.members
            .iter()
            .find(|member| member.role().is_some_and(Role::leads))
            .map(|member| member.place.id)
    }

    pub(crate) fn is_anyone_up(&self) -> bool {
        self.members.iter().any(Member::is_up)
    }

    /// Whether there is a process that has not said anything yet.
    pub(crate) fn is_anyone_starting(&self) -> bool {
        self.members.iter().any(|member| match &member.condition {
            Condition::Up(up) => up.activity == Activity::Starting,
            Condition::Down(_) => false,
        })
    }

    /// Whether no server runs, though nobody asked for any of them to end.
    pub(crate) fn has_failed(&self) -> bool {
        self.members.iter().all(|member| {
            matches!(
                member.condition,
                Condition::Down(Cause::Ended(_) | Cause::CannotStart)
            )
        })
    }

    /// Whether clients are served wherever they connect: somebody leads, and no process is on its
    /// way. Servers that are down do not count: clients go on to the next.
    pub(crate) fn is_ready(&self) -> bool {
        let is_settled = |member: &Member| !member.is_up() || member.role().is_some();
        self.leader().is_some() && self.members.iter().all(is_settled)
    }

    fn became_ready(&mut self) -> Option<Change> {
        if self.was_ready || self.is_stopping || !self.is_ready() {
            return None;
        }
        self.was_ready = true;
        Some(Change::Ready {
            connect: self.layout.connect_string(),
        })
    }
}

impl Member {
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.condition, Condition::Up(_))
    }

    pub(crate) fn serving(&self) -> Option<&Serving> {
        match &self.condition {
            Condition::Up(up) => up.serving(),
            Condition::Down(_) => None,
        }
    }

    fn role(&self) -> Option<Role> {
        self.serving().map(|serving| serving.status.role)
    }
}

impl Up {
    fn serving(&self) -> Option<&Serving> {
        match &self.activity {
            Activity::Serving(serving) => Some(serving),
            Activity::Starting | Activity::NotServing | Activity::Silent => None,
        }
    }

    fn observed(&mut self, id: MemberId, answer: Option<Answer>, now: Instant) -> Option<Change> {
        let Some(answer) = answer else {
            return self.missed(id);
        };
        self.misses = 0;
        match answer {
            Answer::Serving(status) => self.serves(id, status, now),
            Answer::NotServing => {
                let is_new = self.activity != Activity::NotServing;
                self.activity = Activity::NotServing;
                is_new.then_some(Change::NotServing { id })
            }
        }
    }

    fn missed(&mut self, id: MemberId) -> Option<Change> {
        self.misses += 1;
        let is_known = matches!(self.activity, Activity::NotServing | Activity::Serving(_));
        if !is_known || self.misses < MISSES_MAX {
            return None;
        }
        self.activity = Activity::Silent;
        Some(Change::Silent { id })
    }

    fn serves(&mut self, id: MemberId, status: Status, now: Instant) -> Option<Change> {
        let (role, epoch) = (status.role, status.epoch);
        let previous = self.serving();
        let is_new = previous
            .is_none_or(|Serving { status: old, .. }| (old.role, old.epoch) != (role, epoch));
        let ops_per_second = previous.map_or(0, |previous| {
            let packets = status.received.saturating_sub(previous.status.received);
            let operations = packets.saturating_sub(WORDS_PER_PROBE);
            per_second(
                operations,
                now.saturating_duration_since(previous.observed_at),
            )
        });
        self.activity = Activity::Serving(Serving {
            status,
            ops_per_second,
            observed_at: now,
        });
        is_new.then_some(Change::Serving { id, role, epoch })
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(count) * 1000 / millis).unwrap_or(u64::MAX)
}

/// A server counts the questions about its state among the packets that it received.
const WORDS_PER_PROBE: u64 = 2;
/// A busy machine makes a server miss one or two.
const MISSES_MAX: u32 = 4;

#[cfg(test)]
mod tests;
