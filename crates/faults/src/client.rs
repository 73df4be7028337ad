//! Clients that write and read without a rest, on whichever member takes them, and write down what
//! they asked for and what they were told.
//!
//! Owns the crew of client threads. What one of them asks for is in `work`, how it talks in
//! `connection`.

mod connection;
mod work;

pub use work::EPHEMERALS;

use crate::dice::Dice;
use crate::history::{Action, Operation, Outcome};
use crate::moment::now_ns;
use anyhow::{Result, anyhow, bail};
use connection::{Connection, Ticket, Welcome};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use work::Work;
use zooid_proto::SessionId;

/// Clients at work, each in a thread of its own.
#[derive(Debug)]
pub struct Crew {
    stage: Arc<Stage>,
    threads: Vec<JoinHandle<Vec<Operation>>>,
    setup: Vec<Operation>,
}

impl Crew {
    /// Creates the nodes that the clients work on, and starts so many.
    ///
    /// # Errors
    /// When no member takes the first of them.
    pub fn start(
        count: usize,
        members: BTreeMap<i64, SocketAddr>,
        dice: &mut Dice,
    ) -> Result<Crew> {
        let stage = Arc::new(Stage {
            members,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let setup = Client::new("setup", dice.split()).set_up(&stage)?;
        let threads = (0..count).map(|number| {
            let client = Client::new(&format!("client-{number}"), dice.split());
            let stage = Arc::clone(&stage);
            thread::spawn(move || client.run(&stage))
        });
        Ok(Crew {
            threads: threads.collect(),
            stage,
            setup,
        })
    }

    /// Waits until so many more writes have been acknowledged than now. Those that were under way before
    /// do not count.
    ///
    /// # Errors
    /// When the clients do not get on.
    pub fn wait_for_more_acks(&self, more: u64) -> Result<()> {
        let from_ns = now_ns();
        let mut state = self.stage.state();
        state.counted_from_ns = from_ns;
        state.acks = 0;
        let is_behind = |state: &mut State| state.acks < more;
        let waited = self
            .stage
            .changed
            .wait_timeout_while(state, PATIENCE, is_behind);
        let (state, timeout) = waited.expect("no panic with the lock");
        if timeout.timed_out() {
            bail!(
                "the clients do not get on: {} of {more} writes in {PATIENCE:?}",
                state.acks
            );
        }
        Ok(())
    }

    /// Has the clients end; all that they, and those who prepared their work, have seen.
    ///
    /// # Errors
    /// When one has panicked.
    pub fn finish(self) -> Result<Vec<Operation>> {
        self.stage.state().is_finished = true;
        let mut operations = self.setup;
        for thread in self.threads {
            let seen = thread.join().map_err(|_| anyhow!("a client panicked"))?;
            operations.extend(seen);
        }
        Ok(operations)
    }
}

/// Reads everything once more from one member, in a session of its own, behind a sync.
///
/// # Errors
/// When the member does not answer.
pub fn read_all(member: i64, address: SocketAddr) -> Result<Vec<Operation>> {
    let stage = Stage {
        members: BTreeMap::from([(member, address)]),
        state: Mutex::default(),
        changed: Condvar::new(),
    };
    let mut client = Client::new(&format!("final-{member}"), Dice::new(0));
    client.connect_patiently(&stage)?;
    client.perform(&stage, work::final_reads());
    client.ensure_answered()?;
    client.leave();
    Ok(client.operations)
}

/// What the clients share.
#[derive(Debug)]
struct Stage {
    members: BTreeMap<i64, SocketAddr>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    acks: u64,
    /// Writes that were asked for before do not count.
    counted_from_ns: u64,
    is_finished: bool,
}

impl Stage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic with the lock")
    }

    fn acknowledged(&self, invoked_ns: u64) {
        let mut state = self.state();
        if invoked_ns > state.counted_from_ns {
            state.acks += 1;
            self.changed.notify_all();
        }
    }
}

struct Client {
    name: String,
    dice: Dice,
    work: Work,
    ticket: Ticket,
    /// Of the current session, to say where an operation is in it.
    sent: u64,
    sessions: u32,
    connection: Option<(i64, Connection)>,
    operations: Vec<Operation>,
}

impl Client {
    fn new(name: &str, dice: Dice) -> Client {
        Client {
            name: name.into(),
            dice,
            work: Work::new(name),
            ticket: Ticket::default(),
            sent: 0,
            sessions: 0,
            connection: None,
            operations: Vec::new(),
        }
    }

    /// Creates what all work on.
    fn set_up(mut self, stage: &Stage) -> Result<Vec<Operation>> {
        self.connect_patiently(stage)?;
        self.perform(stage, work::setup());
        self.ensure_answered()?;
        self.leave();
        Ok(self.operations)
    }

    fn run(mut self, stage: &Stage) -> Vec<Operation> {
        while !stage.state().is_finished {
            if self.connection.is_none() && !self.connect(stage) {
                thread::sleep(RECONNECT_PAUSE);
                continue;
            }
            let actions = self.work.next(&mut self.dice);
            self.perform(stage, actions);
            if self.dice.below(BATCHES_BETWEEN_MOVES) == 0 {
                // To any member, with the same session: none is to be without clients for long.
                self.connection = None;
            }
            thread::sleep(THINKING);
        }
        self.leave();
        self.operations
    }

    fn leave(&mut self) {
        if let Some((_, connection)) = self.connection.take() {
            // A session that cannot be closed expires.
            let _ = connection.close();
        }
    }

    fn connect_patiently(&mut self, stage: &Stage) -> Result<()> {
        let started = Instant::now();
        while !self.connect(stage) {
            if started.elapsed() > PATIENCE {
                bail!("no member takes {}", self.name);
            }
            thread::sleep(RECONNECT_PAUSE);
        }
        Ok(())
    }

    /// Tries the members in any order.
    fn connect(&mut self, stage: &Stage) -> bool {
        let members: Vec<i64> = stage.members.keys().copied().collect();
        for member in self.dice.shuffled(&members) {
            match Connection::open(stage.members[&member], &self.ticket) {
                Ok(Welcome::Here(connection, ticket)) => {
                    if self.settle(member, connection, ticket).is_ok() {
                        return true;
                    }
                }
                Ok(Welcome::SessionGone) => {
                    self.ticket = Ticket::default();
                }
                Err(_) => {}
            }
        }
        false
    }

    /// A session that is new gets an ephemeral node, which has to go with it.
    fn settle(&mut self, member: i64, mut connection: Connection, ticket: Ticket) -> Result<()> {
        let is_new = self.ticket.id == SessionId(0);
        self.ticket = ticket;
        if is_new {
            self.sent = 0;
            self.sessions += 1;
            if !self.operations.is_empty() {
                let path = format!("{}/{}-{}", work::EPHEMERALS, self.name, self.sessions);
                connection.create_ephemeral(&path)?;
            }
        }
        self.connection = Some((member, connection));
        Ok(())
    }

    /// Asks for all at once, and takes the answers.
    fn perform(&mut self, stage: &Stage, actions: Vec<Action>) {
        let first = self.operations.len();
        let Some((member, mut connection)) = self.connection.take() else {
            return;
        };
        let mut is_open = true;
        for action in actions {
            if !is_open {
                break;
            }
            self.note(member, action);
            let action = &self.operations.last().expect("just noted").action;
            is_open = connection.ask(action).is_ok();
        }
        for index in first..self.operations.len() {
            if !is_open {
                break;
            }
            is_open = self.take_answer(stage, index, &mut connection).is_ok();
        }
        if is_open {
            self.connection = Some((member, connection));
        }
    }

    fn note(&mut self, member: i64, action: Action) {
        self.operations.push(Operation {
            client: self.name.clone(),
            session: self.ticket.id.0,
            number: self.sent,
            member,
            invoked_ns: now_ns(),
            completed_ns: None,
            action,
            outcome: Outcome::Unknown,
        });
        self.sent += 1;
    }

    fn take_answer(
        &mut self,
        stage: &Stage,
        index: usize,
        connection: &mut Connection,
    ) -> Result<()> {
        let operation = &mut self.operations[index];
        operation.outcome = connection.answer(&operation.action)?;
        operation.completed_ns = Some(now_ns());
        if let Some(zxid) = operation.newest_zxid() {
            self.ticket.seen.0 = self.ticket.seen.0.max(zxid);
        }
        self.work.learn(&operation.action, &operation.outcome);
        if let Outcome::Written { .. } = operation.outcome {
            stage.acknowledged(operation.invoked_ns);
        }
        Ok(())
    }

    fn ensure_answered(&self) -> Result<()> {
        let unanswered = self.operations.iter().find(|operation| {
            matches!(
                operation.outcome,
                Outcome::Unknown | Outcome::Refused { .. }
            )
        });
        match unanswered {
            None => Ok(()),
            Some(operation) => bail!("not answered: {operation:?}"),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
const BATCHES_BETWEEN_MOVES: usize = 120;
/// Between two batches of a client: a history must stay small enough to be checked soon.
const THINKING: Duration = Duration::from_millis(8);
