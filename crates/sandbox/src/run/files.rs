//! Which scenario files there are.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use party::StartError;
use scenario::Scenario;

use super::wrong;

/// Folders whose files are included by scenarios and are none themselves.
const COMMON: &str = "common";

/// A scenario and the file that it stands in.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) file: PathBuf,
    pub(super) scenario: Scenario,
}

impl Found {
    pub(super) fn folder(&self) -> Option<String> {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        Some(folder.display().to_string())
    }

    pub(super) fn is_about(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        [&self.scenario.name, &self.scenario.about, &self.file.display().to_string()]
            .iter()
            .any(|place| place.to_lowercase().contains(&text))
    }
}

/// The files that are named, and those in the folders that are, in alphabetical order.
pub(super) fn scenario_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let before = files.len();
            folder(path, &mut files)?;
            if files.len() == before {
                return Err(wrong(format!("{} holds no scenario files", path.display())));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn folder(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), StartError> {
    let unreadable = |error| wrong(format!("{} cannot be read: {error}", path.display()));
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(unreadable)?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            if entry.file_name().is_some_and(|name| name != COMMON) {
                folder(&entry, files)?;
            }
        } else if entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(entry);
        }
    }
    Ok(())
}

pub(super) fn check_names(found: &[Found]) -> Result<(), StartError> {
    let mut files: BTreeMap<&str, &Path> = BTreeMap::new();
    for Found { file, scenario } in found {
        if let Some(other) = files.insert(&scenario.name, file)
            && other != file
        {
            let (one, other) = (other.display(), file.display());
            return Err(wrong(format!("{one} and {other} have the same name: {}", scenario.name)));
        }
    }
    Ok(())
}
