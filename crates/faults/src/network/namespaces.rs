//! The namespaces of a run: network, mounts and processes of its own, which end with it.

use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Whether this process is in namespaces of its own already.
#[must_use]
pub fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Starts this program again, with the same arguments, in namespaces of its own, in the place of this
/// process. Does not return unless that fails.
///
/// As root it needs nothing; anybody else becomes root of a user namespace, where the system allows it.
///
/// # Errors
/// When the system does not let it.
pub fn enter() -> Result<()> {
    let mut probe = unshare();
    let output = probe.arg("true").output().context("start unshare")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!(
            "cannot make network namespaces, without which there is no network to break: {}\n\
             run this as root, or allow user namespaces \
             (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)",
            reason.trim()
        );
    }
    let mut command = unshare();
    command
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1));
    command.env(INSIDE, "1");
    Err(command.exec()).context("start in new namespaces")
}

/// What the first process in the namespaces does before anything else.
///
/// # Errors
/// When the system does not let it.
pub fn settle(members: &[i64]) -> Result<()> {
    end_on_signals()?;
    mount_tmpfs("/run", "16m")?;
    fs::create_dir_all("/run/netns")?;
    let mut hosts = String::from("127.0.0.1 localhost\n");
    for member in members {
        let address = super::Network::address(*member);
        hosts.push_str(&format!("{address} member-{member}\n"));
    }
    fs::write("/run/hosts", hosts)?;
    super::run(Command::new("mount").args(["--bind", "/run/hosts", "/etc/hosts"]))
}

/// Has names that are not in the file of hosts asked for at this address.
///
/// # Errors
/// When the system does not let it.
pub fn ask_for_names_at(address: std::net::Ipv4Addr) -> Result<()> {
    fs::write("/run/resolv.conf", format!("nameserver {address}\n"))?;
    let mut bind = Command::new("mount");
    super::run(bind.args(["--bind", "/run/resolv.conf", "/etc/resolv.conf"]))
}

/// Puts an empty file system of this size over a directory.
///
/// # Errors
/// When the system does not let it.
pub fn mount_tmpfs(directory: &str, size: &str) -> Result<()> {
    let size = format!("size={size}");
    super::run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", directory]))
}

/// The first process of a namespace ignores what it does not handle.
fn end_on_signals() -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    // With the process that waits the first one within ends too, and with that one all others.
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    command
}

const INSIDE: &str = "ZOOID_FAULTS_INSIDE";
