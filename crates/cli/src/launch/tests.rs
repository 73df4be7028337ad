use super::*;

fn parse(line: &str) -> Result<Launch, LaunchError> {
    Launch::parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn zkcli_s_options_and_a_command() {
    let expected = Options {
        server: "a:1,b:2/app".to_owned(),
        session_timeout: Duration::from_millis(500),
        read_only: true,
        wait_for_connection: true,
        command: vec!["ls".to_owned(), "-s".to_owned(), "/".to_owned()],
    };
    let line = "-server a:1,b:2/app -timeout 500 -r -waitforconnection ls -s /";
    assert_eq!(parse(line), Ok(Launch::Connect(expected.clone())));
    let line = "--server a:1,b:2/app --timeout 500 -r --waitforconnection ls -s /";
    assert_eq!(parse(line), Ok(Launch::Connect(expected)));
}

#[test]
fn without_arguments_a_shell_on_the_default_server() {
    assert_eq!(parse(""), Ok(Launch::Connect(Options::default())));
}

#[test]
fn help_is_shown_only_before_a_command() {
    assert_eq!(parse("--help"), Ok(Launch::Help));
    assert!(matches!(parse("get --help"), Ok(Launch::Connect(_))));
}

#[test]
fn faults() {
    let fault = |line| parse(line).unwrap_err().to_string();
    assert_eq!(
        fault("-server"),
        "Error: no argument found for option -server"
    );
    assert_eq!(
        fault("-timeout x ls /"),
        "option -timeout: not a number of milliseconds: x"
    );
    assert_eq!(
        fault("-timeout 0"),
        "option -timeout: not a number of milliseconds: 0"
    );
    assert_eq!(fault("-foo ls /"), "unknown option -foo");
    assert_eq!(fault("-secure ls /"), "option -secure is not supported yet");
}
