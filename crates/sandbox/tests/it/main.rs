//! The programs from outside: processes, kills, bad input, exit codes.

#[cfg(test)]
mod command_line;
#[cfg(test)]
mod processes;
