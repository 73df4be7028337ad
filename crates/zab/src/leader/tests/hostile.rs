//! Whatever arrives on links, in whatever order, the leader goes on.

use super::script::{Script, z};
use crate::LogProbe;
use alloc::vec::Vec;
use proptest::prelude::*;
use zooid_proto::{Jute, LearnerInfo, PacketType, QuorumPacket, ServerId, Zxid};

#[derive(Clone, Debug)]
enum Event {
    Open(u64),
    Close(u64),
    Packet(u64, QuorumPacket),
    Probed(u64, LogProbe),
    Sync(u64),
    Propose,
    Persisted,
    Wait(i64),
}

fn link() -> impl Strategy<Value = u64> {
    3..7u64
}

fn zxid() -> impl Strategy<Value = Zxid> {
    let place = (3..7i64, 0..11i64).prop_map(|(epoch, counter)| z(epoch, counter));
    prop_oneof![8 => place, 1 => any::<i64>().prop_map(Zxid)]
}

/// Anyone but the honest follower.
fn id() -> impl Strategy<Value = i64> {
    prop_oneof![Just(1), 3..10i64]
}

fn data() -> impl Strategy<Value = Option<Vec<u8>>> {
    let info = (
        id(),
        prop_oneof![Just(LearnerInfo::PROTOCOL_VERSION), any::<i32>()],
    )
        .prop_map(|(id, protocol_version)| {
            let info = LearnerInfo {
                server_id: ServerId(id),
                protocol_version,
                config_version: 0,
            };
            info.to_vec()
        });
    let epoch = (-1..7i32).prop_map(|epoch| epoch.to_vec());
    let noise = proptest::collection::vec(any::<u8>(), 0..40);
    proptest::option::weighted(0.9, prop_oneof![4 => info, 4 => epoch, 1 => noise])
}

fn packet() -> impl Strategy<Value = QuorumPacket> {
    let kind = prop_oneof![
        3 => Just(PacketType::FollowerInfo),
        1 => Just(PacketType::ObserverInfo),
        3 => Just(PacketType::AckEpoch),
        6 => Just(PacketType::Ack),
        2 => (1..20i32).prop_filter_map("a type", PacketType::from_code),
    ];
    (kind, zxid(), data()).prop_map(|(kind, zxid, data)| QuorumPacket {
        data: data.map(Into::into),
        ..QuorumPacket::new(kind, zxid)
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => link().prop_map(Event::Open),
        1 => link().prop_map(Event::Close),
        20 => (link(), packet()).prop_map(|(link, packet)| Event::Packet(link, packet)),
        1 => (link(), zxid(), zxid())
            .prop_map(|(link, prev, next)| Event::Probed(link, LogProbe::Found { prev, next })),
        1 => link().prop_map(Event::Sync),
        2 => Just(Event::Propose),
        2 => Just(Event::Persisted),
        2 => (0..100i64).prop_map(Event::Wait),
    ]
}

proptest! {
    /// One honest follower is enough to keep it in office, and nothing that the others say commits
    /// anything out of order (the script's history would not take it).
    #[test]
    fn one_honest_follower_is_enough(events in proptest::collection::vec(event(), 0..120)) {
        let mut script = Script::established(3);
        for event in events {
            match event {
                Event::Open(link) => script.open(link),
                Event::Close(link) => script.close(link),
                Event::Packet(link, packet) => script.packet(link, &packet),
                Event::Probed(link, probe) => script.probed(link, probe),
                Event::Sync(link) => script.sync(link),
                Event::Propose => {
                    script.propose();
                }
                Event::Persisted => script.persisted(script.leader.last_proposed()),
                Event::Wait(ms) => {
                    // With a log that hangs it would not stay in office, whoever is honest.
                    script.persisted(script.leader.last_proposed());
                    script.wait(ms);
                }
            }
            let newest = script.leader.last_proposed();
            script.packet(2, &QuorumPacket::new(PacketType::Ack, newest));
        }
        let newest = script.leader.last_proposed();
        script.persisted(newest);
        prop_assert!(script.leader.is_established());
        prop_assert_eq!(script.leader.last_committed(), newest);
        prop_assert_eq!(script.history.last(), newest);
    }
}
