use super::*;
use expect_test::expect;

fn text(code: ErrorCode, path: Option<&str>) -> String {
    let path = path.map(str::to_owned);
    CliError::from(ClientError::Keeper { code, path }).to_string()
}

/// Recorded from zkCli.sh of ZooKeeper 3.8.0.
#[test]
fn refusals_read_as_in_zkcli() {
    let codes = [
        ErrorCode::NoNode,
        ErrorCode::NodeExists,
        ErrorCode::NotEmpty,
        ErrorCode::NoChildrenForEphemerals,
        ErrorCode::NoAuth,
        ErrorCode::BadVersion,
        ErrorCode::BadArguments,
        ErrorCode::InvalidAcl,
        ErrorCode::NoWatcher,
        ErrorCode::ConnectionLoss,
    ];
    let texts: Vec<_> = codes.iter().map(|code| text(*code, Some("/a"))).collect();
    expect![[r"
        Node does not exist: /a
        Node already exists: /a
        Node not empty: /a
        Ephemerals cannot have children: /a
        Insufficient permission : /a
        version No is not valid : /a
        Arguments are not valid : /a
        Acl is not valid : /a
        KeeperErrorCode = No such watcher for /a
        KeeperErrorCode = ConnectionLoss for /a"]]
    .assert_eq(&texts.join("\n"));
}

#[test]
fn a_refusal_without_a_path() {
    assert_eq!(text(ErrorCode::InvalidAcl, None), "Acl is not valid : null");
    assert_eq!(
        text(ErrorCode::ReconfigDisabled, None),
        "KeeperErrorCode = Reconfig is disabled"
    );
}

#[test]
fn exit_codes() {
    assert_eq!(CliError::failed("x").exit_code(), 1);
    assert_eq!(CliError::NotFound("x".to_owned()).exit_code(), 127);
}
