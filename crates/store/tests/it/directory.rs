//! Whose directory it is, and what happens to one that cannot be read.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use store::{Change, Expect, Range, SledStore, Store, StoreError};

const SECOND: &str = "STORE_TEST_SECOND_OPENING";

async fn with_a_record(path: &Path) {
    let store = SledStore::open(path).unwrap().store;
    store.commit(vec![Change::put("a", "k", Expect::Absent, b"kept".to_vec())]).await.unwrap();
}

async fn assert_empty_and_usable(store: &SledStore) {
    assert_eq!(store.range("a", Range::all()).await.unwrap(), []);
    store.commit(vec![Change::put("a", "k", Expect::Absent, b"new".to_vec())]).await.unwrap();
}

/// Names, sizes and times of everything under `directory`.
fn look(directory: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            found.extend(look(&entry.path()));
        }
        found.push((entry.path(), metadata.len(), metadata.modified().unwrap()));
    }
    found.sort();
    found
}

#[tokio::test]
async fn garbage_is_set_aside_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    for number in 1..=2 {
        with_a_record(&path).await;
        let garbage: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::write(path.join("db"), &garbage).unwrap();
        fs::write(path.join("blobs/kept"), "also old").unwrap();

        let opened = SledStore::open(&path).unwrap();
        let aside = opened.set_aside.unwrap();
        assert_eq!(aside, home.path().join(format!("state.unreadable-{number}")));
        assert_eq!(fs::read(aside.join("blobs/kept")).unwrap(), b"also old");
        assert!(fs::read(aside.join("db")).unwrap() == garbage, "the old data was changed");
        assert_empty_and_usable(&opened.store).await;
        drop(opened.store);
        let again = SledStore::open(&path).unwrap();
        assert_eq!(again.set_aside, None);
        assert_eq!(again.store.get("a", "k").await.unwrap().unwrap().value, b"new");
        drop(again.store);
        fs::remove_dir_all(&path).unwrap();
    }
}

#[tokio::test]
async fn another_schema_is_set_aside_untouched() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    with_a_record(&path).await;
    fs::write(path.join("schema"), "ob-store 2\n1\n").unwrap();
    let before = fs::read(path.join("db")).unwrap();

    let opened = SledStore::open(&path).unwrap();
    let aside = opened.set_aside.unwrap();
    assert_eq!(fs::read(aside.join("db")).unwrap(), before);
    assert_empty_and_usable(&opened.store).await;

    // Whoever can read it finds the records where they were.
    fs::write(aside.join("schema"), "ob-store 1\n1\n").unwrap();
    let restored = SledStore::open(&aside).unwrap();
    assert_eq!(restored.set_aside, None);
    assert_eq!(restored.store.get("a", "k").await.unwrap().unwrap().value, b"kept");
}

#[tokio::test]
async fn lost_records_are_noticed() {
    for lose in [(|path| fs::write(path.join("db"), b"").unwrap()) as fn(&Path), |path| {
        fs::remove_file(path.join("db")).unwrap();
    }] {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("state");
        with_a_record(&path).await;
        lose(&path);
        let opened = SledStore::open(&path).unwrap();
        assert!(opened.set_aside.unwrap().join("schema").exists());
        assert_empty_and_usable(&opened.store).await;
    }
}

#[tokio::test]
async fn another_programs_database_is_set_aside() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    let foreign = sled::open(&path).unwrap();
    foreign.insert("theirs", "precious").unwrap();
    foreign.flush().unwrap();
    drop(foreign);
    let opened = SledStore::open(&path).unwrap();
    let aside = opened.set_aside.unwrap();
    assert_empty_and_usable(&opened.store).await;
    assert_eq!(&*sled::open(aside).unwrap().get("theirs").unwrap().unwrap(), b"precious");
}

#[tokio::test]
async fn an_interrupted_first_opening_is_no_loss() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    drop(sled::open(&path).unwrap());
    let opened = SledStore::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_empty_and_usable(&opened.store).await;
    drop(opened.store);

    fs::remove_file(path.join("schema")).unwrap();
    let opened = SledStore::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_eq!(opened.store.get("a", "k").await.unwrap().unwrap().value, b"new");
    assert!(path.join("schema").exists());
}

/// What sled had made of the store when an opening was interrupted does not count; half a copy neither.
#[tokio::test]
async fn an_interrupted_opening_is_begun_anew() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    with_a_record(&path).await;
    fs::rename(&path, home.path().join("state.kept")).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("db"), "half repaired").unwrap();
    fs::create_dir(home.path().join("state.unfinished")).unwrap();

    let opened = SledStore::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_eq!(opened.store.get("a", "k").await.unwrap().unwrap().value, b"kept");
    let mut names: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["state", "state.lock"]);
}

#[test]
fn what_is_no_store_keeps_its_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "a letter").unwrap();
    let other = home.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("letter"), "dear").unwrap();
    for path in [&*file, &*other, Path::new("/"), &home.path().join("..")] {
        let error = SledStore::open(path).unwrap_err();
        assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"a letter");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);

    let error = SledStore::open(&file.join("below")).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("cannot create {}", file.display())), "{error}");
}

#[tokio::test]
async fn a_second_opening_here_is_refused_and_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    with_a_record(&path).await;
    let store = SledStore::open(&path).unwrap().store;
    let before = fs::read(path.join("db")).unwrap();
    for same in [path.clone(), home.path().join("state/")] {
        let error = SledStore::open(&same).unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "the store {} is in use by this process already; stop it or choose another directory",
                path.display()
            )
        );
    }
    assert_eq!(fs::read(path.join("db")).unwrap(), before);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2, "the store and its lock");
    store.commit(vec![Change::put("a", "k", Expect::Present, vec![])]).await.unwrap();
    drop(store);
    assert!(SledStore::open(&path).is_ok());
}

#[test]
fn a_second_process_is_refused_and_touches_nothing() {
    if let Ok(path) = std::env::var(SECOND) {
        // The child: says what it was told.
        println!("<{}>", SledStore::open(Path::new(&path)).unwrap_err());
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    // Held by the lock alone, so that nothing but the second opening could change the directory.
    drop(SledStore::open(&path).unwrap());
    let lock = fs::File::options().read(true).write(true).open(home.path().join("state.lock")).unwrap();
    lock.try_lock().unwrap();
    let before = look(home.path());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "directory::a_second_process_is_refused_and_touches_nothing", "--nocapture"])
        .env(SECOND, &path)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!(
        "<the store {} is in use by another process (pid {}); stop it or choose another directory>",
        path.display(),
        std::process::id()
    );
    assert!(said.contains(&expected), "{said}");
    assert_eq!(look(home.path()), before);
}

#[test]
fn sleds_own_lock_counts_too() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    let foreign = sled::open(&path).unwrap();
    let error = SledStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(path.join("db").exists());
    drop(foreign);
}

#[cfg(unix)]
#[test]
fn others_cannot_look_inside() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let store = SledStore::open(&home.path().join("state")).unwrap().store;
    assert_eq!(fs::metadata(store.path()).unwrap().permissions().mode() & 0o777, 0o700);
}
