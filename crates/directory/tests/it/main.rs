//! The Directory over its real listeners: everything here goes through HTTPS or the control port.

#[cfg(test)]
mod access;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod control;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod status;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;
