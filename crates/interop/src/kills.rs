//! Members of an ensemble killed with SIGKILL while clients write, and the proof that nothing
//! acknowledged was lost.

use crate::{Ensemble, Journal, Writers, check_journals, wait_for_lost_ephemerals};
use anyhow::{Context, Result, ensure};
use std::env;
use zooid_proto::ServerId;

/// So many kills, at moments and of victims that a seed decides.
#[derive(Clone, Copy, Debug)]
pub struct Kills {
    count: u64,
    seed: u64,
    asks: bool,
}

impl Kills {
    /// So many, unless `INTEROP_KILLS` says otherwise; the seed is `INTEROP_SEED`, or a new one.
    #[must_use]
    pub fn under_load(count: u64) -> Kills {
        let count = number_in("INTEROP_KILLS").unwrap_or(count);
        let seed = number_in("INTEROP_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        println!("INTEROP_SEED={seed}");
        let asks = false;
        Kills { count, seed, asks }
    }

    /// With SIGTERM, which lets members finish what they have begun.
    #[must_use]
    pub fn asking(self) -> Kills {
        Kills { asks: true, ..self }
    }

    /// Kills one member after the other, each of which comes back, and then all at once. In the end every
    /// acknowledged write is on every member, digests are equal at equal zxids, no session has seen its
    /// zxid go back, and every ephemeral has a session that lives.
    ///
    /// # Errors
    /// When the ensemble does not go on, or its members differ.
    ///
    /// # Panics
    /// When something acknowledged is lost.
    pub fn survive(self, ensemble: &mut Ensemble) -> Result<()> {
        let writers = Writers::start(WRITERS, &ensemble.addresses())?;
        for kill in 0..self.count {
            // At another moment of the writers' work each time.
            let moment = 20 + (self.seed + kill * 37) % 150;
            writers.wait_for_more_acks(moment)?;
            let victim = self.victim(ensemble, kill)?;
            if self.asks {
                ensemble.stop(victim)?;
            } else {
                ensemble.kill(victim)?;
            }
            // The others go on, at times without knowing yet that it is back.
            if kill % 3 != 2 {
                let gone_on = writers.wait_for_more_acks(30);
                gone_on.with_context(|| format!("without server {victim}"))?;
            }
            ensemble.launch(victim)?;
        }
        writers.wait_for_more_acks(50)?;
        ensemble.kill_all()?;
        ensemble.start_all()?;
        writers.wait_for_more_acks(50)?;
        let journals = writers.finish()?;
        let acked: usize = journals.iter().map(Journal::node_count).sum();
        println!("{} kills, {acked} nodes written or deleted", self.count);
        check(ensemble, &journals)
    }

    /// The leader every other time, else anyone.
    fn victim(self, ensemble: &mut Ensemble, kill: u64) -> Result<ServerId> {
        let leader = ensemble.wait_for_leader()?;
        let all = ensemble.up();
        let index = usize::try_from((self.seed / 7 + kill * 5) % 97)? % all.len();
        let victim = if kill.is_multiple_of(2) {
            leader
        } else {
            all[index]
        };
        Ok(victim)
    }
}

fn check(ensemble: &mut Ensemble, journals: &[Journal]) -> Result<()> {
    ensemble.wait_until_serving()?;
    let mut session = ensemble.open_synced(ensemble.leader()?)?;
    wait_for_lost_ephemerals(&mut session)?;
    // The word hash tells the digest at every 128th zxid; all have these in common.
    for _ in 0..2 * DIGEST_INTERVAL {
        session.set_data("/", Some(b"on"), -1)?;
    }
    let tree = ensemble.check_agreement()?;
    check_journals(&tree, journals);
    let newest = session.last_zxid();
    for journal in journals {
        let seen = journal.last_zxid;
        ensure!(newest >= seen, "{newest} is behind {seen}");
    }
    Ok(())
}

fn number_in(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

const WRITERS: usize = 4;
const DIGEST_INTERVAL: usize = 128;
