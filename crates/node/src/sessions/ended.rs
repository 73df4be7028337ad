//! Sessions that have ended, for as long as somebody may still ask for something in their name.

use std::collections::{BTreeSet, VecDeque};
use zooid_proto::SessionId;

/// As many as end while a learner that is not given up is behind: seconds of nothing else, at a leader's best.
/// Who is still heard of after so many others is taken for a session that never was everybody's, as in
/// ZooKeeper.
const ENDED_MAX: usize = 1 << 16;

/// The last sessions that have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    ids: BTreeSet<SessionId>,
    /// Oldest first.
    order: VecDeque<SessionId>,
}

impl Ended {
    pub(super) fn insert(&mut self, id: SessionId) {
        if !self.ids.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > ENDED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, id: SessionId) -> bool {
        self.ids.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut ended = Ended::default();
        let ids = 1..=i64::try_from(ENDED_MAX).expect("it is small") + 1;
        for id in ids.clone().map(SessionId) {
            ended.insert(id);
            ended.insert(id);
        }
        assert!(!ended.contains(SessionId(1)));
        assert!(ids.skip(1).all(|id| ended.contains(SessionId(id))));
        assert_eq!(ended.ids.len(), ended.order.len());
    }
}
