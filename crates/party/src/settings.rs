//! Settings: a flag wins over the environment, the environment over the configuration file, that over the default.
//!
//! A party's settings are one struct of options that is both a set of clap arguments (which read the environment) and the
//! form of the configuration file. Keys of the file are the long flags.

use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The configuration file cannot be read.
    #[error("the file {path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The configuration file says something that cannot be.
    #[error("the file {path} is wrong: {error}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, where, and what would be right, in one line.
        error: String,
    },
    /// The settings do not fit together.
    #[error("the settings do not fit together: {0}")]
    Unfit(String),
}

/// Lays flags and environment over the configuration file.
///
/// # Errors
/// The file cannot be read, or has unknown keys or values of the wrong kind.
pub fn merge<S: Serialize + DeserializeOwned>(given: &S, file: Option<&Path>) -> Result<S, SettingsError> {
    let unfit = |error: serde_json::Error| SettingsError::Unfit(error.to_string());
    let mut merged = match file {
        None => Map::new(),
        Some(path) => {
            let from_file: S = read_yaml(path)?;
            present(serde_json::to_value(from_file).map_err(unfit)?)
        }
    };
    merged.extend(present(serde_json::to_value(given).map_err(unfit)?));
    serde_json::from_value(Value::Object(merged)).map_err(unfit)
}

/// Reads a YAML file of this form.
///
/// # Errors
/// The file cannot be read, or is of another form.
pub fn read_yaml<T: DeserializeOwned>(path: &Path) -> Result<T, SettingsError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| SettingsError::Unreadable { path: path.to_owned(), error })?;
    parse_yaml(&text).map_err(|error| SettingsError::Wrong { path: path.to_owned(), error })
}

/// Reads YAML of this form; the error is one line with line and column.
///
/// # Errors
/// The text is of another form.
pub fn parse_yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map(|at| format!(" (line {}, column {})", at.line(), at.column()));
        let message = error.without_snippet().to_string();
        let message = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        if message.contains("line ") { message } else { format!("{message}{}", place.unwrap_or_default()) }
    })
}

fn present(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Args, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
    struct Settings {
        #[arg(long, env = "OB_SETTINGS_TEST_PORT")]
        port: Option<u16>,
        #[arg(long)]
        base_url: Option<String>,
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn flags(arguments: &[&str]) -> Settings {
        let command = Settings::augment_args(Command::new("test").no_binary_name(true));
        Settings::from_arg_matches(&command.get_matches_from(arguments)).unwrap()
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_nothing() {
        let file = file("port: 1\nbase-url: https://a.example\n");
        let merged = merge(&flags(&["--port", "2"]), Some(file.path())).unwrap();
        assert_eq!(merged, Settings { port: Some(2), base_url: Some("https://a.example".into()) });
        assert_eq!(merge(&flags(&[]), None).unwrap(), Settings::default());
    }

    /// The environment is the process's: a child of its own is asked, so that no other test sees the variable.
    #[test]
    fn the_environment_stands_between_flag_and_file() {
        const CHILD: &str = "OB_SETTINGS_TEST_CHILD";
        if std::env::var_os(CHILD).is_some() {
            let file = file("port: 1\n");
            assert_eq!(merge(&flags(&[]), Some(file.path())).unwrap().port, Some(3));
            assert_eq!(merge(&flags(&["--port", "4"]), Some(file.path())).unwrap().port, Some(4));
            return;
        }
        let name = "settings::tests::the_environment_stands_between_flag_and_file";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact"])
            .env(CHILD, "1")
            .env("OB_SETTINGS_TEST_PORT", "3")
            .status()
            .unwrap();
        assert!(status.success());
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let file = file("port: 1\nbase_url: https://a.example\n");
        let error = merge(&Settings::default(), Some(file.path())).unwrap_err().to_string();
        for part in ["base_url", "base-url", "line 2", "column 1"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = merge(&Settings::default(), Some(Path::new("/nowhere/x.yaml"))).unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.yaml"), "{error}");
    }
}
