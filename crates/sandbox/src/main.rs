//! `ob-sandbox`: an ecosystem in one process, and scenarios against it.

use std::process::ExitCode;

use clap::Parser;
use sandbox::command::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    party::run("ob-sandbox", |stop| arguments.obey(stop))
}
