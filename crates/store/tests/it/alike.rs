//! Random batches do the same to both implementations, also across a restart.

use proptest::{collection::vec, option, prelude::*};
use store::{Action, Change, Direction, Expect, MemoryStore, Range, SledStore, Store};

const COLLECTIONS: [&str; 3] = ["a", "ab", "b"];

fn key() -> impl Strategy<Value = String> {
    // Few enough that batches meet, odd enough to matter; the empty one is refused.
    prop_oneof![8 => "[ab\0]{1,2}", 1 => Just(String::new()), 1 => "\\PC{1,2}"]
}

fn change() -> impl Strategy<Value = Change> {
    let expect = prop_oneof![
        6 => Just(Expect::Any),
        1 => Just(Expect::Absent),
        1 => Just(Expect::Present),
        1 => (0_u64..20).prop_map(Expect::Version),
    ];
    let action = prop_oneof![4 => vec(any::<u8>(), 0..40).prop_map(Action::Put), 2 => Just(Action::Delete)];
    (prop::sample::select(&COLLECTIONS[..]), key(), expect, action)
        .prop_map(|(collection, key, expect, action)| Change { collection: collection.to_owned(), key, expect, action })
}

fn range() -> impl Strategy<Value = Range> {
    let direction = prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    ("[ab\0]{0,2}", option::of(key()), option::of(key()), 0_usize..8, direction)
        .prop_map(|(prefix, from, after, limit, direction)| Range { prefix, from, after, limit, direction })
}

async fn assert_alike(one: &dyn Store, other: &dyn Store, ranges: &[Range]) {
    for collection in COLLECTIONS {
        for range in ranges.iter().cloned().chain([Range::all(), Range::all().backward()]) {
            let found = one.range(collection, range.clone()).await.unwrap();
            assert_eq!(found, other.range(collection, range.clone()).await.unwrap(), "{collection} {range:?}");
            for (key, stored) in found {
                assert_eq!(one.get(collection, &key).await.unwrap().as_ref(), Some(&stored));
                assert_eq!(other.get(collection, &key).await.unwrap().as_ref(), Some(&stored));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_implementations_are_alike(batches in vec(vec(change(), 0..6), 1..25), ranges in vec(range(), 6)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let memory = MemoryStore::new();
            let home = tempfile::tempdir().unwrap();
            let disk = SledStore::open(&home.path().join("state")).unwrap().store;
            for batch in &batches {
                let (one, other) = (memory.commit(batch.clone()).await, disk.commit(batch.clone()).await);
                assert_eq!(format!("{one:?}"), format!("{other:?}"), "{batch:?}");
            }
            assert_alike(&memory, &disk, &ranges).await;

            let path = disk.path().to_owned();
            drop(disk);
            let again = SledStore::open(&path).unwrap();
            assert_eq!(again.set_aside, None);
            for batch in &batches {
                let (one, other) = (memory.commit(batch.clone()).await, again.store.commit(batch.clone()).await);
                assert_eq!(format!("{one:?}"), format!("{other:?}"), "{batch:?}");
            }
            assert_alike(&memory, &again.store, &ranges).await;
        });
    }

    #[test]
    fn commits_that_are_made_together_are_as_if_one_came_after_the_other(
        batches in vec(vec(change(), 0..6), 1..25), ranges in vec(range(), 6)
    ) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let memory = MemoryStore::new();
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join("state");
            let disk = SledStore::open(&path).unwrap().store;
            // All are handed over, in their order, before the first is waited for.
            let together = futures_util::future::join_all(batches.iter().map(|batch| disk.commit(batch.clone()))).await;
            for (batch, other) in batches.iter().zip(together) {
                let one = memory.commit(batch.clone()).await;
                assert_eq!(format!("{one:?}"), format!("{other:?}"), "{batch:?}");
            }
            assert_alike(&memory, &disk, &ranges).await;

            drop(disk);
            let again = SledStore::open(&path).unwrap();
            assert_eq!(again.set_aside, None);
            assert_alike(&memory, &again.store, &ranges).await;
        });
    }
}
