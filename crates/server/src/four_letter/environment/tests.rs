use super::*;

#[test]
fn every_line_is_a_name_and_a_value() {
    let values = vec![
        ("zookeeper.version", "3.9.5".to_owned()),
        ("user.dir", "/a b".to_owned()),
    ];
    let text = "Environment:\nzookeeper.version=3.9.5\nuser.dir=/a b\n";
    assert_eq!(Environment(values).text(), text);
}

#[test]
fn this_process_knows_where_it_runs() {
    let Environment(values) = Environment::take();
    for (name, value) in values {
        assert!(!value.is_empty(), "{name}");
        assert!(!value.contains('\n'), "{name}");
    }
}

#[test]
fn users_are_found_by_their_number() {
    let users = "root:x:0:0:root:/root:/bin/bash\nbroken\nzk:x:100:101::/var/lib/zk:/bin/false\n";
    let zk = User {
        name: "zk".into(),
        home: "/var/lib/zk".into(),
    };
    assert_eq!(User::find(users, 100), Some(zk));
    assert_eq!(User::find(users, 1), None);
}
