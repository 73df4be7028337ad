//! Records: what was decoded and encoded again decodes to the same.

use bytes::Bytes;
use std::fmt::Debug;
use zooid_proto::request as q;
use zooid_proto::response as a;
use zooid_proto::{
    Acl, ConnectRequest, ConnectResponse, FileHeader, Jute, Limit, MultiHeader, MultiRead,
    MultiRequest, Reader, ReplyHeader, RequestHeader, Stat, StatPersisted, TxnDigest, TxnHeader,
    TxnRecord, WatcherEvent,
};

/// The first byte chooses the record, the rest is its encoding.
pub fn run(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    match RECORDS.get(usize::from(*choice) % (RECORDS.len() + 1)) {
        Some(check) => check(&body),
        None => check_txn(&body),
    }
}

const RECORDS: &[fn(&Bytes)] = &[
    check::<ConnectRequest>,
    check::<ConnectResponse>,
    check::<RequestHeader>,
    check::<ReplyHeader>,
    check::<MultiHeader>,
    check::<MultiRequest>,
    check::<MultiRead>,
    check::<WatcherEvent>,
    check::<Stat>,
    check::<StatPersisted>,
    check::<FileHeader>,
    check::<TxnHeader>,
    check::<TxnDigest>,
    check::<Vec<Acl>>,
    check::<Vec<String>>,
    check::<Option<String>>,
    check::<Option<Bytes>>,
    check::<q::CreateRequest>,
    check::<q::CreateTtlRequest>,
    check::<q::PathVersion>,
    check::<q::SetDataRequest>,
    check::<q::SetAclRequest>,
    check::<q::ReconfigRequest>,
    check::<q::AuthPacket>,
    check::<q::SetWatches>,
    check::<q::SetWatches2>,
    check::<q::PathOnly>,
    check::<q::GetEphemerals>,
    check::<q::PathKind>,
    check::<a::PathResponse>,
    check::<a::Create2Response>,
    check::<a::GetDataResponse>,
    check::<a::GetAclResponse>,
    check::<a::GetChildren2Response>,
    check::<a::GetEphemeralsResponse>,
    check::<a::WhoAmIResponse>,
    check::<a::SetSaslResponse>,
    check::<a::ErrorResponse>,
];

fn check<T: Jute + PartialEq + Debug>(bytes: &Bytes) {
    let decode = |bytes: &Bytes| T::decode(&mut Reader::shared(bytes, Limit::default()));
    let encode = |value: &T| Bytes::from(value.to_vec());
    stays_the_same(bytes, |bytes| decode(bytes).ok(), encode);
}

fn check_txn(bytes: &Bytes) {
    let decode = |bytes: &Bytes| TxnRecord::decode(bytes).ok();
    stays_the_same(bytes, decode, |txn| Bytes::from(txn.encode()));
}

fn stays_the_same<T: PartialEq + Debug>(
    bytes: &Bytes,
    decode: impl Fn(&Bytes) -> Option<T>,
    encode: impl Fn(&T) -> Bytes,
) {
    let Some(first) = decode(bytes) else {
        return;
    };
    let again = |value: &T| decode(&encode(value)).expect("what was encoded can be decoded");
    let second = again(&first);
    // Characters beyond the first plane are written as Java does, which Java itself cannot read.
    if bytes.iter().all(|byte| *byte < 0xf0) {
        assert_eq!(first, second);
    }
    assert_eq!(second, again(&second));
}
