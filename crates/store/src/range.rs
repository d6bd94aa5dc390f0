//! Which records a scan returns.

/// A selection of one collection's records. Every member narrows it; [`Range::all`] selects everything.
///
/// `from` and `after` follow the direction: scanning backward, they select the keys *up to* or *before* the given one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Start at this key, including it.
    pub from: Option<String>,
    /// Start behind this key: the last one of the page before.
    pub after: Option<String>,
    /// At most so many records.
    pub limit: usize,
    /// The order of the records.
    pub direction: Direction,
}

/// The order of a scan, by the bytes of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Smallest key first.
    #[default]
    Forward,
    /// Greatest key first.
    Backward,
}

impl Default for Range {
    fn default() -> Self {
        Self { prefix: String::new(), from: None, after: None, limit: usize::MAX, direction: Direction::Forward }
    }
}

impl Range {
    /// The whole collection, forward.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..Self::default() }
    }

    /// Starts at `key`, including it.
    #[must_use]
    pub fn from(self, key: impl Into<String>) -> Self {
        Self { from: Some(key.into()), ..self }
    }

    /// Starts behind `key`.
    #[must_use]
    pub fn after(self, key: impl Into<String>) -> Self {
        Self { after: Some(key.into()), ..self }
    }

    /// Returns at most `limit` records.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Greatest key first.
    #[must_use]
    pub fn backward(self) -> Self {
        Self { direction: Direction::Backward, ..self }
    }
}
