//! Reading scenario files: with the files that they include, and with mistakes told by place and by what would be right.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Known, Lesson, Scenario, Step,
    checking::{Mistake, Parties, there, used},
    places::{Place, Tree},
    using,
};
use crate::variables;

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
    #[error("{path}{at}: {error}", path = path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Where.
        at: At,
        /// What, and what would be right.
        error: String,
    },
}

/// Line and column; nothing when they are not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct At {
    /// Counted from one; zero when it is not known.
    pub line: u64,
    /// Counted from one.
    pub column: u64,
}

impl fmt::Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => Ok(()),
            line => write!(formatter, ", line {line}, column {}", self.column),
        }
    }
}

/// A file that is read: its path, and where its parts stand.
struct Source<'a> {
    path: &'a Path,
    tree: Tree,
}

impl Source<'_> {
    fn wrong(&self, tree: &Tree, error: String) -> ScenarioError {
        let at = At { line: tree.line, column: tree.column };
        ScenarioError::Wrong { path: self.path.to_owned(), at, error }
    }

    fn mistake(&self, below: &Tree, mistake: Mistake) -> ScenarioError {
        let path: Vec<&str> = mistake.path.iter().map(String::as_str).collect();
        self.wrong(below.at(&path), mistake.what)
    }
}

/// A step, where it stands, and the names that it uses.
struct Located {
    step: Step,
    place: Place,
    used: Vec<(String, u64, u64)>,
}

impl Scenario {
    /// Reads a scenario from its text. Files that it includes are read from beside `path`.
    ///
    /// # Errors
    /// The text is wrong; line and column are told. Or a file that it includes cannot be used.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ScenarioError> {
        Self::parse_knowing(path, text, &Known::default())
    }

    /// The same, with names looked up in what is known beside the file.
    ///
    /// # Errors
    /// As for [`Scenario::parse`]; also when a name is not known.
    pub fn parse_knowing(path: &Path, text: &str, known: &Known) -> Result<Self, ScenarioError> {
        let mut scenario: Self = parse(path, text)?;
        let source = Source { path, tree: Tree::read(text) };
        let header = scenario.clone();
        let parties = Parties::of(&header, path, known);
        parties.scenario(&header, path).map_err(|mistake| source.mistake(&source.tree, mistake))?;
        let mut reading = Reading { parties: &parties, lesson: header.lesson.as_ref(), stack: vec![path.to_owned()] };
        let mut all = reading.included(&source, std::mem::take(&mut scenario.steps), &["steps"])?;
        let first = all.len();
        if let Some(lesson) = &mut scenario.lesson {
            let steps = std::mem::take(&mut lesson.steps);
            all.extend(reading.included(&source, steps, &["lesson", "steps"])?);
        }
        names(&scenario, &all)?;
        scenario.places = all.iter().map(|located| located.place.clone()).collect();
        let mut steps = all.into_iter().map(|located| located.step);
        scenario.steps = steps.by_ref().take(first).collect();
        if let Some(lesson) = &mut scenario.lesson {
            lesson.steps = steps.collect();
        }
        Parties::lesson(&scenario).map_err(|mistake| source.mistake(&source.tree, mistake))?;
        let tpps = scenario.tpps.values_mut().map(|tpp| &mut tpp.profile);
        let banks = scenario.banks.values_mut().flat_map(|bank| [&mut bank.profile, &mut bank.clients]);
        for file in tpps.chain(banks).flatten() {
            *file = beside(path, file).display().to_string();
        }
        Ok(scenario)
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// The file, or one that it includes, cannot be read, or is wrong.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        Self::read_knowing(path, &Known::default())
    }

    /// The same, with names looked up in what is known beside the file.
    ///
    /// # Errors
    /// As for [`Scenario::read`]; also when a name is not known.
    pub fn read_knowing(path: &Path, known: &Known) -> Result<Self, ScenarioError> {
        Self::parse_knowing(path, &text_of(path)?, known)
    }
}

fn text_of(path: &Path) -> Result<String, ScenarioError> {
    std::fs::read_to_string(path).map_err(|error| ScenarioError::Unreadable { path: path.to_owned(), error })
}

pub(super) fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ScenarioError> {
    party::settings::parse_yaml(text).map_err(|told| {
        let (error, at) = placed(&told);
        ScenarioError::Wrong { path: path.to_owned(), at, error: helpful(&error) }
    })
}

/// Takes the place out of a message that ends with `at line 1, column 2`, or has it in brackets.
fn placed(told: &str) -> (String, At) {
    let Some((before, after)) = told.split_once("line ") else { return (told.to_owned(), At::default()) };
    let mut numbers = after.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    let (Some(line), Some(column)) = (numbers.next(), numbers.next()) else { return (told.to_owned(), At::default()) };
    let before = before.trim_end_matches("at ").trim_end_matches([' ', '(']);
    (before.to_owned(), At { line, column })
}

/// Reads steps with those of the files that they include.
struct Reading<'a> {
    parties: &'a Parties<'a>,
    lesson: Option<&'a Lesson>,
    /// The files that are being read, from the scenario on.
    stack: Vec<PathBuf>,
}

impl Reading<'_> {
    fn included(&mut self, source: &Source<'_>, steps: Vec<Step>, at: &[&str]) -> Result<Vec<Located>, ScenarioError> {
        let mut all = Vec::with_capacity(steps.len());
        let list = source.tree.at(at);
        for (index, step) in steps.into_iter().enumerate() {
            let whole = list.at(&[&index.to_string()]);
            let said = whole.only();
            let place = || Place { file: source.path.to_owned(), line: whole.line, column: whole.column };
            let Step::Include(include) = step else {
                self.parties.step(&step, source.path).map_err(|mistake| source.mistake(said, mistake))?;
                using::all(&step, said, self.lesson).map_err(|mistake| source.mistake(said, mistake))?;
                // Whose step it is in a file that is included is known only where that is done.
                if self.stack.len() == 1 {
                    self.parties.tpp(&step).map_err(|mistake| source.mistake(said, mistake))?;
                }
                let step = match step {
                    Step::Call(mut call) => {
                        call.file = call.file.map(|file| beside(source.path, &file).display().to_string());
                        Step::Call(call)
                    }
                    other => other,
                };
                all.push(Located { step, place: place(), used: used(said) });
                continue;
            };
            there(source.path, &include.file).map_err(|what| source.wrong(said.at(&["file"]), what))?;
            let file = beside(source.path, &include.file);
            let known = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
            if self.stack.iter().any(|open| known(open) == known(&file)) {
                let way: Vec<String> =
                    self.stack.iter().chain([&file]).map(|file| file.display().to_string()).collect();
                let what = format!("this file includes itself: {}", way.join(" includes "));
                return Err(source.wrong(said.at(&["file"]), what));
            }
            let text = text_of(&file)?;
            let fragment: Fragment = parse(&file, &text).map_err(|error| match parse::<Scenario>(&file, &text) {
                Ok(_) => {
                    let what =
                        "this is a whole scenario; a file that is included has about and steps, and nothing else";
                    source.wrong(said.at(&["file"]), what.to_owned())
                }
                Err(_) => error,
            })?;
            if !include.with.is_empty() {
                all.push(Located { step: Step::Set(include.with), place: place(), used: used(said) });
            }
            self.stack.push(file.clone());
            let mut steps =
                self.included(&Source { path: &file, tree: Tree::read(&text) }, fragment.steps, &["steps"])?;
            self.stack.pop();
            if let Some(tpp) = &include.tpp {
                steps.iter_mut().for_each(|located| located.step.by(tpp));
            }
            if self.stack.len() == 1 {
                for located in &steps {
                    self.parties.tpp(&located.step).map_err(|mistake| source.mistake(said, mistake))?;
                }
            }
            all.extend(steps);
        }
        Ok(all)
    }
}

/// That every name in braces is kept by a step before, given by the file, or always there.
fn names(scenario: &Scenario, steps: &[Located]) -> Result<(), ScenarioError> {
    let mut known: BTreeSet<&str> = scenario.variables.keys().map(String::as_str).collect();
    known.insert("consent");
    for Located { step, place, used } in steps {
        // One value of a step may use another one.
        if let Step::Set(values) = step {
            known.extend(values.keys().map(String::as_str));
        }
        for (name, line, column) in used {
            if !known.contains(name.as_str()) && !variables::always(name) {
                let error = variables::unknown(name, known.iter().copied());
                let at = At { line: *line, column: *column };
                return Err(ScenarioError::Wrong { path: place.file.clone(), at, error });
            }
        }
        if let Some(common) = step.common() {
            known.extend(common.keep.keys().map(String::as_str));
        }
    }
    Ok(())
}

/// The known name that is nearest to a mistyped one, when one is near.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(wrong, name), name))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// What the reader says, and what a writer of scenarios is told instead.
const WORDS: &[(&str, &str)] = &[
    ("expected sequence start", "a list is expected here, such as [one, two]"),
    ("expected mapping start", "members are expected here, such as { name: value }, or {} for none"),
    (
        "expected string scalar",
        "a text is expected here; one that begins with a bracket, a brace or a star stands in quotes",
    ),
    ("expected end of mapping after enum variant value", "a step has one name; each step begins with a dash"),
    ("unexpected end of input", "the file is empty"),
    ("did not find expected '-' indicator", "a step begins with a dash, in the column of the dashes of the others"),
    ("did not find expected key", "this line begins in another column than those above that it belongs to"),
    (
        "illegal placement of ':'",
        "a colon cannot stand here: a bracket or a brace before it has no end, or a text with a colon needs quotes",
    ),
    (
        "did not find expected ','",
        "a comma or the end of the list or the members is missing; a text with brackets, braces or commas stands in quotes",
    ),
    ("tabs disallowed", "there is a tab; lines are indented with spaces"),
    ("invalid u16", "a whole number is expected here, such as 200"),
    ("invalid u32", "a whole number is expected here, 0 or more"),
    ("invalid i64", "a whole number is expected here"),
    ("invalid usize", "a whole number is expected here, 0 or more"),
    ("invalid boolean", "true or false is expected here"),
    ("unclosed quote", "the quotation mark that begins here has no end"),
];

/// Says a message of the reader in other words: the name that is wrong, the nearest one that is right, and all of them.
pub(crate) fn helpful(error: &str) -> String {
    if let Some((_, words)) = WORDS.iter().find(|(reader, _)| error.contains(reader)) {
        return (*words).to_owned();
    }
    if let Some((_, key)) = error.split_once("duplicate mapping key: ") {
        return format!("{} is there twice", key.split(',').next().unwrap_or_default());
    }
    let Some(wrong) = error.split('`').nth(1) else { return error.to_owned() };
    if wrong == "~" {
        return "there is nothing behind the dash; a step is expected, such as - onboard: {}".to_owned();
    }
    if error.contains("missing field") {
        return format!("{wrong} is missing");
    }
    let Some((_, known)) = error.split_once("expected ") else { return error.to_owned() };
    let known = known.trim_start_matches("one of ").split(", ").flat_map(|names| names.split(" or "));
    let known: Vec<&str> = known.map(|name| name.trim_matches(['`', ' '])).collect();
    let hint = match nearest(wrong, known.iter().copied()) {
        Some(near) => format!("; did you mean {near}?"),
        None => ".".to_owned(),
    };
    format!("{wrong} is not known here{hint} There are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use openbanking::version::ApiVersion;

    use super::*;
    use crate::language::{TPP, mistakes::TEXT};

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
    fn every_step_knows_where_it_stands() {
        let places: Vec<String> = parse(TEXT).unwrap().places.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["short.yaml:7", "short.yaml:8", "short.yaml:11", "short.yaml:12"]);
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
        assert!(read(&text).unwrap_err().to_string().contains("includes itself"));
        std::fs::remove_file(folder.path().join("common.yaml")).unwrap();
        assert!(read(&text).unwrap_err().to_string().contains("there is no file"));
    }
}
