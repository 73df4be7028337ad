//! The `zooid` command.

fn main() {}
