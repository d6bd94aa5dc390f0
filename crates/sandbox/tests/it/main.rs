//! The programs from outside: processes, kills, bad input, exit codes.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod authorization_server;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod consent_pages;
#[cfg(test)]
mod customer;
#[cfg(test)]
mod dashboard;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hand_made;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod lessons;
#[cfg(test)]
mod misbehaviour;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod recurring_and_funds;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod scenario_files;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod stranger;
#[cfg(test)]
mod up;
