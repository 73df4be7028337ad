//! The `zooid` command: one binary, a subcommand for each thing it does.

mod allocator;
mod check;
mod repair;
mod serve;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// A coordination service that takes Apache ZooKeeper's place.
#[derive(Debug, Parser)]
#[command(name = "zooid", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a server.
    Serve(serve::ServeArgs),
    /// Say what running a server on a configuration and its data would do, and change nothing.
    Check(check::CheckArgs),
    /// Fetch the data of a damaged member from the others of its ensemble.
    Repair(repair::RepairArgs),
    Dev(zooid_dev::DevArgs),
    /// Talk to a server, with zkCli's commands: `zooid cli -server host:port [command]`.
    #[command(disable_help_flag = true)]
    Cli {
        /// zkCli's options and, perhaps, one command.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Load a server and measure it.
    Bench(Box<zooid_bench::BenchArgs>),
}

fn main() -> ExitCode {
    abort_on_panic();
    match Arguments::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Repair(args) => repair::run(&args),
        Command::Dev(args) => match zooid_dev::run(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("zooid dev: {error}");
                ExitCode::FAILURE
            }
        },
        Command::Cli { arguments } => zooid_cli::run_from(arguments.into_iter()),
        Command::Bench(args) => match zooid_bench::run(*args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("zooid bench: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

/// A server with a thread missing must not live on, in any build.
fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}
