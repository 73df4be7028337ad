//! What is known of each fault.

use super::Mutant;

/// Which simulation has to find a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulation {
    /// Of an ensemble.
    Ensemble,
    /// Of one server.
    Server,
}

/// A fault in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is done wrong.
    pub what: &'static str,
    /// What comes of it, if nobody notices.
    pub outcome: &'static str,
    /// Where it is committed: the crate and the file, or the driver.
    pub place: &'static str,
    /// Who has to find it.
    pub simulation: Simulation,
}

impl Mutant {
    /// What is known of it.
    #[must_use]
    pub fn fault(self) -> Fault {
        use Simulation::{Ensemble, Server};
        let row = |what, outcome, place, simulation| Fault {
            what,
            outcome,
            place,
            simulation,
        };
        match self {
            Mutant::CountsWrongQuorum => row(
                "One vote more is counted than there is.",
                "Two members decide for five, and others differently.",
                "zab, quorum.rs",
                Ensemble,
            ),
            Mutant::Zk3911 => row(
                "NEWLEADER is acknowledged before the history that it closes is on the disk.",
                "Clients read what a quorum of disks does not have; a crash takes it back.",
                "zab, learner/synchronization.rs",
                Ensemble,
            ),
            Mutant::Zk4643 => row(
                "`currentEpoch` is written before the history that goes with it.",
                "A member without that history wins an election, and its followers cut it off.",
                "zab, learner/synchronization.rs; driver: past the log's queue",
                Ensemble,
            ),
            Mutant::Zk4646 => row(
                "The epoch is entered, and NEWLEADER acknowledged, while the log still has the history in its queue.",
                "As with ZOOKEEPER-3911, by another way.",
                "zab, learner/synchronization.rs; driver: past the log's queue",
                Ensemble,
            ),
            Mutant::Zk4685 => row(
                "Acknowledgements of proposals leave before that of NEWLEADER.",
                "The leader takes the one for the other, and the quorum falls apart.",
                "zab, learner/synchronization.rs",
                Ensemble,
            ),
            Mutant::Zk4394 => row(
                "What is pending when NEWLEADER comes is forgotten; its COMMIT comes later.",
                "A follower stops, or leaves a transaction out.",
                "zab, learner/history.rs",
                Ensemble,
            ),
            Mutant::Zk4785 => row(
                "What the log's queue holds when UPTODATE comes is lost.",
                "A transaction is missing after a restart.",
                "driver, member/quorum.rs",
                Ensemble,
            ),
            Mutant::Zk4925 => row(
                "What is applied during synchronisation is not kept for learners.",
                "A later leader's DIFF has a hole.",
                "node, node/peer.rs; zab, history.rs",
                Ensemble,
            ),
            Mutant::Zk4712 => row(
                "A role ends, and the next begins, while the log's queue still holds the old role's transactions.",
                "They reach the log behind those of a later epoch.",
                "node, node/peer.rs",
                Ensemble,
            ),
            Mutant::Zk3642 => row(
                "A received snapshot is the database before it is on the disk.",
                "The next leader sends a DIFF from where the disk has never been.",
                "driver, member/storage.rs",
                Ensemble,
            ),
            Mutant::Zk5094 => row(
                "The end of a truncation whose leader has gone meanwhile is ignored.",
                "The member speaks for a history that its disk no longer has.",
                "node, node/peer.rs",
                Ensemble,
            ),
            Mutant::Zk4882 => row(
                "A write that failed is passed over, and the log goes on behind it.",
                "The log has a hole, which the next start finds.",
                "storage, log/writer.rs; driver, member/storage.rs",
                Ensemble,
            ),
            Mutant::Zk3104 => row(
                "A snapshot for a learner holds effects of transactions that come behind NEWLEADER.",
                "The learner believes to be complete, and is at no point of the history.",
                "tree, walk.rs",
                Ensemble,
            ),
            Mutant::Zk2845 => row(
                "A tail that the leader does not have is taken for a part of its history.",
                "One member keeps a transaction that nobody else has.",
                "zab, leader/sync.rs",
                Ensemble,
            ),
            Mutant::Zk2846 => row(
                "A DIFF is sent from a log that is not known to begin where the learner ends.",
                "The learner misses what only a snapshot of the leader's holds.",
                "driver, log_reader.rs (as server, quorum/log_history.rs)",
                Ensemble,
            ),
            Mutant::Zk4837 => row(
                "Snapshots from beyond the cut survive a truncation.",
                "What was cut off is back: a deleted ephemeral, for one.",
                "storage, log/truncate.rs",
                Ensemble,
            ),
            Mutant::Zk2355 => row(
                "A follower that is being synchronised has not read the end of a session, and goes on.",
                "Its ephemerals stay on this member for ever.",
                "driver, member/core.rs",
                Ensemble,
            ),
            Mutant::Zk1675 => row(
                "A sync() is answered without proof that the leader leads still.",
                "Who reads behind it misses what another leader's clients know.",
                "zab, leader/confirmation.rs",
                Ensemble,
            ),
            Mutant::Zk4306 => row(
                "A session is closed with more ephemerals than fit into a transaction.",
                "Nobody can read that transaction: members neither follow nor start again.",
                "node, prep.rs",
                Ensemble,
            ),
            Mutant::AcknowledgesBeforeSync => row(
                "The log says that it has synced when it has written.",
                "What was acknowledged is gone with the power.",
                "driver, member/storage.rs",
                Ensemble,
            ),
            Mutant::LosesTruncation => row(
                "TRUNC is answered, and the log left as it is.",
                "Two histories in one log.",
                "driver, member/storage.rs",
                Ensemble,
            ),
            Mutant::ReordersAcknowledgements => row(
                "Of two acknowledgements of proposals the second leaves first.",
                "A leader that counts each by itself commits out of order.",
                "driver, member/quorum.rs",
                Ensemble,
            ),
            Mutant::Zk3127 => row(
                "The zxid moves within a multi, where a snapshot begins.",
                "Half a multi is replayed.",
                "driver, server/core.rs",
                Server,
            ),
            Mutant::Zk3144 => row(
                "A snapshot's zxid is that of a session which is not in it.",
                "The session is lost, and its ephemerals with it.",
                "driver, server/core.rs",
                Server,
            ),
            Mutant::TellsBeforeSync => row(
                "The log says that it has synced when it has written.",
                "What was acknowledged is gone with the power.",
                "driver, server/log.rs",
                Server,
            ),
            Mutant::AppliesHalfMultis => row(
                "A failed multi is applied up to where it failed.",
                "Half a multi is seen.",
                "driver, server/core.rs",
                Server,
            ),
            Mutant::ForgetsToRollBack => row(
                "A restart keeps what was proposed and not yet durable.",
                "It is gone after the next.",
                "driver, world/death.rs",
                Server,
            ),
            Mutant::TellsEventsLate => row(
                "Events are told after the next replies instead of before.",
                "A client reads what it does not know to have changed.",
                "driver, server/core.rs",
                Server,
            ),
            Mutant::NeverSyncsNames => row(
                "New names are never synced.",
                "Logs are gone with the power.",
                "driver, server.rs",
                Server,
            ),
            Mutant::PurgesTooMuch => row(
                "Logs go although no snapshot replaces them.",
                "The server does not start.",
                "driver, world/turns.rs",
                Server,
            ),
            Mutant::LeavesEphemerals => row(
                "An expired session's nodes are forgotten.",
                "Ephemerals outlive their sessions.",
                "driver, server/core.rs",
                Server,
            ),
        }
    }
}
