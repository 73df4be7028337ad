//! Scripted exchanges with a leader: one for each road, and for each way off it.

mod broadcast;
mod discovery;
mod interleavings;
mod known_faults;
mod patience;
mod script;
mod synchronization;
