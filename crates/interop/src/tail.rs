//! A leader with transactions in its log that nobody else has.

use crate::{Ensemble, anyone};
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use zooid_proto::request::CreateRequest;
use zooid_proto::{CreateMode, Jute, OpCode, ServerId};

/// Has the leader log what nobody else gets, nodes whose paths begin so, and the others go on without it;
/// the old leader, which is down.
///
/// # Errors
/// When it does not log them, or the others do not go on.
pub fn leave_a_tail(ensemble: &mut Ensemble, prefix: &str) -> Result<ServerId> {
    let old = ensemble.leader()?;
    let mut session = ensemble.open_synced(old)?;
    let others = ensemble.followers();
    for id in &others {
        ensemble.pause(*id)?;
    }
    for number in 0..TAIL {
        let request = CreateRequest {
            path: format!("{prefix}{number}"),
            data: Some("nobody else has it".into()),
            acl: anyone().into(),
            flags: CreateMode::Persistent.flags(),
        };
        session.send(OpCode::Create, &request.to_vec())?;
    }
    let directory = ensemble.server(old).data_dir().join("version-2");
    wait_for_logged(&directory, &format!("{prefix}{}", TAIL - 1))?;
    ensemble.kill_all()?;
    for id in others {
        ensemble.launch(id)?;
    }
    ensemble.wait_until_serving()?;
    Ok(old)
}

fn wait_for_logged(directory: &Path, path: &str) -> Result<()> {
    let started = Instant::now();
    let is_log = |name: &str| name.starts_with("log.");
    loop {
        let entries = fs::read_dir(directory)?.flatten();
        let mut logs = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_log));
        if logs.any(|log| contains(&fs::read(log.path()).unwrap_or_default(), path)) {
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "{path} is not logged");
        thread::sleep(POLL_INTERVAL);
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

const TAIL: usize = 10;
const PATIENCE: Duration = Duration::from_secs(8);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
