//! Runs seeds until told to stop: `cargo run -p zooid-sim --profile sim -- --seeds FIRST..END`, or
//! `--minutes N`. (A release build does, too, but aborts at the first panic.)

use anyhow::{Context as _, bail};
use clap::Parser;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use zooid_sim::{Options, run, run_twice};

/// Seeds of which every one is run twice, to see whether it replays.
const TWICE_INTERVAL: u64 = 50;
/// Between lines of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// Runs one simulated server through seeds, and says which fail.
#[derive(Debug, Parser)]
struct Args {
    /// The seeds to run, as FIRST..END.
    #[arg(long, value_parser = parse_seeds)]
    seeds: Option<(u64, u64)>,
    /// Go on for so long, from the first seed on.
    #[arg(long)]
    minutes: Option<u64>,
    /// Simulated seconds of each run.
    #[arg(long, default_value_t = 20)]
    duration: u64,
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
    if args.seeds.is_none() && args.minutes.is_none() {
        bail!("say --seeds FIRST..END or --minutes N");
    }
    let (first, end) = args.seeds.unwrap_or((0, u64::MAX));
    let time = args
        .minutes
        .map(|minutes| Duration::from_secs(minutes * 60));
    // A release build aborts when something panics: say at least with which seed.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("\na panic in the run named above");
        report(panic);
    }));
    let start = Instant::now();
    let mut progress = Progress::default();
    for seed in first..end {
        if time.is_some_and(|time| start.elapsed() >= time) {
            break;
        }
        progress.run(seed, &args, start)?;
    }
    progress.print(start)?;
    println!();
    if progress.failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("failing seeds: {:?}", progress.failed);
    Ok(ExitCode::FAILURE)
}

#[derive(Debug, Default)]
struct Progress {
    runs: u64,
    last: u64,
    transactions: i64,
    replies: u64,
    lives: u64,
    recoveries: u64,
    failed: Vec<u64>,
    printed: Option<Instant>,
}

impl Progress {
    fn run(&mut self, seed: u64, args: &Args, start: Instant) -> anyhow::Result<()> {
        let options = Options {
            duration_ms: args.duration * 1000,
            ..Options::random(seed)
        };
        self.last = seed;
        if self
            .printed
            .is_none_or(|printed| printed.elapsed() >= PROGRESS_INTERVAL)
        {
            self.print(start)?;
            self.printed = Some(Instant::now());
        }
        let twice = seed.is_multiple_of(TWICE_INTERVAL);
        let result = if twice {
            run_twice(&options)
        } else {
            run(&options)
        };
        self.runs += 1;
        match result {
            Ok(report) => {
                self.transactions += report.transactions;
                self.replies += report.replies;
                self.lives += report.lives;
                self.recoveries += report.recoveries;
            }
            Err(failure) => {
                println!("\n{failure}");
                self.failed.push(seed);
            }
        }
        Ok(())
    }

    fn print(&self, start: Instant) -> anyhow::Result<()> {
        print!(
            "\r{:>6} s, seed {}: {} runs, {} failed; {} transactions, {} replies, {} lives, {} \
             recoveries checked ",
            start.elapsed().as_secs(),
            self.last,
            self.runs,
            self.failed.len(),
            self.transactions,
            self.replies,
            self.lives,
            self.recoveries
        );
        std::io::stdout()
            .flush()
            .context("cannot write to the terminal")
    }
}
