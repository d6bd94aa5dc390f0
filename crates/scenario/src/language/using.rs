//! What a step has no use for: a member that would be ignored is a mistake, because whoever wrote it thinks that it does
//! something.

use tpp::{
    steps::Token,
    tampering::{Tamper, TamperJwt, TamperSignature},
};

use super::{
    Lesson, Step,
    checking::{Mistake, mistake},
    places::Tree,
    steps::{AuthoriseStep, CallStep, Decision, ExpectJournalStep, LodgeConsentStep, RegisterStep},
};

/// Days that a consent may be away from now: a hundred years.
const FURTHEST: i64 = 36_500;

/// What a step of a kind uses of what every step can have.
struct Uses {
    /// The step's name in files.
    name: &'static str,
    /// Whether it matters which TPP's it is.
    tpp: bool,
    /// Whether it can be with another bank.
    bank: bool,
    /// Whether something comes of it that can be expected or kept.
    outcome: bool,
    /// Members of `tamper`.
    tamper: &'static [&'static str],
}

const TOKENS: &[&str] = &["client-assertion", "parameters", "certificate", "believe"];
const RESOURCES: &[&str] = &["message-signature", "certificate", "believe"];

fn uses(step: &Step) -> Option<Uses> {
    let of = |name, bank, tamper| Some(Uses { name, tpp: true, bank, outcome: true, tamper });
    let told = |name, tpp| Some(Uses { name, tpp, bank: false, outcome: false, tamper: &[] });
    match step {
        Step::Onboard(_) => of("onboard", false, &[]),
        Step::Register(_) => {
            of("register", true, &["registration", "software-statement", "assertion-of", "certificate"])
        }
        Step::LodgeConsent(_) => of("lodge-consent", true, RESOURCES),
        Step::Authorise(AuthoriseStep { push: true, .. }) => {
            of("authorise", true, &["request-object", "parameters", "believe", "client-assertion", "certificate"])
        }
        Step::Authorise(_) => of("authorise", true, &["request-object", "parameters", "believe"]),
        Step::DeliverResponse(_) => of("deliver-response", false, &[]),
        Step::ExchangeCode(_) => of("exchange-code", false, TOKENS),
        Step::Refresh(_) => of("refresh", true, TOKENS),
        Step::ClientToken(_) => of("client-token", true, TOKENS),
        Step::Revoke(_) => of("revoke", true, &["client-assertion", "parameters", "certificate"]),
        Step::Call(_) => of("call", true, RESOURCES),
        Step::Visit(_) => of("visit", true, &[]),
        Step::SetStatus(_) => told("set-status", true),
        Step::RevokeCertificate(_) => told("revoke-certificate", true),
        Step::Fault(_) => told("fault", false),
        Step::Misbehave(_) => told("misbehave", false),
        Step::SetAccountStatus(_) => told("set-account-status", false),
        Step::RejectPayment(_) => told("reject-payment", false),
        Step::SettlePayment(_) => told("settle-payment", false),
        Step::ExpectJournal(_) => told("expect-journal", false),
        Step::Advance(_) | Step::Set(_) | Step::Include(_) => None,
    }
}

fn tamper(step: &Step) -> Option<&Tamper> {
    match step {
        Step::Register(step) => Some(&step.tamper),
        Step::LodgeConsent(step) => Some(&step.tamper),
        Step::Authorise(step) => Some(&step.tamper),
        Step::ExchangeCode(step) => Some(&step.tamper),
        Step::Refresh(step) => Some(&step.tamper),
        Step::ClientToken(step) => Some(&step.tamper),
        Step::Revoke(step) => Some(&step.tamper),
        Step::Call(step) => Some(&step.tamper),
        _ => None,
    }
}

/// That the step uses all that it says. `said` is where it says it; the lesson is that of the scenario.
pub(super) fn all(step: &Step, said: &Tree, lesson: Option<&Lesson>) -> Result<(), Mistake> {
    if let Some(uses) = uses(step) {
        common(step, said, &uses)?;
        if let Some(tamper) = tamper(step) {
            tampering(tamper, said, &uses)?;
        }
    }
    outcome(step, lesson)?;
    match step {
        Step::Register(step) => register(step),
        Step::LodgeConsent(step) => lodge_consent(step),
        Step::Authorise(step) => authorise(step),
        Step::Call(step) => call(step),
        Step::ExpectJournal(step) => journals(step),
        _ => Ok(()),
    }
}

fn common(step: &Step, said: &Tree, uses: &Uses) -> Result<(), Mistake> {
    let Uses { name, .. } = uses;
    let members = [
        ("tpp", uses.tpp, "it is nobody's in particular"),
        ("bank", uses.bank, "what came before says which bank it is with"),
        ("expect", uses.outcome, "it is done, or the scenario cannot run"),
        ("in-lesson", uses.outcome, "it is done, or the scenario cannot run"),
        ("keep", uses.outcome, "there is no answer to it"),
    ];
    let unused = members.iter().find(|(member, used, _)| !used && said.has(member));
    match unused {
        // A party's own tampering has no bank; the others of these steps say it with `at`.
        Some((member, ..)) if *member == "bank" && matches!(step, Step::Onboard(_)) => {
            Err(mistake(&[member], format!("{name} has no use for {member}: it is with the Directory")))
        }
        Some((member, _, why)) => Err(mistake(&[member], format!("{name} has no use for {member}: {why}"))),
        None => Ok(()),
    }
}

fn tampering(tamper: &Tamper, said: &Tree, uses: &Uses) -> Result<(), Mistake> {
    if !said.has("tamper") {
        return Ok(());
    }
    if tamper.is_honest() {
        return Err(mistake(&["tamper"], "nothing in it is wrong: without it the step is the same"));
    }
    let given = said.at(&["tamper"]);
    let unused = given.names().find(|member| !uses.tamper.contains(member));
    if let Some(member) = unused {
        let Uses { name, tamper, .. } = uses;
        let what = format!("{name} has no {member} that could be altered. There are {}", tamper.join(", "));
        return Err(mistake(&["tamper", member], what));
    }
    let jwts = [
        ("client-assertion", &tamper.client_assertion),
        ("request-object", &tamper.request_object),
        ("registration", &tamper.registration),
        ("software-statement", &tamper.software_statement),
    ];
    for (member, jwt) in jwts {
        if let Some(jwt) = jwt {
            one_way(member, &ways_of_jwt(jwt))?;
        }
    }
    tamper
        .message_signature
        .as_ref()
        .map_or(Ok(()), |signature| one_way("message-signature", &ways_of_signature(signature)))
}

fn ways_of_jwt(jwt: &TamperJwt) -> [(&'static str, bool); 3] {
    let altered = TamperJwt { replay: false, value: None, ..jwt.clone() } != TamperJwt::default();
    [("replay", jwt.replay), ("value", jwt.value.is_some()), ("set, remove, header and sign-with", altered)]
}

fn ways_of_signature(signature: &TamperSignature) -> [(&'static str, bool); 4] {
    let plain = TamperSignature { replay: false, value: None, leave_out: false, ..signature.clone() };
    [
        ("leave-out", signature.leave_out),
        ("replay", signature.replay),
        ("value", signature.value.is_some()),
        ("header, sign-with and over", plain != TamperSignature::default()),
    ]
}

/// That what is sent is altered in one of the ways that exclude each other.
fn one_way(member: &str, ways: &[(&str, bool)]) -> Result<(), Mistake> {
    let said: Vec<&str> = ways.iter().filter(|(_, said)| *said).map(|(name, _)| *name).collect();
    match said.as_slice() {
        [] => Err(mistake(&["tamper", member], "nothing in it is wrong: without it the step is the same")),
        [_] => Ok(()),
        [first, other, ..] => Err(mistake(&["tamper", member], format!("with {first} there is no use for {other}"))),
    }
}

/// That what is expected in lessons, and what is kept, can come about.
fn outcome(step: &Step, lesson: Option<&Lesson>) -> Result<(), Mistake> {
    let Some(common) = step.common() else { return Ok(()) };
    if common.in_lesson.is_some() && lesson.is_none() {
        return Err(mistake(&["in-lesson"], "the scenario has no lesson"));
    }
    let refused = common.expect.is_some_and(super::Expect::refusal);
    let succeeds = |lesson: &Lesson| match common.in_lesson {
        Some(expect) => !expect.refusal(),
        None => common.expect.and_then(|expect| expect.rule.as_ref()).is_some_and(|rule| lesson.off.contains(rule)),
    };
    if refused && !common.keep.is_empty() && !lesson.is_some_and(succeeds) {
        return Err(mistake(&["keep"], "nothing is kept of a step that is refused"));
    }
    Ok(())
}

/// That of members which exclude each other the first one that is there is alone.
fn alone(first: &str, given: &[(&str, bool)]) -> Result<(), Mistake> {
    match given.iter().find(|(_, given)| *given) {
        Some((member, _)) => Err(mistake(&[member], format!("with {first} there is no use for {member}"))),
        None => Ok(()),
    }
}

fn register(step: &RegisterStep) -> Result<(), Mistake> {
    match &step.client_id {
        Some(_) => alone("client-id", &[("anew", step.anew), ("tamper", !step.tamper.is_honest())]),
        None => Ok(()),
    }
}

fn lodge_consent(step: &LodgeConsentStep) -> Result<(), Mistake> {
    let days = [
        ("expires-in-days", step.expires_in_days),
        ("transactions-from-days-ago", step.transactions_from_days_ago),
        ("transactions-to-days-ago", step.transactions_to_days_ago),
    ];
    if let Some((member, days)) = days
        .iter()
        .find_map(|(member, days)| Some((*member, days.filter(|days| days.unsigned_abs() > FURTHEST.unsigned_abs())?)))
    {
        let what = format!("{days} days are too many: {FURTHEST}, a hundred years, are the most");
        return Err(mistake(&[member], what));
    }
    let made = days.map(|(member, days)| (member, days.is_some()));
    let permissions = [("permissions", !step.permissions.is_empty())];
    match (&step.body, &step.kind) {
        (Some(_), _) => alone("body", &[&permissions[..], &made[..]].concat()),
        (None, Some(kind)) if *kind != tpp::steps::account_access() => {
            Err(mistake(&["kind"], format!("one of the {kind} needs a body; without one it is for account access")))
        }
        _ => Ok(()),
    }
}

fn authorise(step: &AuthoriseStep) -> Result<(), Mistake> {
    let choices = [
        ("accounts", !step.accounts.is_empty()),
        ("wrong-passwords", step.wrong_passwords > 0),
        ("wrong-one-time-passwords", step.wrong_one_time_passwords > 0),
    ];
    if step.cancel_on.is_some() {
        alone("cancel-on", &[&[("psu", step.psu != Decision::Approve)], &choices[..]].concat())?;
    }
    if step.psu != Decision::Approve {
        alone("a customer who cancels", &choices)?;
    }
    if step.without_consent { alone("without-consent", &[("consent", step.consent.is_some())]) } else { Ok(()) }
}

fn call(step: &CallStep) -> Result<(), Mistake> {
    let (body, text, file) = (step.body.is_some(), step.text.is_some(), step.file.is_some());
    if body {
        alone("body", &[("text", text), ("file", file), ("content-type", step.content_type.is_some())])?;
    }
    if text {
        alone("text", &[("file", file)])?;
    }
    if !text && !file {
        alone("no text and no file", &[("content-type", step.content_type.is_some())])?;
    }
    if !body && !text && !file {
        alone("no body", &[("sign", step.sign == Some(true))])?;
    }
    if step.bearer.is_some() {
        alone("bearer", &[("token", step.token != Token::Customer)])?;
    }
    Ok(())
}

fn journals(step: &ExpectJournalStep) -> Result<(), Mistake> {
    if step.order.is_empty() && step.never.is_empty() {
        return Err(mistake(&[], "nothing is looked for: order or never says what"));
    }
    for (member, events) in [("order", &step.order), ("never", &step.never)] {
        if let Some(index) = events.iter().position(|event| *event == super::steps::Event::default()) {
            return Err(mistake(&[member, &index.to_string()], "an event is described by something, such as a path"));
        }
    }
    Ok(())
}
