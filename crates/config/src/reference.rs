//! `docs/configuration.md`, made from the table of keys.

use crate::key::{Initial, Key, Scope};
use crate::table::SECTIONS;
use std::fmt::Write as _;

/// The whole page.
#[must_use]
pub fn reference_page() -> String {
    let mut page = PREFACE.to_owned();
    for section in SECTIONS {
        // Writing to a string cannot fail.
        let _ = write!(page, "\n## {}\n\n{TABLE_HEAD}", section.title);
        for key in section.keys {
            page.push_str(&row(key));
        }
    }
    page.push_str(POSTFACE);
    page
}

fn row(key: &Key) -> String {
    let name = match key.scope {
        Scope::File | Scope::Property => format!("`{}`", key.name),
        Scope::CommandLine => format!("`-D{}`", key.name),
    };
    let scope = match key.scope {
        Scope::File => "file",
        Scope::Property => "both",
        Scope::CommandLine => "-D",
    };
    let initial = match key.initial {
        Initial::Is("") => "empty".to_owned(),
        Initial::Is(text) => format!("`{text}`"),
        Initial::Follows(text) => text.to_owned(),
        Initial::Unset => "–".to_owned(),
        Initial::Required(_) => "required".to_owned(),
    };
    let (type_name, mark) = (key.type_name(), key.mark.letter());
    format!(
        "| {name} | {scope} | {type_name} | {initial} | {mark} | {} |\n",
        key.doc
    )
}

const PREFACE: &str = "\
<!-- Made from the table of keys in crates/config. Refresh: UPDATE_EXPECT=1 cargo test -p zooid-config -->
# Configuration

Zooid reads ZooKeeper's configuration. A key below is understood; whether what it asks for is built yet is said
in [compatibility.md](compatibility.md).

`zooid serve` takes, in this order:

1. the file named on its command line, or `port dataDir [tickTime] [maxcnxns]`;
2. `$ZOOCFGDIR/$ZOOCFG` (`zoo.cfg` unless `ZOOCFG` says otherwise) or `$ZOO_CONF_DIR/zoo.cfg`, if there is such a file;
3. the variables of ZooKeeper's container image (`ZOO_MY_ID`, `ZOO_SERVERS`, `ZOO_TICK_TIME`, …), if any is set;
4. a built-in default: standalone, in `./zooid-data`, on 127.0.0.1:2181.

The column *where* says where a key works: *file*: in `zoo.cfg` only; *both*: as `<key>` in `zoo.cfg`, which wins, or as
`-Dzookeeper.<key>`; *-D*: as shown, and not in `zoo.cfg`. `-D` flags stand on the command line, in `JVMFLAGS` or in
`SERVER_JVMFLAGS`; of equal ones that is also the order in which they win.

A wrong value is an error (exit code 2) where the column says *file*. Elsewhere ZooKeeper silently takes another value, and
so does Zooid, with a warning; a boolean that is not `true` is false there. A key nobody knows is a warning, with the key it
resembles. Numbers given to a property may be hexadecimal (`0x9fffff`).

The column *mark*: C decides what clients, peers or files see, O is operations, S is security, J tunes the Java
implementation only: accepted, without effect.
";
const TABLE_HEAD: &str = "\
| key | where | type | default | mark | meaning |
|---|---|---|---|---|---|
";
const POSTFACE: &str = "
## The list of servers

```text
server.<id>=<address>[|<address>…][;[<client>][;<secure client>]]
address = host:quorumPort:electionPort[:participant|observer]
client  = [host:]port
group.<id>=<server id>[:<server id>…]
weight.<server id>=<number>
```

An IPv6 host stands in brackets. Several addresses need `multiAddress.enabled=true`; a second client address is not understood
by ZooKeeper up to 3.9. The server's own id is the first line of `dataDir/myid`. With groups, every participant is in exactly one.

The server is part of an ensemble when the list has more than one participant, or any server and `standaloneEnabled=false`;
`initLimit`, `syncLimit` and `myid` are then required.

A file named by `dynamicConfigFile` holds these lines and no others. Its version is the hexadecimal ending of its name.

## Container variables

`ZOO_DATA_DIR` (/data), `ZOO_DATA_LOG_DIR` (/datalog), `ZOO_TICK_TIME` (2000), `ZOO_INIT_LIMIT` (5), `ZOO_SYNC_LIMIT` (2),
`ZOO_AUTOPURGE_SNAPRETAINCOUNT` (3), `ZOO_AUTOPURGE_PURGEINTERVAL` (0), `ZOO_MAX_CLIENT_CNXNS` (60), `ZOO_STANDALONE_ENABLED`
(true), `ZOO_ADMINSERVER_ENABLED` (true), `ZOO_SERVERS` (`server.1=localhost:2888:3888;2181`; separated by blanks),
`ZOO_4LW_COMMANDS_WHITELIST`, `ZOO_CFG_EXTRA` (further lines, separated by blanks), `ZOO_MY_ID` (1; only when `dataDir/myid` is missing).
Also read: `ZOO_DATADIR_AUTOCREATE_DISABLE`.
";

#[cfg(test)]
mod tests;
