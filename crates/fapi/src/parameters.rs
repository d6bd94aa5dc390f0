//! Parameters of a request, as they came over HTTP.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Parameters of a form or query, in order, with repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    /// The `Authorization` header.
    authorization: Option<String>,
}

impl Parameters {
    /// Parameters from decoded pairs.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs, authorization: None }
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
        self.pairs
            .iter()
            .enumerate()
            .find(|(index, (name, _))| self.pairs.iter().take(*index).any(|(earlier, _)| earlier == name))
            .map(|(_, (name, _))| name.as_str())
    }
}
