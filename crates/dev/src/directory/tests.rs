use super::*;
use tempfile::TempDir;

fn wish(servers: u16) -> Wish {
    Wish {
        servers: Some(servers),
        observers: None,
    }
}

/// An ensemble of two, with some data.
fn prepared() -> (TempDir, Layout) {
    let temporary = tempfile::tempdir().unwrap();
    let layout = {
        let directory = Directory::open(temporary.path()).unwrap();
        let shape = directory.agree(wish(2)).unwrap();
        let layout = Layout::new(directory.path(), shape, 2181).unwrap();
        directory.prepare(&layout).unwrap();
        layout
    };
    (temporary, layout)
}

#[test]
fn files_are_written_once() {
    let (temporary, layout) = prepared();
    assert_eq!(fs::read_to_string(layout.places[1].my_id()).unwrap(), "2\n");
    let edited = fs::read_to_string(layout.places[0].config()).unwrap() + "snapCount=7\n";
    fs::write(layout.places[0].config(), &edited).unwrap();
    fs::write(layout.places[0].log(), "first run").unwrap();

    let again = Directory::open(temporary.path()).unwrap();
    again.prepare(&layout).unwrap();
    assert_eq!(
        fs::read_to_string(layout.places[0].config()).unwrap(),
        edited
    );
    assert_eq!(
        fs::read_to_string(layout.places[0].old_log()).unwrap(),
        "first run"
    );
}

#[test]
fn another_number_of_servers_is_refused_with_the_remedy() {
    let (temporary, _) = prepared();
    let directory = Directory::open(temporary.path()).unwrap();
    let refused = directory.agree(wish(3)).unwrap_err().to_string();
    assert!(
        refused.contains("holds an ensemble of 2 servers, not of 3 servers"),
        "{refused}"
    );
    assert!(refused.contains("start it with --servers 2,"), "{refused}");
}

#[test]
fn a_server_whose_files_are_gone_does_not_hide_the_others() {
    let (temporary, layout) = prepared();
    fs::remove_dir_all(&layout.places[0].directory).unwrap();
    let directory = Directory::open(temporary.path()).unwrap();
    assert!(directory.agree(wish(3)).is_err());
    assert_eq!(directory.agree(wish(2)).unwrap(), layout.shape);
}

#[test]
fn a_directory_is_used_by_one_at_a_time() {
    let (temporary, _) = prepared();
    let first = Directory::open(temporary.path()).unwrap();
    let refused = Directory::open(temporary.path()).unwrap_err();
    assert!(matches!(refused, DevError::InUse(_)), "{refused}");
    drop(first);
    Directory::open(temporary.path()).unwrap();
}
