//! What a disk loses after it was durable: a bit, or a block. One voter finds that when it starts again,
//! after a life that ended without a loss of power. It must notice, or have everything.
//!
//! In half of the runs the voter that has most is gone for good at the same time, so that whoever is left
//! must do with what the damaged one has.

use super::World;
use super::acts::Act;
use crate::cluster::member::End;
use crate::cluster::schedule::MemberId;
use crate::cluster::site::REMEDY;
use std::path::PathBuf;
use zooid_storage::disk::{Disk as _, SimulatedDisk};

/// A block of a disk, large and small.
const BLOCK_LENS: [u64; 2] = [512, 4096];

/// What has become of a member for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lot {
    Common,
    /// Its disk was damaged.
    Damaged,
    /// It has noticed, and does not start.
    Halted,
    /// It does not come back.
    Gone,
}

impl World {
    /// Whether a member is to take part.
    pub(super) fn is_wanted(&self, at: MemberId) -> bool {
        matches!(self.places[at].lot, Lot::Common | Lot::Damaged)
    }

    pub(super) fn damage_a_disk(&mut self) {
        let victim = self.dice.index(self.profile.voters);
        if self.dice.per_mille(500) {
            self.lose_the_best_but(victim);
        }
        self.end(victim, End::Killed);
        // What a loss of power has left is settled first: one fault at a time.
        if !self.places[victim].site.has_power() {
            self.lose_power(victim);
        }
        if let Err(err) = self.load(victim) {
            let what = format!("member {victim}: {err}");
            return self.env.complain("recovery succeeds", what);
        }
        let disk = self.places[victim].site.simulated.clone();
        let what = self.damage(&disk);
        self.env.milestone(&format!("member {victim}: {what}"));
        self.places[victim].lot = Lot::Damaged;
        self.places[victim].site.is_damaged = true;
    }

    fn lose_the_best_but(&mut self, victim: MemberId) {
        let others = (0..self.profile.voters).filter(|at| *at != victim);
        let best = others.max_by_key(|at| {
            let book = self.env.checkers.ledger.book(*at);
            (book.durable.last().copied(), *at)
        });
        if let Some(best) = best {
            self.end(best, End::Killed);
            self.places[best].lot = Lot::Gone;
            self.env
                .milestone(&format!("member {best} is gone for good"));
        }
    }

    /// Somewhere in one of the files; mostly where something was written.
    fn damage(&mut self, disk: &SimulatedDisk) -> String {
        let Some((path, len)) = self.draw_file(disk) else {
            return "it has no files".to_owned();
        };
        let offset = self.dice.below(len);
        let block_len = *self.dice.pick(&BLOCK_LENS);
        let block = offset - offset % block_len;
        let mut bytes = vec![0; usize::try_from(block_len).expect("small")];
        let (what, done) = match self.dice.below(5) {
            0 | 1 => {
                let bit = u32::try_from(self.dice.below(8)).expect("small");
                ("a flipped bit", disk.flip_bit(&path, offset, bit))
            }
            2 => ("a wiped block", disk.overwrite(&path, block, &bytes)),
            3 => {
                for byte in &mut bytes {
                    *byte = u8::try_from(self.dice.below(256)).expect("small");
                }
                ("a block of garbage", disk.overwrite(&path, block, &bytes))
            }
            _ => ("a lost block", disk.lose(&path, block, bytes.len())),
        };
        done.expect("the file is there");
        format!("{what} at {offset} of {len} in {}", path.display())
    }

    /// A file, and up to where there is something in it.
    fn draw_file(&mut self, disk: &SimulatedDisk) -> Option<(PathBuf, u64)> {
        let dir = PathBuf::from("/data/version-2");
        let files = disk.list(&dir).ok()?;
        let files: Vec<_> = files.iter().filter(|file| file.len > 0).collect();
        if files.is_empty() {
            return None;
        }
        let file = *self.dice.pick(&files);
        let path = dir.join(&file.name);
        if self.dice.per_mille(100) {
            return Some((path, file.len));
        }
        let content = zooid_storage::read_file(disk, &path, 1 << 24).ok()??;
        let written = content.iter().rposition(|byte| *byte != 0)? + 1;
        Some((path, u64::try_from(written).ok()?))
    }

    /// A damaged member does not go on. That is right if it says what to do.
    pub(super) fn halt(&mut self, at: MemberId, why: &str) {
        self.env.milestone(&format!("member {at} halts: {why}"));
        if !why.contains(REMEDY) {
            let what = format!("member {at}: {why}");
            self.env.complain("a refusal says how to repair", what);
        }
        self.places[at].lot = Lot::Halted;
        let left = (0..self.profile.voters).filter(|at| self.is_wanted(*at));
        if left.count() <= self.profile.voters / 2 {
            // Nobody can go on, and nobody was told anything wrong.
            self.act = Act::Over;
        }
    }
}
