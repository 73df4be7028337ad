//! The command that commits every known fault and looks for it.

use anyhow::Context as _;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;
use zooid_mutants::{Mutant, Simulation};
use zooid_sim::Failure;
use zooid_sim::hunt::{Budget, Hunt, hunt};

/// A fault that survives so much of a processor's time is not found.
const CPU_MINUTES: u64 = 10;

#[derive(Debug, clap::Args)]
pub(super) struct MutantArgs {
    /// Commit each known fault in turn, until a seed notices; fails if one is not noticed.
    #[arg(long)]
    mutants: bool,
    /// Only this fault; may be said several times.
    #[arg(long = "mutant", value_name = "NAME")]
    only: Vec<Mutant>,
    /// Minutes of a processor's time after which a fault counts as not found.
    #[arg(long, value_name = "N", default_value_t = CPU_MINUTES)]
    cpu_minutes: u64,
    /// Failing seeds to find for each fault: more of them tell better how many seeds one takes.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    finds: NonZeroUsize,
    /// How to tell what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// An object for each fault, one to a line.
    Json,
    /// The rows of the table in `docs/internals/simulator.md`.
    Markdown,
}

impl MutantArgs {
    pub(super) fn is_asked_for(&self) -> bool {
        self.mutants || !self.only.is_empty()
    }
}

/// Looks for every fault, tells of each when it is found, and fails if one is not.
pub(super) fn find_all(args: &MutantArgs, jobs: usize) -> anyhow::Result<ExitCode> {
    // That mutants panic is no news.
    std::panic::set_hook(Box::new(|_| {}));
    let all = if args.only.is_empty() {
        Mutant::ALL
    } else {
        &args.only
    };
    let budget = Budget {
        finds: args.finds.get(),
        seeds: u64::MAX,
        cpu: Duration::from_secs(60 * args.cpu_minutes) * u32::try_from(args.finds.get())?,
        jobs,
    };
    let mut survivors = Vec::new();
    for (at, mutant) in all.iter().enumerate() {
        eprint!("\r{} of {}: {mutant}        ", at + 1, all.len());
        let hunt = hunt(*mutant, budget);
        eprint!("\r");
        let line = match args.format {
            Format::Text => text(&hunt),
            Format::Json => json(&hunt),
            Format::Markdown => markdown(&hunt),
        };
        writeln!(std::io::stdout(), "{line}").context("cannot write what was found")?;
        if hunt.found.is_empty() {
            survivors.push(mutant.to_string());
        }
    }
    if survivors.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("not found: {}", survivors.join(", "));
    Ok(ExitCode::FAILURE)
}

/// For people.
fn text(hunt: &Hunt) -> String {
    let seconds = hunt.cpu.as_secs_f64();
    let counted = format!("{:26} {:6} seeds {seconds:7.1} s ", hunt.mutant, hunt.seeds);
    let found = hunt.found.iter().map(|failure| {
        let Failure {
            seed,
            checker,
            what,
            ..
        } = failure;
        format!("\n    seed {seed}: {checker}: {what}")
    });
    if hunt.found.is_empty() {
        return counted + "NOT FOUND";
    }
    found.fold(counted, |text, line| text + &line)
}

fn json(hunt: &Hunt) -> String {
    let found = hunt.found.iter().map(|failure| {
        serde_json::json!({
            "seed": failure.seed,
            "checker": failure.checker,
            "what": failure.what,
        })
    });
    let line = serde_json::json!({
        "mutant": hunt.mutant.to_string(),
        "simulation": simulation(hunt.mutant),
        "found": found.collect::<Vec<_>>(),
        "seeds": hunt.seeds,
        "cpu_s": hunt.cpu.as_secs_f64(),
    });
    line.to_string()
}

/// A row of the table.
fn markdown(hunt: &Hunt) -> String {
    let fault = hunt.mutant.fault();
    let finds = hunt.found.len().max(1);
    let per_find = |total: f64| total / f64::from(u32::try_from(finds).unwrap_or(u32::MAX));
    format!(
        "| `{}` | {} {} | {} | {} | {} | {:.0} | {:.1} |",
        hunt.mutant,
        fault.what,
        fault.outcome,
        fault.place,
        simulation(hunt.mutant),
        hunt.checkers().join("; "),
        per_find(f64::from(u32::try_from(hunt.seeds).unwrap_or(u32::MAX))).ceil(),
        per_find(hunt.cpu.as_secs_f64()),
    )
}

fn simulation(mutant: Mutant) -> &'static str {
    match mutant.fault().simulation {
        Simulation::Ensemble => "ensemble",
        Simulation::Server => "server",
    }
}
