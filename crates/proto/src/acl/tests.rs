use super::*;
use alloc::vec;
use zooid_jute::Limit;

fn decoded(bytes: &[u8]) -> Result<AclList, DecodeError> {
    AclList::decode(&mut Reader::new(bytes, Limit::default()))
}

#[test]
fn the_open_list_is_one_however_it_is_made() {
    let entries = vec![Acl::anyone(perms::ALL)];
    let encoded = Jute::to_vec(&entries);
    for list in [
        AclList::from(entries.as_slice()),
        AclList::from(entries),
        decoded(&encoded).unwrap(),
    ] {
        assert!(list.is_open());
        assert_eq!(list, AclList::OPEN);
        assert_eq!(Jute::to_vec(&list), encoded);
        assert_eq!(*list, [Acl::anyone(perms::ALL)]);
    }
}

#[test]
fn lists_that_only_resemble_it_are_others() {
    for entries in [
        vec![],
        vec![Acl::anyone(perms::READ)],
        vec![Acl::new(perms::ALL, "world", "anyone2")],
        vec![Acl::anyone(perms::ALL), Acl::anyone(perms::ALL)],
        vec![Acl::anyone(perms::ALL), Acl::new(perms::READ, "ip", "::1")],
    ] {
        let list = AclList::from(entries.clone());
        assert!(!list.is_open(), "{entries:?}");
        assert_eq!(*list, *entries);
        let encoded = Jute::to_vec(&entries);
        assert_eq!(Jute::to_vec(&list), encoded);
        assert_eq!(decoded(&encoded).unwrap(), list);
    }
}

#[test]
fn a_cut_list_is_refused() {
    let encoded = Jute::to_vec(&AclList::OPEN);
    for len in 0..encoded.len() {
        assert!(decoded(&encoded[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn what_follows_the_open_list_is_left() {
    let mut encoded = Jute::to_vec(&AclList::OPEN);
    encoded.extend([1, 2, 3]);
    let mut r = Reader::new(&encoded, Limit::default());
    assert_eq!(AclList::decode(&mut r), Ok(AclList::OPEN));
    assert_eq!(r.rest(), [1, 2, 3]);
}
