//! The books from outside: sequences of postings, paging, payment orders, and what the fixture generates.

#[cfg(test)]
mod books;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod going_on;
#[cfg(test)]
mod living;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod recurrence;
#[cfg(test)]
mod services;
