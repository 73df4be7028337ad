//! Zooid and Debian's ZooKeeper 3.8.0 side by side: the same requests on the same connections, the
//! same bytes back. `src/rendering.rs` says what is masked; what Zooid does on purpose otherwise
//! stands in the scripts, as `differs`.

use zooid_interop::comparison::Pair;
use zooid_interop::script::Script;
use zooid_interop::{Options, SUPER_DIGEST, random_script};

macro_rules! scripts {
    ($($name:ident: $options:expr;)+) => {
        $(
            #[test]
            fn $name() {
                compare(include_str!(concat!("data/", stringify!($name), ".script")), &$options);
            }
        )+

        #[test]
        fn the_scripts_are_many_requests() {
            let scripts = [$(include_str!(concat!("data/", stringify!($name), ".script"))),+];
            let parsed = scripts.map(|text| Script::parse(text).expect("a script"));
            let requests: usize = parsed.iter().map(Script::request_count).sum();
            assert!(requests >= 300, "{requests} requests");
        }
    };
}

scripts! {
    sessions: options();
    create: options();
    writes: options();
    reads: options();
    malformed: options();
    null_paths: options();
    multi: options();
    watches: options();
    watch_modes: options();
    set_watches: options();
    ephemerals: options();
    acls: options();
    acl_events: options();
    quotas: options().property("zookeeper.enforceQuota", "true");
    ttl: options().property("zookeeper.extendedTypesEnabled", "true");
    containers: options().property("znode.container.checkIntervalMs", "100");
}

/// `INTEROP_SEEDS=1000` runs more, `INTEROP_SEED=7` only one.
#[test]
fn random_scripts() {
    let count = number_in("INTEROP_SEEDS").unwrap_or(60);
    let seeds = match number_in("INTEROP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 1..count + 1,
    };
    let mut pair = Pair::start(&options()).expect("two servers");
    for seed in seeds {
        println!("seed {seed}");
        let script = Script::parse(&random_script(seed, RANDOM_STEPS)).expect("a script");
        let difference = pair
            .difference(&script)
            .expect("the script runs to its end");
        assert!(difference.is_empty(), "seed {seed}:\n{difference}");
    }
}

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The server sweeps nothing while a script runs.
fn options() -> Options {
    Options::default()
        .property(SUPER_DIGEST.0, SUPER_DIGEST.1)
        .property("zookeeper.forceSync", "no")
        .property("znode.container.checkIntervalMs", "3600000")
}

fn compare(text: &str, options: &Options) {
    let script = Script::parse(text).expect("a script");
    let mut pair = Pair::start(options).expect("two servers");
    let difference = pair
        .difference(&script)
        .expect("the script runs to its end");
    assert!(difference.is_empty(), "\n{difference}");
}

const RANDOM_STEPS: usize = 60;
