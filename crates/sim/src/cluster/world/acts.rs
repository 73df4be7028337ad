//! The second act: everything is mended, and the ensemble has so much simulated time to become one
//! again, to serve everybody, and to settle.

use super::World;
use super::trial::Trial;
use crate::cluster::client::Client;
use crate::cluster::fact::Fact;
use crate::cluster::member::End;
use crate::cluster::schedule::Event;

/// From the mending until every member serves and every client has written.
const CONVERGE_US: u64 = 15_000_000;
/// From the clients' last request until everyone has settled.
const SETTLE_US: u64 = 10_000_000;
/// Between an operator's looks, in the second act: a multiple of [`LOOK_INTERVAL_US`].
const HELP_INTERVAL_US: u64 = 3_000_000;
/// Between looks.
const LOOK_INTERVAL_US: u64 = 20_000;
/// Writes of each client in the second act.
const CALM_WRITES: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Things break.
    Faults,
    /// They are mended, and the ensemble converges.
    Converging {
        since_us: u64,
    },
    /// All is well but for one member's disk, and the others must go on without it.
    Trial {
        since_us: u64,
        trial: Trial,
    },
    /// The clients ask for nothing any more.
    Settling {
        since_us: u64,
    },
    Over,
}

impl World {
    pub(super) fn may_break(&self) -> bool {
        self.act == Act::Faults
    }

    pub(super) fn mend(&mut self) {
        self.env.milestone("everything is mended");
        self.act = Act::Converging {
            since_us: self.env.now_us,
        };
        self.env.reunite();
        self.env.unstall();
        for at in 0..self.places.len() {
            let place = &mut self.places[at];
            place.frozen_until_us = 0;
            place.stalled_until_us = 0;
            place.site.simulated.forgive();
            self.make_room(at);
            self.env.after(5_000, Event::Start(at));
        }
        if self.options.damages_a_disk {
            self.damage_a_disk();
        }
        for client in &mut self.clients {
            client.calm_down();
        }
        self.env.after(LOOK_INTERVAL_US, Event::Look);
    }

    pub(super) fn look(&mut self) {
        let now_us = self.env.now_us;
        self.env.after(LOOK_INTERVAL_US, Event::Look);
        match self.act {
            Act::Faults | Act::Over => {}
            Act::Converging { since_us } => {
                if self.has_converged() {
                    if self.begin_trial() {
                        return;
                    }
                    self.act = Act::Settling { since_us: now_us };
                    for client in &mut self.clients {
                        client.is_done = true;
                    }
                } else if now_us > since_us + CONVERGE_US {
                    let what = self.describe();
                    self.env.complain("the ensemble converges", what);
                } else {
                    self.help_out(now_us - since_us);
                }
            }
            Act::Trial { since_us, trial } => self.judge_trial(since_us, trial),
            Act::Settling { since_us } => {
                if self.has_settled() {
                    self.check_ends();
                    self.act = Act::Over;
                } else if now_us > since_us + SETTLE_US {
                    let what = self.describe();
                    self.env.complain("the ensemble settles", what);
                }
            }
        }
    }

    /// A member that has promised itself to an epoch whose leader failed cannot follow an older one. As
    /// in ZooKeeper it waits for the next election, which an operator may have to bring about.
    fn help_out(&mut self, passed_us: u64) {
        if !passed_us.is_multiple_of(HELP_INTERVAL_US) {
            return;
        }
        let checkers = &self.env.checkers;
        let Some((epoch, leader)) = checkers.leadership.newest() else {
            return;
        };
        let has_promised = |at: usize| checkers.ledger.book(at).epochs.accepted > epoch;
        let is_kept_out = |at: usize| self.is_wanted(at) && !self.serves(at) && has_promised(at);
        if self.serves(leader) && (0..self.places.len()).any(is_kept_out) {
            self.env.milestone(&format!(
                "member {leader} is restarted for the sake of another"
            ));
            self.end(leader, End::Killed);
        }
    }

    /// Everything is mended once more.
    pub(super) fn converge_again(&mut self) {
        self.act = Act::Converging {
            since_us: self.env.now_us,
        };
    }

    pub(super) fn serves(&self, at: usize) -> bool {
        self.places[at]
            .member
            .as_ref()
            .is_some_and(|member| member.serves)
    }

    fn has_converged(&self) -> bool {
        let mut wanted = (0..self.places.len()).filter(|at| self.is_wanted(*at));
        let all_serve = wanted.all(|at| self.serves(at));
        let has_written = |client: &Client| client.calm_writes >= CALM_WRITES;
        all_serve && self.clients.iter().all(has_written)
    }

    fn has_settled(&self) -> bool {
        let wanted = (0..self.places.len()).filter(|at| self.is_wanted(*at));
        let ends = wanted.map(|at| {
            let member = self.places[at].member.as_ref()?;
            Some((member.replica.last_zxid(), member.replica.digest()))
        });
        let ends: Vec<_> = ends.collect();
        let is_one = ends.windows(2).all(|pair| pair[0] == pair[1]);
        let waits = self.clients.iter().any(|client| client.unanswered() > 0);
        !waits && is_one && ends.iter().all(Option::is_some)
    }

    fn check_ends(&mut self) {
        for (at, place) in self.places.iter().enumerate() {
            if let Some(member) = &place.member {
                self.env.tell(&Fact::Final {
                    member: at,
                    replica: &member.replica,
                });
            }
        }
    }

    pub(super) fn describe(&self) -> String {
        let members = self.places.iter().map(|place| match &place.member {
            None => "down".to_owned(),
            Some(member) => {
                let zxid = member.replica.last_zxid();
                format!("{zxid} serves: {}", member.serves)
            }
        });
        let members: Vec<String> = members.collect();
        let writes = self.clients.iter().map(|client| client.calm_writes);
        let unanswered = self.clients.iter().map(Client::unanswered);
        format!(
            "members {members:?}, writes of clients {:?}, unanswered {:?}",
            writes.collect::<Vec<_>>(),
            unanswered.collect::<Vec<_>>()
        )
    }
}
