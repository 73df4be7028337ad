//! Snapshots and purges: threads at work for long, while everything else goes on.

use super::World;
use crate::cluster::schedule::{Event, MemberId, Turn};
use std::sync::Arc;
use zooid_storage::{SnapshotOptions, purge};

/// Snapshots that a purge keeps, the least there may be.
const SNAPSHOTS_KEPT: usize = 3;
/// How many such threads are at work at the same time, at most.
const DEPTH_MAX: usize = 2;
/// Events that happen between two steps of such a thread, at most.
const EVENTS_BETWEEN_MAX: u64 = 12;

impl World {
    /// The walk was begun before; between its chunks anything may happen, also to its replica.
    pub(super) fn snapshot(&mut self, at: MemberId) {
        let Some(member) = self.places[at].living() else {
            return;
        };
        let Some((ticket, mut walk)) = member.walk.take() else {
            return;
        };
        let snapshots = Arc::clone(&member.site.snapshots);
        let incarnation = member.incarnation;
        member.upkeep += 1;
        let options = SnapshotOptions::default();
        let written = snapshots.write(ticket, &mut walk, &options, &mut |visit| {
            self.interleave(at);
            if let Some(member) = &self.places[at].member
                && member.incarnation == incarnation
            {
                visit(&member.replica);
            }
        });
        let line = format!(
            "member {at} has written a snapshot of {}: {:?}",
            walk.zxid(),
            written.map(|_| ())
        );
        self.env.milestone(&line);
        if let Some(member) = &mut self.places[at].member {
            member.upkeep -= 1;
        }
        self.notice_power(at);
    }

    pub(super) fn purge(&mut self, at: MemberId) {
        let interval_us = self.profile.purge_interval_us;
        let Some(member) = self.places[at].living() else {
            return;
        };
        let (life, site) = (member.life, member.site.clone());
        member.upkeep += 1;
        self.env
            .after(interval_us, Event::Member(at, life, Turn::Purge));
        let (disk, dirs, snapshots) = (&*site.disk, &site.dirs, &*site.snapshots);
        let purged = purge(disk, dirs, snapshots, SNAPSHOTS_KEPT, &mut |_| {
            self.interleave(at);
        });
        if !matches!(purged, Ok(0)) {
            let line = format!("member {at} has purged: {purged:?}");
            self.env.milestone(&line);
        }
        if let Some(member) = &mut self.places[at].member {
            member.upkeep -= 1;
        }
        self.notice_power(at);
    }

    /// Lets a few other things happen in the middle of a long one, as other threads and machines would.
    fn interleave(&mut self, at: MemberId) {
        if self.depth == DEPTH_MAX {
            return;
        }
        self.depth += 1;
        for _ in 0..self.dice.below(EVENTS_BETWEEN_MAX) {
            let has_ended = self.places[at].living().is_none();
            if has_ended || self.is_over() {
                break;
            }
            let Some((time_us, event)) = self.env.schedule.next() else {
                break;
            };
            self.env.now_us = self.env.now_us.max(time_us);
            self.handle(event);
        }
        self.depth -= 1;
    }

    /// The disk may have gone while a thread was at it that does not care.
    fn notice_power(&mut self, at: MemberId) {
        if let Some(member) = &mut self.places[at].member {
            member.notice_power();
        }
    }
}
