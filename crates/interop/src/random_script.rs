//! Scripts made up from a seed: every operation on a few nodes, by a few clients.
//!
//! A seed gives the same text always. Nothing in it depends on what ZooKeeper 3.8 and 3.9 do
//! differently: everyone may read every node, a client that sets persistent watches sets one kind of
//! them and no others, no multi contains create2, and checkWatches is not used. Nor does a write
//! follow a setACL that may not have been applied, whose ACL ZooKeeper does not see yet.

use std::fmt::Write as _;

/// The script of this seed.
#[must_use]
pub fn random_script(seed: u64, steps: usize) -> String {
    let mut maker = Maker {
        random: Random(seed),
        text: String::new(),
        // Paths of their own, so that scripts can follow each other on one server.
        root: format!("/random-{seed}"),
        is_recursive: seed.is_multiple_of(2),
    };
    maker.open();
    for _ in 0..steps {
        maker.step();
    }
    maker.text
}

struct Maker {
    random: Random,
    text: String,
    root: String,
    /// Whether the persistent watches are.
    is_recursive: bool,
}

impl Maker {
    fn open(&mut self) {
        for client in CLIENTS {
            self.line(&format!("connect {client}"));
        }
        self.line("a auth digest \"alice:secret\"");
        let root = self.root.clone();
        self.line(&format!("a create {root} \"root\""));
        for name in NAMES {
            self.line(&format!("a create {root}/{name} \"0\""));
        }
    }

    fn step(&mut self) {
        let client = self.random.pick(CLIENTS);
        match self.random.below(20) {
            0 => self.pipeline(client),
            1 => self.reconnect(client),
            _ => {
                let request = self.request(client);
                self.line(&format!("{client} {request}"));
            }
        }
    }

    fn pipeline(&mut self, client: &str) {
        self.line(&format!("pipeline {client}"));
        for _ in 0..self.random.below(6) + 2 {
            let request = self.request(client);
            if !request.starts_with("setacl") {
                self.line(&format!("  {request}"));
            }
        }
        self.line("end");
    }

    /// Ends the session, or only the connection.
    fn reconnect(&mut self, client: &str) {
        match self.random.below(3) {
            0 => {
                self.line(&format!("{client} close"));
                self.line(&format!("connect {client}"));
            }
            1 => {
                self.line(&format!("drop {client}"));
                self.line(&format!("connect {client} session={client}"));
            }
            _ => self.line(&format!("connect {client} session={client}")),
        }
        if client == "a" {
            self.line("a auth digest \"alice:secret\"");
        }
    }

    fn request(&mut self, client: &str) -> String {
        match self.random.below(24) {
            0..=3 | 22 => self.create(&["create", "create", "create2", "container"]),
            4..=5 => self.delete(),
            6..=8 => self.set(),
            9 => format!("setacl {} {} {}", self.path(), self.acl(), self.version()),
            10..=15 | 23 => self.read(client),
            16..=17 => self.multi(),
            18 => self.multi_read(),
            19 => self.watch(client),
            20 => self.set_watches(client),
            _ => self.odd(),
        }
    }

    fn create(&mut self, ops: &[&'static str]) -> String {
        let op = self.random.pick(ops);
        let mode = match op {
            "container" => "",
            _ => self.random.pick(&[
                "",
                "",
                " mode=ephemeral",
                " mode=sequential",
                " mode=ephemeral-sequential",
            ]),
        };
        let acl = match self.random.below(4) {
            0 => format!(" acl={}", self.acl()),
            _ => String::new(),
        };
        format!("{op} {} {}{mode}{acl}", self.path(), self.data())
    }

    fn delete(&mut self) -> String {
        format!("delete {} {}", self.path(), self.version())
    }

    fn set(&mut self) -> String {
        format!("set {} {} {}", self.path(), self.data(), self.version())
    }

    fn read(&mut self, client: &str) -> String {
        let op = self.random.pick(&[
            "exists",
            "get",
            "ls",
            "ls2",
            "getacl",
            "countall",
            "sync",
            "ephemerals",
            "whoami",
            "ping",
        ]);
        let path = match op {
            "whoami" | "ping" => return op.into(),
            _ => self.path(),
        };
        let can_watch =
            matches!(op, "exists" | "get" | "ls" | "ls2") && client != PERSISTENT_CLIENT;
        let watch = if can_watch && self.random.below(2) == 0 {
            " watch"
        } else {
            ""
        };
        format!("{op} {path}{watch}")
    }

    fn multi(&mut self) -> String {
        let mut ops = Vec::new();
        for _ in 0..self.random.below(5) {
            ops.push(match self.random.below(6) {
                0 | 1 => self.create(&["create", "create", "container"]),
                2 => self.delete(),
                3 => format!("check {} {}", self.path(), self.version()),
                _ => self.set(),
            });
        }
        format!("multi {{ {} }}", ops.join(" ; "))
    }

    fn multi_read(&mut self) -> String {
        let mut ops = Vec::new();
        for _ in 0..self.random.below(4) {
            let op = self.random.pick(&["get", "ls"]);
            ops.push(format!("{op} {}", self.path()));
        }
        format!("multiread {{ {} }}", ops.join(" ; "))
    }

    fn watch(&mut self, client: &str) -> String {
        let path = self.path();
        if client != PERSISTENT_CLIENT {
            return format!("removewatches {path} {}", self.random.below(4));
        }
        match self.random.below(3) {
            0 => format!("removewatches {path} 3"),
            _ => format!("addwatch {path} {}", i32::from(self.is_recursive)),
        }
    }

    fn set_watches(&mut self, client: &str) -> String {
        let behind = self.random.below(12);
        if client == PERSISTENT_CLIENT {
            let (one, other) = (self.path(), self.path());
            let kind = if self.is_recursive {
                "recursive"
            } else {
                "persistent"
            };
            return format!("setwatches2 {behind} {kind}={one},{other}");
        }
        let (data, exist, child) = (self.path(), self.path(), self.path());
        format!("setwatches {behind} data={data} exist={exist} child={child}")
    }

    /// Requests that are wrong in themselves.
    fn odd(&mut self) -> String {
        let path = self.path();
        match self.random.below(8) {
            0 => format!("create {path} \"x\" flags={}", self.random.below(9)),
            1 => format!("create {path} \"x\" acl=none"),
            2 => format!("create {path}/ \"x\""),
            3 => format!("set {path} \"x\" cut={}", self.random.below(9) + 1),
            4 => format!("get {path} cut={}", self.random.below(4) + 1),
            5 => format!("multi {{ get {path} }}"),
            6 => format!("createttl {path} \"x\" {}", self.random.below(1000)),
            _ => format!(
                "multi {{ set {path} \"x\" ; delete {path} }} cut={}",
                self.random.below(20) + 1
            ),
        }
    }

    fn path(&mut self) -> String {
        let root = self.root.clone();
        let one = self.random.pick(NAMES);
        let other = self.random.pick(NAMES);
        match self.random.below(12) {
            0 => root,
            1..=5 => format!("{root}/{one}"),
            6..=10 => format!("{root}/{one}/{other}"),
            _ => format!("{root}/{one}/{other}/{one}"),
        }
    }

    fn version(&mut self) -> i64 {
        match self.random.below(3) {
            0 => i64::from(self.random.below(4)),
            _ => -1,
        }
    }

    fn data(&mut self) -> String {
        match self.random.below(5) {
            0 => "null".into(),
            1 => "\"\"".into(),
            _ => format!("\"{}\"", "x".repeat(self.random.pick(&[1, 2, 3, 5, 20]))),
        }
    }

    fn acl(&mut self) -> &'static str {
        self.random.pick(&[
            "world:anyone:cdrwa",
            "world:anyone:r",
            "world:anyone:rc,digest:alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E=:cdrwa",
            "auth::cdrwa,world:anyone:r",
            "world:anyone:r,ip:127.0.0.0/8:wd",
        ])
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        let [.., a, b, c, d] = self.next().to_be_bytes();
        u32::from_be_bytes([a, b, c, d]) % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let length = u32::try_from(from.len()).expect("short lists");
        from[usize::try_from(self.below(length)).expect("an index")]
    }
}

const CLIENTS: &[&str] = &["a", "b", "p"];
const PERSISTENT_CLIENT: &str = "p";
const NAMES: &[&str] = &["x", "y", "z"];
