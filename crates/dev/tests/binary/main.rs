//! `zooid dev` as a person and as a script meets it: the real binary, in a terminal and without one.

mod dev;
mod lines;
mod terminal;
