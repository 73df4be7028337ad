//! One round: an ensemble from nothing, faults, clients, the verdict.

use crate::checker::{self, Rule, Violation};
use crate::client::{self, Crew};
use crate::cluster::Cluster;
use crate::dice::Dice;
use crate::history::{self, Operation};
use crate::kazoo::Kazoo;
use crate::moment::now_ns;
use crate::nemesis::{Fault, Struck};
use crate::network::{Network, Way, namespaces};
use crate::report;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::{Kind, Session};

/// What a round is to be.
#[derive(Debug)]
pub struct Plan {
    /// Whose servers; their ids are 1, 2, 3 and so on.
    pub kinds: Vec<Kind>,
    /// How members reach each other.
    pub way: Way,
    /// How many clients.
    pub clients: usize,
    /// What happens, one after the other; those within one entry at the same time.
    pub faults: Vec<Vec<Fault>>,
    /// Decides everything that is left open.
    pub seed: u64,
    /// Where servers and records are.
    pub directory: PathBuf,
}

/// What a round that went well has to tell.
#[derive(Debug)]
pub struct Summary {
    /// In the history.
    pub operations: usize,
    /// Of those, the writes that nobody knows the end of.
    pub unanswered: usize,
    /// Reads behind a sync that did not show all that had been told before, in an ensemble that may have
    /// such reads.
    pub old_reads: usize,
    /// zxids at which digests of members could be compared.
    pub digests: usize,
}

/// Plays a round. The process must be in namespaces of its own, see [`namespaces::enter`].
///
/// # Errors
/// When a member ends by itself or does not come back, the clients do not get on, the members differ in
/// the end, or the history breaks a rule. What happened is in the plan's directory then.
pub fn play(plan: &Plan) -> Result<Summary> {
    let mut round = Round::start(plan)?;
    let summary = round.play();
    if summary.is_err() {
        round.cluster.keep_data()?;
    }
    summary
}

struct Round<'a> {
    plan: &'a Plan,
    dice: Dice,
    cluster: Cluster,
    events: Events,
}

impl<'a> Round<'a> {
    fn start(plan: &'a Plan) -> Result<Round<'a>> {
        let ids: Vec<i64> = (1..).take(plan.kinds.len()).collect();
        namespaces::settle(&ids)?;
        let mut events = Events::open(&plan.directory)?;
        events.note(&format!(
            "seed {}, members {:?}, network {:?}",
            plan.seed, plan.kinds, plan.way
        ))?;
        let network = Network::lay(&ids, plan.way)?;
        let cluster = Cluster::start(network, &plan.kinds, &plan.directory)?;
        events.note("all members serve")?;
        Ok(Round {
            plan,
            dice: Dice::new(plan.seed),
            cluster,
            events,
        })
    }

    fn play(&mut self) -> Result<Summary> {
        let crew = self.start_clients()?;
        let addresses = self.cluster.addresses();
        let kazoo = Kazoo::start(&addresses, self.plan.seed, &self.plan.directory)?;
        let struck = self.strike_all(&crew);
        // Whatever happened, what the clients saw is kept and judged.
        let mut operations = crew.finish()?;
        operations.extend(kazoo.finish().or_else(|error| match struck {
            Ok(()) => Err(error),
            // It has the same reason, and that one tells more.
            Err(_) => Ok(Vec::new()),
        })?);
        let finished = struck.and_then(|()| self.read_to_the_end(&mut operations));
        operations.sort_by_key(|operation| operation.invoked_ns);
        history::save(&operations, &self.plan.directory.join(report::HISTORY))?;
        let old_reads = self.judge(operations.clone())?;
        let is_unanswered = |operation: &&Operation| operation.completed_ns.is_none();
        Ok(Summary {
            digests: finished?,
            operations: operations.len(),
            unanswered: operations.iter().filter(is_unanswered).count(),
            old_reads,
        })
    }

    fn start_clients(&mut self) -> Result<Crew> {
        let addresses = self.cluster.addresses();
        Crew::start(self.plan.clients, addresses, &mut self.dice)
    }

    fn strike_all(&mut self, crew: &Crew) -> Result<()> {
        crew.wait_for_more_acks(ACKS_BETWEEN)?;
        for faults in &self.plan.faults {
            let shown = faults.iter().map(|fault| format!("{fault:?}"));
            let shown: Vec<String> = shown.collect();
            self.strike(faults, crew)
                .with_context(|| format!("with the fault {}", shown.join(", ")))?;
        }
        Ok(())
    }

    fn strike(&mut self, faults: &[Fault], crew: &Crew) -> Result<()> {
        for fault in faults {
            let struck = fault.strike(&mut self.cluster, &mut self.dice)?;
            self.events.note(&struck.text)?;
            // Two faults that leave a quorum each may leave none together.
            if faults.len() == 1 {
                self.expect_progress(&struck, crew)?;
            }
        }
        // How long a fault lasts changes what it does; nothing is waited for.
        let lasting = Duration::from_millis(300 + 100 * u64::try_from(self.dice.below(20))?);
        thread::sleep(lasting);
        self.cluster.ensure_alive()?;
        self.cluster.mend()?;
        self.events.note("mended")?;
        crew.wait_for_more_acks(ACKS_BETWEEN)?;
        self.events.note("clients get on")?;
        self.cluster.ensure_alive()
    }

    fn expect_progress(&mut self, struck: &Struck, crew: &Crew) -> Result<()> {
        let since = Instant::now();
        if let Some(deposed) = struck.deposed {
            let within = struck.deposed_within;
            let leader = self.cluster.wait_for_leader_instead_of(deposed, within)?;
            let took = since.elapsed();
            self.events
                .note(&format!("{leader} leads, after {took:.1?}"))?;
        }
        if struck.leaves_no_room {
            self.cluster.ensure_only_storing_is_refused()?;
            self.events
                .note("creates are refused; reads and deletes go on")?;
        }
        if struck.acks_meanwhile > 0 {
            crew.wait_for_more_acks(struck.acks_meanwhile)?;
            let took = since.elapsed();
            self.events
                .note(&format!("clients have got on, after {took:.1?}"))?;
        }
        Ok(())
    }

    /// Adds what every member shows in the end; at how many zxids their digests could be compared.
    fn read_to_the_end(&mut self, operations: &mut Vec<Operation>) -> Result<usize> {
        self.cluster.mend()?;
        self.cluster.wait_until_serving()?;
        self.events.note("all members serve")?;
        for (member, address) in self.cluster.addresses() {
            let read = client::read_all(member, address);
            operations.extend(read.with_context(|| format!("read all from member {member}"))?);
        }
        self.wait_for_lost_ephemerals()?;
        self.cluster.ensure_one_tree()?;
        self.cluster.ensure_equal_digests()
    }

    /// All sessions of the clients are closed by now, or expire.
    fn wait_for_lost_ephemerals(&self) -> Result<()> {
        let started = Instant::now();
        for (member, address) in self.cluster.addresses() {
            let mut session = Session::open(address, 10_000)?;
            loop {
                session.sync("/")?;
                let left = session.get_children(client::EPHEMERALS)?.children;
                if left.is_empty() {
                    break;
                }
                ensure!(
                    started.elapsed() < EXPIRY_PATIENCE,
                    "member {member} keeps ephemerals of sessions that are gone: {left:?}"
                );
                thread::sleep(Duration::from_millis(100));
            }
        }
        Ok(())
    }

    /// How many reads behind a sync were old, if that is no fault.
    fn judge(&self, mut operations: Vec<Operation>) -> Result<usize> {
        let mut violations = checker::check(&operations);
        let mut old_reads = 0;
        if !self.plan.kinds.iter().copied().all(asks_a_quorum_to_sync) {
            let is_old_read = |violation: &&Violation| violation.rule == Rule::SyncedRead;
            old_reads = violations.iter().filter(is_old_read).count();
            operations.iter_mut().for_each(Operation::forget_sync);
            violations = checker::check(&operations);
        }
        if violations.is_empty() {
            return Ok(old_reads);
        }
        let text = report::violations(&violations, &operations);
        fs::write(self.plan.directory.join("violations.txt"), &text)?;
        let shown: Vec<&str> = text.lines().take(LINES_SHOWN).collect();
        let (count, shown) = (violations.len(), shown.join("\n"));
        bail!("the history breaks rules {count} times:\n{shown}");
    }
}

/// Whether a leader answers a sync only when it knows that it leads still.
fn asks_a_quorum_to_sync(kind: Kind) -> bool {
    match kind {
        Kind::Java => false,
        Kind::Zooid => true,
    }
}

/// What happens to the members, for the reader of a failure: printed, and kept with its time.
struct Events {
    file: File,
    started: Instant,
}

impl Events {
    fn open(directory: &Path) -> Result<Events> {
        fs::create_dir_all(directory)?;
        Ok(Events {
            file: File::create(directory.join(report::EVENTS))?,
            started: Instant::now(),
        })
    }

    fn note(&mut self, text: &str) -> Result<()> {
        println!("{:7.1}s  {text}", self.started.elapsed().as_secs_f64());
        Ok(writeln!(self.file, "{} {text}", now_ns())?)
    }
}

const LINES_SHOWN: usize = 40;
const ACKS_BETWEEN: u64 = 100;
const EXPIRY_PATIENCE: Duration = Duration::from_secs(60);
