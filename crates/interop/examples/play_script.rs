//! Plays a script of the byte comparison to one server and prints what it answers:
//!
//! ```text
//! cargo run -p zooid-interop --example play_script -- java tests/data/reads.script [key=value …]
//! ```
//!
//! The rest are system properties for the server.

use anyhow::{Context, Result, bail};
use std::{env, fs};
use zooid_interop::comparison::transcript;
use zooid_interop::script::Script;
use zooid_interop::{Kind, Options, SUPER_DIGEST, Server};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let kind = match arguments.next().as_deref() {
        Some("java") => Kind::Java,
        Some("zooid") => Kind::Zooid,
        _ => bail!("usage: play_script java|zooid FILE [key=value …]"),
    };
    let file = arguments.next().context("which script?")?;
    let mut options = Options::default().property(SUPER_DIGEST.0, SUPER_DIGEST.1);
    for property in arguments {
        let (key, value) = property.split_once('=').context("key=value")?;
        options = options.property(key, value);
    }
    let script = Script::parse(&fs::read_to_string(&file).with_context(|| file)?)?;
    let server = Server::start(kind, options)?;
    print!("{}", transcript(&script, &server)?);
    Ok(())
}
