use super::properties;

#[test]
fn flags_of_zookeeper_are_found_and_others_are_not() {
    let text = "\
# SERVER_JVMFLAGS=\"-Dzookeeper.commented=1\"
SERVER_JVMFLAGS=\"-Xmx1g -Dzookeeper.snapCount=5000 -Djute.maxbuffer=4194304\"
JAVA_OPTS='-Dzookeeper.log.dir=/var/log -Dcom.sun.management.jmxremote'
export JVMFLAGS=-Dzookeeper.digest.enabled=false";
    let found: Vec<&str> = properties(text).into_iter().collect();
    assert_eq!(
        found,
        [
            "jute.maxbuffer",
            "zookeeper.digest.enabled",
            "zookeeper.snapCount"
        ]
    );
}
