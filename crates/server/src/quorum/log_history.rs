//! Bringing a learner up to date from the transaction log (spec §6.4; Java `LearnerHandler`,
//! `FileTxnSnapLog.readTxnLog`).

use super::writer::Chunks;
use crate::membership::snapshot_size_factor;
use crate::shared::Shared;
use std::sync::Arc;
use tracing::{info, warn};
use zooid_proto::{Jute, PacketType, QuorumPacket, Zxid};
use zooid_storage::{LogIterator, LogReadError, follows};
use zooid_zab::LogProbe;

/// Packets are put together up to so many bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// Whether the log proves what comes after a transaction, and is worth reading. Whatever goes wrong,
/// the answer is no: a snapshot always does.
pub(super) fn probe(shared: &Shared, after: Zxid) -> LogProbe {
    match try_probe(shared, after) {
        Ok(found) => found,
        Err(error) => {
            warn!(%after, %error, "the log cannot bring a learner up to date");
            LogProbe::Unknown
        }
    }
}

fn try_probe(shared: &Shared, after: Zxid) -> Result<LogProbe, LogReadError> {
    let Some(factor) = snapshot_size_factor(shared.config.storage.snapshot_size_factor) else {
        return Ok(LogProbe::Unknown);
    };
    let mut history = history(shared, after)?;
    let newest = shared.files.snapshots.newest_valid(1)?;
    let snapshot_bytes = newest.first().map_or(0, |file| file.len);
    if is_more_than(history.storage_size(), factor, snapshot_bytes) {
        info!(%after, log_bytes = history.storage_size(), snapshot_bytes, "too much log");
        return Ok(LogProbe::Unknown);
    }
    let snapshots: Vec<Zxid> = (shared.files.snapshots.all()?.iter())
        .map(|file| file.zxid)
        .collect();
    prove(&mut history, after, &snapshots)
}

/// Reads the log from `after` to its end. A snapshot received from a leader leaves a hole in the log
/// that shows in two ways: as a gap, or, if the next transaction is its epoch's first, as a snapshot in
/// between.
fn prove(
    history: &mut LogIterator,
    after: Zxid,
    snapshots: &[Zxid],
) -> Result<LogProbe, LogReadError> {
    let mut previous = None;
    let mut found = LogProbe::Unknown;
    loop {
        let zxid = match history.next_or_earlier() {
            Ok(Some(record)) => record.zxid,
            Ok(None) => return Ok(found),
            Err(error @ (LogReadError::Gap { .. } | LogReadError::Backwards { .. })) => {
                return Err(error);
            }
            // The end, which is being written; whoever sends it reads it again.
            Err(_) if found != LogProbe::Unknown => return Ok(found),
            Err(error) => return Err(error),
        };
        if zxid > after {
            let prev = match previous {
                Some(previous) if follows(previous, zxid) => previous,
                None if history.starts_proven() => after,
                _ => return Ok(LogProbe::Unknown),
            };
            if snapshots.iter().any(|taken| prev < *taken && *taken < zxid) {
                return Ok(LogProbe::Unknown);
            }
            if found == LogProbe::Unknown {
                found = LogProbe::Found { prev, next: zxid };
            }
        }
        previous = Some(zxid);
    }
}

/// Whether `bytes` are more than `factor` times `measure`.
fn is_more_than(bytes: u64, factor: f64, measure: u64) -> bool {
    if factor.is_infinite() {
        return false;
    }
    // A factor is given in hundredths at the most; parts in a thousand keep it whole.
    let thousandths = (0..=1000_u32).find(|part| f64::from(*part) >= factor * 1000.0);
    let allowed = u128::from(measure) * u128::from(thousandths.unwrap_or(1000)) / 1000;
    u128::from(bytes) > allowed
}

/// Puts out a PROPOSAL and a COMMIT for each transaction in between, all of them or an error.
pub(super) fn send(
    shared: &Shared,
    after: Zxid,
    upto: Zxid,
    out: &mut Chunks,
) -> Result<(), String> {
    let mut history = history(shared, after).map_err(|error| error.to_string())?;
    let mut last = after;
    let mut chunk = Vec::new();
    while last < upto {
        let record = history.next_record().map_err(|error| error.to_string())?;
        let Some(record) = record.filter(|record| record.zxid <= upto) else {
            return Err(format!("the log ends at {last}, before {upto}"));
        };
        last = record.zxid;
        QuorumPacket::with_data(PacketType::Proposal, last, record.bytes).encode(&mut chunk);
        QuorumPacket::new(PacketType::Commit, last).encode(&mut chunk);
        if chunk.len() >= CHUNK_BYTES {
            out.put(&chunk)?;
            chunk.clear();
        }
    }
    out.put(&chunk)
}

fn history(shared: &Shared, after: Zxid) -> std::io::Result<LogIterator> {
    let files = &shared.files;
    let synced = shared.config.storage.force_sync;
    LogIterator::after(Arc::clone(&files.disk), &files.dirs, after, synced)
}

#[cfg(test)]
mod tests;
