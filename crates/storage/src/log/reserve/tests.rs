use super::{DiskSpace, ENOUGH_RESERVES, NAME, RESERVE_LEN};
use crate::log::{TxnLog, decode_log};
use crate::testing::{Site, apply, site, tree_options};
use std::path::Path;
use zooid_proto::Zxid;
use zooid_tree::Replica;

const CAPACITY: u64 = 64 << 20;
const ENOUGH_LEN: u64 = ENOUGH_RESERVES * RESERVE_LEN;

fn site_of(capacity: u64) -> Site {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site.simulated.set_capacity(Some(capacity));
    site
}

fn holds_reserve(site: &Site) -> bool {
    site.disk.exists(&site.dirs.logs.join(NAME)).unwrap()
}

/// Another program takes all but this much of the disk.
fn fill(site: &Site, left: u64) {
    let free = site.disk.available(&site.dirs.logs).unwrap();
    let mut filler = site.disk.create(filler()).unwrap();
    filler.allocate(free - left).unwrap();
}

fn filler() -> &'static Path {
    Path::new("/data/filler")
}

fn write(log: &mut TxnLog, replica: &mut Replica, count: i64) {
    for _ in 0..count {
        let zxid = log.last_appended().next();
        log.append(zxid, &apply(replica, zxid)).unwrap();
        log.commit().unwrap();
    }
}

#[test]
fn a_full_disk_is_seen_before_a_write_fails_and_the_log_goes_on_in_the_reserve() {
    let site = site_of(CAPACITY);
    let mut log = site.log(Zxid::ZERO);
    let mut replica = Replica::new(tree_options());
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Enough);
    assert!(holds_reserve(&site));
    write(&mut log, &mut replica, 3);
    fill(&site, 0);
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Low);

    // More than is preallocated.
    write(&mut log, &mut replica, 500);
    assert!(log.size() > site.options.preallocate);
    assert!(!holds_reserve(&site));
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Low);

    site.disk.remove(filler()).unwrap();
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Enough);
    assert!(holds_reserve(&site));
    write(&mut log, &mut replica, 500);
    let found = decode_log(&site.read(&site.dirs.logs.join("log.1"))).unwrap();
    assert_eq!(found.txns.len(), 1003);
}

#[test]
fn the_reserve_of_an_earlier_life_is_used_by_the_next() {
    let site = site_of(CAPACITY);
    site.log(Zxid::ZERO).look_for_space().unwrap();
    fill(&site, 0);
    let mut log = site.log(Zxid::ZERO);
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Low);
    write(&mut log, &mut Replica::new(tree_options()), 500);
}

#[test]
fn a_little_space_ends_no_shortage() {
    let site = site_of(CAPACITY);
    let mut log = site.log(Zxid::ZERO);
    log.look_for_space().unwrap();
    for (left, expected) in [
        (RESERVE_LEN, DiskSpace::Enough),
        (RESERVE_LEN - 512, DiskSpace::Low),
        (RESERVE_LEN, DiskSpace::Low),
        (ENOUGH_LEN - 512, DiskSpace::Low),
        (ENOUGH_LEN, DiskSpace::Enough),
    ] {
        fill(&site, left);
        assert_eq!(log.look_for_space().unwrap(), expected, "{left}");
        site.disk.remove(filler()).unwrap();
    }
}

/// Nobody would thank for a reserve that fills the disk.
#[test]
fn a_small_disk_gets_no_reserve() {
    let site = site_of(2 * RESERVE_LEN);
    let mut log = site.log(Zxid::ZERO);
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Enough);
    assert!(!holds_reserve(&site));
}

#[test]
fn small_files_are_replaced_on_a_full_disk_and_the_reserve_is_whole_again_later() {
    let site = site_of(CAPACITY);
    let mut log = site.log(Zxid::ZERO);
    log.look_for_space().unwrap();
    let reserve_len = || {
        let path = site.dirs.logs.join(NAME);
        site.disk.open(&path).unwrap().size().unwrap()
    };
    // More often than there are pieces: each replacement gives back what the one before took.
    for n in 0..200_u8 {
        if !site.disk.exists(filler()).unwrap() {
            fill(&site, 0);
        }
        log.spare_room().unwrap();
        let (fresh, name) = (Path::new("/data/fresh"), Path::new("/data/small"));
        let mut file = site.disk.create(fresh).unwrap();
        file.write_at(0, &[n]).unwrap();
        site.disk.rename(fresh, name).unwrap();
    }
    assert!(reserve_len() < RESERVE_LEN);
    assert!(reserve_len() > RESERVE_LEN / 2);
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Low);
    // What is left of it is the log's.
    write(&mut log, &mut Replica::new(tree_options()), 500);

    site.disk.remove(filler()).unwrap();
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Enough);
    assert_eq!(reserve_len(), RESERVE_LEN);
    log.spare_room().unwrap();
    assert_eq!(reserve_len(), RESERVE_LEN, "there is room without it");
}

#[test]
fn a_part_of_the_reserve_is_used_by_the_next_life() {
    let site = site_of(CAPACITY);
    let mut log = site.log(Zxid::ZERO);
    log.look_for_space().unwrap();
    fill(&site, 0);
    log.spare_room().unwrap();
    fill_again(&site);
    let mut log = site.log(Zxid::ZERO);
    assert_eq!(log.look_for_space().unwrap(), DiskSpace::Low);
    write(&mut log, &mut Replica::new(tree_options()), 500);
}

/// Another program takes what is left, too.
fn fill_again(site: &Site) {
    let free = site.disk.available(&site.dirs.logs).unwrap();
    let mut filler = site.disk.create(Path::new("/data/more")).unwrap();
    filler.allocate(free).unwrap();
}
