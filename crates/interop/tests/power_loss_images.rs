//! Disks as the power leaves them, found by the simulated crashes of `zooid-sim` and accepted by Zooid:
//! Debian's ZooKeeper 3.8.0 finds the same on them, or fails where it is known to.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zooid_interop::{Kind, Options, SUPER_DIGEST, Server, Session, TreeDump, java_program};
use zooid_sim::power_loss::{self, Image};

/// Of so many crash points, one is given to ZooKeeper.
const INTERVAL: u64 = 97;
/// Lives that the crashes are of. Some keep their logs and snapshots compressed, or apart.
const LIVES: u64 = 6;
const IMAGES_MIN: usize = 60;
/// On so many of them, a whole server is started, of either kind.
const SERVERS: usize = 3;

fn images() -> Vec<Image> {
    let mut images = Vec::new();
    for seed in 0..LIVES {
        let options = power_loss::Options { seed, survivors: 4 };
        images.extend(power_loss::images(options, INTERVAL).expect("Zooid accepts all of them"));
    }
    assert!(images.len() >= IMAGES_MIN, "{} images", images.len());
    images
}

fn lay_out(files: &[(PathBuf, Vec<u8>)], directory: &Path) {
    fs::create_dir_all(directory.join("version-2")).expect("a directory");
    for (path, content) in files {
        fs::write(directory.join(path), content).expect("written");
    }
}

/// What ZooKeeper says to each of these directories.
fn load(directories: &[PathBuf]) -> Vec<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/LoadDirectories.java");
    let arguments: Vec<OsString> = directories.iter().map(OsString::from).collect();
    let printed = java_program(&program, &arguments).expect("a program");
    let lines: Vec<String> = printed.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), directories.len(), "{printed}");
    lines
}

fn found_by_zooid(image: &Image) -> String {
    format!("loaded {} {}", image.last_zxid, image.digest)
}

/// It fails where Zooid reads on: at an unfinished batch that lost a sector inside, and at a newest file of
/// which nothing but its name was durable, or its name and its length.
fn is_known_fault(line: &str) -> bool {
    let known = [
        "CRC check failed",
        "java.io.EOFException",
        "has invalid magic number 0 ",
    ];
    known.iter().any(|words| line.contains(words))
}

#[test]
fn zookeeper_finds_the_same_after_zooids_recovery() {
    let place = TempDir::new().expect("a directory");
    let images = images();
    let directories: Vec<PathBuf> = (0..images.len())
        .map(|number| place.path().join(number.to_string()))
        .collect();
    for (image, directory) in images.iter().zip(&directories) {
        lay_out(&image.recovered, directory);
    }
    for (image, line) in images.iter().zip(load(&directories)) {
        assert_eq!(line, found_by_zooid(image), "{}", image.name);
    }
}

#[test]
fn zookeeper_finds_the_same_on_the_disk_itself_or_fails_where_it_is_known_to() {
    let place = TempDir::new().expect("a directory");
    let images = images();
    let directories: Vec<PathBuf> = (0..images.len())
        .map(|number| place.path().join(number.to_string()))
        .collect();
    for (image, directory) in images.iter().zip(&directories) {
        lay_out(&image.files, directory);
    }
    let mut failed = 0;
    for (image, line) in images.iter().zip(load(&directories)) {
        if is_known_fault(&line) {
            failed += 1;
        } else {
            assert_eq!(line, found_by_zooid(image), "{}", image.name);
        }
    }
    println!("ZooKeeper fails on {failed} of {} disks", images.len());
    assert!(failed * 2 < images.len(), "{failed} of {}", images.len());
}

#[test]
fn servers_of_both_kinds_serve_the_same_tree() {
    let options = Options::default().property(SUPER_DIGEST.0, SUPER_DIGEST.1);
    let images = images();
    for image in images.iter().step_by(images.len() / SERVERS) {
        let trees = [Kind::Java, Kind::Zooid].map(|kind| {
            let place = TempDir::new().expect("a directory");
            let files = match kind {
                Kind::Java => &image.recovered,
                Kind::Zooid => &image.files,
            };
            lay_out(files, &place.path().join("data"));
            let server = Server::start_on(kind, options.clone(), place.path()).expect("a server");
            let mut session = Session::open_as_super(&server).expect("a session");
            TreeDump::read(&mut session).expect("the tree")
        });
        let difference = trees[0].difference(&trees[1]);
        assert!(difference.is_empty(), "{}:\n{difference}", image.name);
    }
}
