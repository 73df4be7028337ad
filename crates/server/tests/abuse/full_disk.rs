//! A disk that gets full: what stores data is refused, everything else goes on, and nothing is lost.

use crate::bystander::Bystander;
use crate::zooid::{Setup, Zooid};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use zooid_interop::{Session, SmallDisk, anyone};
use zooid_proto::{Acl, CreateMode, ErrorCode, Id, perms};

const DISK_BYTES: u64 = 64 << 20;
const FILLER_BLOCK: usize = 64 << 10;
/// Makes each transaction that sets it a large one.
const LARGE_ACL_BYTES: usize = 100_000;
/// More than fits.
const LARGE_ACLS_MAX: usize = 1000;

/// One that can be filled.
struct Disk(SmallDisk);

impl Disk {
    fn mount(directory: &Path) -> Disk {
        let disk = SmallDisk::mount(directory, &DISK_BYTES.to_string());
        Disk(disk.expect("a small disk"))
    }

    fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("created");
        let block = vec![0; FILLER_BLOCK];
        loop {
            match filler.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn empty(&self) {
        fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

fn setup(directory: &Path) -> Setup {
    Setup::on(directory)
        .config("4lw.commands.whitelist", &"*")
        .property("zookeeper.preAllocSize", &64)
        .property("zookeeper.snapCount", &100)
}

fn wait_until_full(zooid: &Zooid) {
    zooid.wait_for_metric("disk_full", 1.0);
    zooid.wait_for_log("the disk is full");
}

fn assert_refused<T>(result: anyhow::Result<T>) {
    let error = result.err().expect("there is no space");
    let text = format!("{error:#}");
    assert!(text.contains(&ErrorCode::SystemError.to_string()), "{text}");
}

fn create(session: &mut Session, path: &str) -> anyhow::Result<()> {
    session
        .create(path, Some(b"v"), &anyone(), CreateMode::Persistent)
        .map(drop)
}

#[test]
fn full_disk_refuses_what_stores_data_and_nothing_else_until_there_is_space() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = setup(directory.path());
    let disk = Disk::mount(&setup.data_dir());
    let zooid = setup.start();
    let mut bystander = Bystander::arrive(&zooid);
    for _ in 0..50 {
        bystander.write();
    }
    let session = bystander.session();
    for n in 0..1200 {
        create(session, &format!("/old-{n}")).expect("there is space");
    }
    disk.fill();
    wait_until_full(&zooid);
    let session = bystander.session();
    assert_refused(create(session, "/new"));
    assert_refused(session.set_data("/old-0", Some(b"w"), -1));
    let read = session.get_data("/old-0").expect("reads go on");
    assert_eq!(read.data.as_deref(), Some(&b"v"[..]));
    // More than fits into what was preallocated.
    for n in 0..1000 {
        let deleted = session.delete(&format!("/old-{n}"), -1);
        deleted.expect("deletes go on");
    }
    let other = Session::open(zooid.address, 40_000).expect("sessions begin");
    other.close().expect("and end");

    // It starts on the full disk, too.
    zooid.kill();
    let zooid = setup.start();
    wait_until_full(&zooid);
    let mut again = Session::open(zooid.address, 40_000).expect("a session");
    assert_eq!(again.exists("/old-999", false).expect("a reply"), None);
    again.delete("/old-1000", -1).expect("deletes go on");
    assert_refused(create(&mut again, "/new"));
    disk.empty();
    zooid.wait_for_log("the disk has space again");
    create(&mut again, "/new").expect("there is space");
    assert!(zooid.metric("disk_full") < 1.0);
    zooid.kill();

    let zooid = setup.start();
    bystander.leave().assert_on(&zooid);
    let mut last = Session::open(zooid.address, 40_000).expect("a session");
    assert!(last.exists("/new", false).expect("a reply").is_some());
    assert_eq!(last.exists("/old-1000", false).expect("a reply"), None);
    assert!(last.exists("/old-1001", false).expect("a reply").is_some());
}

/// What little is kept can be used up. Then a write fails, and that is final.
#[test]
fn full_disk_without_a_reserve_stops_the_server_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = setup(directory.path());
    let disk = Disk::mount(&setup.data_dir());
    let zooid = setup.start();
    let mut bystander = Bystander::arrive(&zooid);
    bystander.write();
    disk.fill();
    wait_until_full(&zooid);
    let large = Acl {
        perms: perms::READ,
        id: Id {
            scheme: Some("digest".into()),
            id: Some(format!("user:{}", "x".repeat(LARGE_ACL_BYTES)).into()),
        },
    };
    let acl = [anyone(), vec![large]].concat();
    let mut sets = 0;
    while bystander.session().set_acl("/kept-00000", &acl, -1).is_ok() {
        sets += 1;
        assert!(sets < LARGE_ACLS_MAX, "the disk never fails");
    }
    assert!(sets > 10, "there was a reserve");
    let ended = zooid.wait();
    ended.assert_exit_code(1);
    ended.assert_says("the transaction log cannot be written");
    ended.assert_says("No space left on device");

    disk.empty();
    let zooid = setup.start();
    bystander.leave().assert_on(&zooid);
    Bystander::arrive_again(&zooid).assert_unharmed();
}
