//! Runs seeds until told to stop: `cargo run -p zooid-sim --profile sim -- --seeds FIRST..END`, or
//! `--minutes N`; with `--cluster`, those of ensembles; with `--damaged`,
//! those of ensembles with a disk that fails. Failing seeds are kept in a file. (A release
//! build does all that, too, but aborts at the first panic.) `--shrink` makes failing runs of ensembles
//! small first; `--replay "seed=N ..."` writes down everything that happens in one. With `--features mutants` and
//! `--mutants`: finds every known fault that it commits on purpose.

#[cfg(feature = "mutants")]
mod mutants;

mod progress;

use anyhow::{Context as _, bail};
use clap::Parser;
use progress::{Progress, Tally};
use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use zooid_sim::{Failure, Options, cluster, run, run_twice};

/// Seeds of which every one is run twice, to see whether it replays.
const TWICE_INTERVAL: u64 = 50;

/// A run allocates much and for a short time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

thread_local! {
    /// What this thread runs, for the message of a panic.
    static SEED: Cell<u64> = const { Cell::new(0) };
}

/// Runs simulated servers through seeds, and says which fail.
#[derive(Debug, Parser)]
struct Args {
    /// The seeds to run, as FIRST..END.
    #[arg(long, value_parser = parse_seeds)]
    seeds: Option<(u64, u64)>,
    /// Go on for so long, from the first seed on.
    #[arg(long)]
    minutes: Option<u64>,
    /// Simulated seconds of each run; of an ensemble's, until everything is mended.
    #[arg(long)]
    duration: Option<u64>,
    /// Ensembles instead of one server.
    #[arg(long)]
    cluster: bool,
    /// Make failing runs of ensembles smaller before they are kept.
    #[arg(long)]
    shrink: bool,
    /// Write the whole trace of one run of an ensemble, said by its line in the file of failing runs.
    #[arg(long, conflicts_with_all = ["seeds", "minutes"])]
    replay: Option<cluster::Options>,
    /// Ensembles of three, one of which finds its disk damaged.
    #[arg(long)]
    damaged: bool,
    /// Seeds run at the same time.
    #[arg(long, default_value_t = thread::available_parallelism().map_or(1, usize::from))]
    jobs: usize,
    /// Commit each known fault in turn, and find it. The other options but --jobs do not matter then.
    #[cfg(feature = "mutants")]
    #[command(flatten)]
    mutants: mutants::MutantArgs,
    /// Where failing runs are added, one to a line.
    #[arg(long, default_value = "failing-seeds.txt")]
    keep: PathBuf,
}

fn parse_seeds(text: &str) -> Result<(u64, u64), String> {
    let range = text
        .split_once("..")
        .and_then(|(first, end)| Some((first.parse().ok()?, end.parse().ok()?)));
    range
        .filter(|(first, end)| first < end)
        .ok_or_else(|| "expected FIRST..END".to_owned())
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some(options) = &args.replay {
        return replay(options);
    }
    #[cfg(feature = "mutants")]
    if args.mutants.is_asked_for() {
        return mutants::find_all(&args.mutants, args.jobs);
    }
    if args.seeds.is_none() && args.minutes.is_none() {
        bail!("say --seeds FIRST..END, --minutes N or --replay RUN");
    }
    let (first, end) = args.seeds.unwrap_or((0, u64::MAX));
    let time = args
        .minutes
        .map(|minutes| Duration::from_secs(minutes * 60));
    // A release build aborts when something panics: say at least with which seed.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("\na panic in the run of seed {}", SEED.get());
        report(panic);
    }));
    let start = Instant::now();
    let next = AtomicU64::new(first);
    let (sender, results) = channel();
    thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            let (sender, next, args) = (sender.clone(), &next, &args);
            scope.spawn(move || {
                let in_time = || time.is_none_or(|time| start.elapsed() < time);
                while in_time() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || sender.send((seed, args.run(seed))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        gather(&args, &results)
    })
}

/// Adds up what the runs were like, and shows it.
fn gather(
    args: &Args,
    results: &Receiver<(u64, Result<Tally, Box<Failure>>)>,
) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::new();
    for (seed, result) in results {
        progress.count(seed, result.as_ref().ok().copied());
        if let Err(failure) = result {
            println!("\n{failure}");
            keep(args, &failure)?;
        }
        progress.show()?;
    }
    progress.print()?;
    progress.print_speed();
    if progress.failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    progress.failed.sort_unstable();
    println!("failing seeds: {:?}", progress.failed);
    Ok(ExitCode::FAILURE)
}

/// Writes down everything that happens in a run.
fn replay(options: &cluster::Options) -> anyhow::Result<ExitCode> {
    let (result, lines) = cluster::replay(options);
    let mut out = std::io::stdout().lock();
    let mut say = |line: &str| writeln!(out, "{line}").context("cannot write to the terminal");
    for line in &lines {
        say(line)?;
    }
    match result {
        Ok(report) => {
            say(&format!("{report:?}"))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            say(&format!("{}: {}", failure.checker, failure.what))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Remembers a failing seed, and what was wrong.
fn keep(args: &Args, failure: &Failure) -> anyhow::Result<()> {
    let path = args.keep.display();
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&args.keep)
        .with_context(|| format!("cannot open {path}"))?;
    let (seed, checker) = (failure.seed, &failure.checker);
    let case = if args.cluster || args.damaged {
        let options = args.ensemble(seed);
        let smaller = args.shrink.then(|| cluster::shrink(&options)).flatten();
        smaller.unwrap_or(options).to_string()
    } else {
        format!("{seed}")
    };
    println!("{case}");
    writeln!(file, "{case} # {checker}").with_context(|| format!("cannot write {path}"))
}

impl Args {
    fn run(&self, seed: u64) -> Result<Tally, Box<Failure>> {
        SEED.set(seed);
        if self.cluster || self.damaged {
            self.run_ensemble(seed)
        } else {
            self.run_server(seed)
        }
    }

    fn run_server(&self, seed: u64) -> Result<Tally, Box<Failure>> {
        let mut options = Options::random(seed);
        if let Some(seconds) = self.duration {
            options.duration_ms = seconds * 1000;
        }
        let runs = if is_run_twice(seed) { run_twice } else { run };
        let report = runs(&options)?;
        Ok(Tally {
            simulated_ms: options.duration_ms,
            transactions: u64::try_from(report.transactions).unwrap_or(0),
            replies: report.replies,
            lives: report.lives,
            recoveries: report.recoveries,
            ..Tally::default()
        })
    }

    fn ensemble(&self, seed: u64) -> cluster::Options {
        let mut options = if self.damaged {
            cluster::Options::damaging(seed)
        } else {
            cluster::Options::random(seed)
        };
        if let Some(seconds) = self.duration {
            options.faults_ms = seconds * 1000;
        }
        options
    }

    fn run_ensemble(&self, seed: u64) -> Result<Tally, Box<Failure>> {
        let options = self.ensemble(seed);
        let runs = if is_run_twice(seed) {
            cluster::run_twice
        } else {
            cluster::run
        };
        let report = runs(&options)?;
        Ok(Tally::of_ensemble(&report))
    }
}

fn is_run_twice(seed: u64) -> bool {
    seed.is_multiple_of(TWICE_INTERVAL)
}
