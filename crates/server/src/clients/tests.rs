use super::*;

fn from(ip: [u8; 4]) -> SocketAddr {
    SocketAddr::from((ip, 40_000))
}

#[test]
fn each_address_has_its_own_allowance() {
    let desk = Arc::default();
    let clients = Clients::new(2, 0);
    let first = clients.add(from([127, 0, 0, 1]), &desk).unwrap();
    clients.add(from([127, 0, 0, 1]), &desk).unwrap();
    assert!(matches!(
        clients.add(from([127, 0, 0, 1]), &desk),
        Err(Rejected::PerIp { max: 2, .. })
    ));
    clients.add(from([127, 0, 0, 2]), &desk).unwrap();
    clients.remove(&first);
    clients.remove(&first);
    clients.add(from([127, 0, 0, 1]), &desk).unwrap();
    assert_eq!(clients.len(), 3);
}

#[test]
fn the_total_is_limited_too_and_ids_are_not_reused() {
    let desk = Arc::default();
    let clients = Clients::new(0, 1);
    let first = clients.add(from([127, 0, 0, 1]), &desk).unwrap();
    assert!(matches!(
        clients.add(from([127, 0, 0, 2]), &desk),
        Err(Rejected::Total { max: 1 })
    ));
    clients.remove(&first);
    let second = clients.add(from([127, 0, 0, 2]), &desk).unwrap();
    assert_ne!(first.id, second.id);
    assert!(clients.get(first.id).is_none());
    assert!(clients.get(second.id).is_some());
}
