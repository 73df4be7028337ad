//! Does one small thing many times, for whoever counts instructions: `zooid-counts CASE TIMES`.
//!
//! `scripts/count-instructions` runs every case twice, once for a number of times and once for twice
//! as many, and divides the difference: what is prepared, and the start of a process, costs nothing
//! then. Counts are the same on a busy machine and on a quiet one, where times are not.

mod case;

use std::process::ExitCode;

use case::Case;

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--list"] => {
            for case in case::ALL {
                println!("{}\t{}\t{}", case.name, case.times, case.what);
            }
            ExitCode::SUCCESS
        }
        [name, times] => match (find(name), times.parse()) {
            (Some(case), Ok(times)) => run(case, times),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn find(name: &str) -> Option<&'static Case> {
    case::ALL.iter().find(|case| case.name == name)
}

fn run(case: &Case, times: u32) -> ExitCode {
    match (case.run)(times) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", case.name);
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: zooid-counts --list | CASE TIMES");
    ExitCode::from(2)
}
