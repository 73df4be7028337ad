//! Clients that other people wrote survive the death of the leader: ZooKeeper's shell, its C client,
//! Curator's recipes and the crate zookeeper-client, each with a session and a watch from before, and
//! at work when one server of three, the leader, is killed with SIGKILL.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use zooid_interop::{Conversation, Ensemble, Kind, Layout, Options};
use zookeeper_client as zk;

#[test]
fn zkcli_goes_on() {
    let mut ensemble = start();
    let mut shell = Command::new("/usr/share/zookeeper/bin/zkCli.sh");
    shell.args(["-server", &ensemble.connect_string()]);
    let mut shell = Conversation::start(&mut shell).expect("the shell starts");
    let mut ask = |line: &str, answer: &str| {
        shell.ask(line, &[answer]).expect("it answers");
    };
    ask("create /shell before", "Created /shell");
    ask("create -e /shell/mine x", "Created /shell/mine");
    ask("get -w /shell", "before");
    kill_leader(&mut ensemble);

    let set = shell.insist("set -s /shell after", "ConnectionLoss", "dataVersion = ");
    set.expect("it goes on");
    let seen = shell.has_printed("type:NodeDataChanged path:/shell");
    seen.expect("its watch lives");
    for (line, answer) in [("get /shell", "after"), ("getEphemerals", "/shell/mine")] {
        let answered = shell.insist(line, "ConnectionLoss", answer);
        answered.expect("it has its session still");
    }
    shell.say("quit").expect("it listens");
    shell.finish().expect("the shell ends well");
    check(&mut ensemble);
}

#[test]
fn cli_mt_goes_on() {
    let mut ensemble = start();
    let mut shell = Command::new("/usr/lib/zookeeper/bin/cli_mt");
    shell.args(["-h", &ensemble.connect_string()]);
    let mut shell = Conversation::start(&mut shell).expect("the shell starts");
    shell.wait_for(&["CONNECTED_STATE"]).expect("it connects");
    let mut ask = |line: &str, answer: &str| {
        shell.ask(line, &[answer]).expect("it answers");
    };
    ask("create /shell", "[/shell]: rc = 0");
    ask("create +e /shell/mine", "[/shell/mine]: rc = 0");
    ask("wexists /shell/later", "Error -101 for /shell/later");
    kill_leader(&mut ensemble);

    let state = shell.wait_for(&["state = CONNECTED_STATE", "EXPIRED_SESSION"]);
    assert!(
        state
            .expect("it connects again")
            .contains("CONNECTED_STATE")
    );
    shell
        .ask("create /shell/later", &["CREATED_EVENT"])
        .expect("its watch lives");
    shell
        .ask("get /shell/mine", &["/shell/mine: rc = 0"])
        .expect("its session lives");
    shell.say("quit").expect("it listens");
    shell.finish().expect("the shell ends well");
    check(&mut ensemble);
}

#[test]
fn curator_recipes_go_on() {
    let mut ensemble = start();
    let mut recipes =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/curator"));
    recipes.args([&ensemble.connect_string(), "Failover"]);
    let mut recipes = Conversation::start(&mut recipes).expect("the recipes start");
    recipes.wait_for(&["kill now"]).expect("they work");
    kill_leader(&mut ensemble);
    recipes
        .ask("killed", &["all did their jobs"])
        .expect("they go on");
    recipes.finish().expect("they end well");
    check(&mut ensemble);
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_client_goes_on() -> Result<(), zk::Error> {
    let mut ensemble = start();
    let servers = ensemble.connect_string();
    let connector = zk::Client::connector().with_session_timeout(Duration::from_secs(30));
    let client = connector.connect(&servers).await?;
    let persistent = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
    let ephemeral = zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all());
    client.create("/rust", b"before", &persistent).await?;
    client.create("/rust/mine", b"", &ephemeral).await?;
    let (_, _, watcher) = client.get_and_watch_data("/rust").await?;
    let writer = client.clone();
    let (begun, at_work) = tokio::sync::oneshot::channel();
    let writing = tokio::spawn(async move { write_all(&writer, begun).await });
    at_work.await.expect("it writes");
    kill_leader(&mut ensemble);

    writing.await.expect("the writer ends")?;
    while let Err(error) = client.set_data("/rust", b"after", None).await {
        assert!(is_connection_loss(&error), "{error:?}");
    }
    let event = watcher.changed().await;
    assert_eq!(event.event_type, zk::EventType::NodeDataChanged);
    let names: BTreeSet<String> = client.list_children("/rust").await?.into_iter().collect();
    let written = (0..NODES).map(|number| number.to_string());
    assert_eq!(names, written.chain(["mine".into()]).collect());
    let (_, stat) = client.get_data("/rust/mine").await?;
    assert_eq!(stat.ephemeral_owner, client.session_id().0);
    check(&mut ensemble);
    Ok(())
}

/// Creates node after node, each until it is known to be there.
async fn write_all(
    client: &zk::Client,
    begun: tokio::sync::oneshot::Sender<()>,
) -> Result<(), zk::Error> {
    let persistent = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
    let mut begun = Some(begun);
    for number in 0..NODES {
        loop {
            match client
                .create(&format!("/rust/{number}"), b"", &persistent)
                .await
            {
                Ok(_) | Err(zk::Error::NodeExists) => break,
                Err(error) if is_connection_loss(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(begun) = begun.take_if(|_| number == NODES / 4) {
            let _ = begun.send(());
        }
    }
    Ok(())
}

/// Where the server that was killed had not read all, the client passes on what the system says of the
/// connection, in a type that is its own business.
fn is_connection_loss(error: &zk::Error) -> bool {
    let is_of_the_system = error.to_string().contains("(os error ");
    *error == zk::Error::ConnectionLoss || is_of_the_system
}

fn start() -> Ensemble {
    let layout = Layout::voters(Kind::under_test(), 3);
    let options = Options::default().config("tickTime", "500");
    Ensemble::start(&layout, &options).expect("three servers")
}

fn kill_leader(ensemble: &mut Ensemble) {
    let leader = ensemble.leader().expect("one leads");
    ensemble.kill(leader).expect("it runs");
}

/// The others went on, the one that was killed comes back, and all have the same.
fn check(ensemble: &mut Ensemble) {
    ensemble.start_all().expect("all serve");
    ensemble.agreed_tree().expect("one tree");
}

const NODES: usize = 400;
