//! What no replicated server can beat on this machine: one sync of a record, and the round trips
//! that a write takes from a client to a leader and on to a follower. And what one of those takes where
//! the system does not wake the other side up on the same processor: no server can beat that for a read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::json;

use crate::distribution::empty_histogram;
use crate::plan::{PlanError, all_positive};
use crate::scenario::{Findings, Phase};

#[derive(Clone, Debug)]
pub(crate) struct FloorPlan {
    /// On the disk that is to be measured.
    pub(crate) directory: PathBuf,
    /// Of a record, and of a packet.
    pub(crate) bytes: usize,
    pub(crate) duration: Duration,
}

/// Client to leader, leader to follower.
const ROUND_TRIPS: usize = 2;

/// Of the file that records are written into: as a log that has its blocks already.
const FILE_BYTES: usize = 4 << 20;

impl FloorPlan {
    pub(crate) fn checked(self) -> Result<FloorPlan, PlanError> {
        all_positive(&[("--value-size", self.bytes)])?;
        if self.duration.is_zero() {
            return Err(PlanError::Zero("--duration"));
        }
        Ok(self)
    }

    pub(crate) fn run(&self) -> anyhow::Result<Findings> {
        let apart = self.apart().context("cannot talk to another processor")?;
        let mut log = Log::create(&self.directory, self.bytes)
            .with_context(|| format!("cannot write in {}", self.directory.display()))?;
        let mut echo =
            Echo::start(self.bytes, None).context("cannot talk to this machine itself")?;
        let [mut whole, mut trips, mut syncs] = std::array::from_fn(|_| empty_histogram());
        let started = Instant::now();
        while started.elapsed() < self.duration {
            let begun = Instant::now();
            for _ in 0..ROUND_TRIPS {
                echo.round_trip()?;
            }
            let half = Instant::now();
            log.append()?;
            let done = Instant::now();
            record(&mut trips, half - begun);
            record(&mut syncs, done - half);
            record(&mut whole, done - begun);
        }
        let elapsed = started.elapsed();
        let phase = |name, nanos| Phase {
            name,
            elapsed,
            amount: None,
            nanos,
        };
        Ok(Findings {
            scenario: "floor",
            title: format!(
                "{ROUND_TRIPS} round trips on the loopback interface and one fdatasync in {}, of \
                 {} bytes",
                self.directory.display(),
                self.bytes
            ),
            settings: json!({ "bytes": self.bytes, "round_trips": ROUND_TRIPS }),
            phases: [
                phase("round_trips", trips),
                phase("sync", syncs),
                phase("floor", whole),
            ]
            .into_iter()
            .chain(apart.map(|apart| phase("apart", apart)))
            .collect(),
            memory: None,
            failures: BTreeMap::new(),
        })
    }
}

/// Of the time, for round trips between processors.
const APART_SHARE: u32 = 5;

impl FloorPlan {
    /// Round trips between two threads that stay on different processors, if there are two to be had.
    fn apart(&self) -> io::Result<Option<Histogram<u64>>> {
        let allowed = sched_getaffinity(None)?;
        let mut processors = (0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number));
        let (Some(here), Some(there)) = (processors.next(), processors.next()) else {
            return Ok(None);
        };
        let (bytes, duration) = (self.bytes, self.duration / APART_SHARE);
        // On a thread of its own, which ends with its bond.
        let measured = thread::spawn(move || {
            stay_on(here)?;
            let mut echo = Echo::start(bytes, Some(there))?;
            let mut trips = empty_histogram();
            let started = Instant::now();
            while started.elapsed() < duration {
                let begun = Instant::now();
                echo.round_trip()?;
                record(&mut trips, begun.elapsed());
            }
            Ok(Some(trips))
        });
        measured.join().expect("it does not panic")
    }
}

fn stay_on(processor: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(processor);
    Ok(sched_setaffinity(None, &only)?)
}

fn record(nanos: &mut Histogram<u64>, time: Duration) {
    nanos.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// A file that is written from start to end, over and over.
struct Log {
    file: File,
    path: PathBuf,
    record: Vec<u8>,
    at: u64,
}

impl Log {
    fn create(directory: &Path, bytes: usize) -> io::Result<Log> {
        let path = directory.join(format!("zooid-bench-floor-{}", std::process::id()));
        let mut file = File::create(&path)?;
        file.write_all(&vec![0; FILE_BYTES])?;
        file.sync_all()?;
        Ok(Log {
            file,
            path,
            record: vec![b'r'; bytes],
            at: 0,
        })
    }

    fn append(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.record, self.at)?;
        self.file.sync_data()?;
        self.at += u64::try_from(self.record.len()).expect("a length fits 64 bits");
        if self.at >= u64::try_from(FILE_BYTES).expect("a constant") {
            self.at = 0;
        }
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // What is left is a file that says by its name what it was.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A connection to a thread that sends back what it gets.
struct Echo {
    stream: TcpStream,
    packet: Vec<u8>,
}

impl Echo {
    /// With the other side on this processor, if it matters.
    fn start(bytes: usize, processor: Option<usize>) -> io::Result<Echo> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        stream.set_nodelay(true)?;
        let (mut peer, _) = listener.accept()?;
        peer.set_nodelay(true)?;
        // Ends when the stream is closed.
        thread::spawn(move || -> io::Result<()> {
            processor.map_or(Ok(()), stay_on)?;
            let mut packet = vec![0; bytes];
            loop {
                peer.read_exact(&mut packet)?;
                peer.write_all(&packet)?;
            }
        });
        Ok(Echo {
            stream,
            packet: vec![b'p'; bytes],
        })
    }

    fn round_trip(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.packet)?;
        self.stream.read_exact(&mut self.packet)
    }
}
