use super::loader::LARGE_LEN;
use super::{Compression, SnapshotError, SnapshotOptions, decode_snapshot};
use crate::disk::{Fault, Survival};
use crate::testing::{Site, apply, content, replica_at, site, tree_options};
use zooid_proto::{Acl, CreateTxn, SessionId, Txn, TxnHeader, Zxid};
use zooid_tree::Replica;

const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Snappy];

fn options(compression: Compression) -> SnapshotOptions {
    SnapshotOptions {
        compression,
        ..SnapshotOptions::default()
    }
}

/// The bytes of a snapshot at `upto`.
fn written(upto: i64, options: &SnapshotOptions) -> Vec<u8> {
    let site = prepared();
    site.snapshot(&mut replica_at(Zxid(upto)), options).unwrap();
    let file = site.snapshots.all().unwrap().remove(0);
    site.read(&file.path)
}

fn prepared() -> Site {
    let site = site();
    site.dirs.prepare(&*site.disk, true).unwrap();
    site
}

#[test]
fn a_snapshot_loads_as_what_was_walked() {
    for compression in COMPRESSIONS {
        let site = prepared();
        // Several blocks of Snappy's 32 KiB.
        let mut replica = replica_at(Zxid(400));
        site.snapshot(&mut replica, &options(compression)).unwrap();
        let file = site.snapshots.newest_valid(1).unwrap().remove(0);
        assert!(
            file.path
                .to_str()
                .unwrap()
                .ends_with(compression.extension())
        );
        assert_eq!(file.zxid, Zxid(400));
        let mut loaded = site.snapshots.load(&file, tree_options()).unwrap();
        assert_eq!(content(&mut loaded.replica), content(&mut replica));
        assert_eq!(loaded.trailer.last_zxid, Some(Zxid(400)));
        let digest = loaded.trailer.digest.unwrap();
        assert_eq!(digest.digest.tree_digest, replica.digest());
        assert_eq!(digest.zxid, Zxid(400));
    }
}

/// A replica whose snapshot is so large that two threads load it.
fn large_replica() -> Replica {
    let mut replica = replica_at(Zxid(400));
    for zxid in 401..=480 {
        let txn = Txn::Create(CreateTxn {
            path: format!("/large-{zxid}"),
            data: Some(vec![u8::try_from(zxid % 251).unwrap(); 70_000].into()),
            acl: vec![Acl::anyone(31)].into(),
            ephemeral: false,
            parent_cversion: -1,
        });
        let header = TxnHeader {
            client_id: SessionId(1),
            cxid: 1,
            zxid: Zxid(zxid),
            time: zxid,
            op: txn.op_code().code(),
        };
        replica.replay(&header, &txn, None);
    }
    replica
}

#[test]
fn a_large_snapshot_loads_as_what_was_walked() {
    let site = prepared();
    let mut replica = large_replica();
    site.snapshot(&mut replica, &SnapshotOptions::default())
        .unwrap();
    let file = site.snapshots.newest_valid(1).unwrap().remove(0);
    assert!(file.len > LARGE_LEN);
    let mut loaded = site.snapshots.load(&file, tree_options()).unwrap();
    assert_eq!(content(&mut loaded.replica), content(&mut replica));
    assert_eq!(loaded.replica.digest(), replica.digest());
    assert_eq!(loaded.trailer.last_zxid, Some(Zxid(480)));
}

/// Wherever the damage is, and whichever of the two threads finds it.
#[test]
fn damage_to_a_large_snapshot_is_found() {
    let site = prepared();
    site.snapshot(&mut large_replica(), &SnapshotOptions::default())
        .unwrap();
    let file = site.snapshots.newest_valid(1).unwrap().remove(0);
    let good = site.read(&file.path);
    let load = |bytes: &[u8]| {
        site.disk.remove(&file.path).unwrap();
        let mut damaged = site.disk.create(&file.path).unwrap();
        damaged.write_at(0, bytes).unwrap();
        site.snapshots.load(&file, tree_options())
    };
    load(&good).unwrap();
    let len = good.len();
    let end_of_data = len - 100;
    for at in (0..2000).step_by(97).chain([len / 3, len / 2, end_of_data]) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        let loaded = load(&bad);
        let is_refused = matches!(loaded, Err(SnapshotError::Damaged { .. }));
        assert!(is_refused, "byte {at}: {loaded:?}");
    }
    for cut in [0, 1000, len / 2, len - 1] {
        assert!(load(&good[..cut]).is_err(), "cut at {cut}");
    }
    // The tree notices before the checksum, with much still to be read.
    let path = b"\0\0\0\x0a/large-401";
    let orphan = b"\0\0\0\x0a/large/401";
    let at = good.windows(path.len()).position(|window| window == path);
    let mut bad = good;
    bad[at.unwrap()..][..path.len()].copy_from_slice(orphan);
    let refused = load(&bad).unwrap_err();
    assert!(refused.to_string().contains("has no parent"), "{refused}");
}

#[test]
fn a_snapshot_is_of_one_moment_though_the_tree_changes_under_it() {
    let site = prepared();
    let mut replica = replica_at(Zxid(600));
    let ticket = site.snapshots.ticket();
    let mut walk = replica.begin_walk();
    let mut next = Zxid(601);
    let mut chunks = 0;
    let written = (site.snapshots).write(
        ticket,
        &mut walk,
        &options(Compression::None),
        &mut |chunk| {
            chunk(&replica);
            for _ in 0..50 {
                apply(&mut replica, next);
                next = next.next();
            }
            chunks += 1;
        },
    );
    let file = written.unwrap();
    assert!(chunks > 0);
    let mut loaded = site.snapshots.load(&file, tree_options()).unwrap();
    assert_eq!(
        content(&mut loaded.replica),
        content(&mut replica_at(Zxid(600)))
    );
}

#[test]
fn sections_are_as_the_options_say() {
    for (digest, last_zxid) in [(true, true), (true, false), (false, false), (false, true)] {
        let options = SnapshotOptions {
            digest,
            last_zxid,
            ..SnapshotOptions::default()
        };
        let summary = decode_snapshot(&written(9, &options), Compression::None).unwrap();
        assert_eq!(summary.trailer.digest.is_some(), digest);
        // Behind no digest, the zxid would be taken for one.
        assert_eq!(summary.trailer.last_zxid.is_some(), digest && last_zxid);
    }
}

/// Right, or refused.
#[test]
fn a_bit_flipped_anywhere_is_found() {
    for compression in COMPRESSIONS {
        let bytes = written(30, &options(compression));
        let good = decode_snapshot(&bytes, compression).unwrap();
        let mut unnoticed = 0;
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                if let Ok(found) = decode_snapshot(&bad, compression) {
                    // Unread: the text of the last seal, gzip's own header.
                    assert_eq!(
                        (found.nodes, found.sessions),
                        (good.nodes, good.sessions),
                        "{at}.{bit}"
                    );
                    assert_eq!(found.trailer, good.trailer, "{at}.{bit}");
                    unnoticed += 1;
                }
            }
        }
        // Compressed, the same content has many forms.
        if compression == Compression::None {
            assert_eq!(unnoticed, 8);
        }
    }
}

#[test]
fn a_snapshot_cut_anywhere_is_refused_or_lacks_only_sections() {
    for compression in COMPRESSIONS {
        let bytes = written(30, &options(compression));
        let good = decode_snapshot(&bytes, compression).unwrap();
        let mut whole = Vec::new();
        for len in 0..bytes.len() {
            if let Ok(found) = decode_snapshot(&bytes[..len], compression) {
                assert_eq!(found.nodes, good.nodes, "{compression:?} cut at {len}");
                whole.push(bytes.len() - len);
            }
        }
        match compression {
            Compression::None => assert_eq!(whole, [54, 21], "behind the first and second seal"),
            Compression::Gzip | Compression::Snappy => assert!(whole.is_empty(), "{whole:?}"),
        }
    }
}

#[test]
fn a_file_gets_its_name_only_when_it_is_whole_and_durable() {
    let calm = prepared();
    calm.snapshot(&mut replica_at(Zxid(40)), &options(Compression::None))
        .unwrap();
    let start = prepared().simulated.operations();
    for at in start..calm.simulated.operations() {
        for fault in [Fault::PowerLoss, Fault::Error] {
            let site = prepared();
            site.simulated.inject(at, fault);
            site.snapshot(&mut replica_at(Zxid(40)), &options(Compression::None))
                .unwrap_err();
            for seed in 0..10 {
                let survivor = Site::new(site.simulated.survivor(Survival::Chosen(seed)));
                for file in survivor.snapshots.all().unwrap() {
                    survivor.snapshots.load(&file, tree_options()).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_full_disk_leaves_no_snapshot_and_room_again() {
    let site = prepared();
    site.simulated.set_capacity(Some(4096));
    let mut replica = replica_at(Zxid(400));
    site.snapshot(&mut replica, &options(Compression::None))
        .unwrap_err();
    assert!(site.names().is_empty());
    site.simulated.set_capacity(None);
    site.snapshot(&mut replica, &options(Compression::None))
        .unwrap();
}

#[test]
fn only_names_and_ends_of_snapshots_make_one_valid() {
    let site = prepared();
    let dir = &site.dirs.snapshots;
    let whole = written(9, &options(Compression::None));
    let squeezed = written(9, &options(Compression::Gzip));
    site.put(&dir.join("snapshot.9"), &whole);
    site.put(&dir.join("snapshot.8"), &whole[..whole.len() - 1]);
    site.put(&dir.join("snapshot.7"), &[0, 0, 0, 1, b'/']);
    site.put(&dir.join("snapshot.6"), b"");
    site.put(&dir.join("snapshot.5.gz"), &squeezed);
    site.put(&dir.join("snapshot.4.gz"), &whole);
    site.put(&dir.join("snapshot.3.foo"), &whole);
    let valid = site.snapshots.newest_valid(100).unwrap();
    let zxids: Vec<i64> = valid.iter().map(|file| file.zxid.0).collect();
    assert_eq!(zxids, [9, 5, 3]);
    assert!(site.disk.exists(&dir.join("snapshot.8")).unwrap());
}

#[test]
fn methods_are_read_in_any_case_and_unknown_ones_mean_none() {
    assert_eq!(Compression::from_method("GZ"), Compression::Gzip);
    assert_eq!(Compression::from_method("snappy"), Compression::Snappy);
    assert_eq!(Compression::from_method("zstd"), Compression::None);
}

proptest::proptest! {
    #[test]
    fn random_bytes_do_no_harm(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        upto in 0_i64..30,
        cut in 0_usize..2000,
    ) {
        for compression in COMPRESSIONS {
            let _ = decode_snapshot(&bytes, compression);
            let mut spliced = written(upto, &options(compression));
            spliced.truncate(cut);
            spliced.extend_from_slice(&bytes);
            let _ = decode_snapshot(&spliced, compression);
        }
    }
}

#[test]
fn a_snapshot_whose_reader_does_not_go_on_leaves_nothing() {
    let site = prepared();
    let mut replica = replica_at(Zxid(600));
    let ticket = site.snapshots.ticket();
    let mut walk = replica.begin_walk();
    let mut chunks = 0;
    let given_up = (site.snapshots).write(
        ticket,
        &mut walk,
        &options(Compression::None),
        &mut |chunk| {
            chunks += 1;
            if chunks < 3 {
                chunk(&replica);
            }
        },
    );
    assert!(
        matches!(given_up, Err(SnapshotError::GivenUp)),
        "{given_up:?}"
    );
    assert_eq!(chunks, 3);
    let left = site.disk.list(&site.dirs.snapshots).unwrap();
    assert!(left.is_empty(), "{left:?}");
}
