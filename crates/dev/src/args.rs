//! The command line of `zooid dev`.

use std::path::PathBuf;

use clap::Args;

use crate::layout::{BASE_PORT, Wish};

/// Run an ensemble on this machine, each server its own process
///
/// Server N keeps its zoo.cfg, its data and its log in DIR/serverN, and the next start goes on with
/// them. It serves clients on the Nth port from --base-port on, talks to its leader on the port 1000
/// above and elects on the port 2000 above; all on 127.0.0.1. What you add to a zoo.cfg stays.
///
/// In a terminal it shows the state of each server, and single keys kill and restart them. Elsewhere
/// it prints a line for each change; the one that starts with "ready: " comes when all of them serve.
#[derive(Args, Clone, Debug)]
pub struct DevArgs {
    /// Servers that vote; 1 is a standalone server [default: as many as DIR holds, or 3]
    #[arg(long, value_name = "COUNT")]
    servers: Option<u16>,

    /// Servers that only follow [default: as many as DIR holds, or 0]
    #[arg(long, value_name = "COUNT")]
    observers: Option<u16>,

    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "zooid-dev")]
    pub(crate) dir: PathBuf,

    /// The first server's port for clients
    #[arg(long, value_name = "PORT", default_value_t = BASE_PORT)]
    pub(crate) base_port: u16,

    /// Print one JSON object for each change, also in a terminal
    ///
    /// Its "event" is starting, cannot-start, serving, not-serving, silent, killed, ended, ready,
    /// stopping, overdue, stopped or all-stopped; "server" is the number, where it is about one.
    #[arg(long)]
    pub(crate) json: bool,
}

impl DevArgs {
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            servers: self.servers,
            observers: self.observers,
        }
    }
}
