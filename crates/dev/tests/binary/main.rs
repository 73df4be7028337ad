//! `zooid dev` as a person and as a script meets it: the real binary, in a terminal and without one.

mod dev;
mod ensemble;
mod lines;
mod terminal;
