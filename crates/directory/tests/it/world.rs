//! A Directory on free ports, and participants that call it.

use std::{net::SocketAddr, path::Path, time::Duration};

use directory::{EnrolmentPolicy, Running, Settings};
use http::Method;
use jose::claims::NumericDate;
use openbanking::{
    directory::{CertificateKind, EnrolmentAnswer, EnrolmentRequest, PEM, SoftwareStatement, SoftwareStatementRequest},
    ssa::{OrganisationStatus, Role},
};
use party::{
    DataDirectory, Tools,
    participant::{DirectoryAddress, DirectoryClient, Membership, ParticipantError, enrol, find_directory},
};
use pki::{Certificate, Participant, PrivateKey, Profile, PspRole};
use rules::Verdict;
use serde_json::{Value, json};
use simulation::{Filter, Side, Trace};
use tempfile::TempDir;
use transport::{Answer, CallError, ClientSettings, HttpClient, Identity, RequestBuilder, Stop};
use url::Url;

/// What a TPP may do.
pub(crate) const TPP: &str = "TPPReadAccess TPPManage";
/// What a bank may do.
pub(crate) const BANK: &str = "ASPSPReadAccess ASPSPManage";

/// A Directory that runs, and its tools.
pub(crate) struct Directory {
    pub(crate) folder: TempDir,
    pub(crate) running: Running,
    pub(crate) tools: Tools,
}

impl Directory {
    pub(crate) async fn start() -> Self {
        Self::with(EnrolmentPolicy::Open).await
    }

    pub(crate) async fn with(policy: EnrolmentPolicy) -> Self {
        Self::at(tempfile::tempdir().unwrap(), policy).await
    }

    /// One that was started to be attacked.
    pub(crate) async fn in_lesson() -> Self {
        Self::of(tempfile::tempdir().unwrap(), |settings| settings.lesson = Some(true)).await
    }

    async fn at(folder: TempDir, policy: EnrolmentPolicy) -> Self {
        Self::of(folder, |settings| settings.enrolment = Some(policy)).await
    }

    /// One with other settings.
    pub(crate) async fn of(folder: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let tools = Tools::real("directory", Stop::new());
        let mut settings = settings(folder.path(), EnrolmentPolicy::Open);
        change(&mut settings);
        let running = directory::start(settings, tools.clone()).await.unwrap();
        Self { folder, running, tools }
    }

    /// The same Directory after a stop and another start, on other ports.
    pub(crate) async fn restarted(self) -> Self {
        self.tools.stop.trigger();
        party::ended(self.running.tasks).await;
        Self::at(self.folder, EnrolmentPolicy::Open).await
    }

    pub(crate) fn anchor(&self) -> Certificate {
        Certificate::from_pem(&std::fs::read_to_string(&self.running.trust_anchor).unwrap()).unwrap()
    }

    pub(crate) async fn address(&self) -> DirectoryAddress {
        let tools = tools();
        let trace = Trace::new(&tools.chance);
        find_directory(&self.running.public, &self.running.trust_anchor, &tools, &trace).await.unwrap()
    }

    /// A client that trusts the Directory's anchor.
    pub(crate) fn http(&self, identity: Option<&Identity>) -> HttpClient {
        let tools = tools();
        HttpClient::new(ClientSettings {
            party: "test",
            anchors: vec![self.anchor()],
            identity,
            journal: None,
            clock: tools.clock,
            chance: tools.chance,
            cookies: false,
            timeout: Duration::from_secs(30),
        })
        .unwrap()
    }

    /// A call of the public listener.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let url = self.running.public.join(path).unwrap();
        fill(self.http(None).request(method, &url)).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.open(Method::GET, path, |builder| builder).await
    }

    /// The kids and uses of a key set.
    pub(crate) async fn key_set(&self, path: &str) -> Vec<(String, String)> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let set: jose::Jwks = answer.json().unwrap();
        let mut keys: Vec<_> =
            set.keys.into_iter().map(|key| (key.use_.unwrap_or_default(), key.kid.unwrap_or_default())).collect();
        keys.sort();
        keys
    }

    /// A call of the control port.
    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> Answer {
        let url = Url::parse(&format!("http://{}{path}", self.running.control)).unwrap();
        self.http(None).request(method, &url).json(body).send().await.unwrap()
    }

    pub(crate) async fn set_status(&self, organisation_id: &str, status: OrganisationStatus) {
        let path = format!("/organisations/{organisation_id}/status");
        let answer = self.control(Method::POST, &path, &json!({ "status": status })).await;
        assert_eq!(answer.status, 200, "{}", text(&answer));
    }

    /// The verdict over the request of this answer, from the journal.
    pub(crate) fn verdict(&self, answer: &Answer) -> Option<Verdict> {
        let exchanges = self.tools.journal.recent(&Filter::default());
        let of_answer = exchanges
            .into_iter()
            .rev()
            .find(|exchange| exchange.side == Side::Server && exchange.interaction_id == answer.interaction_id);
        of_answer.and_then(|exchange| exchange.verdict)
    }

    /// The rule that refused the request of this answer.
    pub(crate) fn refused_by(&self, answer: &Answer) -> String {
        self.verdict(answer).and_then(|verdict| verdict.refused_by().map(|by| by.rule.clone())).unwrap_or_default()
    }

    /// Checks status, error word and rule of a refusal.
    pub(crate) fn assert_refused(&self, answer: &Answer, status: u16, error: &str, rule: &str) {
        let body: Value = answer.json().unwrap_or_default();
        let found = (answer.status.as_u16(), body["error"].as_str().unwrap_or_default(), self.refused_by(answer));
        assert_eq!(found, (status, error, rule.to_owned()), "{}", text(answer));
    }

    /// Opens an enrolment.
    pub(crate) async fn begin(&self, request: &EnrolmentRequest) -> EnrolmentAnswer {
        let answer = self.open(Method::POST, "/enrolment", |builder| builder.json(request)).await;
        assert_eq!(answer.status, 201, "{}", text(&answer));
        answer.json().unwrap()
    }

    /// Asks for a certificate at the enrolment door.
    pub(crate) async fn certify(&self, begun: &EnrolmentAnswer, kind: CertificateKind, request: &str) -> Answer {
        let path = format!("/enrolment/{}/certificate/{kind}", begun.organisation_id);
        let body = request.as_bytes().to_vec();
        self.open(Method::POST, &path, |builder| builder.bearer(&begun.enrolment_token).body(PEM, body)).await
    }

    /// Enrols this organisation completely.
    pub(crate) async fn member(&self, request: &EnrolmentRequest, scope: &'static str) -> Member {
        Member::enrolled(self, tempfile::tempdir().unwrap(), request, scope).await.unwrap()
    }

    pub(crate) async fn tpp(&self) -> Member {
        self.member(&request("Larkspur Money Ltd", "730166", &[Role::Aisp, Role::Pisp]), TPP).await
    }

    pub(crate) async fn bank(&self) -> Member {
        self.member(&request("Ashdown Bank plc", "204503", &[Role::Aspsp]), BANK).await
    }
}

/// A participant with its certificates.
pub(crate) struct Member {
    pub(crate) data: TempDir,
    pub(crate) membership: Membership,
    pub(crate) client: DirectoryClient,
    pub(crate) address: DirectoryAddress,
    pub(crate) trace: Trace,
    pub(crate) tools: Tools,
    scope: &'static str,
}

impl Member {
    pub(crate) async fn enrolled(
        directory: &Directory,
        data: TempDir,
        request: &EnrolmentRequest,
        scope: &'static str,
    ) -> Result<Self, ParticipantError> {
        let tools = tools();
        let trace = Trace::new(&tools.chance);
        let kept = DataDirectory::open(data.path())?;
        let names = ["localhost".to_owned()];
        let found = async { Ok(directory.address().await) };
        let (address, membership) = enrol(found, request, &names, &kept, &tools, &trace).await?;
        let client = DirectoryClient::new(address.clone(), &membership, scope, &tools)?;
        Ok(Self { data, membership, client, address, trace, tools, scope })
    }

    pub(crate) fn id(&self) -> &str {
        &self.membership.organisation_id
    }

    /// A path of its own organisation.
    pub(crate) fn own(&self, rest: &str) -> String {
        format!("/v2.1/organisation/{}{rest}", self.id())
    }

    /// A client assertion with these claims in place of the right ones.
    pub(crate) fn assertion(&self, changed: &Value) -> String {
        let now = self.tools.clock.now();
        let mut claims = json!({
            "iss": self.id(), "sub": self.id(), "aud": self.address.token.as_str(),
            "iat": NumericDate::from(now), "exp": NumericDate::from(now + time::Duration::minutes(2)),
            "jti": self.tools.chance.uuid().to_string(),
        });
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.membership.signing.sign_claims(Some("JWT"), &claims).unwrap()
    }

    /// Asks for a token over this client.
    pub(crate) async fn ask_token(&self, http: &HttpClient, assertion: &str, scope: &str) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        http.request(Method::POST, &self.address.token).form(&form).send().await.unwrap()
    }

    /// A token, and a client with the member's certificate.
    pub(crate) async fn token(&self, directory: &Directory) -> (HttpClient, String) {
        let http = directory.http(Some(&self.membership.transport));
        let answer = self.ask_token(&http, &self.assertion(&json!({})), self.scope).await;
        assert_eq!(answer.status, 200, "{}", text(&answer));
        let token = answer.json::<Value>().unwrap()["access_token"].as_str().unwrap().to_owned();
        (http, token)
    }

    /// A call of the API over a connection of its own.
    pub(crate) async fn call(
        &self,
        directory: &Directory,
        method: Method,
        path: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let (http, token) = self.token(directory).await;
        call(&http, &token, &self.address.api(path).unwrap(), method, fill).await.unwrap()
    }

    /// A new software statement.
    pub(crate) async fn software(&self) -> SoftwareStatement {
        self.client.create_software_statement(&software_request(), &self.trace).await.unwrap()
    }
}

/// A call with a token.
pub(crate) async fn call(
    http: &HttpClient,
    token: &str,
    url: &Url,
    method: Method,
    fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Result<Answer, CallError> {
    fill(http.request(method, url).bearer(token)).send().await
}

fn settings(folder: &Path, policy: EnrolmentPolicy) -> Settings {
    let free = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    Settings {
        data: Some(folder.join("directory")),
        public_listen: free,
        mtls_listen: free,
        control_listen: free,
        enrolment: Some(policy),
        ..Settings::default()
    }
}

/// Tools of somebody who calls.
pub(crate) fn tools() -> Tools {
    Tools::real("test", Stop::new())
}

/// Who wants to enrol.
pub(crate) fn request(legal_name: &str, registration_id: &str, roles: &[Role]) -> EnrolmentRequest {
    EnrolmentRequest {
        legal_entity_name: legal_name.to_owned(),
        organisation_common_name: None,
        register_body: "FCA".to_owned(),
        registration_id: registration_id.to_owned(),
        roles: roles.to_vec(),
        contacts: Vec::new(),
    }
}

/// What a TPP says about its software.
pub(crate) fn software_request() -> SoftwareStatementRequest {
    SoftwareStatementRequest {
        client_name: "Larkspur Budget".to_owned(),
        client_description: Some("Shows all your accounts in one place.".to_owned()),
        redirect_uris: vec!["https://localhost:8460/callback".to_owned()],
        roles: vec![Role::Aisp],
        ..SoftwareStatementRequest::default()
    }
}

/// A certificate's subject that fits the request.
pub(crate) fn subject(request: &EnrolmentRequest, organisation_id: &str) -> Participant {
    let role = |role: &Role| match role {
        Role::Aisp => PspRole::AccountInformation,
        Role::Pisp => PspRole::PaymentInitiation,
        Role::Cbpii => PspRole::CardBasedPaymentInstruments,
        Role::Aspsp => PspRole::AccountServicing,
    };
    Participant {
        organisation_identifier: format!("PSDGB-{}-{}", request.register_body, request.registration_id),
        organisation_id: organisation_id.to_owned(),
        legal_name: request.legal_entity_name.clone(),
        roles: request.roles.iter().map(role).collect(),
    }
}

/// A certificate request with a new key.
pub(crate) fn signing_request(profile: &Profile) -> String {
    pki::certificate_request(&PrivateKey::generate_rsa().unwrap(), profile).unwrap()
}

/// The body, to be shown.
pub(crate) fn text(answer: &Answer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}
