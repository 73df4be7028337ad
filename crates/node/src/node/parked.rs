//! Links that others have made to this server while nobody leads here: it may be about to.

use std::collections::BTreeMap;
use zooid_proto::QuorumPacket;
use zooid_zab::LinkId;

/// Links kept for the case that this server becomes leader.
const LINKS_MAX: usize = 256;
/// Packets kept of each: a learner sends one and waits.
const PACKETS_MAX: usize = 4;
/// How long one waits for that. Who has decided for this server knows as much as it does, so it decides for itself
/// within Java's 200 ms for late votes, or not at all: it has led already, for less time than it took the other to
/// come, and looks again. A learner would wait for `initLimit`, and so would everybody who needs its vote.
const WAIT_MAX_MS: i64 = 500;

pub(super) const MUST_WAIT: &str = "a learner must wait for its leader";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Parked {
    links: BTreeMap<LinkId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since_ms: i64,
    packets: Vec<QuorumPacket>,
}

impl Parked {
    /// A link has been made. An error says why it must end.
    pub(super) fn add(&mut self, link: LinkId, now_ms: i64) -> Result<(), &'static str> {
        if self.links.len() >= LINKS_MAX {
            return Err("too many servers wait for an election");
        }
        let waiting = Waiting {
            since_ms: now_ms,
            packets: Vec::new(),
        };
        self.links.insert(link, waiting);
        Ok(())
    }

    /// Something has come on a link, which may be of an earlier role. An error says why it must end.
    pub(super) fn keep(&mut self, link: LinkId, packet: QuorumPacket) -> Result<(), &'static str> {
        let Some(waiting) = self.links.get_mut(&link) else {
            return Ok(());
        };
        if waiting.packets.len() >= PACKETS_MAX {
            return Err(MUST_WAIT);
        }
        waiting.packets.push(packet);
        Ok(())
    }

    pub(super) fn contains(&self, link: LinkId) -> bool {
        self.links.contains_key(&link)
    }

    pub(super) fn remove(&mut self, link: LinkId) {
        self.links.remove(&link);
    }

    pub(super) fn clear(&mut self) {
        self.links.clear();
    }

    /// All of them, each with what has come on it, for the leader that this server has become.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (LinkId, Vec<QuorumPacket>)> + use<> {
        let links = std::mem::take(&mut self.links).into_iter();
        links.map(|(link, waiting)| (link, waiting.packets))
    }

    /// Those that have waited for too long, which must end.
    pub(super) fn take_overdue(&mut self, now_ms: i64) -> Vec<LinkId> {
        let overdue = self
            .links
            .extract_if(.., |_, waiting| waiting.due_ms() <= now_ms);
        overdue.map(|(link, _)| link).collect()
    }

    /// When [`Parked::take_overdue`] is to be asked next.
    pub(super) fn next_due_ms(&self) -> Option<i64> {
        self.links.values().map(Waiting::due_ms).min()
    }
}

impl Waiting {
    fn due_ms(&self) -> i64 {
        self.since_ms + WAIT_MAX_MS
    }
}

#[cfg(test)]
mod tests {
    use super::{LINKS_MAX, LinkId, PACKETS_MAX, Parked, WAIT_MAX_MS};
    use zooid_proto::{PacketType, QuorumPacket, Zxid};

    fn packet() -> QuorumPacket {
        QuorumPacket::new(PacketType::FollowerInfo, Zxid(0))
    }

    #[test]
    fn each_waits_for_as_long_and_no_longer() {
        let mut parked = Parked::default();
        assert_eq!(parked.next_due_ms(), None);
        parked.add(LinkId(2), 1000).unwrap();
        parked.add(LinkId(4), 1100).unwrap();
        assert_eq!(parked.next_due_ms(), Some(1000 + WAIT_MAX_MS));
        assert_eq!(parked.take_overdue(999 + WAIT_MAX_MS), []);
        assert_eq!(parked.take_overdue(1000 + WAIT_MAX_MS), [LinkId(2)]);
        assert!(!parked.contains(LinkId(2)) && parked.contains(LinkId(4)));
        assert_eq!(parked.next_due_ms(), Some(1100 + WAIT_MAX_MS));
    }

    #[test]
    fn what_has_come_is_there_in_order_and_bounded() {
        let mut parked = Parked::default();
        parked.keep(LinkId(2), packet()).unwrap();
        assert!(!parked.contains(LinkId(2)), "of an earlier role");
        parked.add(LinkId(2), 0).unwrap();
        for _ in 0..PACKETS_MAX {
            parked.keep(LinkId(2), packet()).unwrap();
        }
        assert!(parked.keep(LinkId(2), packet()).is_err());
        let taken: Vec<_> = parked.take().collect();
        assert_eq!(taken, [(LinkId(2), vec![packet(); PACKETS_MAX])]);
        for number in 0..LINKS_MAX {
            parked.add(LinkId(number.try_into().unwrap()), 0).unwrap();
        }
        assert!(parked.add(LinkId(9999), 0).is_err());
    }
}
