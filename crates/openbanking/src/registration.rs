//! Dynamic client registration (OB DCR 3.2 to 3.4; RFC 7591, RFC 7592).

use crate::ssa::SoftwareMetadata;
use jose::claims::{Audience, NumericDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// The `client_assertion_type` of a client that proves itself with a signed JWT (RFC 7523, 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Declares a struct whose own members are followed by those that describe a client, in requests and answers alike.
macro_rules! with_client_metadata {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$row:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $($(#[$row])* pub $member: $type,)*
            /// The assertion of the Directory, a compact JWS.
            pub software_statement: String,
            /// Must be that of the assertion.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub software_id: Option<String>,
            /// https, a subset of the assertion's.
            pub redirect_uris: Vec<String>,
            /// `private_key_jwt` or `tls_client_auth` with FAPI.
            pub token_endpoint_auth_method: String,
            /// Grants.
            pub grant_types: Vec<String>,
            /// Absent means `code id_token`.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub response_types: Vec<String>,
            /// Names with blanks between them; absent means whatever the roles allow.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            pub scope: String,
            /// `web`, `mobile` (3.2, 3.3) or `native` (3.4).
            pub application_type: String,
            /// `PS256` or `ES256`.
            pub id_token_signed_response_alg: String,
            /// `RSA-OAEP-256`, when id_tokens are to be encrypted.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub id_token_encrypted_response_alg: Option<String>,
            /// `A256GCM`, likewise.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub id_token_encrypted_response_enc: Option<String>,
            /// `PS256` or `ES256`, for signed authorization responses (JARM, 3).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub authorization_signed_response_alg: Option<String>,
            /// `PS256` or `ES256`.
            pub request_object_signing_alg: String,
            /// With the JWT methods.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub token_endpoint_auth_signing_alg: Option<String>,
            /// With `tls_client_auth`, and only then.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub tls_client_auth_subject_dn: Option<String>,
            /// Tokens are bound to the client's certificate (RFC 8705, 3.4).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub tls_client_certificate_bound_access_tokens: Option<bool>,
            /// `poll` or `ping`, with CIBA.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub backchannel_token_delivery_mode: Option<String>,
            /// With `ping`.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub backchannel_client_notification_endpoint: Option<String>,
            /// With CIBA.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub backchannel_authentication_request_signing_alg: Option<String>,
            /// False, where it is said at all.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub backchannel_user_code_parameter_supported: Option<bool>,
            /// Other members: unknown claims of a request, the claims of the assertion in an answer.
            #[serde(flatten)]
            pub other: Map<String, Value>,
        }
    };
}

with_client_metadata! {
    /// Claims of the request JWT. Unknown claims are tolerated.
    pub struct RegistrationRequest {
        /// The software identifier, base62 of at most 22 characters.
        iss: String,
        /// When it was made.
        iat: NumericDate,
        /// Until when it is good.
        exp: NumericDate,
        /// From when on it is good, if it says so (RFC 7519, 4.1.5).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nbf: Option<NumericDate>,
        /// The bank's organisation identifier, or its issuer.
        aud: Audience,
        /// UUID.
        jti: String,
    }
}

with_client_metadata! {
    /// Answer to a registration, and the client's record later: what was registered, and the assertion's claims beside
    /// it.
    pub struct RegistrationResponse {
        /// At most 36 characters.
        client_id: String,
        /// Only for clients that authenticate with a secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_secret: Option<String>,
        /// When it was registered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id_issued_at: Option<NumericDate>,
        /// 0: never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_secret_expires_at: Option<NumericDate>,
    }
}

impl RegistrationResponse {
    /// The answer that grants what was asked for. A bank that changed a value changes it here before it answers.
    pub fn granting(
        request: &RegistrationRequest,
        assertion: &SoftwareMetadata,
        client_id: &str,
        issued_at: OffsetDateTime,
    ) -> Self {
        let mut answer = Self {
            client_id: client_id.to_owned(),
            client_secret: None,
            client_id_issued_at: Some(issued_at.into()),
            client_secret_expires_at: None,
            software_statement: request.software_statement.clone(),
            software_id: Some(assertion.software_id.clone()),
            redirect_uris: request.redirect_uris.clone(),
            token_endpoint_auth_method: request.token_endpoint_auth_method.clone(),
            grant_types: request.grant_types.clone(),
            response_types: request.response_types.clone(),
            scope: request.scope.clone(),
            application_type: request.application_type.clone(),
            id_token_signed_response_alg: request.id_token_signed_response_alg.clone(),
            id_token_encrypted_response_alg: request.id_token_encrypted_response_alg.clone(),
            id_token_encrypted_response_enc: request.id_token_encrypted_response_enc.clone(),
            authorization_signed_response_alg: None,
            request_object_signing_alg: request.request_object_signing_alg.clone(),
            token_endpoint_auth_signing_alg: request.token_endpoint_auth_signing_alg.clone(),
            tls_client_auth_subject_dn: request.tls_client_auth_subject_dn.clone(),
            tls_client_certificate_bound_access_tokens: request.tls_client_certificate_bound_access_tokens,
            // Nothing of CIBA is registered where there is none.
            backchannel_token_delivery_mode: None,
            backchannel_client_notification_endpoint: None,
            backchannel_authentication_request_signing_alg: None,
            backchannel_user_code_parameter_supported: None,
            other: Map::new(),
        };
        answer.set_software(assertion);
        answer
    }

    /// Puts the claims of the assertion beside the registered ones.
    pub fn set_software(&mut self, assertion: &SoftwareMetadata) {
        self.software_id = Some(assertion.software_id.clone());
        if let Ok(Value::Object(mut claims)) = serde_json::to_value(assertion) {
            // It has a member of its own; twice the same name is no JSON object.
            claims.remove("software_id");
            self.other = claims;
        }
    }

    /// The claims of the assertion, where the answer has them.
    pub fn software(&self) -> Option<SoftwareMetadata> {
        let mut claims = self.other.clone();
        claims.insert("software_id".to_owned(), Value::String(self.software_id.clone()?));
        serde_json::from_value(Value::Object(claims)).ok()
    }
}

/// Error codes (RFC 7591, 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationErrorCode {
    /// A redirect URI is not allowed.
    InvalidRedirectUri,
    /// Some other claim is not allowed.
    InvalidClientMetadata,
    /// The assertion is not valid.
    InvalidSoftwareStatement,
    /// The assertion is not accepted here.
    UnapprovedSoftwareStatement,
}

impl RegistrationErrorCode {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
        }
    }
}

/// Body of a refusal, with status 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationError {
    /// What sort.
    pub error: RegistrationErrorCode,
    /// In words; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl RegistrationError {
    /// The refusal with its words, cut to 500 characters.
    pub fn new(error: RegistrationErrorCode, description: &str) -> Self {
        let description: String = description.chars().take(500).collect();
        Self { error, error_description: Some(description).filter(|text| !text.is_empty()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssa::{SoftwareStatementAssertion, tests::sample};
    use serde_json::json;
    use time::macros::datetime;

    fn claims() -> Value {
        json!({
            "iss": "4EEh9XwJd3Vq2mQhZ7aBcD", "iat": 1_767_225_600, "exp": 1_767_225_900.5, "aud": "0015800001041RHAAX",
            "jti": "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "redirect_uris": ["https://tpp.example/callback"],
            "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "PS256",
            "grant_types": ["authorization_code", "client_credentials"], "response_types": ["code id_token"],
            "software_id": "4EEh9XwJd3Vq2mQhZ7aBcD", "scope": "openid accounts", "software_statement": "a.b.c",
            "application_type": "web", "id_token_signed_response_alg": "PS256", "request_object_signing_alg": "PS256",
            "favourite_colour": "green"
        })
    }

    #[test]
    fn requests_tolerate_what_they_do_not_know() {
        let request: RegistrationRequest = serde_json::from_value(claims()).unwrap();
        assert_eq!(
            (request.exp, request.aud.contains("0015800001041RHAAX")),
            (datetime!(2026-01-01 0:05 UTC).into(), true)
        );
        let mut several = claims();
        several["aud"] = json!(["https://bank.example", "0015800001041RHAAX"]);
        assert!(serde_json::from_value::<RegistrationRequest>(several).unwrap().aud.contains("https://bank.example"));
        for name in ["iss", "exp", "software_statement", "redirect_uris", "application_type"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(name);
            assert!(serde_json::from_value::<RegistrationRequest>(without).is_err(), "{name}");
        }
        for never in [json!("tomorrow"), json!(1_u64 << 60), json!(-1.0e14)] {
            let mut wrong = claims();
            wrong["exp"] = never;
            assert!(serde_json::from_value::<RegistrationRequest>(wrong.clone()).is_err(), "{}", wrong["exp"]);
        }
    }

    #[test]
    fn answers_have_the_claims_of_the_assertion_beside_the_registered_ones() {
        let request: RegistrationRequest = serde_json::from_value(claims()).unwrap();
        let assertion: SoftwareStatementAssertion = serde_json::from_value(sample()).unwrap();
        let answer =
            RegistrationResponse::granting(&request, &assertion.metadata, "client-1", datetime!(2026-01-01 0:00 UTC));
        // Compared as values: the order of flattened members depends on how serde_json was built.
        let expected = json!({
          "client_id": "client-1",
          "client_id_issued_at": 1767225600,
          "software_statement": "a.b.c",
          "software_id": "4EEh9XwJd3Vq2mQhZ7aBcD",
          "redirect_uris": [
            "https://tpp.example/callback"
          ],
          "token_endpoint_auth_method": "private_key_jwt",
          "grant_types": [
            "authorization_code",
            "client_credentials"
          ],
          "response_types": [
            "code id_token"
          ],
          "scope": "openid accounts",
          "application_type": "web",
          "id_token_signed_response_alg": "PS256",
          "request_object_signing_alg": "PS256",
          "token_endpoint_auth_signing_alg": "PS256",
          "org_contacts": [
            {
              "email": "tech@tpp.example",
              "name": "Technical",
              "phone": "+44 20 7946 0000",
              "type": "Technical"
            }
          ],
          "org_id": "0015800001041RHAAY",
          "org_name": "Diary Ltd",
          "org_status": "Active",
          "organisation_competent_authority_claims": {
            "authorisations": [
              {
                "member_state": "GB",
                "roles": [
                  "AISP",
                  "PISP"
                ]
              }
            ],
            "authority_id": "FCAGBR",
            "registration_id": "123456",
            "status": "Active"
          },
          "software_client_name": "Money Diary",
          "software_environment": "sandbox",
          "software_jwks_endpoint": "https://keystore.example/0015800001041RHAAY/4EEh9XwJd3Vq2mQhZ7aBcD.jwks",
          "software_mode": "Live",
          "software_on_behalf_of_org": null,
          "software_redirect_uris": [
            "https://tpp.example/callback"
          ],
          "software_roles": [
            "AISP",
            "PISP"
          ],
          "software_version": 1.1
        });
        assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text.matches("\"software_id\"").count(), 1);
        let back: RegistrationResponse = serde_json::from_str(&text).unwrap();
        assert_eq!((back.software(), &back), (Some(assertion.metadata), &answer));
        assert_eq!(RegistrationResponse { other: Map::new(), ..answer }.software(), None);
    }

    #[test]
    fn refusals_use_the_names_of_the_rfc() {
        for code in [
            RegistrationErrorCode::InvalidRedirectUri,
            RegistrationErrorCode::InvalidClientMetadata,
            RegistrationErrorCode::InvalidSoftwareStatement,
            RegistrationErrorCode::UnapprovedSoftwareStatement,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        let refusal = RegistrationError::new(RegistrationErrorCode::InvalidRedirectUri, &"x".repeat(600));
        assert_eq!(refusal.error_description.unwrap().len(), 500);
        assert!(serde_json::from_value::<RegistrationErrorCode>(json!("invalid_mood")).is_err());
    }
}
