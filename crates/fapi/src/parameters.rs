//! Parameters of a request, as they came over HTTP.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use rules::{Check, Evidence, holds};

use crate::ErrorCode;

/// Most parameters of a request.
const MOST: usize = 100;

rules::catalogue! {
    /// Rules of parameters, whatever the endpoint.
    pub RULES;
    FORM { id: "fapi.parameters.form",
        reason: "A body with parameters is application/x-www-form-urlencoded.", clause: "RFC 6749, 3.2 and Appendix B" }
    NUMBER { id: "fapi.parameters.number",
        reason: "A request has at most 100 parameters.", clause: "RFC 6749, 5.2, invalid_request" }
}

/// Judged before anything is looked up.
pub(crate) const CHECKS: &[Check<Parameters, ErrorCode>] = &[
    Check {
        rule: &FORM,
        error: ErrorCode::InvalidRequest,
        test: |parameters| holds(parameters.form, "application/x-www-form-urlencoded", "another media type, or none"),
    },
    Check {
        rule: &NUMBER,
        error: ErrorCode::InvalidRequest,
        test: |parameters| {
            let found = parameters.pairs.len();
            holds(found <= MOST, format_args!("at most {MOST}"), found)
        },
    },
];

/// Parameters of a form or query, in order, with repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    /// Whether they could be read: none are known of a body that is no form.
    form: bool,
    /// The `Authorization` header.
    authorization: Option<String>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Parameters {
    /// Parameters from decoded pairs.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs, form: true, authorization: None }
    }

    /// Parameters of a body; the pairs are none when it is no form, which [`FORM`] refuses.
    #[must_use]
    pub fn of_body(pairs: Option<Vec<(String, String)>>) -> Self {
        Self { form: pairs.is_some(), ..Self::new(pairs.unwrap_or_default()) }
    }

    /// The same parameters with the request's `Authorization` header, where clients may authenticate with it.
    #[must_use]
    pub fn with_authorization(mut self, header: Option<&str>) -> Self {
        self.authorization = header.map(str::to_owned);
        self
    }

    /// The same parameters with this `client_id`, which client authentication found out, unless they have one.
    pub(crate) fn naming(mut self, client_id: &str) -> Self {
        if self.get("client_id").is_none() {
            self.pairs.push(("client_id".to_owned(), client_id.to_owned()));
        }
        self
    }

    /// Client id and secret of `Authorization: Basic` (RFC 6749, 2.3.1: both are form-encoded first).
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.authorization.as_deref()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (client_id, secret) = decoded.split_once(':')?;
        let plain = |text: &str| {
            let mut pairs = url::form_urlencoded::parse(text.as_bytes());
            pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
        };
        Some((plain(client_id), plain(secret)))
    }

    /// The value of a parameter; an empty one counts as omitted (RFC 6749, 3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The name of a parameter that is sent more than once.
    #[must_use]
    pub fn repeated(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        self.pairs.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
    }

    /// What the rules say that want each parameter once.
    pub(crate) fn once(&self) -> Result<(), Evidence> {
        self.repeated().map_or(Ok(()), |name| Err(Evidence::new("each parameter once", format!("{name} twice"))))
    }
}
