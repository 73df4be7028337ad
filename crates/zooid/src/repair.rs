//! `zooid repair`: what is wrong with a member's data, and fetching it anew from the others.

use crate::serve::{configure, start_logging};
use clap::Args;
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use zooid_config::Config;
use zooid_server::repair::{
    Diagnosis, Peer, RepairError, Repaired, ask_peers, diagnose, has_quorum, repair,
};

/// The command line of `zooid repair`.
#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// A system property, as for `zooid serve`.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    properties: Vec<String>,
    /// The zoo.cfg of the member, which must not be running.
    #[arg(value_name = "CONFIG")]
    config: String,
    /// Say what is wrong and what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Fetch the data although what is there can be read.
    #[arg(long)]
    force: bool,
    /// Say it in JSON.
    #[arg(long)]
    json: bool,
    /// How long to wait for a leader to bring this member up to date.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// How it ended.
enum Outcome {
    NothingToDo,
    /// Only asked for what would be done.
    WouldRepair,
    Declined,
    Repaired(Repaired),
    Refused(String),
}

pub(crate) fn run(args: &RepairArgs) -> ExitCode {
    start_logging("error");
    let config = match configure(std::slice::from_ref(&args.config), &args.properties) {
        Ok(config) => config,
        Err(invalid) => {
            eprintln!("zooid repair: {invalid}");
            return ExitCode::from(invalid.exit_code());
        }
    };
    let diagnosis = diagnose(&config);
    let peers = ask_peers(&config);
    if !args.json {
        print_findings(&diagnosis, &peers);
    }
    let outcome = decide(args, &config, &diagnosis, &peers);
    if args.json {
        println!("{:#}", to_json(&diagnosis, &peers, &outcome));
    } else {
        print_outcome(&outcome);
    }
    match outcome {
        Outcome::NothingToDo | Outcome::WouldRepair | Outcome::Repaired(_) => ExitCode::SUCCESS,
        Outcome::Declined | Outcome::Refused(_) => ExitCode::FAILURE,
    }
}

fn decide(args: &RepairArgs, config: &Config, diagnosis: &Diagnosis, peers: &[Peer]) -> Outcome {
    if diagnosis.problem.is_none() && !args.force {
        return Outcome::NothingToDo;
    }
    if !config.is_distributed() {
        return Outcome::Refused(RepairError::Alone.to_string());
    }
    if !has_quorum(config, peers) {
        return Outcome::Refused(
            "the members that can be reached are no quorum without this one, so there is no leader to \
             fetch the data from. Start the others first. Nothing was changed"
                .to_owned(),
        );
    }
    if args.dry_run {
        return Outcome::WouldRepair;
    }
    if !args.yes && !confirms() {
        return Outcome::Declined;
    }
    let stamp = jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string();
    match repair(config, &stamp, Duration::from_secs(args.timeout)) {
        Ok(repaired) => Outcome::Repaired(repaired),
        Err(error) => Outcome::Refused(error.to_string()),
    }
}

/// Nobody is there to ask unless there is a terminal.
fn confirms() -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("Fetch this member's data from the leader, and keep what is here aside? [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
}

fn print_findings(diagnosis: &Diagnosis, peers: &[Peer]) {
    for file in &diagnosis.files {
        match &file.damage {
            None => println!("whole    {}: {}", file.path.display(), file.content),
            Some(damage) => println!(
                "DAMAGED  {}: {}: {damage}",
                file.path.display(),
                file.content
            ),
        }
    }
    match &diagnosis.problem {
        None => println!("The server would start from this."),
        Some(problem) => println!("The server does not start from this: {problem}"),
    }
    for peer in peers {
        let (id, address) = (peer.id.0, &peer.address);
        match &peer.problem {
            None => println!("server.{id} can be reached at {address}"),
            Some(problem) => println!("server.{id} cannot be reached at {address}: {problem}"),
        }
    }
}

fn print_outcome(outcome: &Outcome) {
    match outcome {
        Outcome::NothingToDo => println!("Nothing to repair."),
        Outcome::WouldRepair => println!(
            "Would fetch the data from the leader of the others, and rename the version-2 directories."
        ),
        Outcome::Declined => {
            println!("Nothing was changed. Say --yes to go on without a question.");
        }
        Outcome::Repaired(repaired) => {
            let (zxid, epoch) = (repaired.last_zxid, repaired.epoch.0);
            println!("Repaired: the data is that of epoch {epoch} up to {zxid}. Start the server.");
            for path in &repaired.kept {
                println!("What was here is now in {}", path.display());
            }
        }
        Outcome::Refused(why) => println!("Not repaired: {why}."),
    }
}

fn to_json(diagnosis: &Diagnosis, peers: &[Peer], outcome: &Outcome) -> Value {
    let files = diagnosis.files.iter().map(|file| {
        json!({
            "path": file.path.display().to_string(),
            "content": file.content,
            "damage": file.damage,
        })
    });
    let peers = peers
        .iter()
        .map(|peer| json!({ "id": peer.id.0, "address": peer.address, "problem": peer.problem }));
    let outcome = match outcome {
        Outcome::NothingToDo => json!({ "result": "nothing-to-repair" }),
        Outcome::WouldRepair => json!({ "result": "would-repair" }),
        Outcome::Declined => json!({ "result": "declined" }),
        Outcome::Refused(why) => json!({ "result": "refused", "why": why }),
        Outcome::Repaired(repaired) => json!({
            "result": "repaired",
            "lastZxid": repaired.last_zxid.to_string(),
            "epoch": repaired.epoch.0,
            "kept": repaired.kept.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        }),
    };
    json!({
        "problem": diagnosis.problem,
        "files": files.collect::<Vec<_>>(),
        "peers": peers.collect::<Vec<_>>(),
        "outcome": outcome,
    })
}
