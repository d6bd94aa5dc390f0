//! The store's tests: one suite for every implementation, and what only a store on disk can get wrong.

#[cfg(test)]
mod alike;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod suite;

use store::{MemoryStore, SledStore, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_holds_in_memory() {
    suite::holds(&|| Box::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_holds_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicU32::new(0);
    suite::holds(&|| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::new(SledStore::open(&home.path().join(number.to_string())).unwrap().store) as Box<dyn Store>
    })
    .await;
}
