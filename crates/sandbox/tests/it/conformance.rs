//! What certification suites probe, under the names of their modules, through the bank's real interface, in every variant
//! that applies: both profiles, requests by value and pushed, answers plain and signed (JARM), clients that authenticate
//! with an assertion and with their certificate. `docs/conformance.md` lists the modules and their tests.

mod client_authentication;
mod discovery;
mod flows;
mod request_objects;
mod suite;
mod tls;

use serde_json::Value;
use transport::Answer as Response;

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The bank's first page.
    Login,
    /// An error page with this code.
    Page(String),
    /// An error that goes back to the client.
    Redirect(String),
    /// An error of the endpoint that requests are pushed to.
    Pushed(String),
}

impl Answer {
    /// The error, wherever it is shown.
    fn error(&self) -> Option<&str> {
        match self {
            Self::Login => None,
            Self::Page(code) | Self::Redirect(code) | Self::Pushed(code) => Some(code),
        }
    }
}

/// The claims with these changes; null takes one away.
fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// The OAuth error in the fixed element of the bank's error page.
fn error_on(page: &Response) -> String {
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let marked = text.split("id=\"oauth-error\"").nth(1).and_then(|rest| rest.split_once("<strong>"));
    let marked = marked.and_then(|(_, rest)| rest.split_once("</strong>")).map(|(code, _)| code);
    marked.unwrap_or_else(|| panic!("no oauth error on {text}")).to_owned()
}

/// The modules of the table in `docs/conformance.md` are those that the tests name.
#[test]
fn every_module_of_the_page_is_named_by_a_test() {
    let page = include_str!("../../../../docs/conformance.md");
    let tests = [
        include_str!("conformance/client_authentication.rs"),
        include_str!("conformance/discovery.rs"),
        include_str!("conformance/flows.rs"),
        include_str!("conformance/request_objects.rs"),
        include_str!("conformance/tls.rs"),
    ]
    .concat();
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let rows: Vec<&str> = cells.filter(|cell| !cell.ends_with(".json")).collect();
    assert!(rows.len() > 60, "{rows:?}");
    let unnamed: Vec<_> = rows.into_iter().filter(|module| !tests.contains(&format!("\"{module}"))).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

/// Commands of a plan file, wherever they stand in it.
fn commands<'a>(plan: &'a Value, found: &mut Vec<&'a Vec<Value>>) {
    match plan {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_array().filter(|_| name == "commands") {
                    Some(list) => found.extend(list.iter().map(|command| command.as_array().unwrap())),
                    None => commands(value, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| commands(one, found)),
        _ => {}
    }
}

/// The browser of a suite finds what the plan files tell it to click.
#[test]
fn plan_files_name_elements_that_the_pages_have() {
    let pages = [
        include_str!("../../../../web/aspsp/login.hbs"),
        include_str!("../../../../web/aspsp/one-time-password.hbs"),
        include_str!("../../../../web/aspsp/accounts.hbs"),
        include_str!("../../../../web/aspsp/layout.hbs"),
        include_str!("../../../../web/aspsp/error.hbs"),
    ]
    .concat();
    let pages = pages.replace("{{@index}}", "0");
    for plan in [
        include_str!("../../../../conformance/fapi1-advanced-uk.json"),
        include_str!("../../../../conformance/fapi1-advanced.json"),
    ] {
        let plan: Value = serde_json::from_str(plan).unwrap();
        let mut all = Vec::new();
        commands(&plan, &mut all);
        let of_the_suite = "submission_complete";
        let ids: std::collections::BTreeSet<&str> =
            all.iter().filter(|one| one[1] == "id").map(|one| one[2].as_str().unwrap()).collect();
        assert!(ids.len() > 6, "{ids:?}");
        for id in ids.into_iter().filter(|id| *id != of_the_suite) {
            assert!(pages.contains(&format!("id=\"{id}\"")), "no page has {id}");
        }
    }
}
