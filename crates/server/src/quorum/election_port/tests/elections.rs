//! Whole elections over real sockets.

use super::*;
use zooid_proto::election::{Notification, PeerState};
use zooid_proto::{Epoch, Zxid};
use zooid_zab::{
    Election, ElectionAction, EnsembleSettings, Membership, QuorumVerifier, View, Vote,
};

/// A server that does nothing but elect.
struct Elector {
    server: Server,
    election: Election,
    membership: Membership,
}

impl Elector {
    fn new(me: i64, server: Server, voters: i64) -> Elector {
        let settings = EnsembleSettings {
            me: ServerId(me),
            tick_ms: 2000,
            init_limit: 10,
            sync_limit: 5,
            notification_ms_min: 200,
            notification_ms_max: 60_000,
            force_snapshot_sync: false,
            log_sync: true,
            snap_syncs_max: 10,
            diff_syncs_max: 10,
            counter_max: EnsembleSettings::COUNTER_MAX,
        };
        let voters: BTreeSet<ServerId> = (1..=voters).map(ServerId).collect();
        let observer = !voters.contains(&ServerId(me));
        let view = View {
            version: 0,
            verifier: QuorumVerifier::Majority(voters.clone()),
            voters,
            observers: BTreeSet::new(),
            text: Bytes::from_static(b"version=0"),
        };
        Elector {
            server,
            election: Election::new(&settings, observer),
            membership: Membership::fixed(view),
        }
    }

    /// Looks for a leader until one is elected, and then answers until it is dropped.
    async fn elect(&mut self, last: Zxid) -> Vote {
        let mut out = Vec::new();
        self.election
            .start(now_ms(), &self.membership, last, Epoch(1), &mut out);
        loop {
            for action in out.drain(..) {
                match action {
                    ElectionAction::Send { to, notification } => {
                        self.server.port.send(to, notification.encode());
                    }
                    ElectionAction::Decided(vote) => return vote,
                    // Whoever leads has stopped looking.
                    ElectionAction::Outdone(_) => {}
                }
            }
            let at_ms = self.election.next_wakeup_ms().unwrap();
            let pause = u64::try_from(at_ms - now_ms()).unwrap_or(0);
            tokio::select! {
                votes = self.server.received() => self.hear(votes, &mut out),
                () = tokio::time::sleep(Duration::from_millis(pause)) => {
                    self.election.timer(now_ms(), &self.membership, &mut out);
                }
            }
        }
    }

    fn hear(&mut self, votes: Vec<(i64, Bytes)>, out: &mut Vec<ElectionAction>) {
        for (from, message) in votes {
            let n = Notification::decode(&message).unwrap();
            let from = ServerId(from);
            self.election
                .receive(now_ms(), &self.membership, from, &n, out);
        }
    }

    async fn answer_for_ever(mut self) {
        loop {
            let votes = self.server.received().await;
            let mut out = Vec::new();
            self.hear(votes, &mut out);
            for action in out {
                if let ElectionAction::Send { to, notification } = action {
                    self.server.port.send(to, notification.encode());
                }
            }
        }
    }
}

#[tokio::test]
async fn three_servers_and_an_observer_elect_the_one_with_the_longest_history() {
    let servers = servers(4).await;
    let (told, mut votes) = mpsc::channel(4);
    for (id, server) in servers {
        let told = told.clone();
        let mut elector = Elector::new(id, server, 3);
        tokio::spawn(async move {
            let last = Zxid(if id == 2 { 20 } else { 10 });
            let vote = elector.elect(last).await;
            told.send((id, vote, elector.election.state()))
                .await
                .unwrap();
            elector.answer_for_ever().await;
        });
    }
    for _ in 0..4 {
        let (id, vote, state) = votes.recv().await.unwrap();
        let expected = match id {
            2 => PeerState::Leading,
            4 => PeerState::Observing,
            _ => PeerState::Following,
        };
        assert_eq!((vote.leader, vote.zxid), (ServerId(2), Zxid(20)));
        assert_eq!(state, expected, "server {id}");
    }
}
