//! The bodies of the fuzz targets on mutated seeds: a short run of what cargo-fuzz does at length.

#[path = "../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a library of its own elsewhere")]
mod targets;

#[path = "abuse/rng.rs"]
mod rng;

use rng::Rng;
use std::panic::catch_unwind;
use targets::seeds::Target;

const ROUNDS: usize = 3000;

/// Changes a few things, as a fuzzer does.
fn mutate(rng: &mut Rng, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(rng.below(256)).expect("a byte"),
            2 => bytes.truncate(at),
            3 => {
                let len = rng.below(9);
                let inserted = rng.bytes(len);
                bytes.splice(at..at, inserted);
            }
            4 => {
                let value = [-1, 0, 1, i32::MAX, i32::MIN, 0xffff][rng.below(6)];
                let end = bytes.len().min(at + 4);
                bytes.splice(at..end, value.to_be_bytes());
            }
            _ => {
                let from = rng.below(other.len() + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
        }
    }
    bytes
}

fn smoke(name: &str) {
    let targets = targets::seeds::targets();
    let target = targets.iter().find(|target| target.name == name);
    let Target { run, seeds, .. } = target.expect("a target");
    for seed in seeds {
        run(seed);
    }
    let mut rng = Rng::new(20_240_506);
    for _ in 0..ROUNDS {
        let seed = &seeds[rng.below(seeds.len())];
        let other = &seeds[rng.below(seeds.len())];
        let input = mutate(&mut rng, seed, other);
        if let Err(panic) = catch_unwind(|| run(&input)) {
            println!("input: {}", input.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn records_survive_decoding_and_encoding() {
    smoke("codec");
}

#[test]
fn elections_go_on_whatever_comes() {
    smoke("election");
}

#[test]
fn frames_leave_the_protocol_standing() {
    smoke("frames");
}

#[test]
fn logs_are_read_or_refused() {
    smoke("log");
}

#[test]
fn snapshots_are_read_or_refused() {
    smoke("snapshot");
}

#[test]
fn configurations_are_read_or_refused() {
    smoke("zoo_cfg");
}
