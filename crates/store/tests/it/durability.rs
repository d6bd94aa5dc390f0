//! What lasts beyond the process, and what is noticed when it did not.

use std::{fs, path::Path};

use futures_util::FutureExt;
use store::{Change, CommitError, Expect, Range, SledStore, Store, Stored};

async fn fill(store: &dyn Store, records: u32) {
    for block in 0..records / 50 {
        let changes = (block * 50..(block + 1) * 50).map(|number| {
            let value = format!("value {number} ").repeat(20).into_bytes();
            Change::put("filled", format!("{number:06}"), Expect::Absent, value)
        });
        store.commit(changes.collect()).await.unwrap();
    }
}

async fn all(store: &dyn Store) -> Vec<(String, Stored)> {
    store.range("filled", Range::all()).await.unwrap()
}

/// Every file under `directory`, with its bytes.
fn files(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn records_versions_and_deletions_survive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/down/state");
    let store = SledStore::open(&path).unwrap().store;
    fill(&store, 1000).await;
    store.commit(vec![Change::delete("filled", "000999", Expect::Present)]).await.unwrap();
    let before = all(&store).await;
    assert_eq!(before.len(), 999);
    drop(store);

    let opened = SledStore::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_eq!(all(&opened.store).await, before);
    // The version of what was deleted last is not given away again.
    opened.store.commit(vec![Change::put("filled", "000999", Expect::Absent, vec![])]).await.unwrap();
    let newest = opened.store.get("filled", "000999").await.unwrap().unwrap().version;
    assert_eq!(newest, 1000 / 50 + 2);
}

#[tokio::test]
async fn an_answered_commit_is_there_whenever_the_store_is_reopened() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    for round in 0..30_u64 {
        let opened = SledStore::open(&path).unwrap();
        assert_eq!(opened.set_aside, None);
        assert_eq!(opened.store.range("rounds", Range::all()).await.unwrap().len() as u64, round);
        opened.store.commit(vec![Change::put("rounds", format!("{round}"), Expect::Absent, vec![])]).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_happens_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    let store = SledStore::open(&path).unwrap().store;
    let mut commit = store.commit(vec![Change::put("a", "k", Expect::Absent, vec![7])]);
    let answer = (&mut commit).now_or_never();
    assert!(matches!(answer, None | Some(Ok(()))), "{answer:?}");
    drop(commit);
    drop(store);
    let store = SledStore::open(&path).unwrap().store;
    assert_eq!(store.get("a", "k").await.unwrap().unwrap().value, [7]);
}

/// Damages the data file all over, one place at a time: either nothing was lost, or the store is set aside.
#[tokio::test]
async fn damage_is_never_taken_for_fewer_records() {
    let home = tempfile::tempdir().unwrap();
    let sound = home.path().join("sound");
    let store = SledStore::open(&sound).unwrap().store;
    fill(&store, 3000).await;
    let records = all(&store).await;
    drop(store);
    let sound = files(&sound);
    let (_, log) = sound.iter().find(|(path, _)| path.ends_with("db")).unwrap();

    let mut set_aside = 0;
    let places = 24;
    for place in 0..places {
        let path = home.path().join(format!("damaged-{place}"));
        fs::create_dir(&path).unwrap();
        for (from, bytes) in &sound {
            let mut bytes = bytes.clone();
            if from.ends_with("db") {
                let at = log.len() / places * place;
                bytes[at..at + 512].iter_mut().for_each(|byte| *byte ^= 0x5a);
            }
            fs::write(path.join(from.file_name().unwrap()), bytes).unwrap();
        }
        let opened = SledStore::open(&path).unwrap();
        let left = all(&opened.store).await;
        match opened.set_aside {
            None => assert!(left == records, "damage at place {place}: {} records left", left.len()),
            Some(aside) => {
                assert_eq!(left, []);
                let at = log.len() / places * place;
                let kept = fs::read(aside.join("db")).unwrap();
                assert!(kept[..at] == log[..at] && kept[at + 512..] == log[at + 512..], "not what was set aside");
                set_aside += 1;
            }
        }
    }
    assert!(set_aside > places / 4, "the damage was hardly ever met: {set_aside} of {places}");
}

#[tokio::test]
async fn a_commit_is_answered_to_any_runtime() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    let store = std::sync::Arc::new(SledStore::open(&path).unwrap().store);
    let other = std::sync::Arc::clone(&store);
    let result = tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(other.commit(vec![Change::put(
            "a",
            "k",
            Expect::Version(3),
            vec![],
        )]))
    });
    assert!(matches!(result.await.unwrap(), Err(CommitError::Conflict { .. })));
}
