//! Reading scenario files: with the files that they include, and with mistakes told by place and by what would be right.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use simulation::faults::Fault;

use super::{BANK, DIRECTORY, Scenario, Step, TPP};

/// Files within files.
const DEEPEST: usize = 8;

/// Steps that many scenarios have in common: a file that is included.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fragment {
    /// What happens, in a sentence.
    pub about: String,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// A scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It says something that the language does not have.
    #[error("{path} is wrong: {error}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, with line and column, and what would be right.
        error: String,
    },
}

impl Scenario {
    /// Reads a scenario from its text. Files that it includes are read from beside `path`.
    ///
    /// # Errors
    /// The text is wrong; line and column are told. Or a file that it includes cannot be used.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        let mut scenario: Self = parse(path, text)?;
        scenario.steps = included(path, scenario.steps, 0)?;
        if let Some(lesson) = &mut scenario.lesson {
            lesson.steps = included(path, std::mem::take(&mut lesson.steps), 0)?;
        }
        scenario.check().map_err(|error| ScenarioError::Wrong { path: path.to_owned(), error })?;
        let tpps = scenario.tpps.values_mut().map(|tpp| &mut tpp.profile);
        let banks = scenario.banks.values_mut().flat_map(|bank| [&mut bank.profile, &mut bank.clients]);
        for file in tpps.chain(banks).flatten() {
            *file = beside(path, file).display().to_string();
        }
        for step in &mut scenario.steps {
            if let Step::Call(call) = step {
                call.file = call.file.take().map(|file| beside(path, &file).display().to_string());
            }
        }
        Ok(scenario)
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// The file, or one that it includes, cannot be read, or is wrong.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        Self::parse(path, &text_of(path)?)
    }

    /// What the form of the file cannot say.
    fn check(&self) -> Result<(), String> {
        if self.steps.is_empty() {
            return Err("it has no steps".to_owned());
        }
        if self.tpps.contains_key(TPP) {
            return Err(format!("tpps: {TPP} is the name of the TPP that every scenario has"));
        }
        for bank in self.banks.keys() {
            if [BANK, DIRECTORY, TPP].contains(&bank.as_str()) || self.tpps.contains_key(bank) {
                return Err(format!("banks: {bank} is the name of another party of the scenario"));
            }
        }
        let known = || self.tpps.keys().map(String::as_str).chain([TPP]);
        for step in self.all_steps() {
            let named = step.tpp();
            if !known().any(|tpp| tpp == named) {
                let hint = nearest(named, known()).map(|near| format!(", did you mean {near}?")).unwrap_or_default();
                let known: Vec<&str> = known().collect();
                return Err(format!("tpp: {named} is not among tpps ({}){hint}", known.join(", ")));
            }
        }
        for step in self.all_steps() {
            if let Step::Fault(asked) = step {
                let fault = Value::Object(asked.fault.clone());
                let fault: Fault =
                    serde_json::from_value(fault).map_err(|error| helpful(&format!("fault: {error}")))?;
                fault.check().map_err(|error| format!("fault: {error}"))?;
            }
        }
        if let Some(lesson) = &self.lesson {
            let differs = |step: &Step| step.common().is_some_and(|common| common.in_lesson.is_some());
            let spoken = |rule: &String| {
                self.steps.iter().any(|step| step.expect().is_some_and(|expect| expect.rule.as_ref() == Some(rule)))
            };
            if !lesson.off.iter().any(spoken) && !self.steps.iter().any(differs) {
                return Err(format!(
                    "lesson: no step expects one of the rules {}, and none says what comes of it in a lesson (in-lesson)",
                    lesson.off.join(", ")
                ));
            }
        }
        match (&self.gains, &self.lesson) {
            (None, Some(_)) => Err("lesson: a scenario with a lesson says what the attacker gains".to_owned()),
            _ => Ok(()),
        }
    }
}

fn text_of(path: &Path) -> Result<String, ScenarioError> {
    std::fs::read_to_string(path).map_err(|error| ScenarioError::Unreadable { path: path.to_owned(), error })
}

fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ScenarioError> {
    let wrong = |error: String| ScenarioError::Wrong { path: path.to_owned(), error: helpful(&error) };
    party::settings::parse_yaml(text).map_err(wrong)
}

/// The steps with those of the files that they include.
fn included(path: &Path, steps: Vec<Step>, depth: usize) -> Result<Vec<Step>, ScenarioError> {
    let mut all = Vec::with_capacity(steps.len());
    for step in steps {
        let Step::Include(include) = step else {
            all.push(step);
            continue;
        };
        if depth == DEEPEST {
            let error = format!("include: {} is included {DEEPEST} files deep; does it include itself?", include.file);
            return Err(ScenarioError::Wrong { path: path.to_owned(), error });
        }
        let file = beside(path, &include.file);
        let fragment: Fragment = parse(&file, &text_of(&file)?)?;
        if !include.with.is_empty() {
            all.push(Step::Set(include.with));
        }
        let mut steps = included(&file, fragment.steps, depth + 1)?;
        if let Some(tpp) = &include.tpp {
            steps.iter_mut().for_each(|step| step.by(tpp));
        }
        all.extend(steps);
    }
    Ok(all)
}

/// The known name that is nearest to a mistyped one, when one is near.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(wrong, name), name))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// Adds the nearest name to a message that says ``unknown X `wrong`, expected one of a, b``.
fn helpful(error: &str) -> String {
    let Some(wrong) = error.split('`').nth(1) else { return error.to_owned() };
    let Some((_, known)) = error.split_once("expected ") else { return error.to_owned() };
    let known = known.split(" at line ").next().unwrap_or_default();
    let known = known.trim_start_matches("one of ").split(", ").flat_map(|names| names.split(" or "));
    match nearest(wrong, known.map(|name| name.trim_matches(['`', ' ']))) {
        Some(near) => format!("{error}; did you mean {near}?"),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use openbanking::version::ApiVersion;

    use super::*;

    const TEXT: &str = "
name: short
about: A consent that is refused.
bank: Ashdown Bank
persona: nora
steps:
  - onboard: {}
  - lodge-consent:
      permissions: [ReadBalances]
      expect: { status: 400, rule: ais.consent.permissions }
  - advance: { days: 1, hours: 2 }
  - call: { path: /accounts, keep: { account: /Data/Account/0/AccountId } }
";

    fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Scenario::parse(Path::new("short.yaml"), text)
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_scenario_is_read() {
        let scenario = parse(TEXT).unwrap();
        assert_eq!(scenario.version, ApiVersion::V4_0);
        assert!(scenario.steps[1].expect().unwrap().refusal());
        assert_eq!(scenario.steps[2].title(), "Time passes: 1 day, 2 hours");
        assert_eq!(scenario.steps[3].title(), "The TPP calls GET /accounts");
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_what_would_be_right() {
        for (right, wrong, line, hint) in [
            ("onboard: {}", "onbord: {}", "7", "did you mean onboard?"),
            ("permissions: [ReadBalances]", "permissions: [ReadBalance]", "9", "did you mean ReadBalances?"),
            ("persona: nora", "customer: nora", "5", "persona"),
            ("path: /accounts", "pat: /accounts", "12", "did you mean path?"),
            ("days: 1, hours: 2", "dayz: 1", "11", "did you mean days?"),
            ("{ days: 1, hours: 2 }", "one day", "11", "90 days"),
        ] {
            let error = error(&TEXT.replace(right, wrong));
            assert!(error.contains(&format!("line {line}")), "{wrong}: {error}");
            assert!(error.contains("column"), "{wrong}: {error}");
            assert!(error.contains(hint), "{wrong}: {error}");
        }
    }

    #[test]
    fn faults_are_ones_that_can_be() {
        let with = |fault: &str| TEXT.replace("- onboard: {}", &format!("- fault: {{ at: bank, fault: {fault} }}"));
        assert!(parse(&with("{ path: /token, effect: drop }")).is_ok());
        assert!(error(&with("{ paht: /token, effect: drop }")).contains("did you mean path?"));
        assert!(error(&with("{ path: /token }")).contains("needs a delay or an effect"));
    }

    #[test]
    fn time_only_passes_forward() {
        let error = error(&TEXT.replace("days: 1, hours: 2", "days: -1"));
        assert!(error.contains("above zero"), "{error}");
    }

    #[test]
    fn parties_and_rules_must_be_there() {
        let other = TEXT.replace("path: /accounts,", "path: /accounts, tpp: attaker,");
        let with = other.replace("persona: nora", "persona: nora\ntpps: { attacker: {} }");
        assert!(error(&with).contains("did you mean attacker?"), "{}", error(&with));
        assert!(parse(&with.replace("attaker", "attacker")).is_ok());
        let bank = |name: &str| TEXT.replace("persona: nora", &format!("persona: nora\nbanks: {{ {name}: {{}} }}"));
        assert!(parse(&bank("thistledown")).is_ok());
        for taken in ["bank", "directory", "tpp"] {
            assert!(error(&bank(taken)).contains("another party"), "{}", error(&bank(taken)));
        }
        let lesson = format!("{TEXT}gains: Much.\nlesson: {{ off: [ais.consent.body], stolen: Much. }}\n");
        assert!(error(&lesson).contains("no step expects"), "{}", error(&lesson));
        assert!(parse(&lesson.replace("ais.consent.body", "ais.consent.permissions")).is_ok());
    }

    #[test]
    fn steps_are_taken_from_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("common.yaml", "about: Both.\nsteps:\n  - onboard: {}\n  - register: {}\n");
        let text = TEXT
            .replace("- onboard: {}", "- include: { file: common.yaml, tpp: other, with: { a: b } }")
            .replace("persona: nora", "persona: nora\ntpps: { other: {} }");
        let read = |text: &str| Scenario::parse(&folder.path().join("short.yaml"), text);
        let scenario = read(&text).unwrap();
        assert_eq!(scenario.steps.len(), 6);
        assert_eq!(scenario.steps[1].title(), "The TPP \"other\" onboards at the Directory");
        assert_eq!(scenario.steps[3].tpp(), TPP);

        write("common.yaml", "about: Wrong.\nsteps:\n  - onbord: {}\n");
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains("common.yaml") && error.contains("line 3"), "{error}");
        write("common.yaml", "about: Itself.\nsteps:\n  - include: { file: common.yaml }\n");
        assert!(read(&text).unwrap_err().to_string().contains("include itself"));
        std::fs::remove_file(folder.path().join("common.yaml")).unwrap();
        assert!(read(&text).unwrap_err().to_string().contains("cannot be read"));
    }
}
