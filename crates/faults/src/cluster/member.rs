//! One server's process.

use crate::network::{Network, namespaces};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};
use zooid_interop::{Kind, Options, SUPER_DIGEST};

#[derive(Debug)]
pub(super) struct Member {
    id: i64,
    kind: Kind,
    /// What all members are called in its configuration.
    hosts: BTreeMap<i64, String>,
    directory: PathBuf,
    /// A file system of its own.
    data: PathBuf,
    child: Option<Child>,
    state: State,
    is_disk_full: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Down,
    Up,
    Paused,
}

impl Member {
    pub(super) fn prepare(
        id: i64,
        kind: Kind,
        hosts: &BTreeMap<i64, String>,
        directory: &Path,
    ) -> Result<Member> {
        fs::create_dir_all(directory)?;
        // Below what namespaces::settle has mounted, so that it is gone with the namespaces.
        let data = format!("/run/disk-{id}");
        fs::create_dir(&data)?;
        namespaces::mount_tmpfs(&data, DISK_SIZE)?;
        fs::write(format!("{data}/myid"), id.to_string())?;
        let mut member = Member {
            id,
            kind,
            hosts: hosts.clone(),
            directory: directory.to_owned(),
            data: data.into(),
            child: None,
            state: State::Down,
            is_disk_full: false,
        };
        let is_named = hosts.get(&id).is_some_and(|line| !line.contains("10.77."));
        if is_named {
            // A server cannot come up where it does not know its own address.
            member.call_itself(super::server_line(&[Network::address(id)]))?;
        } else {
            member.write_configuration()?;
        }
        member.set_clock(0)?;
        member.build_stall()?;
        Ok(member)
    }

    pub(super) fn call_itself(&mut self, line: String) -> Result<()> {
        self.hosts.insert(self.id, line);
        self.write_configuration()
    }

    fn write_configuration(&self) -> Result<()> {
        let text = zoo_cfg(self.id, &self.hosts, &self.data);
        Ok(fs::write(self.directory.join("zoo.cfg"), text)?)
    }

    pub(super) fn id(&self) -> i64 {
        self.id
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Network::address(self.id), CLIENT_PORT).into()
    }

    pub(super) fn launch(&mut self) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join("server.log"))?;
        let options = Options::default()
            .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
            .property("zookeeper.snapCount", "1000")
            .property("zookeeper.preAllocSize", "64");
        let server = self
            .kind
            .command(&self.directory.join("zoo.cfg"), &options)?;
        let mut command = Network::command_within(self.id);
        command.arg("env").args(self.environment()?);
        command.arg(server.get_program()).args(server.get_args());
        command.stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().with_context(|| format!("{command:?}"))?);
        self.state = State::Up;
        Ok(())
    }

    pub(super) fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the member does not run")?;
        self.state = State::Down;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    pub(super) fn stop(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.signal("TERM")?;
        let mut child = self.child.take().context("the member does not run")?;
        self.state = State::Down;
        while child.try_wait()?.is_none() {
            if started.elapsed() > STOP_PATIENCE {
                child.kill()?;
                bail!("member {} does not stop", self.id);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(started.elapsed())
    }

    pub(super) fn pause(&mut self) -> Result<()> {
        self.signal("STOP")?;
        self.state = State::Paused;
        Ok(())
    }

    /// Read by libfaketime. Clocks that only go forward are not touched: those jump on no machine.
    pub(super) fn set_clock(&self, offset_s: i64) -> Result<()> {
        // Replaced in one go: it is read at any moment.
        let fresh = self.directory.join("clock.new");
        fs::write(&fresh, format!("{offset_s:+}\n"))?;
        Ok(fs::rename(fresh, self.clock_path())?)
    }

    pub(super) fn stall_disk(&self) -> Result<()> {
        Ok(fs::write(self.stall_path(), "")?)
    }

    /// The library that holds syncs back.
    fn build_stall(&self) -> Result<()> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(HELD_SYNC);
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O1", "-o"]);
        crate::network::run(compile.args([&self.stall_library(), &source]).arg("-ldl"))
    }

    fn stall_library(&self) -> PathBuf {
        self.directory.join("held_sync.so")
    }

    /// While this file is there, the disk is stalled.
    fn stall_path(&self) -> PathBuf {
        self.directory.join("stall")
    }

    pub(super) fn fill_disk(&mut self) -> Result<()> {
        self.is_disk_full = true;
        let mut filler = File::create(self.filler_path())?;
        let block = vec![0; FILLER_BLOCK];
        // A file system of this size is full after so many writes.
        for _ in 0..FILLER_BLOCKS_MAX {
            match filler.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("fill the disk"),
            }
        }
        bail!("the disk of member {} does not get full", self.id)
    }

    /// Takes back whatever is wrong with it, but does not start it.
    pub(super) fn mend(&mut self) -> Result<()> {
        self.set_clock(0)?;
        if self.stall_path().exists() {
            fs::remove_file(self.stall_path())?;
        }
        if self.is_disk_full {
            fs::remove_file(self.filler_path())?;
            // It may have ended until now.
            self.ensure_alive()?;
            self.is_disk_full = false;
        }
        if self.state == State::Paused {
            self.signal("CONT")?;
            self.state = State::Up;
        }
        Ok(())
    }

    /// One that did not notice that there was room for a moment would take the next full disk for the same.
    pub(super) fn wait_until_it_knows_of_its_room(&self) -> Result<()> {
        let started = Instant::now();
        // Who does not serve will look before it does.
        while let Some(status) = self.status()
            && status.is_disk_full
        {
            let id = self.id;
            ensure!(
                started.elapsed() < ROOM_PATIENCE,
                "member {id} does not see that its disk has room"
            );
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    pub(super) fn ensure_alive(&mut self) -> Result<()> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        let Some(status) = child.try_wait()? else {
            return Ok(());
        };
        self.child = None;
        self.state = State::Down;
        let id = self.id;
        ensure!(self.is_disk_full, "member {id} ended by itself: {status}");
        Ok(())
    }

    /// What it says about itself; `None` while it does not serve.
    pub(super) fn status(&self) -> Option<Status> {
        if self.state != State::Up {
            return None;
        }
        Status::parse(&self.word("mntr").ok()?)
    }

    /// The answer to a four-letter word.
    pub(super) fn word(&self, word: &str) -> Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address(), ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(word.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Copies what is on its disk to where it can be read after the run.
    pub(super) fn keep_data(&self) -> Result<()> {
        let kept = self.directory.join("data");
        let mut copy = Command::new("cp");
        crate::network::run(copy.arg("--recursive").args([&self.data, &kept]))
    }

    fn signal(&self, name: &str) -> Result<()> {
        let child = self.child.as_ref().context("the member does not run")?;
        let pid = child.id().to_string();
        crate::network::run(Command::new("kill").args([&format!("-{name}"), &pid]))
    }

    /// Its clock, and its disk.
    fn environment(&self) -> Result<Vec<String>> {
        // Such libraries and Java's threads do not get on with each other.
        if self.kind == Kind::Java {
            return Ok(Vec::new());
        }
        let library = FAKETIME.iter().find(|path| Path::new(path).exists());
        let library = library.context("libfaketime is not installed: run scripts/setup-peers")?;
        Ok(vec![
            format!("LD_PRELOAD={library}:{}", self.stall_library().display()),
            format!("HELD_SYNC_OF={}", self.data.display()),
            format!("HELD_SYNC_WHILE={}", self.stall_path().display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.clock_path().display()),
            "FAKETIME_NO_CACHE=1".into(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
        ])
    }

    fn clock_path(&self) -> PathBuf {
        self.directory.join("clock")
    }

    fn filler_path(&self) -> PathBuf {
        self.data.join("filler")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.child.is_some() {
            let _ = self.kill();
        }
    }
}

/// The answer to `mntr` of a server that serves.
#[derive(Clone, Debug)]
pub struct Status {
    state: String,
    synced_followers: Option<usize>,
    is_disk_full: bool,
}

impl Status {
    fn parse(answer: &str) -> Option<Status> {
        let field = |name: &str| {
            let mut lines = answer.lines().filter_map(|line| line.split_once('\t'));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        // Java writes some counts with a decimal point.
        let count = |text: &str| text.split('.').next()?.parse().ok();
        Some(Status {
            state: field("zk_server_state")?.into(),
            synced_followers: field("zk_synced_followers").and_then(count),
            is_disk_full: field("zk_disk_full").and_then(count) == Some(1),
        })
    }

    /// Whether it leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.state == "leader"
    }

    /// As the leader counts them.
    #[must_use]
    pub fn synced_followers(&self) -> Option<usize> {
        self.synced_followers
    }
}

fn zoo_cfg(id: i64, hosts: &BTreeMap<i64, String>, data: &Path) -> String {
    let address = Network::address(id);
    let mut text = format!(
        "dataDir={}\nclientPort={CLIENT_PORT}\nclientPortAddress={address}\n\
         tickTime=500\ninitLimit=20\nsyncLimit=4\nmaxClientCnxns=0\n\
         4lw.commands.whitelist=*\nadmin.enableServer=false\n",
        data.display()
    );
    if hosts.values().any(|line| line.contains('|')) {
        text.push_str("multiAddress.enabled=true\n");
    }
    for (other, line) in hosts {
        let _ = writeln!(text, "server.{other}={line}");
    }
    text
}

const STOP_PATIENCE: Duration = Duration::from_secs(20);
const CLIENT_PORT: u16 = 2181;
/// A disk is looked at once a second.
const ROOM_PATIENCE: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Of the file system below each `dataDir`: much more than a run needs, and filled in a moment.
const DISK_SIZE: &str = "96m";
const FILLER_BLOCK: usize = 256 * 1024;
const FILLER_BLOCKS_MAX: usize = 1_000;
/// Relative to this package.
const HELD_SYNC: &str = "../server/tests/abuse/held_sync.c";
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];
