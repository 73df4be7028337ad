//! The `bench` command as a program of its own.

use clap::Parser;
use zooid_bench::BenchArgs;

#[derive(Parser)]
#[command(about, long_about = None)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

fn main() -> anyhow::Result<()> {
    zooid_bench::run(Command::parse().bench)
}
