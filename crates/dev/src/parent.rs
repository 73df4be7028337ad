//! How a server ends with the `zooid dev` that started it, however that ends.

use rustix::io;
use rustix::process::{Signal, getpid, getppid, kill_process, set_parent_process_death_signal};

/// The option of `zooid serve` that carries the supervisor's process id.
pub(crate) const OPTION: &str = "--stop-with-parent";

/// Has this process receive SIGTERM when the process that started it is gone; `parent` is its id.
///
/// # Errors
/// When the system does not offer that.
pub fn stop_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let is_there = getppid().is_some_and(|pid| u32::try_from(pid.as_raw_pid()) == Ok(parent));
    if is_there {
        Ok(())
    } else {
        // It ended before the system was asked to tell.
        kill_process(getpid(), Signal::TERM)
    }
}
