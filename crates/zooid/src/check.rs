//! `zooid check`: what an operator should know before the swap.

mod flags;

use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use zooid_config::load::{Invocation, Request, load, process_environment};
use zooid_config::{Config, ConfigError, Location, PeerType, Warning, parse_system_properties};
use zooid_server::check::{Group, Report, check};

/// The command line of `zooid check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct CheckArgs {
    /// A system property, as for `zooid serve`: -Dzookeeper.snapCount=1000
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    properties: Vec<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// The zoo.cfg.
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
}

pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    let report = report(args);
    if args.json {
        println!("{}", as_json(&report));
    } else {
        print!("{report}");
    }
    ExitCode::from(report.exit_code())
}

fn report(args: &CheckArgs) -> Report {
    let mut group = Group::new("configuration");
    match configure(args) {
        Ok((config, warnings)) => {
            group.ok(format!("{} is read", args.config.display()));
            tell_use(&config, &mut group);
            for warning in warnings {
                group.warn(warning.to_string());
            }
            flags::check(&args.config, &config, &mut group);
            let mut groups = vec![group];
            groups.extend(check(&config));
            Report { groups }
        }
        Err(invalid) => {
            group.fault(invalid.to_string());
            let groups = vec![group];
            Report { groups }
        }
    }
}

fn configure(args: &CheckArgs) -> Result<(Config, Vec<Warning>), ConfigError> {
    let request = Request {
        invocation: Invocation::File(args.config.clone()),
        properties: parse_system_properties(
            &Location::source("the command line"),
            &args.properties,
        )?,
        environment: process_environment(),
    };
    let (loaded, _) = load(&request)?;
    Ok((loaded.config, loaded.warnings))
}

/// What of the configuration decides most.
fn tell_use(config: &Config, group: &mut Group) {
    let seat = match config.my_id.filter(|_| config.is_distributed()) {
        None => "a standalone server".to_owned(),
        Some(id) => {
            let role = match config.peer_type() {
                PeerType::Participant => "a voter",
                PeerType::Observer => "an observer",
            };
            let all: Vec<String> = config
                .servers
                .iter()
                .map(|one| one.id.to_string())
                .collect();
            format!("server {id} of {}, {role} (myid)", all.join(", "))
        }
    };
    group.ok(seat);
    let data = config.data_dir.display();
    if config.data_log_dir == config.data_dir {
        group.ok(format!("snapshots and logs in {data}"));
    } else {
        let logs = config.data_log_dir.display();
        group.ok(format!("snapshots in {data}, logs in {logs}"));
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    let findings = report.groups.iter().flat_map(|group| {
        group.findings.iter().map(|finding| {
            json!({
                "group": group.name,
                "level": finding.level.name(),
                "text": finding.text,
            })
        })
    });
    json!({
        "exitCode": report.exit_code(),
        "verdict": report.verdict(),
        "findings": findings.collect::<Vec<_>>(),
    })
}

const EXIT_CODES: &str = "Exit codes: 0, zooid can serve this; 1, it can, and there are warnings to read; 2, it would \
                          not start, or something that is used would be lost.";
