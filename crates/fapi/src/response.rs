//! How an authorization response travels: its mode (OAuth 2.0 Multiple Response Types, 2.1; Form Post Response Mode; JARM)
//! and what goes with it (RFC 9207).

use jose::claims::NumericDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};
use url::Url;

use crate::{Client, Engine, ErrorCode, Failure, Surroundings};

/// How long a signed response lives (JARM, 2.1: at most 10 minutes).
const SIGNED_FOR: Duration = Duration::minutes(5);

/// `response_mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// Parameters in the fragment.
    #[default]
    #[serde(rename = "fragment")]
    Fragment,
    /// Parameters in the query, where servers see and log them: no server offers it.
    #[serde(rename = "query")]
    Query,
    /// Parameters in a form that the browser posts.
    #[serde(rename = "form_post")]
    FormPost,
    /// One signed parameter in the query.
    #[serde(rename = "query.jwt")]
    QueryJwt,
    /// One signed parameter in the fragment.
    #[serde(rename = "fragment.jwt")]
    FragmentJwt,
    /// One signed parameter in a form that the browser posts.
    #[serde(rename = "form_post.jwt")]
    FormPostJwt,
}

impl ResponseMode {
    /// The modes of answers that are not signed as a whole.
    pub const PLAIN: [Self; 2] = [Self::Fragment, Self::FormPost];
    /// The modes of JARM.
    pub const SIGNED: [Self; 3] = [Self::QueryJwt, Self::FragmentJwt, Self::FormPostJwt];

    /// The name in requests and metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fragment => "fragment",
            Self::Query => "query",
            Self::FormPost => "form_post",
            Self::QueryJwt => "query.jwt",
            Self::FragmentJwt => "fragment.jwt",
            Self::FormPostJwt => "form_post.jwt",
        }
    }

    /// The mode that a request asks for by its response type and mode; none when they do not go together, or the mode is
    /// not among those that the server has. `jwt` is the signed form of what is usual for the type (JARM, 2.3.4).
    #[must_use]
    pub fn of(response_type: &str, asked: Option<&str>, offered: &[Self]) -> Option<Self> {
        let hybrid = response_type.contains(' ');
        let mode = match asked {
            None if hybrid => Self::Fragment,
            // A code alone would travel in the query unsigned, which FAPI 1.0 Part 2, 5.2.2-2 rules out.
            None => return None,
            Some("jwt") if hybrid => Self::FragmentJwt,
            Some("jwt") => Self::QueryJwt,
            Some(name) => Self::PLAIN.into_iter().chain(Self::SIGNED).find(|mode| mode.as_str() == name)?,
        };
        let fits = match mode {
            Self::Fragment | Self::FormPost => hybrid,
            Self::Query => false,
            // JARM, 2.3.1: nothing with an id_token goes into the query.
            Self::QueryJwt => !hybrid,
            Self::FragmentJwt | Self::FormPostJwt => true,
        };
        (fits && offered.contains(&mode)).then_some(mode)
    }

    /// The mode of a request whose mode no rule looked at: a lesson shows what comes of answers in the query.
    pub(crate) fn unchecked(asked: Option<&str>) -> Self {
        if asked == Some(Self::Query.as_str()) { Self::Query } else { Self::default() }
    }

    pub(crate) fn signed(self) -> bool {
        Self::SIGNED.contains(&self)
    }
}

/// The answer to an authorization request, to be delivered through the PSU's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// The client's redirect URI.
    pub redirect_uri: String,
    /// How it travels.
    pub mode: ResponseMode,
    /// `code`, `id_token`, `state`, `iss`, or `error` and what goes with it; with JARM `response` alone.
    pub parameters: Vec<(&'static str, String)>,
}

/// What the PSU's browser has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Go to this address.
    Redirect(String),
    /// Post these fields to this address.
    Form {
        /// The redirect URI.
        action: String,
        /// Names and values.
        fields: Vec<(&'static str, String)>,
    },
}

impl AuthorizationResponse {
    /// What the browser has to do. The redirect URI's own query is kept.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let encoded = || url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.parameters).finish();
        match self.mode {
            ResponseMode::FormPost | ResponseMode::FormPostJwt => {
                Delivery::Form { action: self.redirect_uri.clone(), fields: self.parameters.clone() }
            }
            ResponseMode::Fragment | ResponseMode::FragmentJwt => Delivery::Redirect(self.at(|url| {
                url.set_fragment(Some(&encoded()));
            })),
            ResponseMode::Query | ResponseMode::QueryJwt => Delivery::Redirect(self.at(|url| {
                url.query_pairs_mut().extend_pairs(&self.parameters);
            })),
        }
    }

    fn at(&self, change: impl FnOnce(&mut Url)) -> String {
        match Url::parse(&self.redirect_uri) {
            Ok(mut url) => {
                change(&mut url);
                url.into()
            }
            // A registered URI was parsed when it was registered.
            Err(_) => self.redirect_uri.clone(),
        }
    }
}

/// Where an answer goes and how.
pub(crate) struct Address<'a> {
    pub(crate) client: &'a Client,
    pub(crate) redirect_uri: &'a str,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<&'a str>,
}

/// Claims of a signed response (JARM, 2.1).
#[derive(Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a str,
    exp: NumericDate,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

impl<B: Surroundings> Engine<B> {
    /// Puts parameters into the form that the client asked for.
    pub(crate) fn respond(
        &self,
        to: &Address<'_>,
        mut parameters: Vec<(&'static str, String)>,
        now: OffsetDateTime,
    ) -> Result<AuthorizationResponse, Failure> {
        parameters.extend(to.state.map(|state| ("state", self.profile.deviations.state(state))));
        if to.mode.signed() && !self.profile.deviations.plain_response() {
            let claims = Signed {
                iss: &self.profile.issuer,
                aud: &to.client.client_id,
                exp: (now + SIGNED_FOR).into(),
                parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect(),
            };
            let key = self.signing_for(to.client.response_algorithm.unwrap_or(to.client.id_token_algorithm));
            let response = self.profile.deviations.response(key, &claims)?;
            parameters = vec![("response", response)];
        } else if self.profile.iss_parameter {
            let iss = self.profile.deviations.iss_parameter(&self.profile.issuer);
            parameters.push(("iss", iss.to_owned()));
        }
        Ok(AuthorizationResponse { redirect_uri: to.redirect_uri.to_owned(), mode: to.mode, parameters })
    }

    pub(crate) fn respond_error(
        &self,
        to: &Address<'_>,
        code: ErrorCode,
        description: &str,
        now: OffsetDateTime,
    ) -> Result<AuthorizationResponse, Failure> {
        let parameters = vec![("error", code.as_str().to_owned()), ("error_description", description.to_owned())];
        self.respond(to, parameters, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_and_mode_go_together_or_not() {
        let all: Vec<_> = ResponseMode::PLAIN.into_iter().chain(ResponseMode::SIGNED).collect();
        for (response_type, asked, expected) in [
            ("code id_token", None, Some(ResponseMode::Fragment)),
            ("code id_token", Some("fragment"), Some(ResponseMode::Fragment)),
            ("code id_token", Some("form_post"), Some(ResponseMode::FormPost)),
            ("code id_token", Some("jwt"), Some(ResponseMode::FragmentJwt)),
            ("code id_token", Some("query"), None),
            ("code id_token", Some("query.jwt"), None),
            ("code", None, None),
            ("code", Some("query"), None),
            ("code", Some("fragment"), None),
            ("code", Some("form_post"), None),
            ("code", Some("jwt"), Some(ResponseMode::QueryJwt)),
            ("code", Some("query.jwt"), Some(ResponseMode::QueryJwt)),
            ("code", Some("fragment.jwt"), Some(ResponseMode::FragmentJwt)),
            ("code", Some("form_post.jwt"), Some(ResponseMode::FormPostJwt)),
            ("code", Some("carrier-pigeon"), None),
        ] {
            assert_eq!(ResponseMode::of(response_type, asked, &all), expected, "{response_type} {asked:?}");
        }
        assert_eq!(ResponseMode::of("code", Some("jwt"), &ResponseMode::PLAIN), None, "not offered");
    }

    #[test]
    fn the_redirect_uris_own_query_is_kept() {
        let response = |mode| AuthorizationResponse {
            redirect_uri: "https://tpp.example/cb?from=bank".to_owned(),
            mode,
            parameters: vec![("code", "a b".to_owned())],
        };
        for (mode, expected) in [
            (ResponseMode::Fragment, "https://tpp.example/cb?from=bank#code=a+b"),
            (ResponseMode::QueryJwt, "https://tpp.example/cb?from=bank&code=a+b"),
        ] {
            assert_eq!(response(mode).delivery(), Delivery::Redirect(expected.to_owned()));
        }
        let Delivery::Form { action, fields } = response(ResponseMode::FormPost).delivery() else { panic!("a form") };
        assert_eq!((action.as_str(), fields.len()), ("https://tpp.example/cb?from=bank", 1));
    }
}
