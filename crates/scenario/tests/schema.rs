//! `scenarios/schema.json` is what the types say.

use std::path::Path;

#[test]
fn the_schema_that_editors_read_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/schema.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == scenario::language::schema::text(),
        "scenarios/schema.json is out of date: ob-sandbox schema > scenarios/schema.json"
    );
}

#[test]
fn the_schema_of_tpp_profiles_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tpp.schema.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == tpp::profile::schema(),
        "fixtures/tpp.schema.json is out of date: ob-sandbox schema tpp-profile > fixtures/tpp.schema.json"
    );
}

/// Parts of files, and whether they are right: for the editor's schema and for the reader alike.
const FILES: &[(&str, bool)] = &[
    ("steps: [ { advance: 90d } ]", true),
    ("steps: [ { advance: 1 hour 30 minutes } ]", true),
    ("steps: [ { advance: 1 week2days } ]", true),
    ("steps: [ { advance: { day: 1 } } ]", true),
    ("steps: [ { advance: {} } ]", false),
    ("steps: [ { advance: 0 days } ]", false),
    ("steps: [ { advance: { days: -1 } } ]", false),
    ("steps: [ { advance: { days: 0, hours: 1 } } ]", false),
    ("steps: [ { advance: 90 fortnights } ]", false),
    ("steps: [ { advance: 99999999999999999999 days } ]", false),
    ("steps: [ { fault: { at: bank, fault: { path: /token, effect: drop } } } ]", true),
    (
        "steps: [ { fault: { at: bank, fault: { effect: { answer: { status: 503, body: '' } }, times: 1, when: after } } } ]",
        true,
    ),
    ("steps: [ { fault: { at: bank, fault: { delay: 5, probability: 0.5, seed: 1 } } } ]", true),
    ("steps: [ { fault: { at: bank, fault: { nonsense: 1 } } } ]", false),
    ("steps: [ { fault: { at: bank, fault: { path: /token } } } ]", false),
    ("steps: [ { fault: { at: bank, fault: { delay: 60001 } } } ]", false),
    ("steps: [ { fault: {} } ]", false),
    ("steps: [ { misbehave: { deviations: [wrong-nonce] } } ]", true),
    ("steps: [ { misbehave: { deviations: [nonsense] } } ]", false),
    ("steps: []", false),
    ("steps: [ { onboard: } ]", false),
    ("steps: [ { onboard: {}, register: {} } ]", false),
    ("steps: [ { call: {} } ]", false),
    ("steps: [ { call: { path: accounts } } ]", false),
    ("steps: [ { call: { path: /x, method: post } } ]", true),
    ("steps: [ { call: { path: /x, method: GE T } } ]", false),
    ("steps: [ { call: { path: /x, version: } } ]", true),
    ("steps: [ { call: { path: /x, version: v5 } } ]", false),
    ("steps: [ { call: { path: /x, headers: { a: 5 } } } ]", true),
    ("steps: [ { call: { path: /x, headers: { a: true } } } ]", true),
    ("steps: [ { call: { path: /x, headers: { a: [b] } } } ]", false),
    ("steps: [ { call: { path: /x, expect: { status: 20 } } } ]", false),
    ("steps: [ { call: { path: /x, expect: { status: 200 } } } ]", true),
    ("steps: [ { call: { path: /x, expect: { equal: { Data: 1 } } } } ]", false),
    ("steps: [ { call: { path: /x, expect: { absent: [Data] } } } ]", false),
    ("steps: [ { call: { path: /x, expect: { some: { /Data: [{ /Id: 1 }] }, differs: { /Data: 1 } } } } ]", true),
    ("steps: [ { call: { path: /x, expect: { some: { /Data: [] } } } } ]", false),
    ("steps: [ { call: { path: /x, keep: { a: Data } } } ]", false),
    ("steps: [ { call: { path: /x, keep: { a: header etag, b: claim /acr, c: /Data } } } ]", true),
    ("steps: [ { visit: {} } ]", false),
    ("steps: [ { set-account-status: {} } ]", false),
    ("steps: [ { settle-payment: {} } ]", false),
    ("steps: [ { reject-payment: { payment: x, reason: nonsense } } ]", false),
    ("steps: [ { reject-payment: { payment: x, reason: zero_amount } } ]", true),
    ("steps: [ { set: { a: 1 } } ]", true),
    ("variables: { a: 1.5 }\nsteps: [ { onboard: {} } ]", true),
    ("version: v5\nsteps: [ { onboard: {} } ]", false),
];

#[test]
fn the_schema_and_the_reader_agree() {
    let validator = jsonschema::validator_for(&scenario::language::schema::schema()).unwrap();
    let otherwise: Vec<String> = FILES
        .iter()
        .filter_map(|(part, right)| {
            let text = format!("name: n\nabout: x\nbank: b\npersona: p\n{part}\n");
            let read =
                scenario::Scenario::parse(Path::new("x.yaml"), &text).map(drop).map_err(|error| error.to_string());
            let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
            let valid = validator.is_valid(&value);
            (read.is_ok() != *right || valid != *right).then(|| format!("{part}: reader {read:?}, schema {valid}"))
        })
        .collect();
    assert_eq!(otherwise, Vec::<String>::new());
}
