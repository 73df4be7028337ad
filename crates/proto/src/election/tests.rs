use super::*;
use alloc::string::ToString;
use alloc::vec;

fn notification() -> Notification {
    Notification {
        state: PeerState::Leading,
        leader: ServerId(3),
        zxid: Zxid(0x5_0000_0007),
        round: 9,
        peer_epoch: Epoch(6),
        version: 2,
        config: Some(Bytes::from_static(b"version=0")),
    }
}

/// The first `len` bytes of a notification, with `version` in its place.
fn prefix(len: usize, version: i32) -> Bytes {
    let mut bytes = notification().encode().to_vec();
    bytes[36..40].copy_from_slice(&version.to_be_bytes());
    bytes.truncate(len);
    bytes.into()
}

#[test]
fn the_layout_is_that_of_zookeeper() {
    let mut expected = vec![0, 0, 0, 2];
    for number in [3_i64, 0x5_0000_0007, 9, 6] {
        expected.extend_from_slice(&number.to_be_bytes());
    }
    expected.extend_from_slice(&[0, 0, 0, 2, 0, 0, 0, 9]);
    expected.extend_from_slice(b"version=0");
    assert_eq!(notification().encode(), expected);
    assert_eq!(Notification::decode(&expected.into()), Ok(notification()));
}

#[test]
fn the_oldest_form_has_no_epoch_and_takes_that_of_the_zxid() {
    let read = Notification::decode(&prefix(28, 2)).unwrap();
    assert_eq!(read.peer_epoch, Epoch(5));
    assert_eq!((read.version, read.config), (0, None));
}

#[test]
fn forty_bytes_count_as_version_0_whatever_they_say() {
    for version in [0, 1, 2] {
        let read = Notification::decode(&prefix(40, version)).unwrap();
        assert_eq!(read.peer_epoch, Epoch(6));
        assert_eq!((read.version, read.config), (0, None));
    }
}

#[test]
fn a_config_is_read_from_version_2_on() {
    let read = Notification::decode(&prefix(53, 1)).unwrap();
    assert_eq!((read.version, read.config), (1, None));
    let read = Notification::decode(&prefix(53, 3)).unwrap();
    assert_eq!(read.version, 3);
    assert_eq!(read.config.as_deref(), Some(&b"version=0"[..]));
}

#[test]
fn other_lengths_are_errors() {
    for len in (0..28).chain(29..40).chain(41..53) {
        let read = Notification::decode(&prefix(len, 2));
        assert!(read.is_err(), "{len} bytes were read as {read:?}");
    }
}

#[test]
fn the_config_may_not_claim_more_than_there_is() {
    for claimed in [-1, -2, i32::MIN, 10, i32::MAX] {
        let mut bytes = notification().encode().to_vec();
        bytes[40..44].copy_from_slice(&claimed.to_be_bytes());
        assert!(Notification::decode(&bytes.into()).is_err(), "{claimed}");
    }
}

#[test]
fn a_sender_in_no_known_state_is_an_error() {
    let mut bytes = notification().encode().to_vec();
    bytes[3] = 4;
    assert!(Notification::decode(&bytes.into()).is_err());
}

fn address(host: &str, port: u16) -> ElectionAddress {
    ElectionAddress {
        host: host.into(),
        port,
    }
}

fn introduction(version: i64, from: i64, text: &str) -> Vec<u8> {
    let mut bytes = version.to_be_bytes().to_vec();
    bytes.extend_from_slice(&from.to_be_bytes());
    bytes.extend_from_slice(&i32::try_from(text.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[test]
fn an_initial_message_is_written_as_zookeeper_does() {
    let message = InitialMessage {
        from: ServerId(7),
        addresses: vec![address("one", 3888), address("::1", 3889)],
    };
    assert_eq!(
        message.encode_one_address(),
        introduction(-65536, 7, "one:3888")
    );
    assert_eq!(
        message.encode_many_addresses(),
        introduction(-65535, 7, "one:3888|[::1]:3889")
    );
}

#[test]
fn an_initial_message_of_any_version_is_read() {
    let bare = 7_i64.to_be_bytes();
    let (message, len) = InitialMessage::split(&bare).unwrap().unwrap();
    assert_eq!((message.from, len), (ServerId(7), 8));
    assert_eq!(message.addresses, []);
    for version in [-65536, -65535] {
        let mut bytes = introduction(version, 7, "one:1|[::1]:2|0.0.0.0:3|[::]:4");
        let whole = bytes.len();
        bytes.extend_from_slice(b"the first message");
        let (message, len) = InitialMessage::split(&bytes).unwrap().unwrap();
        assert_eq!((message.from, len), (ServerId(7), whole));
        assert_eq!(message.addresses, [address("one", 1), address("::1", 2)]);
    }
}

#[test]
fn an_initial_message_is_waited_for_until_it_is_whole() {
    let bytes = introduction(-65536, 7, "one:3888");
    for len in 0..bytes.len() {
        assert_eq!(InitialMessage::split(&bytes[..len]), Ok(None), "{len}");
    }
}

#[test]
fn a_bad_initial_message_is_refused_as_soon_as_it_is_known() {
    use InitialMessageError::{UnknownVersion, UnreasonableLength};
    let version = (-65534_i64).to_be_bytes();
    assert_eq!(InitialMessage::split(&version), Err(UnknownVersion(-65534)));
    for claimed in [-1, -7, 0, 2049, i32::MAX] {
        let mut bytes = introduction(-65536, 7, "");
        bytes[16..].copy_from_slice(&claimed.to_be_bytes());
        assert_eq!(
            InitialMessage::split(&bytes),
            Err(UnreasonableLength(claimed))
        );
    }
    for text in [
        "host",
        "host:",
        "host:x",
        "host:65536",
        ":1",
        "[::1",
        "[::1]1",
        "a:1|",
        "a:1:2",
    ] {
        let error = InitialMessage::split(&introduction(-65536, 7, text)).unwrap_err();
        assert!(error.to_string().starts_with("badly formed"), "{text}");
    }
}
