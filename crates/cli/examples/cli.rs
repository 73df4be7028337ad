//! `zooid cli` as a program of its own: `cargo run -p zooid-cli --example cli -- -server … ls /`.

fn main() -> std::process::ExitCode {
    zooid_cli::run_from(std::env::args_os().skip(1))
}
