use super::*;
use alloc::vec;

fn packets() -> Vec<QuorumPacket> {
    vec![
        QuorumPacket::new(PacketType::Ack, Zxid(0x1_0000_0005)),
        QuorumPacket::with_data(PacketType::Proposal, Zxid(7), vec![1, 2, 3]),
        ForwardedRequest {
            session: SessionId(9),
            cxid: 4,
            op: 1,
            body: Bytes::from_static(b"body"),
            ids: vec![Id::new("ip", "127.0.0.1")].into(),
        }
        .to_packet(),
    ]
}

#[test]
fn null_data_and_null_identities_are_minus_one() {
    let packet = QuorumPacket::new(PacketType::UpToDate, Zxid::NONE);
    let expected = [&[0, 0, 0, 12][..], &[0xff; 16]].concat();
    assert_eq!(packet.to_vec(), expected);
}

#[test]
fn packets_are_found_in_a_stream_wherever_it_is_cut() {
    let stream: Vec<u8> = packets().iter().flat_map(Jute::to_vec).collect();
    for cut in 0..=stream.len() {
        let mut found = Vec::new();
        let mut rest = Bytes::copy_from_slice(&stream[..cut]);
        while let Some((packet, len)) = QuorumPacket::split(&rest, Limit::default()).unwrap() {
            found.push(packet);
            rest = rest.slice(len..);
        }
        assert!(packets().starts_with(&found));
        assert_eq!(found.len() == 3, cut == stream.len());
    }
}

#[test]
fn what_can_be_no_packet_is_an_error_at_once() {
    let unknown = Bytes::from_static(&[0, 0, 0, 99]);
    assert!(QuorumPacket::split(&unknown, Limit::default()).is_err());
    let mut huge = QuorumPacket::new(PacketType::Proposal, Zxid(1)).to_vec();
    huge.splice(12..16, 0x7fff_ffffi32.to_be_bytes());
    assert!(QuorumPacket::split(&Bytes::from(huge), Limit::default()).is_err());
}

#[test]
fn a_forwarded_request_comes_back_as_it_was() {
    let packet = &packets()[2];
    let request = ForwardedRequest::from_packet(packet).unwrap();
    assert_eq!(request.to_packet(), *packet);
    assert_eq!(request.op_code(), Some(OpCode::Create));
    let empty = QuorumPacket::new(PacketType::Request, Zxid::NONE);
    assert!(ForwardedRequest::from_packet(&empty).is_err());
}

#[test]
fn older_learners_tell_less_of_themselves() {
    let whole = LearnerInfo {
        server_id: ServerId(3),
        protocol_version: LearnerInfo::PROTOCOL_VERSION,
        config_version: 5,
    };
    let bytes = whole.to_vec();
    assert_eq!(LearnerInfo::decode_prefix(&bytes), Ok(whole));
    let short = LearnerInfo::decode_prefix(&bytes[..12]).unwrap();
    assert_eq!(
        short,
        LearnerInfo {
            config_version: 0,
            ..whole
        }
    );
    let oldest = LearnerInfo::decode_prefix(&bytes[..8]).unwrap();
    assert_eq!(oldest.protocol_version, 0);
    assert!(LearnerInfo::decode_prefix(&bytes[..7]).is_err());
}

#[test]
fn touches_are_a_plain_sequence() {
    let touch = SessionTouch {
        session: SessionId(1),
        timeout_ms: 5000,
    };
    let data = [touch.to_vec(), touch.to_vec()].concat();
    assert_eq!(decode_touches(&data), Ok(vec![touch, touch]));
    assert!(decode_touches(&data[..13]).is_err());
    assert_eq!(decode_touches(&[]), Ok(vec![]));
}

fn request_of(session: i64, ids: &[Id]) -> QuorumPacket {
    ForwardedRequest {
        session: SessionId(session),
        cxid: 4,
        op: 1,
        body: Bytes::from_static(b"body"),
        ids: ids.into(),
    }
    .to_packet()
}

fn decode_with(decoder: &mut PacketDecoder, packet: &QuorumPacket) -> QuorumPacket {
    let bytes = Bytes::from(packet.to_vec());
    let mut r = Reader::shared(&bytes, Limit::default());
    let decoded = decoder.next(&mut r).unwrap().unwrap();
    assert!(r.is_empty());
    decoded
}

#[test]
fn the_same_identities_are_decoded_once() {
    let mut decoder = PacketDecoder::default();
    let packet = request_of(9, &[Id::new("ip", "127.0.0.1")]);
    let [first, second] = [(); 2].map(|()| decode_with(&mut decoder, &packet).auth.unwrap());
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn whatever_came_before_identities_are_those_of_the_request() {
    let ip = Id::new("ip", "127.0.0.1");
    let longer = Id::new("ip", "127.0.0.12");
    let user = Id::new("digest", "somebody:hash");
    let long = Id::new("digest", &"x".repeat(5000));
    let null = Id {
        scheme: None,
        id: None,
    };
    let lists: [&[Id]; 8] = [
        &[],
        core::slice::from_ref(&ip),
        &[longer],
        &[ip.clone(), user.clone()],
        &[user.clone(), ip.clone()],
        &[user],
        &[long],
        &[null, ip.clone()],
    ];
    let mut decoder = PacketDecoder::default();
    for earlier in lists {
        for later in lists {
            for session in [0, 1, 16] {
                for ids in [earlier, later] {
                    let packet = request_of(session, ids);
                    assert_eq!(decode_with(&mut decoder, &packet), packet);
                }
            }
        }
    }
}

#[test]
fn identities_that_are_known_are_waited_for_all_the_same() {
    let mut decoder = PacketDecoder::default();
    let packet = request_of(9, &[Id::new("ip", "127.0.0.1")]);
    decode_with(&mut decoder, &packet);
    let whole = Bytes::from(packet.to_vec());
    for len in 0..whole.len() {
        let part = whole.slice(..len);
        let mut r = Reader::shared(&part, Limit::default());
        assert_eq!(decoder.next(&mut r), Ok(None));
        assert_eq!(r.rest(), part);
    }
}
