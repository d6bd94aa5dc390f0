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
