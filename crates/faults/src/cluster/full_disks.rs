//! What an ensemble without room on any disk must do.

use super::Cluster;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::{Session, anyone};
use zooid_proto::{CreateMode, ErrorCode};

impl Cluster {
    /// Creates a node for each member, as long as there is room.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn leave_something_to_delete(&self) -> Result<()> {
        let addresses = self.addresses();
        let (_, address) = addresses.first_key_value().context("there are members")?;
        let mut session = Session::open(*address, SESSION_TIMEOUT_MS)?;
        for id in addresses.keys() {
            session.create(&leftover(*id), None, &anyone(), CreateMode::Persistent)?;
        }
        session.close()
    }

    /// Checks that every member refuses what stores data, and reads and deletes; soon, as the leader may
    /// just be handing over.
    ///
    /// # Errors
    /// When one does not.
    pub fn ensure_only_storing_is_refused(&self) -> Result<()> {
        for (id, address) in self.addresses() {
            let started = Instant::now();
            loop {
                let tried = try_out(address, &leftover(id));
                match tried {
                    Ok(()) => break,
                    Err(error) if started.elapsed() > PATIENCE => {
                        return Err(error).with_context(|| format!("on member {id}"));
                    }
                    Err(_) => thread::sleep(Duration::from_millis(100)),
                }
            }
        }
        Ok(())
    }
}

fn leftover(id: i64) -> String {
    format!("/leftover-{id}")
}

fn try_out(address: SocketAddr, path: &str) -> Result<()> {
    let mut session = Session::open(address, SESSION_TIMEOUT_MS)?;
    let created = session.create("/new", None, &anyone(), CreateMode::Ephemeral);
    let refusal = created.err().context("it was created")?;
    let text = format!("{refusal:#}");
    ensure!(text.contains(&ErrorCode::SystemError.to_string()), "{text}");
    session.sync("/")?;
    // It may have been deleted by a try that did not hear of it.
    if session.exists(path, false)?.is_some() {
        session.delete(path, -1)?;
    }
    ensure!(session.exists(path, false)?.is_none(), "{path} is there");
    session.close()
}

const SESSION_TIMEOUT_MS: i32 = 10_000;
const PATIENCE: Duration = Duration::from_secs(20);
