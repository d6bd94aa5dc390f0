//! What every implementation of [`Store`] must do.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use store::{Change, Collection, CommitError, Direction, Expect, Found, MAX_KEY_BYTES, Range, Store, StoreError};

/// Runs the suite, each part against a new store.
pub(crate) async fn holds(new: &(dyn Fn() -> Box<dyn Store> + Sync)) {
    records_come_back(&*new()).await;
    expectations_decide(&*new()).await;
    a_commit_is_whole(&*new()).await;
    changes_see_those_before_them(&*new()).await;
    versions_are_never_used_twice(&*new()).await;
    collections_are_apart(&*new()).await;
    ranges_select(&*new()).await;
    unusable_keys_are_refused(&*new()).await;
    types_come_back(&*new()).await;
    of_many_inserts_one_wins(new().into()).await;
    counting_loses_nothing(new().into()).await;
    readers_see_whole_commits(new().into()).await;
}

fn put(collection: &str, key: &str, value: &str) -> Change {
    Change::put(collection, key, Expect::Any, value.as_bytes().to_vec())
}

async fn value(store: &dyn Store, collection: &str, key: &str) -> Option<String> {
    store.get(collection, key).await.unwrap().map(|stored| String::from_utf8(stored.value).unwrap())
}

async fn version(store: &dyn Store, collection: &str, key: &str) -> u64 {
    store.get(collection, key).await.unwrap().unwrap().version
}

async fn keys(store: &dyn Store, collection: &str, range: Range) -> Vec<String> {
    store.range(collection, range).await.unwrap().into_iter().map(|(key, _)| key).collect()
}

fn conflict(result: Result<(), CommitError>) -> (String, Expect, Found) {
    match result {
        Err(CommitError::Conflict { key, expected, found, .. }) => (key, expected, found),
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

async fn records_come_back(store: &dyn Store) {
    assert_eq!(store.get("a", "k").await.unwrap(), None);
    store.commit(vec![put("a", "k", "one")]).await.unwrap();
    assert_eq!(value(store, "a", "k").await.as_deref(), Some("one"));
    store.commit(vec![put("a", "k", "two"), put("a", "empty", "")]).await.unwrap();
    assert_eq!(value(store, "a", "k").await.as_deref(), Some("two"));
    assert_eq!(value(store, "a", "empty").await.as_deref(), Some(""));
    store.commit(vec![Change::delete("a", "k", Expect::Any)]).await.unwrap();
    assert_eq!(value(store, "a", "k").await, None);
    store.commit(vec![Change::delete("a", "k", Expect::Any)]).await.unwrap();
    store.commit(Vec::new()).await.unwrap();

    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    store.commit(vec![Change::put("a", "large", Expect::Absent, large.clone())]).await.unwrap();
    assert_eq!(store.get("a", "large").await.unwrap().unwrap().value, large);
}

async fn expectations_decide(store: &dyn Store) {
    store.commit(vec![Change::put("a", "k", Expect::Absent, vec![1])]).await.unwrap();
    let first = version(store, "a", "k").await;

    let again = store.commit(vec![Change::put("a", "k", Expect::Absent, vec![2])]).await;
    assert_eq!(conflict(again), ("k".to_owned(), Expect::Absent, Found::Version(first)));

    store.commit(vec![Change::put("a", "k", Expect::Version(first), vec![3])]).await.unwrap();
    let second = version(store, "a", "k").await;
    let late = store.commit(vec![Change::delete("a", "k", Expect::Version(first))]).await;
    assert_eq!(conflict(late), ("k".to_owned(), Expect::Version(first), Found::Version(second)));

    store.commit(vec![Change::delete("a", "k", Expect::Present)]).await.unwrap();
    let gone = store.commit(vec![Change::delete("a", "k", Expect::Present)]).await;
    assert_eq!(conflict(gone), ("k".to_owned(), Expect::Present, Found::Absent));
    let gone = store.commit(vec![Change::put("a", "k", Expect::Version(second), vec![4])]).await;
    assert_eq!(conflict(gone), ("k".to_owned(), Expect::Version(second), Found::Absent));
    assert_eq!(value(store, "a", "k").await, None);
}

async fn a_commit_is_whole(store: &dyn Store) {
    store.commit(vec![put("a", "kept", "before")]).await.unwrap();
    let before = store.range("a", Range::all()).await.unwrap();
    let refused = store
        .commit(vec![
            put("a", "new", "x"),
            put("a", "kept", "after"),
            Change::delete("b", "missing", Expect::Present),
            Change::delete("a", "kept", Expect::Any),
        ])
        .await;
    assert_eq!(conflict(refused).0, "missing");
    let unusable = store.commit(vec![put("a", "kept", "after"), put("a", "", "x")]).await;
    assert!(matches!(unusable, Err(CommitError::Store(StoreError::Key { .. }))), "{unusable:?}");
    assert_eq!(store.range("a", Range::all()).await.unwrap(), before);

    store.commit(vec![put("a", "kept", "after"), put("b", "new", "x")]).await.unwrap();
    assert_eq!(version(store, "a", "kept").await, version(store, "b", "new").await);
}

async fn changes_see_those_before_them(store: &dyn Store) {
    let twice = vec![Change::put("a", "k", Expect::Absent, vec![1]), Change::put("a", "k", Expect::Absent, vec![2])];
    assert!(matches!(conflict(store.commit(twice).await), (_, Expect::Absent, Found::Version(_))));
    assert_eq!(value(store, "a", "k").await, None);

    let moved = vec![
        put("a", "k", "first"),
        Change::delete("a", "k", Expect::Present),
        Change::put("a", "k", Expect::Absent, b"last".to_vec()),
        put("a", "fleeting", "x"),
        Change::delete("a", "fleeting", Expect::Present),
    ];
    store.commit(moved).await.unwrap();
    assert_eq!(value(store, "a", "k").await.as_deref(), Some("last"));
    assert_eq!(keys(store, "a", Range::all()).await, ["k"]);
}

async fn versions_are_never_used_twice(store: &dyn Store) {
    let mut seen = Vec::new();
    for round in 0..4 {
        store.commit(vec![put("a", "k", "same")]).await.unwrap();
        seen.push(version(store, "a", "k").await);
        if round % 2 == 0 {
            store.commit(vec![Change::delete("a", "k", Expect::Any)]).await.unwrap();
        }
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}

async fn collections_are_apart(store: &dyn Store) {
    // Neighbours in every order that a careless joining of name and key would mix up.
    let places =
        [("a", "b"), ("a", "\0b"), ("a", "b\0"), ("ab", "b"), ("a/", "b"), ("a\u{1}", "b"), ("A", "b"), ("b", "a")];
    let all = places.iter().map(|(collection, key)| put(collection, key, &format!("{collection} {key}"))).collect();
    store.commit(all).await.unwrap();
    for (collection, key) in places {
        assert_eq!(value(store, collection, key).await, Some(format!("{collection} {key}")));
    }
    assert_eq!(keys(store, "a", Range::all()).await, ["\0b", "b", "b\0"]);
    assert_eq!(keys(store, "a", Range::prefix("b")).await, ["b", "b\0"]);
    assert_eq!(keys(store, "a", Range::prefix("\0")).await, ["\0b"]);
    assert_eq!(keys(store, "a", Range::all().backward()).await, ["b\0", "b", "\0b"]);
    assert_eq!(keys(store, "ab", Range::all()).await, ["b"]);
    assert_eq!(keys(store, "a\u{1}", Range::all()).await, ["b"]);
    assert_eq!(keys(store, "nobody's", Range::all()).await, [""; 0]);
    store.commit(vec![Change::delete("a", "b", Expect::Present)]).await.unwrap();
    assert_eq!(value(store, "ab", "b").await.as_deref(), Some("ab b"));
}

async fn ranges_select(store: &dyn Store) {
    let all = ["a1", "a2", "b1", "b2", "b3", "c1", "é", "\u{10ffff}"];
    store.commit(all.iter().rev().map(|key| put("r", key, key)).collect()).await.unwrap();
    let expect = async |range: Range, expected: &[&str]| {
        assert_eq!(keys(store, "r", range.clone()).await, expected, "{range:?}");
    };
    expect(Range::all(), &all).await;
    expect(Range::prefix("b"), &["b1", "b2", "b3"]).await;
    expect(Range::prefix("\u{10ffff}"), &["\u{10ffff}"]).await;
    expect(Range::all().from("b2").limit(2), &["b2", "b3"]).await;
    expect(Range::all().after("b2").limit(2), &["b3", "c1"]).await;
    expect(Range::all().from("b").limit(1), &["b1"]).await;
    expect(Range::prefix("b").after("b3"), &[]).await;
    expect(Range::prefix("b").from("a1"), &["b1", "b2", "b3"]).await;
    expect(Range::prefix("b").from("c1"), &[]).await;
    expect(Range::all().from("b1").after("b1").limit(1), &["b2"]).await;
    expect(Range::all().limit(0), &[]).await;
    expect(Range::prefix("b").backward(), &["b3", "b2", "b1"]).await;
    expect(Range::all().backward().limit(1), &["\u{10ffff}"]).await;
    expect(Range::all().backward().from("b2"), &["b2", "b1", "a2", "a1"]).await;
    expect(Range::all().backward().after("b2").limit(2), &["b1", "a2"]).await;
    expect(Range::prefix("b").backward().from("c1").limit(1), &["b3"]).await;
    expect(Range::prefix("b").backward().after("b1"), &[]).await;

    for direction in [Direction::Forward, Direction::Backward] {
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = keys(store, "r", Range { after, limit: 3, direction, ..Range::all() }).await;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            pages.extend(page);
        }
        if direction == Direction::Backward {
            pages.reverse();
        }
        assert_eq!(pages, all);
    }
}

async fn unusable_keys_are_refused(store: &dyn Store) {
    let long = "k".repeat(MAX_KEY_BYTES);
    for (collection, key, named) in [("", "k", false), ("a\0b", "k", false), ("a", "", true), ("a", &*long, true)] {
        let got = store.get(collection, key).await;
        match named {
            true => assert!(matches!(got, Ok(None)), "nothing can be under the key: {got:?}"),
            false => assert!(matches!(got, Err(StoreError::Key { .. })), "{got:?}"),
        }
        let committed = store.commit(vec![put(collection, key, "x")]).await;
        assert!(matches!(committed, Err(CommitError::Store(StoreError::Key { .. }))), "{committed:?}");
    }
    for collection in ["", "a\0b"] {
        let ranged = store.range(collection, Range::all()).await;
        assert!(matches!(ranged, Err(StoreError::Key { .. })), "{ranged:?}");
    }
    store.commit(vec![put("a", &long[1..], "x")]).await.unwrap();
    assert_eq!(value(store, "a", &long[1..]).await.as_deref(), Some("x"));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Client {
    name: String,
    scopes: Vec<String>,
}

async fn types_come_back(store: &dyn Store) {
    const CLIENTS: Collection<Client> = Collection::new("clients");
    let client = |name: &str| Client { name: name.to_owned(), scopes: vec!["accounts".to_owned()] };

    store.commit(vec![CLIENTS.insert("1", &client("one")).unwrap()]).await.unwrap();
    let again = store.commit(vec![CLIENTS.insert("1", &client("other")).unwrap()]).await;
    assert_eq!(conflict(again).1, Expect::Absent);
    let (first, first_version) = CLIENTS.get(store, "1").await.unwrap().unwrap();
    assert_eq!(first, client("one"));
    assert_eq!(CLIENTS.get(store, "2").await.unwrap(), None);

    let both =
        vec![CLIENTS.update("1", first_version, &client("uno")).unwrap(), CLIENTS.put("2", &client("two")).unwrap()];
    store.commit(both).await.unwrap();
    let all = CLIENTS.range(store, Range::all().backward()).await.unwrap();
    let [(key_2, two, version_2), (key_1, one, version_1)] = &all[..] else { panic!("two records, not {all:?}") };
    assert_eq!((key_2.as_str(), two, key_1.as_str(), one), ("2", &client("two"), "1", &client("uno")));
    assert_eq!(version_1, version_2);

    let late = store.commit(vec![CLIENTS.delete_version("1", first_version)]).await;
    assert_eq!(conflict(late).1, Expect::Version(first_version));
    store.commit(vec![CLIENTS.delete_version("1", *version_1), CLIENTS.take("2")]).await.unwrap();
    assert_eq!(conflict(store.commit(vec![CLIENTS.take("2")]).await).2, Found::Absent);
    store.commit(vec![CLIENTS.delete("2")]).await.unwrap();

    store.commit(vec![put("clients", "odd", "{\"name\":7}")]).await.unwrap();
    let odd = CLIENTS.get(store, "odd").await;
    assert!(matches!(&odd, Err(StoreError::Value { key, .. }) if key == "odd"), "{odd:?}");
    assert!(CLIENTS.range(store, Range::all()).await.is_err());
    let unspeakable: Collection<BTreeMap<Vec<u8>, u8>> = Collection::new("unspeakable");
    assert!(matches!(unspeakable.put("k", &BTreeMap::from([(vec![1], 1)])), Err(StoreError::Value { .. })));
}

const TASKS: u64 = 32;

async fn of_many_inserts_one_wins(store: Arc<dyn Store>) {
    for round in 0..20 {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                let value = task.to_be_bytes().to_vec();
                let insert = Change::put("race", format!("{round}"), Expect::Absent, value.clone());
                (value, store.commit(vec![insert]).await)
            });
        }
        let (won, lost): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(|(_, result)| result.is_ok());
        let [(winner, _)] = &won[..] else { panic!("one winner, not {}", won.len()) };
        let stored = store.get("race", &format!("{round}")).await.unwrap().unwrap();
        assert_eq!(&stored.value, winner);
        for (_, result) in lost {
            assert_eq!(conflict(result), (format!("{round}"), Expect::Absent, Found::Version(stored.version)));
        }
    }
}

async fn counting_loses_nothing(store: Arc<dyn Store>) {
    const COUNTER: Collection<u64> = Collection::new("counter");
    const EACH: u64 = 10;
    store.commit(vec![COUNTER.insert("n", &0).unwrap()]).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut counted = 0;
            while counted < EACH {
                let (number, version) = COUNTER.get(&*store, "n").await.unwrap().unwrap();
                let changes = vec![
                    COUNTER.update("n", version, &(number + 1)).unwrap(),
                    COUNTER.insert(format!("{task:02}-{counted:02}"), &number).unwrap(),
                ];
                match store.commit(changes).await {
                    Ok(()) => counted += 1,
                    Err(CommitError::Conflict { key, .. }) => assert_eq!(key, "n"),
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(COUNTER.get(&*store, "n").await.unwrap().unwrap().0, TASKS * EACH);
    let mut seen: Vec<u64> =
        COUNTER.range(&*store, Range::all()).await.unwrap().into_iter().map(|(_, number, _)| number).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..=TASKS * EACH).collect::<Vec<_>>());
}

async fn readers_see_whole_commits(store: Arc<dyn Store>) {
    const LAST: &str = "199";
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for round in 0..200 {
            let value = format!("{round}");
            writer.commit((0..20).map(|key| put("whole", &format!("{key:02}"), &value)).collect()).await.unwrap();
        }
    });
    loop {
        let records = store.range("whole", Range::all()).await.unwrap();
        if let Some((_, first)) = records.first() {
            assert_eq!(records.len(), 20);
            assert!(records.iter().all(|(_, stored)| stored == first), "half a commit: {records:?}");
            if first.value == LAST.as_bytes() {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
}
