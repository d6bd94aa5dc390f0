//! The programs from outside: processes, kills, bad input, exit codes.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod authorization_server;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod customer;
#[cfg(test)]
mod hand_made;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod settings;
