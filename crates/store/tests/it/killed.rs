//! A process that is killed under load loses nothing that it had acknowledged.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use store::{Change, CommitError, Expect, Range, SledStore, Store};

const CHILD: &str = "STORE_TEST_KILLED_CHILD";
const TASKS: u64 = 16;
const ROUNDS: u64 = 6;

/// The child: commits pairs for ever and says which were acknowledged.
fn commit_for_ever(path: &Path, round: &str) {
    let store = Arc::new(SledStore::open(path).unwrap().store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let store = Arc::clone(&store);
            let round = round.to_owned();
            tasks.spawn(async move {
                for number in 0_u64.. {
                    let key = format!("{round}-{task}-{number}");
                    let pair = ["left", "right"].map(|side| {
                        Change::put(side, &*key, Expect::Absent, format!("{key} ").repeat(30).into_bytes())
                    });
                    store.commit(pair.into()).await.unwrap();
                    println!("<{key}>");
                }
            });
        }
        tasks.join_all().await;
    });
}

/// The keys in complete lines; the harness may write in front of them.
fn acknowledged(line: &str) -> Option<String> {
    Some(line[line.find('<')? + 1..].trim_end().strip_suffix('>')?.to_owned())
}

#[tokio::test]
async fn no_acknowledged_commit_is_lost_by_kill_9() {
    if let Ok(arguments) = std::env::var(CHILD) {
        let (round, path) = arguments.split_once(' ').unwrap();
        let (round, path) = (round.to_owned(), path.to_owned());
        std::thread::spawn(move || commit_for_ever(Path::new(&path), &round)).join().unwrap();
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    let mut promised = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::no_acknowledged_commit_is_lost_by_kill_9", "--nocapture"])
            .env(CHILD, format!("{round} {}", path.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let before = promised.len() as u64;
        // Different moments of the store's life: soon after opening, and later.
        while (promised.len() as u64) < before + 40 + round * 150 {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended by itself");
            promised.extend(acknowledged(&line));
        }
        child.kill().unwrap();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        promised.extend(rest.lines().filter_map(acknowledged));
        child.wait().unwrap();

        let opened = SledStore::open(&path).unwrap();
        assert_eq!(opened.set_aside, None, "round {round}");
        let left = opened.store.range("left", Range::all()).await.unwrap();
        let right = opened.store.range("right", Range::all()).await.unwrap();
        assert_eq!(left, right, "half a commit survived");
        let kept: BTreeSet<String> = left.into_iter().map(|(key, _)| key).collect();
        let lost: Vec<_> = promised.difference(&kept).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        // The store that survived still knows what it has.
        let again = promised.first().unwrap();
        let refused = opened.store.commit(vec![Change::put("left", again.as_str(), Expect::Absent, vec![])]).await;
        assert!(matches!(refused, Err(CommitError::Conflict { .. })));
    }
}
