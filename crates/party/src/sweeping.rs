//! What has expired is swept out of the store, a page at a time, beside the work that goes on.

use std::{future::Future, time::Duration};

use fapi::{
    Interaction, Record,
    grant::{AccessToken, AuthorizationCode, Grant, RefreshToken, UsedJti},
    pushed::PushedRequest,
};
use serde::{Serialize, de::DeserializeOwned};
use store::{Collection, CommitError, Range, Store, StoreError};
use time::OffsetDateTime;

use crate::Tools;

/// How often it is swept, true time.
const PERIOD: Duration = Duration::from_secs(5 * 60);
/// Records that are looked at together.
const PAGE: usize = 500;

/// Deletes the records of a collection that are over, and answers how many.
///
/// # Errors
/// The store failed.
pub async fn sweep<T>(
    store: &dyn Store,
    collection: Collection<T>,
    over: impl Fn(&T) -> bool,
) -> Result<usize, StoreError>
where
    T: Serialize + DeserializeOwned,
{
    let (mut swept, mut range) = (0, Range::all().limit(PAGE));
    loop {
        let page = collection.range(store, range).await?;
        let Some(last) = page.last().map(|(key, ..)| key.clone()) else { return Ok(swept) };
        let dead = page.into_iter().filter(|(_, record, _)| over(record));
        let changes: Vec<_> = dead.map(|(key, _, version)| collection.delete_version(key, version)).collect();
        let many = changes.len();
        match store.commit(changes).await {
            Ok(()) => swept += many,
            // One of them was used at this moment; the next sweep looks again.
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Store(error)) => return Err(error),
        }
        range = Range::all().limit(PAGE).after(last);
    }
}

async fn expired<R: Record>(store: &dyn Store, now: OffsetDateTime) -> Result<usize, StoreError> {
    sweep(store, Collection::<R>::new(R::COLLECTION), |record| record.expires_at().is_some_and(|at| at <= now)).await
}

/// Sweeps what the FAPI engine remembers.
///
/// # Errors
/// The store failed.
pub async fn sweep_engine(store: &dyn Store, now: OffsetDateTime) -> Result<usize, StoreError> {
    Ok(expired::<Interaction>(store, now).await?
        + expired::<PushedRequest>(store, now).await?
        + expired::<AuthorizationCode>(store, now).await?
        + expired::<AccessToken>(store, now).await?
        + expired::<RefreshToken>(store, now).await?
        + expired::<Grant>(store, now).await?
        + expired::<UsedJti>(store, now).await?)
}

/// Sweeps again and again until the party stops.
pub async fn keep_swept<F, S>(tools: Tools, sweeping: F)
where
    F: Fn() -> S,
    S: Future<Output = Result<usize, StoreError>>,
{
    let mut period = tokio::time::interval(PERIOD);
    period.tick().await;
    loop {
        tokio::select! {
            _ = period.tick() => {}
            () = tools.stop.wait() => return,
        }
        match sweeping().await {
            Ok(swept) => tracing::debug!(swept, "expired records were swept out"),
            Err(error) => tracing::warn!(%error, "expired records could not be swept out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use store::MemoryStore;
    use time::{Duration, macros::datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    #[tokio::test]
    async fn what_is_over_goes_and_the_rest_stays_however_many_there_are() {
        let store = MemoryStore::new();
        let jtis: Collection<UsedJti> = Collection::new(UsedJti::COLLECTION);
        let mut changes = Vec::new();
        for number in 0..1_200_i64 {
            let used = UsedJti { expires_at: NOW + Duration::seconds(number - 600) };
            changes.push(jtis.put(format!("client/{number:05}"), &used).unwrap());
        }
        store.commit(changes).await.unwrap();
        assert_eq!(sweep_engine(&store, NOW).await.unwrap(), 601);
        let left = jtis.range(&store, Range::all()).await.unwrap();
        assert!(left.len() == 599 && left.iter().all(|(_, used, _)| used.expires_at > NOW));
        assert_eq!(sweep_engine(&store, NOW).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_grant_without_an_end_stays() {
        let store = MemoryStore::new();
        let grant = Grant {
            id: "grant".into(),
            client_id: "client".into(),
            subject: "psu".into(),
            intent_id: None,
            scopes: Vec::new(),
            acr: None,
            authenticated_at: NOW,
            nonce: None,
            revoked_at: None,
            expires_at: None,
        };
        let grants: Collection<Grant> = Collection::new(Grant::COLLECTION);
        store.commit(vec![grants.put("grant", &grant).unwrap()]).await.unwrap();
        assert_eq!(sweep_engine(&store, NOW + Duration::days(10_000)).await.unwrap(), 0);
    }
}
