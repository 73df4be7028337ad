//! `zooid serve`: from a command line to a running server.

use crate::allocator;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;
use zooid_config::load::{Invocation, Provenance, Request, check_data_dirs, load};
use zooid_config::{Config, ConfigError, Location, parse_system_properties};
use zooid_server::ServeError;

/// The command line of `zooid serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// A system property, as ZooKeeper's JVM takes it: -Dzookeeper.snapCount=1000
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    properties: Vec<String>,
    /// A zoo.cfg; or ZooKeeper's short form, `port dataDir` and then perhaps `tickTime maxClientCnxns`.
    /// Nothing: a standalone server on 127.0.0.1:2181 that keeps its data in ./zooid-data.
    #[arg(value_name = "CONFIG")]
    arguments: Vec<String>,
    /// The process that started this one: when it is gone, stop.
    #[arg(long, value_name = "PID", hide = true)]
    stop_with_parent: Option<u32>,
}

pub(crate) fn run(args: &ServeArgs) -> ExitCode {
    start_logging("info");
    if let Err(error) = allocator::use_small_pages() {
        warn!(%error, "memory may come in huge pages, for which requests wait while they are cleared");
    }
    if let Err(error) = allocator::keep_free_memory() {
        warn!(%error, "free memory goes back to the system sooner than it should");
    }
    if let Some(parent) = args.stop_with_parent
        && let Err(error) = zooid_dev::stop_with_parent(parent)
    {
        warn!(%error, "this server will not notice when process {parent} ends");
    }
    let config = match configure(&args.arguments, &args.properties) {
        Ok(config) => config,
        Err(invalid) => {
            error!("{invalid}");
            return ExitCode::from(invalid.exit_code());
        }
    };
    match zooid_server::serve(config) {
        Ok(()) => {
            info!("stopped");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            error!("{failure}");
            ExitCode::from(ServeError::exit_code(&failure))
        }
    }
}

/// Log lines go to standard error; `ZOOID_LOG` chooses which, such as `debug` or
/// `zooid_server=trace`.
pub(crate) fn start_logging(usually: &str) {
    let filter = EnvFilter::try_from_env("ZOOID_LOG").unwrap_or_else(|_| EnvFilter::new(usually));
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .init();
}

/// The configuration that a command line names.
pub(crate) fn configure(
    arguments: &[String],
    properties: &[String],
) -> Result<Config, ConfigError> {
    let request = Request {
        invocation: match arguments {
            [] => Invocation::Bare,
            [file] => Invocation::File(PathBuf::from(file)),
            short => Invocation::Arguments(short.to_vec()),
        },
        properties: parse_system_properties(&Location::source("the command line"), properties)?,
        environment: zooid_config::load::process_environment(),
    };
    let (loaded, provenance) = load(&request)?;
    tell(&loaded.config, &provenance);
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    check_data_dirs(&loaded.config)?;
    Ok(loaded.config)
}

fn tell(config: &Config, provenance: &Provenance) {
    match provenance {
        Provenance::File(path) => info!(path = %path.display(), "configuration read"),
        Provenance::Arguments => info!("configuration taken from the command line"),
        Provenance::Container { my_id_to_create } => {
            info!("configuration taken from ZOO_* variables");
            if let Some((path, my_id)) = my_id_to_create {
                create_my_id(path, my_id);
            }
        }
        Provenance::Embedded => {
            let address = config.client.address.as_ref().map(ToString::to_string);
            info!(
                "no configuration given: standalone on {}, data in {}",
                address.unwrap_or_default(),
                config.data_dir.display()
            );
        }
    }
}

/// What the container image's entry point does before it starts ZooKeeper. A standalone server does
/// not need it, so failing is no reason not to start.
fn create_my_id(path: &Path, my_id: &str) {
    let created = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, my_id));
    if let Err(error) = created {
        warn!(path = %path.display(), %error, "cannot write myid");
    }
}
