use super::{Borders, Watermark, WatermarkFile, lower, settle, store};
use crate::disk::{Disk, SimulatedDisk, Survival};
use crate::testing::{Site, site};
use zooid_proto::Zxid;

fn borders(pairs: &[(i64, i64)]) -> Borders {
    let mut borders = Borders::default();
    for (previous, next) in pairs {
        borders.note(Zxid(*previous), Zxid(*next));
    }
    borders
}

fn ready() -> Site {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site
}

fn read(site: &Site) -> Option<Watermark> {
    Watermark::read(&*site.disk, &site.dirs).unwrap()
}

fn upto(site: &Site) -> Option<i64> {
    read(site).map(|watermark| watermark.upto.0)
}

#[test]
fn what_is_stored_is_read() {
    let site = ready();
    assert_eq!(read(&site), None);
    let watermark = Watermark {
        upto: Zxid(0x2_0000_0005),
        borders: borders(&[(0x1_0000_0009, 0x2_0000_0001)]),
    };
    store(&*site.disk, &site.dirs, watermark.clone()).unwrap();
    assert_eq!(read(&site), Some(watermark));
}

#[test]
fn only_borders_of_epochs_are_noted_and_the_newest_are_kept() {
    let noted = borders(&[(1, 2), (7, 0x1_0000_0001)]);
    assert_eq!(noted.before(Zxid(2)), None);
    assert_eq!(noted.before(Zxid(0x1_0000_0001)), Some(Zxid(7)));
    let many: Vec<(i64, i64)> = (0..500)
        .map(|epoch| (epoch << 32 | 3, (epoch + 1) << 32 | 1))
        .collect();
    let kept = borders(&many);
    assert_eq!(kept.before(Zxid(1 << 32 | 1)), None);
    assert_eq!(kept.before(Zxid(500 << 32 | 1)), Some(Zxid(499 << 32 | 3)));
    let site = ready();
    let watermark = Watermark {
        upto: Zxid(1),
        borders: kept,
    };
    store(&*site.disk, &site.dirs, watermark.clone()).unwrap();
    assert_eq!(read(&site), Some(watermark));
}

/// Whatever a single fault hits, what is left is the newest or the one before.
#[test]
fn a_spoiled_slot_leaves_the_other() {
    let site = ready();
    store(&*site.disk, &site.dirs, Watermark::default()).unwrap();
    let mut file = WatermarkFile::open(&*site.disk, &site.dirs)
        .unwrap()
        .unwrap();
    file.advance(Zxid(6), &Borders::default()).unwrap();
    file.advance(Zxid(7), &Borders::default()).unwrap();
    let path = Watermark::path(&site.dirs);
    for slot in [0, 4096] {
        for offset in (slot..slot + 40).step_by(3) {
            site.simulated.flip_bit(&path, offset, 5).unwrap();
            assert!(matches!(upto(&site), Some(6 | 7)), "{:?}", upto(&site));
            site.simulated.flip_bit(&path, offset, 5).unwrap();
        }
    }
    assert_eq!(upto(&site), Some(7));
    site.simulated.flip_bit(&path, 9, 0).unwrap();
    site.simulated.flip_bit(&path, 4096 + 9, 0).unwrap();
    assert_eq!(upto(&site), None);
}

#[test]
fn after_a_loss_of_power_it_says_no_more_than_it_was_told() {
    for seed in 0..200 {
        let site = ready();
        let said = |upto| Watermark {
            upto: Zxid(upto),
            borders: Borders::default(),
        };
        store(&*site.disk, &site.dirs, said(9)).unwrap();
        lower(&*site.disk, &site.dirs, Zxid(4)).unwrap();
        let mut file = WatermarkFile::open(&*site.disk, &site.dirs)
            .unwrap()
            .unwrap();
        for upto in 5..8 {
            file.advance(Zxid(upto), &Borders::default()).unwrap();
        }
        let survivor = Site::new(site.simulated.survivor(Survival::Chosen(seed)));
        let found = upto(&survivor);
        assert!(found.is_none_or(|upto| (4..8).contains(&upto)), "{found:?}");
    }
}

#[test]
fn lowering_never_raises_and_settling_says_what_is() {
    let site = ready();
    let watermark = Watermark {
        upto: Zxid(0x2_0000_0005),
        borders: borders(&[(9, 0x1_0000_0001), (0x1_0000_0009, 0x2_0000_0001)]),
    };
    store(&*site.disk, &site.dirs, watermark).unwrap();
    lower(&*site.disk, &site.dirs, Zxid(0x3_0000_0000)).unwrap();
    assert_eq!(upto(&site), Some(0x2_0000_0005));
    lower(&*site.disk, &site.dirs, Zxid(0x1_0000_0007)).unwrap();
    let lowered = Watermark {
        upto: Zxid(0x1_0000_0007),
        borders: borders(&[(9, 0x1_0000_0001)]),
    };
    assert_eq!(read(&site), Some(lowered));
    settle(&*site.disk, &site.dirs, Zxid(0x5_0000_0007)).unwrap();
    assert_eq!(upto(&site), Some(0x5_0000_0007));
}

#[test]
fn a_full_disk_does_without() {
    let site = ready();
    site.simulated.set_capacity(Some(0));
    store(&*site.disk, &site.dirs, Watermark::default()).unwrap();
    assert!(SimulatedDisk::exists(&site.simulated, &site.dirs.snapshots).unwrap());
}
