//! Mistakes in scenario files: where each is told, and with which words.

use std::path::Path;

use super::{Known, Scenario};

/// A scenario without mistakes.
pub(super) const TEXT: &str = "
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

/// What the file says rightly, what it says instead, where that is told (line and column), and what is told.
const MISTAKES: &[(&str, &str, (u64, u64), &str)] = &[
    ("- onboard: {}", "- onbord: {}", (7, 5), "onbord is not known here; did you mean onboard?"),
    ("- onboard: {}", "- onboard:", (7, 12), "members are expected here"),
    ("- onboard: {}", "- onboard: {}\n    register: {}", (8, 5), "each step begins with a dash"),
    ("  - onboard: {}", "\t- onboard: {}", (7, 2), "there is a tab"),
    ("  - onboard: {}", "   - onboard: {}", (8, 3), "this line begins in another column"),
    ("persona: nora", "customer: nora", (5, 1), "customer is not known here"),
    ("persona: nora", "persona: norra", (5, 10), "there is no customer norra; did you mean nora?"),
    ("persona: nora", "persona: nora\npersona: nora", (6, 1), "persona is there twice"),
    ("persona: nora", "persona: [nora]", (5, 10), "a text is expected here"),
    ("persona: nora", "persona: nora\nversion: v5.0", (6, 10), "did you mean v4.0?"),
    ("persona: nora", "persona: nora\ntpps: { tpp: {} }", (6, 14), "tpp is the name of the TPP"),
    ("persona: nora", "persona: nora\ntpps: { one: { profile: no.yaml } }", (6, 25), "there is no file"),
    ("persona: nora", "persona: nora\nbanks: { one: { profil: x } }", (6, 17), "did you mean profile?"),
    ("[ReadBalances]", "[ReadBalance]", (9, 21), "did you mean ReadBalances?"),
    ("[ReadBalances]", "ReadBalances", (9, 20), "a list is expected here"),
    ("[ReadBalances]", "[ReadBalances", (10, 13), "a bracket or a brace before it has no end"),
    ("status: 400", "status: many", (10, 25), "a whole number is expected here"),
    ("status: 400", "status: 999", (10, 25), "999 is no HTTP status"),
    ("ais.consent.permissions", "ais.consent.permission", (10, 36), "did you mean ais.consent.permissions?"),
    ("days: 1, hours: 2", "dayz: 1", (11, 16), "did you mean days?"),
    ("{ days: 1, hours: 2 }", "one day", (11, 14), "90 days"),
    ("path: /accounts,", "pat: /accounts,", (12, 13), "did you mean path?"),
    ("path: /accounts,", "", (12, 11), "path is missing"),
    ("path: /accounts,", "path: '/{acount}',", (12, 19), "{acount} is kept by no step before; kept are: consent"),
    ("path: /accounts,", "path: /accounts, method: G T,", (12, 38), "G T is no HTTP method"),
    ("path: /accounts,", "path: /accounts, file: no.json,", (12, 36), "there is no file"),
    ("path: /accounts,", "path: /accounts, tpp: malory,", (12, 35), "there is no TPP malory."),
    ("path: /accounts,", "path: /accounts, tamper: { certificat: none },", (12, 40), "did you mean certificate?"),
    ("/Data/Account/0/AccountId", "$.Data.Account[0].AccountId", (12, 61), "stands in quotes"),
    ("/Data/Account/0/AccountId", "'$.Data.Account[0].AccountId'", (12, 47), "did you mean /Data/Account/0/AccountId?"),
    ("- onboard: {}", "- include: { file: no.yaml }", (7, 22), "there is no file no.yaml"),
    ("- onboard: {}", "- include: { file: no/no.yaml }", (7, 22), "there is no folder no"),
    ("- onboard: {}", "- misbehave: { deviations: [wrong-nonse] }", (7, 31), "did you mean wrong-nonce?"),
    ("- onboard: {}", "- set-status: { status: Gone }", (7, 27), "There are Active, Revoked, Withdrawn"),
    ("- onboard: {}", "- set-account-status: { status: closed }", (7, 25), "account is missing"),
    ("- onboard: {}", "- reject-payment: { payment: '{ordr}' }", (7, 32), "{ordr} is kept by no step before"),
    ("- onboard: {}", "- settle-payment: { payment: x, at: banc }", (7, 39), "did you mean bank?"),
    ("- onboard: {}", "- fault: { at: banc, fault: { effect: drop } }", (7, 18), "did you mean bank?"),
    ("- onboard: {}", "- fault: { at: bank, fault: { efect: drop } }", (7, 40), "did you mean effect?"),
    ("- onboard: {}", "- expect-journal: { never: [{ party: banc }] }", (7, 40), "did you mean bank?"),
    ("- onboard: {}", "- authorise: { psu: aprove }", (7, 23), "did you mean approve?"),
    ("- onboard: {}", "- authorise: { persona: toby }", (7, 27), "There are nora, rosalind"),
    (
        "- onboard: {}",
        "- lodge-consent: { kind: domestic-payments-consents, body: {} }",
        (7, 28),
        "did you mean domestic-payment-consents?",
    ),
    ("- onboard: {}", "- call: { path: accounts }", (7, 19), "did you mean /accounts?"),
    ("- onboard: {}", "- call: { path: /x, method: FETCH }", (7, 31), "FETCH is no HTTP method"),
    ("- onboard: {}", "- reject-payment: { payment: x, reason: forbidden }", (7, 43), "There are insufficient_funds"),
    ("- onboard: {}", "- register: { bank: Ashdown Bnk }", (7, 23), "did you mean Ashdown Bank?"),
    ("bank: Ashdown Bank", "bank: No Bank", (4, 7), "there is no bank No Bank"),
    ("- onboard: {}", "-", (7, 4), "there is nothing behind the dash"),
    ("- onboard: {}", "- set: { a: '{today+30x}' }", (7, 15), "such as {today+30d}"),
    // What a step has no use for.
    ("- onboard: {}", "- onboard: { bank: Ashdown Bank }", (7, 22), "onboard has no use for bank"),
    ("- onboard: {}", "- exchange-code: { bank: Ashdown Bank }", (7, 28), "exchange-code has no use for bank"),
    (
        "- onboard: {}",
        "- expect-journal: { never: [{ path: /x }], expect: { refused: true } }",
        (7, 54),
        "has no use for expect",
    ),
    (
        "- onboard: {}",
        "- fault: { at: bank, fault: { path: /x, effect: drop }, tpp: tpp }",
        (7, 64),
        "has no use for tpp",
    ),
    ("- onboard: {}", "- set-status: { status: Active, keep: { a: /b } }", (7, 41), "has no use for keep"),
    ("- onboard: {}", "- onboard: { in-lesson: { status: 400 } }", (7, 27), "the scenario has no lesson"),
    (
        "- onboard: {}",
        "- onboard: { expect: { status: 400 }, keep: { a: /b } }",
        (7, 47),
        "nothing is kept of a step that is refused",
    ),
    ("- onboard: {}", "- exchange-code: { tamper: {} }", (7, 30), "nothing in it is wrong"),
    ("- onboard: {}", "- exchange-code: { tamper: { certificate: own } }", (7, 30), "nothing in it is wrong"),
    (
        "- onboard: {}",
        "- exchange-code: { tamper: { request-object: { replay: true } } }",
        (7, 48),
        "exchange-code has no request-object",
    ),
    (
        "- onboard: {}",
        "- exchange-code: { tamper: { client-assertion: { replay: true, set: { a: b } } } }",
        (7, 50),
        "with replay there is no use for set",
    ),
    (
        "- onboard: {}",
        "- exchange-code: { tamper: { client-assertion: { set: {} } } }",
        (7, 50),
        "nothing in it is wrong",
    ),
    (
        "- onboard: {}",
        "- authorise: { tamper: { client-assertion: { replay: true } } }",
        (7, 46),
        "authorise has no client-assertion",
    ),
    (
        "- onboard: {}",
        "- lodge-consent: { body: {}, tamper: { message-signature: { leave-out: true, value: x } } }",
        (7, 61),
        "with leave-out",
    ),
    ("- onboard: {}", "- register: { client-id: x, anew: true }", (7, 37), "with client-id there is no use for anew"),
    (
        "- onboard: {}",
        "- lodge-consent: { permissions: [ReadAccountsBasic], body: {} }",
        (7, 35),
        "with body there is no use for permissions",
    ),
    ("- onboard: {}", "- lodge-consent: { expires-in-days: 9000000 }", (7, 39), "too many"),
    ("- onboard: {}", "- lodge-consent: { transactions-to-days-ago: -9223372036854775808 }", (7, 48), "too many"),
    ("- onboard: {}", "- lodge-consent: { kind: domestic-payment-consents }", (7, 28), "needs a body"),
    ("- onboard: {}", "- authorise: { psu: cancel-at-login, accounts: [x] }", (7, 50), "no use for accounts"),
    ("- onboard: {}", "- authorise: { cancel-on: x, psu: cancel-at-login }", (7, 37), "no use for psu"),
    ("- onboard: {}", "- authorise: { without-consent: true, consent: x }", (7, 50), "no use for consent"),
    ("- onboard: {}", "- call: { path: /x, body: {}, text: x }", (7, 39), "with body there is no use for text"),
    ("- onboard: {}", "- call: { path: /x, content-type: a/b }", (7, 37), "no use for content-type"),
    ("- onboard: {}", "- call: { path: /x, sign: true }", (7, 29), "no use for sign"),
    (
        "- onboard: {}",
        "- call: { path: /x, bearer: x, token: client }",
        (7, 41),
        "with bearer there is no use for token",
    ),
    ("- onboard: {}", "- expect-journal: {}", (7, 21), "nothing is looked for"),
    ("- onboard: {}", "- expect-journal: { order: [{ path: /x }, {}] }", (7, 45), "an event is described by something"),
    ("- onboard: {}", "- call: { path: /x, expect: { some: { /Data: [] } } }", (7, 48), "nothing would be looked for"),
    (
        "- onboard: {}",
        "- call: { path: /x, expect: { some: { /Data: [{}] } } }",
        (7, 49),
        "an element is described by values",
    ),
    ("- onboard: {}", "- call: { path: /x, expect: { some: { /Data: [{ Id: 1 }] } } }", (7, 55), "did you mean /Id?"),
    ("- onboard: {}", "- call: { path: /x, expect: { differs: { Id: 1 } } }", (7, 48), "did you mean /Id?"),
];

#[test]
fn every_mistake_has_a_place_and_says_what_would_be_right() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let known = Known {
        rules: names(&["ais.consent.permissions"]),
        personas: names(&["nora", "rosalind"]),
        bank: Some("Ashdown Bank".to_owned()),
        second_bank: "Thistledown Bank".to_owned(),
    };
    let mut otherwise = Vec::new();
    for (right, wrong, (line, column), hint) in MISTAKES {
        let text = TEXT.replacen(right, wrong, 1);
        assert_ne!(text, TEXT, "{right}");
        let error = Scenario::parse_knowing(Path::new("short.yaml"), &text, &known).unwrap_err().to_string();
        let place = format!("short.yaml, line {line}, column {column}: ");
        if !(error.starts_with(&place) && error.contains(hint)) {
            otherwise.push(format!("{wrong}: {error}"));
        }
    }
    assert_eq!(otherwise, Vec::<String>::new());
    assert!(Scenario::parse_knowing(Path::new("short.yaml"), TEXT, &known).is_ok());
    let error = |text: &str| Scenario::parse(Path::new("short.yaml"), text).unwrap_err().to_string();
    assert!(error("").contains("the file is empty"));
    assert!(error(&TEXT.replace("name: short\n", "")).contains("name is missing"));
}
