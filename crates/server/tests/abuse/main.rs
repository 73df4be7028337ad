//! The real server under bad input, bad disks, bad clients and bad files.
//!
//! Every test starts the `zooid` binary on a free port of the loopback address and a directory of
//! its own, does it some harm, and checks that the harm stays where it was done: a clear error,
//! other clients served, nothing acknowledged lost.

mod bystander;
mod crowd;
mod damaged_files;
mod failing_disk;
mod frames;
mod full_disk;
mod held_log;
mod lifecycle;
mod limits;
mod packet;
mod preload;
mod refusals;
mod rng;
mod slow_reader;
mod throttling;
mod zooid;
