//! The books from outside: sequences of postings, paging, and what the fixture generates.

#[cfg(test)]
mod books;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod services;
