//! What the form of a file cannot say: names that must be those of something, pointers, files that must be there. Each
//! mistake is told with its place.

use std::path::Path;

use serde_json::Value;
use simulation::faults::Fault;

use super::{
    BANK, DIRECTORY, Expect, Scenario, Step, TPP,
    places::Tree,
    reading::{helpful, nearest},
    steps::{LodgeConsentStep, REASONS, RejectPaymentStep},
};

/// What is known beside the file, so that names in it can be looked up. What is not known is not checked.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Identifiers of every party's rules.
    pub rules: Vec<String>,
    /// User names of the customers.
    pub personas: Vec<String>,
    /// The name at the Directory of the bank called `bank`; none where it is not ours to know.
    pub bank: Option<String>,
    /// That of the built-in second bank.
    pub second_bank: String,
}

/// Methods of HTTP (RFC 9110, 9.3; RFC 5789).
const METHOD_NAMES: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"];

/// The same as a pattern: files write them in any case.
pub(super) const METHODS: &str = "^([Gg][Ee][Tt]|[Hh][Ee][Aa][Dd]|[Pp][Oo][Ss][Tt]|[Pp][Uu][Tt]|[Dd][Ee][Ll][Ee][Tt][Ee]\
                                  |[Oo][Pp][Tt][Ii][Oo][Nn][Ss]|[Tt][Rr][Aa][Cc][Ee]|[Pp][Aa][Tt][Cc][Hh])$";

/// Consents of the Read/Write API, as its addresses name them.
const KINDS: &[&str] = &[
    "account-access-consents",
    "domestic-payment-consents",
    "domestic-scheduled-payment-consents",
    "domestic-standing-order-consents",
    "international-payment-consents",
    "international-scheduled-payment-consents",
    "international-standing-order-consents",
    "file-payment-consents",
    "domestic-vrp-consents",
    "funds-confirmation-consents",
];

/// A mistake: where it stands below the part that was looked at, and what would be right.
pub(super) struct Mistake {
    pub(super) path: Vec<String>,
    pub(super) what: String,
}

pub(super) fn mistake(path: &[&str], what: impl Into<String>) -> Mistake {
    Mistake { path: path.iter().map(|part| (*part).to_owned()).collect(), what: what.into() }
}

/// The parties of a scenario by the names that its steps use.
pub(super) struct Parties<'a> {
    tpps: Vec<&'a str>,
    all: Vec<&'a str>,
    /// The banks' names at the Directory; empty where they are not known.
    banks: Vec<String>,
    known: &'a Known,
}

/// That `name` is one of these; otherwise what would be right.
fn among<'a>(what: &str, name: &str, all: impl Iterator<Item = &'a str> + Clone) -> Result<(), String> {
    if all.clone().any(|known| known == name) {
        return Ok(());
    }
    let hint = nearest(name, all.clone()).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let all: Vec<&str> = all.collect();
    // A list of hundreds helps nobody.
    let listed = if all.len() > 30 { String::new() } else { format!(" There are {}.", all.join(", ")) };
    let end = if hint.is_empty() { "." } else { "" };
    Err(format!("there is no {what} {name}{hint}{end}{listed}"))
}

impl<'a> Parties<'a> {
    pub(super) fn of(scenario: &'a Scenario, file: &Path, known: &'a Known) -> Self {
        let tpps: Vec<&str> = [TPP].into_iter().chain(scenario.tpps.keys().map(String::as_str)).collect();
        let banks = [BANK, DIRECTORY].into_iter().chain(scenario.banks.keys().map(String::as_str));
        let further = scenario.banks.values().filter_map(|bank| match &bank.profile {
            Some(profile) => name_in(&super::reading::beside(file, profile)),
            None => Some(known.second_bank.clone()),
        });
        let named = known.bank.iter().cloned().chain(further).collect();
        let named = if known.bank.is_some() { named } else { Vec::new() };
        Self { all: banks.chain(tpps.iter().copied()).collect(), tpps, banks: named, known }
    }

    /// That a bank is one of the run's. One that is named by its discovery URL may be anybody's.
    pub(super) fn bank(&self, name: &str) -> Result<(), Mistake> {
        if self.banks.is_empty() || name.contains("://") || name.contains('{') {
            return Ok(());
        }
        among("bank", name, self.banks.iter().map(String::as_str)).map_err(|what| {
            mistake(
                &["bank"],
                format!("{what} `banks` starts further ones; a discovery URL names one that is not ours."),
            )
        })
    }

    fn party(&self, name: &str, path: &[&str]) -> Result<(), Mistake> {
        among("party", name, self.all.iter().copied()).map_err(|what| mistake(path, what))
    }

    /// That the TPP of a step is one of the scenario's.
    pub(super) fn tpp(&self, step: &Step) -> Result<(), Mistake> {
        among("TPP", step.tpp(), self.tpps.iter().copied())
            .map_err(|what| mistake(&["tpp"], format!("{what} tpps names further ones.")))
    }

    fn rule(&self, rule: &str, path: &[&str]) -> Result<(), Mistake> {
        if self.known.rules.is_empty() {
            return Ok(());
        }
        let rules = self.known.rules.iter().map(String::as_str);
        among("rule", rule, rules).map_err(|what| {
            mistake(path, format!("{what} docs/rules.md and docs/directory-rules.md have all but the TPP's."))
        })
    }

    fn persona(&self, name: &str, path: &[&str]) -> Result<(), Mistake> {
        if self.known.personas.is_empty() {
            return Ok(());
        }
        among("customer", name, self.known.personas.iter().map(String::as_str)).map_err(|what| mistake(path, what))
    }

    /// What is wrong with a step by itself. The file is that which the step stands in.
    pub(super) fn step(&self, step: &Step, file: &Path) -> Result<(), Mistake> {
        if let Some(common) = step.common() {
            if let Some(bank) = common.bank {
                self.bank(bank)?;
            }
            for (member, expect) in [("expect", common.expect), ("in-lesson", common.in_lesson)] {
                if let Some(expect) = expect {
                    self.expectation(member, expect)?;
                }
            }
            for (name, source) in common.keep {
                let pointed = match source.split_once(' ') {
                    Some(("header", _)) => continue,
                    Some(("claim", pointed)) => pointed.trim(),
                    _ => source,
                };
                pointer(pointed).map_err(|what| {
                    mistake(&["keep", name], format!("{what} Or `header NAME`, or `claim` and a pointer."))
                })?;
            }
        }
        match step {
            Step::Fault(asked) => {
                self.party(&asked.at, &["at"])?;
                let fault = Value::Object(asked.fault.clone());
                let fault: Fault = serde_json::from_value(fault).map_err(|error| {
                    let wrong = error.to_string();
                    mistake(&["fault", wrong.split('`').nth(1).unwrap_or_default()], helpful(&wrong))
                })?;
                fault.check().map_err(|error| mistake(&["fault"], error.to_string()))
            }
            Step::Misbehave(asked) => {
                self.party(asked.at.as_deref().unwrap_or(BANK), &["at"])?;
                let known = party::lesson::deviations();
                asked.deviations.iter().enumerate().try_for_each(|(index, name)| {
                    let place = ["deviations", &index.to_string()];
                    among("deviation", name, known.iter().copied()).map_err(|what| mistake(&place, what))
                })
            }
            Step::ExpectJournal(asked) => {
                // The customers' browsers have a journal, too.
                let parties = || self.all.iter().copied().chain(["psu"]);
                for (member, events) in [("order", &asked.order), ("never", &asked.never)] {
                    for (index, event) in events.iter().enumerate() {
                        let index = index.to_string();
                        if let Some(name) = &event.party {
                            let place = [member, &index, "party"];
                            among("party", name, parties()).map_err(|what| mistake(&place, what))?;
                        }
                        if let Some(rule) = &event.rule {
                            self.rule(rule, &[member, &index, "rule"])?;
                        }
                    }
                }
                Ok(())
            }
            Step::Authorise(asked) => asked.persona.as_ref().map_or(Ok(()), |name| self.persona(name, &["persona"])),
            Step::Visit(asked) if asked.page.is_empty() => {
                Err(mistake(&[], "page is missing: a path at the bank, such as /connections"))
            }
            Step::Visit(asked) => asked.persona.as_ref().map_or(Ok(()), |name| self.persona(name, &["persona"])),
            Step::Call(asked) => {
                if asked.path.is_empty() {
                    return Err(mistake(&[], "path is missing: that of a resource, such as /accounts"));
                }
                if !["/", "https://", "{"].iter().any(|begin| asked.path.starts_with(begin)) {
                    let what = format!("{} begins with no slash; did you mean /{}?", asked.path, asked.path);
                    return Err(mistake(&["path"], what));
                }
                if let Some(method) = &asked.method
                    && !METHOD_NAMES.iter().any(|known| known.eq_ignore_ascii_case(method))
                {
                    let hint = nearest(&method.to_uppercase(), METHOD_NAMES.iter().copied());
                    let hint = hint.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                    return Err(mistake(&["method"], format!("{method} is no HTTP method, such as GET or POST{hint}")));
                }
                match &asked.file {
                    Some(name) => there(file, name).map_err(|what| mistake(&["file"], what)),
                    None => Ok(()),
                }
            }
            Step::LodgeConsent(LodgeConsentStep { kind: Some(kind), .. }) => {
                among("kind of consent", kind, KINDS.iter().copied()).map_err(|what| mistake(&["kind"], what))
            }
            Step::RejectPayment(RejectPaymentStep { reason: Some(reason), .. })
                if !REASONS.contains(&reason.as_str()) =>
            {
                let what = among("reason", reason, REASONS.iter().copied());
                what.map_err(|what| mistake(&["reason"], what))
            }
            Step::SetAccountStatus(asked) => self.at_bank(asked.at.as_deref(), ("account", &asked.account)),
            Step::RejectPayment(asked) => self.at_bank(asked.at.as_deref(), ("payment", &asked.payment)),
            Step::SettlePayment(asked) => self.at_bank(asked.at.as_deref(), ("payment", &asked.payment)),
            _ => Ok(()),
        }
    }

    /// What the bank's people are told names a party, and something of the bank's.
    fn at_bank(&self, at: Option<&str>, (member, named): (&str, &str)) -> Result<(), Mistake> {
        if named.is_empty() {
            return Err(mistake(
                &[],
                format!("{member} is missing: an identifier, such as \"{{{member}}}\" of an earlier keep"),
            ));
        }
        at.map_or(Ok(()), |name| self.party(name, &["at"]))
    }

    fn expectation(&self, member: &str, expect: &Expect) -> Result<(), Mistake> {
        if let Some(rule) = &expect.rule {
            self.rule(rule, &[member, "rule"])?;
        }
        if let Some(status) = expect.status
            && !(100..=599).contains(&status)
        {
            return Err(mistake(&[member, "status"], format!("{status} is no HTTP status, 100 to 599")));
        }
        let lists = [("present", &expect.present), ("absent", &expect.absent)];
        for (name, pointers) in lists {
            for (index, pointed) in pointers.iter().enumerate() {
                pointer(pointed).map_err(|what| mistake(&[member, name, &index.to_string()], what))?;
            }
        }
        let values = expect.equal.keys().map(|key| ("equal", key));
        let differs = expect.differs.keys().map(|key| ("differs", key));
        for (list, elements) in &expect.some {
            pointer(list).map_err(|what| mistake(&[member, "some", list], what))?;
            for (index, element) in elements.iter().enumerate() {
                let place = [member, "some", list, &index.to_string()];
                if element.is_empty() {
                    return Err(mistake(&place, "an element is described by values, such as { /Status: Booked }"));
                }
                for key in element.keys() {
                    pointer(key).map_err(|what| mistake(&[&place[..], &[key]].concat(), what))?;
                }
            }
            if elements.is_empty() {
                return Err(mistake(
                    &[member, "some", list],
                    "the list of elements is empty: nothing would be looked for",
                ));
            }
        }
        let texts = expect.contains.keys().map(|key| ("contains", key));
        let lengths = expect.at_least.keys().map(|key| ("at-least", key));
        let claims = expect.claims.keys().map(|key| ("claims", key));
        values
            .chain(differs)
            .chain(texts)
            .chain(lengths)
            .chain(claims)
            .try_for_each(|(name, key)| pointer(key).map_err(|what| mistake(&[member, name, key], what)))
    }

    /// What is wrong with the scenario beside its steps.
    pub(super) fn scenario(&self, scenario: &Scenario, file: &Path) -> Result<(), Mistake> {
        if scenario.steps.is_empty() {
            return Err(mistake(&["steps"], "it has no steps"));
        }
        if scenario.tpps.contains_key(TPP) {
            return Err(mistake(&["tpps", TPP], format!("{TPP} is the name of the TPP that every scenario has")));
        }
        for bank in scenario.banks.keys() {
            if [BANK, DIRECTORY, TPP].contains(&bank.as_str()) || scenario.tpps.contains_key(bank) {
                return Err(mistake(&["banks", bank], format!("{bank} is the name of another party of the scenario")));
            }
        }
        self.persona(&scenario.persona, &["persona"])?;
        self.bank(&scenario.bank)?;
        let tpps = scenario.tpps.iter().map(|(name, tpp)| ("tpps", name, "profile", &tpp.profile));
        let banks = scenario.banks.iter().flat_map(|(name, bank)| {
            [("banks", name, "profile", &bank.profile), ("banks", name, "clients", &bank.clients)]
        });
        for (kind, name, member, named) in tpps.chain(banks) {
            if let Some(named) = named {
                there(file, named).map_err(|what| mistake(&[kind, name, member], what))?;
            }
        }
        match (&scenario.gains, &scenario.lesson) {
            (None, Some(_)) => {
                Err(mistake(&["lesson"], "a scenario with a lesson says under gains what the attacker gains"))
            }
            (_, None) => Ok(()),
            (Some(_), Some(lesson)) => {
                if let Some(at) = &lesson.at {
                    self.party(at, &["lesson", "at"])?;
                }
                for (index, rule) in lesson.off.iter().enumerate() {
                    self.rule(rule, &["lesson", "off", &index.to_string()])?;
                }
                Ok(())
            }
        }
    }

    /// That the lesson changes something. The steps are those of the scenario, with what it includes.
    pub(super) fn lesson(scenario: &Scenario) -> Result<(), Mistake> {
        let Some(lesson) = &scenario.lesson else { return Ok(()) };
        let differs = |step: &Step| step.common().is_some_and(|common| common.in_lesson.is_some());
        let spoken = |rule: &String| {
            scenario.steps.iter().any(|step| step.expect().is_some_and(|expect| expect.rule.as_ref() == Some(rule)))
        };
        if lesson.off.iter().any(spoken) || scenario.steps.iter().any(differs) {
            return Ok(());
        }
        let off = lesson.off.join(", ");
        let what = format!("no step expects one of the rules {off}, and none says what comes of it then (in-lesson)");
        Err(mistake(&["lesson", "off"], what))
    }
}

/// The name of the bank that a profile is of; none when it cannot be read, which whoever starts the bank tells.
fn name_in(profile: &Path) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    let text = std::fs::read_to_string(profile).ok()?;
    party::settings::parse_yaml::<Named>(&text).ok().map(|named| named.name)
}

/// A JSON pointer (RFC 6901): nothing, or it begins with a slash.
fn pointer(text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('/') {
        return Ok(());
    }
    let right = text.trim_start_matches(['$', '.']).replace(['.', '['], "/").replace(']', "");
    Err(format!("{text} is no JSON pointer; did you mean /{right}?"))
}

/// That a file is there; otherwise the one beside it whose name is most alike.
pub(super) fn there(beside: &Path, name: &str) -> Result<(), String> {
    let path = super::reading::beside(beside, name);
    if path.is_file() {
        return Ok(());
    }
    let mut folder = path.parent().unwrap_or(Path::new(""));
    if folder.as_os_str().is_empty() {
        folder = Path::new(".");
    }
    if !folder.is_dir() {
        return Err(format!("there is no folder {} (files are named from where this one stands)", folder.display()));
    }
    let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let near = nearest(&wanted, names.iter().map(String::as_str));
    let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Err(format!("there is no file {}{hint}", path.display()))
}

/// Names in braces that a step uses, each with its place: line and column.
pub(super) fn used(step: &Tree) -> Vec<(String, u64, u64)> {
    let mut names = Vec::new();
    step.texts("", &mut |member, text, tree| {
        if member != "about" {
            names.extend(crate::variables::names(text).map(|name| (name.to_owned(), tree.line, tree.column)));
        }
    });
    names
}
