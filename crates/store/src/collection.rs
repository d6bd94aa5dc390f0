//! Types on top of bytes: one collection, one type, JSON values.

use std::{fmt, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Change, Expect, Range, Store, StoreError, Version};

/// A collection whose values are all of type `T`, kept as JSON.
///
/// Reading takes the store; writing only describes a [`Change`], so that one commit can join changes to several
/// collections.
pub struct Collection<T> {
    name: &'static str,
    values: PhantomData<fn() -> T>,
}

impl<T> Collection<T> {
    /// The collection of that name; `const`, so that a party can list its collections in one place.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, values: PhantomData }
    }

    /// The collection's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Deletes the record, if there is one.
    pub fn delete(&self, key: impl Into<String>) -> Change {
        Change::delete(self.name, key, Expect::Any)
    }

    /// Deletes the record of exactly this version.
    pub fn delete_version(&self, key: impl Into<String>, version: Version) -> Change {
        Change::delete(self.name, key, Expect::Version(version))
    }

    /// Deletes the record, which must exist: of many who consume it, one wins.
    pub fn take(&self, key: impl Into<String>) -> Change {
        Change::delete(self.name, key, Expect::Present)
    }
}

impl<T: Serialize> Collection<T> {
    /// Writes the record, whether or not there is one.
    ///
    /// # Errors
    /// A value that JSON cannot express, for example a map whose keys are no strings.
    pub fn put(&self, key: impl Into<String>, value: &T) -> Result<Change, StoreError> {
        self.put_if(key, Expect::Any, value)
    }

    /// Writes a new record: of many who insert the same key, one wins.
    ///
    /// # Errors
    /// As for [`Collection::put`].
    pub fn insert(&self, key: impl Into<String>, value: &T) -> Result<Change, StoreError> {
        self.put_if(key, Expect::Absent, value)
    }

    /// Writes the record in place of the one of this version.
    ///
    /// # Errors
    /// As for [`Collection::put`].
    pub fn update(&self, key: impl Into<String>, version: Version, value: &T) -> Result<Change, StoreError> {
        self.put_if(key, Expect::Version(version), value)
    }

    fn put_if(&self, key: impl Into<String>, expect: Expect, value: &T) -> Result<Change, StoreError> {
        let key = key.into();
        match serde_json::to_vec(value) {
            Ok(value) => Ok(Change::put(self.name, key, expect, value)),
            Err(source) => Err(self.misfit(key, source)),
        }
    }
}

impl<T: DeserializeOwned> Collection<T> {
    /// The record under `key` and its version.
    ///
    /// # Errors
    /// What [`Store::get`] reports, or a value that is no `T`.
    pub async fn get(&self, store: &dyn Store, key: &str) -> Result<Option<(T, Version)>, StoreError> {
        let Some(stored) = store.get(self.name, key).await? else { return Ok(None) };
        Ok(Some((self.parse(key, &stored.value)?, stored.version)))
    }

    /// The records that `range` selects: key, value and version.
    ///
    /// # Errors
    /// What [`Store::range`] reports, or a value that is no `T`.
    pub async fn range(&self, store: &dyn Store, range: Range) -> Result<Vec<(String, T, Version)>, StoreError> {
        let records = store.range(self.name, range).await?;
        records
            .into_iter()
            .map(|(key, stored)| self.parse(&key, &stored.value).map(|value| (key, value, stored.version)))
            .collect()
    }

    fn parse(&self, key: &str, value: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(value).map_err(|source| self.misfit(key.to_owned(), source))
    }
}

impl<T> Collection<T> {
    fn misfit(&self, key: String, source: serde_json::Error) -> StoreError {
        StoreError::Value { collection: self.name.to_owned(), key, source }
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Collection<T> {}

impl<T> fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collection").field(&self.name).finish()
    }
}
