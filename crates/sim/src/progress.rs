//! What the runner counts while seeds run, and how it shows it.

use anyhow::Context as _;
use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};
use zooid_sim::cluster;

/// What is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) simulated_ms: u64,
    pub(crate) transactions: u64,
    pub(crate) replies: u64,
    pub(crate) lives: u64,
    pub(crate) recoveries: u64,
    pub(crate) epochs: u64,
    pub(crate) truncations: u64,
    pub(crate) snapshots: u64,
}

impl Tally {
    pub(crate) fn of_ensemble(report: &cluster::Report) -> Tally {
        Tally {
            simulated_ms: report.ended_ms,
            transactions: u64::try_from(report.transactions).unwrap_or(0),
            replies: report.replies,
            lives: report.lives,
            recoveries: report.lives,
            epochs: u64::try_from(report.epochs).unwrap_or(0),
            truncations: report.truncations,
            snapshots: report.snapshots,
        }
    }

    fn add(&mut self, other: Tally) {
        self.simulated_ms += other.simulated_ms;
        self.transactions += other.transactions;
        self.replies += other.replies;
        self.lives += other.lives;
        self.recoveries += other.recoveries;
        self.epochs += other.epochs;
        self.truncations += other.truncations;
        self.snapshots += other.snapshots;
    }
}

#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    printed: Option<Instant>,
    runs: u64,
    last: u64,
    sum: Tally,
    pub(crate) failed: Vec<u64>,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress {
            start: Instant::now(),
            printed: None,
            runs: 0,
            last: 0,
            sum: Tally::default(),
            failed: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, seed: u64, tally: Option<Tally>) {
        self.runs += 1;
        self.last = self.last.max(seed);
        match tally {
            Some(tally) => self.sum.add(tally),
            None => self.failed.push(seed),
        }
    }

    /// Now and then.
    pub(crate) fn show(&mut self) -> anyhow::Result<()> {
        let is_due = |printed: Instant| printed.elapsed() >= INTERVAL;
        if self.printed.is_none_or(is_due) {
            self.printed = Some(Instant::now());
            self.print()?;
        }
        Ok(())
    }

    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let Tally {
            simulated_ms: _,
            transactions,
            replies,
            lives,
            recoveries,
            epochs,
            truncations,
            snapshots,
        } = self.sum;
        print!(
            "\r{:>6} s, seed {}: {} runs, {} failed; {transactions} transactions, {replies} replies, \
             {lives} lives, {recoveries} recoveries checked, {epochs} epochs, {truncations} \
             truncations, {snapshots} snapshots received ",
            self.start.elapsed().as_secs(),
            self.last,
            self.runs,
            self.failed.len(),
        );
        std::io::stdout()
            .flush()
            .context("cannot write to the terminal")
    }

    /// How much simulated time a core gets through.
    pub(crate) fn print_speed(&self) {
        let simulated = Duration::from_millis(self.sum.simulated_ms);
        let hours = simulated.as_secs_f64() / 3600.0;
        let busy = processor_time().unwrap_or_else(|| self.start.elapsed());
        let busy_s = busy.as_secs_f64();
        print!("\n{hours:.2} simulated hours in {busy_s:.1} s of processor time");
        if busy >= BUSY_MIN {
            let speed = simulated.as_secs_f64() / busy_s;
            print!(": {speed:.0} simulated hours for each hour of a core");
        }
        println!();
    }
}

/// What all threads of this process have used, as Linux counts it.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name, which may hold anything, in parentheses.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (next()?, next()?);
    Some(Duration::from_millis((user + system) * MS_PER_CLOCK_TICK))
}

/// Less than so much is too few ticks of the clock to tell a speed by.
const BUSY_MIN: Duration = Duration::from_secs(1);
/// Between lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);
/// `USER_HZ` is 100 on every Linux.
const MS_PER_CLOCK_TICK: u64 = 10;
