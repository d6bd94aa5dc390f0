//! Listeners and clients over real sockets and real TLS.

#[cfg(test)]
mod any_authority;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod handshakes;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod suites;
#[cfg(test)]
mod support;
