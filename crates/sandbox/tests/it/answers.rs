//! Every answer of the bank's account information API, held against the published OpenAPI files, in both versions.

mod permissions;
mod switches;
mod windows;

use http::Method;
use openbanking::version::ApiVersion;
use psu::{Intention, Psu};
use serde_json::{Value, json};
use testkit::Specification;

use crate::hand_made::{ASSERTION_TYPE, Shows, World};

pub(crate) const VERSIONS: [(ApiVersion, &str); 2] =
    [(ApiVersion::V3_1, "v3.1.11/account-info-openapi.yaml"), (ApiVersion::V4_0, "v4.0.1/account-info-openapi.json")];

impl World {
    /// Tells the TPP to take a step.
    pub(crate) async fn step(&self, name: &str, step: &Value) -> Value {
        let url = format!("http://{}/steps/{name}", self.hosted.tpp.control).parse().unwrap();
        let answer = self.http(Shows::Nothing).post(&url).json(step).send().await.unwrap();
        let body: Value = answer.json().unwrap();
        assert!(body.get("done").is_some(), "{name}: {body}");
        body["done"].clone()
    }

    /// Lets time pass, which the parties of one process do together.
    pub(crate) async fn advance(&self, seconds: i64) {
        let url = format!("http://{}/clock/advance", self.hosted.bank.control).parse().unwrap();
        let answer = self.http(Shows::Nothing).post(&url).json(&json!({ "seconds": seconds })).send().await;
        assert_eq!(answer.unwrap().status, 200);
    }

    /// A consent as the TPP lodges it, with what a test adds to it.
    async fn lodged(&self, version: ApiVersion, permissions: &[&str], more: Value) -> String {
        let mut step = json!({ "bank": self.hosted.bank.name, "version": version, "permissions": permissions });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.step("lodge-consent", &step).await["consent-id"].as_str().unwrap().to_owned()
    }

    /// The customer authorises the consent for all accounts, for the first time or again.
    pub(crate) async fn authorised(&self, consent: &str, persona: &str) {
        let link = self.step("authorise", &json!({ "bank": self.hosted.bank.name, "consent-id": consent })).await;
        let credentials = sandbox::hosting::credentials(&self.hosted.bank.logins)[persona].clone();
        let psu = Psu::new(self.browser(), credentials);
        let url = link["url"].as_str().unwrap().parse().unwrap();
        let intention = Intention::Approve { accounts: Vec::new() };
        psu.authorise(&url, &intention, &self.journey()).await.unwrap();
        self.step("exchange-code", &json!({ "state": link["state"] })).await;
    }

    /// A consent with these permissions that the customer has authorised for all accounts, and its token.
    async fn connected(&self, version: ApiVersion, permissions: &[&str]) -> String {
        self.connected_as("nora", version, permissions, json!({})).await
    }

    pub(crate) async fn connected_as(
        &self,
        persona: &str,
        version: ApiVersion,
        permissions: &[&str],
        more: Value,
    ) -> String {
        let consent = self.lodged(version, permissions, more).await;
        self.authorised(&consent, persona).await;
        consent
    }

    /// Everything that came back: status, headers, body.
    async fn called(&self, version: ApiVersion, consent: &str, token: &str, path: &str, accept: &str) -> Value {
        let call = json!({
            "bank": self.hosted.bank.name, "version": version, "consent-id": consent, "token": token, "path": path,
            "dress": { "headers": { "accept": accept } },
        });
        self.step("call", &call).await
    }

    async fn call(&self, version: ApiVersion, consent: &str, token: &str, path: &str) -> (u16, Value) {
        let answered = self.called(version, consent, token, path, "application/json").await;
        (u16::try_from(answered["status"].as_u64().unwrap()).unwrap(), answered["body"].clone())
    }

    /// What the customer's token reads; it must be allowed.
    pub(crate) async fn read(&self, version: ApiVersion, consent: &str, path: &str) -> Value {
        let (status, body) = self.call(version, consent, "customer", path).await;
        assert_eq!(status, 200, "{version} {path}: {body}");
        body
    }

    async fn accounts(&self, version: ApiVersion, consent: &str) -> Vec<String> {
        let body = self.read(version, consent, "/accounts").await;
        let id = |account: &Value| account["AccountId"].as_str().unwrap().to_owned();
        body["Data"]["Account"].as_array().unwrap().iter().map(id).collect()
    }
}

/// A resource: its paths, the schema of what it answers, and the name of the list in it. `{account}` is each account of
/// the consent, `{statement}` its newest statement.
pub(crate) struct Endpoint {
    pub(crate) paths: &'static [&'static str],
    pub(crate) schema: &'static str,
    pub(crate) list: &'static str,
}

const fn endpoint(paths: &'static [&'static str], schema: &'static str, list: &'static str) -> Endpoint {
    Endpoint { paths, schema, list }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    endpoint(&["/accounts", "/accounts/{account}"], "OBReadAccount6", "Account"),
    endpoint(&["/balances", "/accounts/{account}/balances"], "OBReadBalance1", "Balance"),
    endpoint(&["/transactions", "/accounts/{account}/transactions"], "OBReadTransaction6", "Transaction"),
    endpoint(&["/beneficiaries", "/accounts/{account}/beneficiaries"], "OBReadBeneficiary5", "Beneficiary"),
    endpoint(&["/direct-debits", "/accounts/{account}/direct-debits"], "OBReadDirectDebit2", "DirectDebit"),
    endpoint(&["/standing-orders", "/accounts/{account}/standing-orders"], "OBReadStandingOrder6", "StandingOrder"),
    endpoint(
        &["/scheduled-payments", "/accounts/{account}/scheduled-payments"],
        "OBReadScheduledPayment3",
        "ScheduledPayment",
    ),
    endpoint(&["/products", "/accounts/{account}/product"], "OBReadProduct2", "Product"),
    endpoint(&["/offers", "/accounts/{account}/offers"], "OBReadOffer1", "Offer"),
    endpoint(&["/party", "/accounts/{account}/party"], "OBReadParty2", "Party"),
    endpoint(&["/accounts/{account}/parties"], "OBReadParty3", "Party"),
    endpoint(
        &["/statements", "/accounts/{account}/statements", "/accounts/{account}/statements/{statement}"],
        "OBReadStatement2",
        "Statement",
    ),
    endpoint(&["/accounts/{account}/statements/{statement}/transactions"], "OBReadTransaction6", "Transaction"),
];

pub(crate) const ALL: [&str; 21] = [
    "ReadAccountsBasic",
    "ReadAccountsDetail",
    "ReadBalances",
    "ReadBeneficiariesBasic",
    "ReadBeneficiariesDetail",
    "ReadDirectDebits",
    "ReadOffers",
    "ReadPAN",
    "ReadParty",
    "ReadPartyPSU",
    "ReadProducts",
    "ReadScheduledPaymentsBasic",
    "ReadScheduledPaymentsDetail",
    "ReadStandingOrdersBasic",
    "ReadStandingOrdersDetail",
    "ReadStatementsBasic",
    "ReadStatementsDetail",
    "ReadTransactionsBasic",
    "ReadTransactionsCredits",
    "ReadTransactionsDebits",
    "ReadTransactionsDetail",
];

/// Everything, but nothing in detail: what the public functional tool asks for.
pub(crate) fn basic() -> Vec<&'static str> {
    ALL.into_iter().filter(|name| !name.ends_with("Detail") && *name != "ReadPAN").collect()
}

/// The newest statement of an account.
fn statement(account: &str, months: &Value) -> String {
    let all = months["Data"]["Statement"].as_array().unwrap();
    let own = all.iter().find(|one| one["AccountId"] == account).unwrap();
    own["StatementId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_fit_the_published_schemas() {
    let world = World::new().await;
    for (version, file) in VERSIONS {
        let Some(specification) = Specification::open(file).unwrap() else { continue };
        for (persona, permissions) in [("nora", ALL.to_vec()), ("nora", basic()), ("rosalind", ALL.to_vec())] {
            let consent = world.connected_as(persona, version, &permissions, json!({})).await;
            let accounts = world.accounts(version, &consent).await;
            assert!(accounts.len() >= 3, "all of the customer's accounts are shared");
            let statements = world.read(version, &consent, "/statements").await;
            let mut answered = 0;
            for endpoint in ENDPOINTS {
                let mut items = 0;
                for path in endpoint.paths {
                    for account in accounts.iter().take(if path.contains("{account}") { 9 } else { 1 }) {
                        let statement = statement(account, &statements);
                        let path = path.replace("{account}", account).replace("{statement}", &statement);
                        let body = world.read(version, &consent, &path).await;
                        let errors = specification.errors(endpoint.schema, &body).unwrap();
                        assert!(errors.is_empty(), "{version} {path}: {errors:#?}\n{body:#}");
                        assert!(body["Links"]["Self"].as_str().unwrap().ends_with(&path));
                        let list = &body["Data"][endpoint.list];
                        items += list.as_array().map_or(1, Vec::len);
                        answered += 1;
                    }
                }
                assert!(items > 0, "{persona} has no {}", endpoint.list);
            }
            assert!(answered >= 12 + 13 * accounts.len(), "{answered}");
            let consents = format!("/account-access-consents/{consent}");
            let (status, body) = world.call(version, &consent, "client", &consents).await;
            let errors = specification.errors("OBReadConsentResponse1", &body).unwrap();
            assert!(status == 200 && errors.is_empty(), "{version}: {errors:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_as_the_standard_says() {
    let world = World::new().await;
    for (version, file) in VERSIONS {
        let Some(specification) = Specification::open(file).unwrap() else { continue };
        let consent = world.connected(version, &ALL).await;
        let account = world.accounts(version, &consent).await[0].clone();
        let not_found = if version == ApiVersion::V3_1 { "UK.OBIE.Resource.NotFound" } else { "U011" };
        let mut unknown: Vec<String> = ENDPOINTS
            .iter()
            .flat_map(|endpoint| endpoint.paths)
            .filter(|path| path.contains("{account}"))
            .map(|path| path.replace("{account}", "foobar").replace("{statement}", "foobar"))
            .collect();
        for rest in ["", "/file", "/transactions"] {
            unknown.push(format!("/accounts/{account}/statements/foobar{rest}"));
            unknown.push(format!("/accounts/{account}/statements/2026-10.foobar{rest}"));
            unknown.push(format!("/accounts/{account}/statements/2999-10.{account}{rest}"));
        }
        for path in unknown {
            let accept = if path.ends_with("/file") { "application/pdf" } else { "application/json" };
            let answered = world.called(version, &consent, "customer", &path, accept).await;
            assert_eq!(answered["status"], 400, "{version} {path}");
            assert_eq!(answered["body"]["Errors"][0]["ErrorCode"], not_found, "{version} {path}");
            let errors = specification.errors("OBErrorResponse1", &answered["body"]).unwrap();
            assert!(errors.is_empty(), "{version} {path}: {errors:#?}");
        }
        for path in [
            "/foobar".to_owned(),
            format!("/accounts/{account}/foobar"),
            format!("/accounts/{account}/balances/foobar"),
            format!("/accounts/{account}/products"),
            "/parties".to_owned(),
            "/statements/foobar".to_owned(),
        ] {
            let (status, _) = world.call(version, &consent, "customer", &path).await;
            assert_eq!(status, 404, "{version} {path}");
        }
        // The TPP's own token opens nothing of the customer's, whatever the path.
        for path in ENDPOINTS.iter().flat_map(|endpoint| endpoint.paths) {
            let path = path.replace("{account}", "foobar").replace("{statement}", "foobar");
            let (status, _) = world.call(version, &consent, "client", &path).await;
            assert_eq!(status, 401, "{version} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_a_file() {
    let world = World::new().await;
    for (version, _) in VERSIONS {
        let consent = world.connected(version, &ALL).await;
        let account = world.accounts(version, &consent).await[0].clone();
        let statements = world.read(version, &consent, &format!("/accounts/{account}/statements")).await;
        let path = format!("/accounts/{account}/statements/{}/file", statement(&account, &statements));
        for accept in ["application/pdf", "*/*", "application/json, application/pdf;q=0.5"] {
            let answered = world.called(version, &consent, "customer", &path, accept).await;
            assert_eq!(answered["status"], 200, "{version} {accept}");
            assert_eq!(answered["headers"]["content-type"], "application/pdf");
            let length: usize = answered["headers"]["content-length"].as_str().unwrap().parse().unwrap();
            assert!(length > 2_000, "{length} bytes");
            assert_eq!(answered["body"], Value::Null, "no JSON");
        }
        for accept in ["application/json", "text/csv", "application/pdf;q=0"] {
            let answered = world.called(version, &consent, "customer", &path, accept).await;
            assert_eq!(answered["status"], 406, "{version} {accept}");
        }
        let json = path.trim_end_matches("/file");
        let answered = world.called(version, &consent, "customer", json, "application/pdf").await;
        assert_eq!(answered["status"], 406, "what is no file is JSON only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_lists_what_is_offered() {
    let world =
        World::with_bank(|profile| profile.replace("endpoints-off: []", "endpoints-off: [/aisp/offers, /aisp/party]"))
            .await;
    let listed = world.listed_endpoints().await;
    assert!(listed.contains(&"/aisp/accounts/{AccountId}/offers".to_owned()), "{listed:?}");
    assert!(listed.contains(&"/aisp/account-access-consents/{ConsentId}".to_owned()));
    assert!(!listed.contains(&"/aisp/offers".to_owned()) && !listed.contains(&"/aisp/party".to_owned()));
}

impl World {
    /// The endpoints of the bank, as the Directory lists them for its participants.
    async fn listed_endpoints(&self) -> Vec<String> {
        let data = self.hosted.tpp.exports.parent().unwrap();
        let kept: Value = party::DataDirectory::open(data).unwrap().read_json("membership.json").unwrap().unwrap();
        let (directory, now) = (&self.hosted.directory.api, self.now());
        let endpoint = directory.join("/token").unwrap();
        let assertion = self.sign(&json!({
            "iss": kept["organisation-id"], "sub": kept["organisation-id"], "aud": endpoint, "iat": now,
            "exp": now + 60, "jti": self.chance.uuid().to_string(),
        }));
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "TPPReadAccess"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &assertion),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = self.http(Shows::Own).post(&endpoint).form(&form).send().await.unwrap();
        let token: Value = answer.json().unwrap();
        let token = token["access_token"].as_str().unwrap_or_else(|| panic!("no token: {token}"));
        let url = directory.join("/v2.1/authorisation-servers").unwrap();
        let answer = self.http(Shows::Own).request(Method::GET, &url).bearer(token).send().await.unwrap();
        let servers: Value = answer.json().unwrap();
        let bank = servers.as_array().unwrap().iter().find(|one| one["CustomerFriendlyName"] == self.hosted.bank.name);
        serde_json::from_value(bank.unwrap()["ApiFamilies"][0]["Endpoints"].clone()).unwrap()
    }
}
