//! `zooid-faults`: plays rounds of faults, and shows what came of them.

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zooid_faults::dice::Dice;
use zooid_faults::names::Trouble;
use zooid_faults::nemesis::Fault;
use zooid_faults::network::{Way, namespaces};
use zooid_faults::run::{Plan, play};
use zooid_faults::{checker, history, report};
use zooid_interop::Kind;

/// Real servers on a real network, faults of every kind, and whether what their clients saw can be.
#[derive(Parser)]
enum Cli {
    /// Plays rounds, each with another ensemble.
    Run(Run),
    /// Plays one round, in namespaces of its own.
    Round(Round),
    /// Has three servers find each other by names, in namespaces of their own.
    Names(Names),
    #[command(flatten)]
    Look(Look),
}

#[derive(Subcommand)]
enum Look {
    /// Judges a kept history again.
    Check {
        /// A directory that a failed round has left.
        directory: PathBuf,
    },
    /// Prints a kept history, with what was done to the members.
    Show {
        /// A directory that a failed round has left.
        directory: PathBuf,
        /// Only what concerns this node.
        #[arg(long)]
        node: Option<String>,
        /// Only what is near these operations, by their numbers.
        #[arg(long)]
        around: Vec<usize>,
        /// How near.
        #[arg(long, default_value_t = 50)]
        distance: usize,
    },
}

#[derive(Args)]
struct Run {
    /// Starts rounds for so long.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Of the first round; the others count on from there.
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    shape: Shape,
    /// Where failures are kept.
    #[arg(long, default_value = "target/faults")]
    keep: PathBuf,
}

#[derive(Args)]
struct Round {
    #[arg(long)]
    seed: u64,
    #[command(flatten)]
    shape: Shape,
    /// Each kind of fault once, instead of what the seed picks.
    #[arg(long)]
    each_once: bool,
    /// Only these kinds of faults, in this order.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<String>,
    /// How members reach each other; drawn if it is not said.
    #[arg(long, value_enum)]
    way: Option<Network>,
    /// Where servers and records are.
    #[arg(long)]
    directory: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Network {
    /// As the kernel forwards.
    Direct,
    /// Through proxies, without which nothing can be delayed or stalled.
    Wires,
}

#[derive(Args)]
struct Names {
    /// What becomes of the names.
    #[arg(value_enum)]
    trouble: NameTrouble,
    /// Whose servers.
    #[arg(long, value_enum, default_value = "zooid")]
    kind: Ensemble,
    /// Where servers are.
    #[arg(long)]
    directory: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum NameTrouble {
    /// Nobody knows them when the servers start.
    Late,
    /// Nobody ever answers about one.
    Silent,
    /// They come to mean other addresses.
    Moving,
}

#[derive(Args, Clone)]
struct Shape {
    /// Whose servers.
    #[arg(long, value_enum, default_value = "zooid")]
    kind: Ensemble,
    /// How many servers; drawn if it is not said.
    #[arg(long)]
    members: Option<usize>,
    /// How many clients.
    #[arg(long, default_value_t = 5)]
    clients: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ensemble {
    /// This project's.
    Zooid,
    /// Debian's ZooKeeper.
    Java,
    /// Both, one after the other.
    Mixed,
}

fn main() -> Result<()> {
    match Cli::parse() {
        Cli::Run(run) => run.rounds(),
        Cli::Round(round) => round.play(),
        Cli::Names(names) => names.play(),
        Cli::Look(look) => look.look(),
    }
}

impl Run {
    fn rounds(&self) -> Result<()> {
        let first = self.seed.unwrap_or_else(seed_of_now);
        println!("seed {first}");
        let started = Instant::now();
        let patience = Duration::from_secs(60 * self.minutes);
        let mut seed = first;
        while seed == first || started.elapsed() < patience {
            println!("== round with the seed {seed}");
            self.round(seed)?;
            seed += 1;
        }
        println!("{} rounds, all good", seed - first);
        Ok(())
    }

    /// In a process, and namespaces, of its own: nothing of a round is left for the next.
    fn round(&self, seed: u64) -> Result<()> {
        let directory = self.keep.join(format!("seed-{seed}"));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["round", "--seed", &seed.to_string()]);
        command.arg("--directory").arg(&directory);
        command.args(self.shape.arguments());
        let status = command.status()?;
        ensure!(status.success(), "the round with the seed {seed} failed");
        Ok(())
    }
}

impl Round {
    fn play(&self) -> Result<()> {
        if !namespaces::is_inside() {
            return namespaces::enter();
        }
        if self.directory.exists() {
            fs::remove_dir_all(&self.directory)?;
        }
        fs::create_dir_all(&self.directory)?;
        let plan = self.plan()?;
        let directory = plan.directory.display();
        let summary = play(&plan).with_context(|| {
            format!(
                "what happened is in {directory}; look at it with\n    \
                 zooid-faults show {directory} [--node PATH] [--around NUMBER]\n\
                 and read docs/internals/testing.md"
            )
        })?;
        println!(
            "good: {} operations, {} of them without an answer; {} old reads behind a sync; \
             digests compared at {} zxids",
            summary.operations, summary.unanswered, summary.old_reads, summary.digests
        );
        Ok(fs::remove_dir_all(&self.directory)?)
    }

    fn plan(&self) -> Result<Plan> {
        let mut dice = Dice::new(self.seed);
        let way = self
            .way
            .unwrap_or(dice.pick(&[Network::Direct, Network::Wires]));
        let way = match way {
            Network::Direct => Way::Direct,
            Network::Wires => Way::Wires,
        };
        let kinds = self.shape.kinds(&mut dice);
        let possible = Fault::all_in(way, &kinds);
        Ok(Plan {
            kinds,
            way,
            clients: self.shape.clients,
            faults: self.faults(&mut dice, &possible)?,
            seed: self.seed,
            directory: fs::canonicalize(&self.directory)?,
        })
    }

    fn faults(&self, dice: &mut Dice, possible: &[Fault]) -> Result<Vec<Vec<Fault>>> {
        if self.each_once {
            let all = dice.shuffled(possible);
            return Ok(all.into_iter().map(|fault| vec![fault]).collect());
        }
        if !self.faults.is_empty() {
            let named = self.faults.iter().map(|name| Ok(vec![fault_named(name)?]));
            return named.collect();
        }
        let drawn = (0..FAULTS_OF_A_ROUND).map(|_| {
            let first = dice.pick(possible);
            let second = dice.pick(possible);
            let are_two = dice.hits(25) && first.goes_with(second);
            if are_two {
                vec![first, second]
            } else {
                vec![first]
            }
        });
        Ok(drawn.collect())
    }
}

impl Names {
    fn play(&self) -> Result<()> {
        if !namespaces::is_inside() {
            return namespaces::enter();
        }
        fs::create_dir_all(&self.directory)?;
        let kinds: Vec<Kind> = (0..3).map(|index| self.kind.of(index)).collect();
        let trouble = match self.trouble {
            NameTrouble::Late => Trouble::Late,
            NameTrouble::Silent => Trouble::Silent,
            NameTrouble::Moving => Trouble::Moving,
        };
        trouble.play(&kinds, &fs::canonicalize(&self.directory)?)
    }
}

impl Ensemble {
    /// Whose server is the one with this index.
    fn of(self, index: usize) -> Kind {
        match self {
            Ensemble::Zooid => Kind::Zooid,
            Ensemble::Java => Kind::Java,
            Ensemble::Mixed if index.is_multiple_of(2) => Kind::Zooid,
            Ensemble::Mixed => Kind::Java,
        }
    }
}

impl Shape {
    fn kinds(&self, dice: &mut Dice) -> Vec<Kind> {
        let count = self.members.unwrap_or(if dice.hits(50) { 3 } else { 5 });
        (0..count).map(|index| self.kind.of(index)).collect()
    }

    fn arguments(&self) -> Vec<String> {
        let kind = self.kind.to_possible_value().expect("none is hidden");
        let mut arguments = vec!["--kind".into(), kind.get_name().into()];
        arguments.extend(["--clients".into(), self.clients.to_string()]);
        if let Some(members) = self.members {
            arguments.extend(["--members".into(), members.to_string()]);
        }
        arguments
    }
}

impl Look {
    fn look(self) -> Result<()> {
        match self {
            Look::Check { directory } => {
                let operations = history::load(&directory.join(report::HISTORY))?;
                let violations = checker::check(&operations);
                print!("{}", report::violations(&violations, &operations));
                ensure!(violations.is_empty(), "{} violations", violations.len());
                println!("{} operations, all good", operations.len());
                Ok(())
            }
            Look::Show {
                directory,
                node,
                around,
                distance,
            } => {
                let operations = history::load(&directory.join(report::HISTORY))?;
                let node = node.as_deref();
                let text = report::excerpt(&operations, &directory, node, &around, distance)?;
                println!("{text}");
                Ok(())
            }
        }
    }
}

fn fault_named(name: &str) -> Result<Fault> {
    let found = Fault::ALL
        .into_iter()
        .find(|fault| format!("{fault:?}") == name);
    match found {
        Some(fault) => Ok(fault),
        None => bail!("{name} is no fault; there are {:?}", Fault::ALL),
    }
}

fn seed_of_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

const FAULTS_OF_A_ROUND: usize = 8;
