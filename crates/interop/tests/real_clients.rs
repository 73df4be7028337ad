//! Clients that other people wrote do their jobs: ZooKeeper's shell, its C client, Curator's recipes
//! and the crate zookeeper-client. kazoo has a suite of its own, `tests/kazoo/run`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use zooid_interop::{Kind, Options, Server};
use zookeeper_client as zk;

#[test]
fn zkcli() {
    run("zkcli");
}

#[test]
fn cli_mt() {
    run("cli_mt");
}

#[test]
fn curator_recipes() {
    run("curator");
}

#[tokio::test]
async fn rust_client_reads_and_writes() -> Result<(), zk::Error> {
    let server = start();
    let client = connect(&server).await?;
    let (created, _) = client.create("/a", b"1", &persistent()).await?;
    assert_eq!(client.get_data("/a").await?, (b"1".to_vec(), created));
    let again = client.create("/a", b"1", &persistent()).await;
    assert_eq!(again.err(), Some(zk::Error::NodeExists));

    let stat = client.set_data("/a", b"22", Some(0)).await?;
    assert_eq!((stat.version, stat.data_length), (1, 2));
    let stale = client.set_data("/a", b"3", Some(0)).await;
    assert_eq!(stale.err(), Some(zk::Error::BadVersion));

    let sequential = zk::CreateMode::PersistentSequential.with_acls(zk::Acls::anyone_all());
    let (_, first) = client.create("/a/s-", b"", &sequential).await?;
    let (_, second) = client.create("/a/s-", b"", &sequential).await?;
    assert_eq!((first.into_i64(), second.into_i64()), (0, 1));
    assert_eq!(client.count_descendants_number("/a").await?, 2);
    assert_eq!(client.delete("/a", None).await, Err(zk::Error::NotEmpty));
    client.sync("/a").await?;
    assert_eq!(client.check_stat("/b").await?, None);
    Ok(())
}

#[tokio::test]
async fn rust_client_sees_events() -> Result<(), zk::Error> {
    let server = start();
    let writer = connect(&server).await?;
    let watcher = connect(&server).await?;
    let (absent, created) = watcher.check_and_watch_stat("/a").await?;
    assert_eq!(absent, None);
    let mut below = watcher
        .watch("/a", zk::AddWatchMode::PersistentRecursive)
        .await?;

    writer.create("/a", b"", &persistent()).await?;
    assert_eq!(
        created.changed().await.event_type,
        zk::EventType::NodeCreated
    );
    let (_, _, children) = watcher.get_and_watch_children("/a").await?;
    writer.create("/a/b", b"", &persistent()).await?;
    assert_eq!(
        children.changed().await.event_type,
        zk::EventType::NodeChildrenChanged
    );
    writer.set_data("/a/b", b"1", None).await?;
    writer.delete("/a/b", None).await?;

    let expected = [
        (zk::EventType::NodeCreated, "/a"),
        (zk::EventType::NodeCreated, "/a/b"),
        (zk::EventType::NodeDataChanged, "/a/b"),
        (zk::EventType::NodeDeleted, "/a/b"),
    ];
    for (event_type, path) in expected {
        let event = below.changed().await;
        assert_eq!((event.event_type, event.path.as_str()), (event_type, path));
    }
    Ok(())
}

#[tokio::test]
async fn rust_client_commits_all_or_nothing() -> Result<(), zk::Error> {
    let server = start();
    let client = connect(&server).await?;
    let mut writer = client.new_multi_writer();
    writer.add_create("/m", b"1", &persistent())?;
    writer.add_create("/m/n", b"2", &persistent())?;
    writer.add_set_data("/m", b"3", Some(0))?;
    writer.add_check_version("/m/n", 0)?;
    let written = writer.commit().await.expect("all of it is legal");
    assert_eq!(written.len(), 4);

    let mut writer = client.new_multi_writer();
    writer.add_delete("/m/n", None)?;
    writer.add_check_version("/m", 7)?;
    assert!(writer.commit().await.is_err());

    let mut reader = client.new_multi_reader();
    reader.add_get_data("/m")?;
    reader.add_get_children("/m")?;
    let read = reader.commit().await?;
    let zk::MultiReadResult::Data { data, .. } = &read[0] else {
        panic!("not data: {read:?}");
    };
    assert_eq!(data, b"3");
    let zk::MultiReadResult::Children { children } = &read[1] else {
        panic!("not children: {read:?}");
    };
    assert_eq!(children, &["n"]);
    Ok(())
}

#[tokio::test]
async fn rust_client_authenticates() -> Result<(), zk::Error> {
    let server = start();
    let owner = connect(&server).await?;
    owner.auth("digest", b"alice:secret").await?;
    let private = zk::CreateMode::Persistent.with_acls(zk::Acls::creator_all());
    owner.create("/private", b"1", &private).await?;
    let users = owner.list_auth_users().await?;
    assert!(
        users
            .iter()
            .any(|user| user.scheme() == "digest" && user.user() == "alice")
    );

    let stranger = connect(&server).await?;
    let refused = stranger.get_data("/private").await;
    assert_eq!(refused.err(), Some(zk::Error::NoAuth));
    stranger.auth("digest", b"alice:secret").await?;
    assert_eq!(stranger.get_data("/private").await?.0, b"1");
    Ok(())
}

#[tokio::test]
async fn rust_client_waits_for_its_lock_until_the_holder_has_gone() -> Result<(), zk::Error> {
    let server = start();
    let first = connect(&server).await?;
    let second = connect(&server).await?;
    let options =
        || zk::LockOptions::new(zk::Acls::anyone_all()).with_ancestor_options(persistent());
    let prefix = || zk::LockPrefix::new_curator("/locks", "l");
    let held = first.lock(prefix()?, b"", options()?).await?;
    let waiting = tokio::spawn(async move {
        let held = second.lock(prefix()?, b"", options()?).await?;
        held.create("/by-second", b"", &persistent()).await?;
        Ok::<_, zk::Error>(())
    });
    held.create("/by-first", b"", &persistent()).await?;
    let waiters = async || first.list_children("/locks").await.map(|all| all.len());
    while waiters().await? < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(first.check_stat("/by-second").await?, None);
    drop(held);
    waiting.await.expect("the waiting task ends")?;
    assert!(first.check_stat("/by-second").await?.is_some());
    Ok(())
}

#[tokio::test]
async fn rust_client_comes_back_after_a_restart() -> Result<(), zk::Error> {
    let mut server = start();
    let connector = || {
        zk::Client::connector()
            .with_session_timeout(Duration::from_secs(30))
            .with_detached()
    };
    let before = connector().connect(&server.address().to_string()).await?;
    let ephemeral = zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all());
    before.create("/mine", b"", &ephemeral).await?;
    let session = before.into_session();
    server.kill().expect("it runs");
    server.start_again().expect("it starts");

    let connector = connector().with_session(session.clone());
    let after = connector.connect(&server.address().to_string()).await?;
    assert_eq!(after.session_id(), session.id());
    assert_eq!(after.list_ephemerals("/").await?, ["/mine"]);
    Ok(())
}

/// Runs one of `tests/clients` against a server of its own.
fn run(client: &str) {
    let server = start();
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/clients")
        .join(client);
    let output = Command::new(program)
        .arg(server.address().to_string())
        .output()
        .expect("the client starts");
    assert!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn start() -> Server {
    Server::start(Kind::under_test(), Options::default()).expect("a server")
}

async fn connect(server: &Server) -> Result<zk::Client, zk::Error> {
    zk::Client::connect(&server.address().to_string()).await
}

fn persistent() -> zk::CreateOptions<'static> {
    zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all())
}
