//! A request with everything extracted from it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use simulation::Trace;

use crate::Caller;

/// A request as a handler sees it.
#[derive(Debug)]
pub struct Request {
    /// The method; a `HEAD` request reaches the handler of `GET` and keeps its method.
    pub method: Method,
    /// The path as it was sent, still percent-encoded.
    pub path: String,
    /// What stood in the places of the route's parameters, decoded.
    pub params: Params,
    /// The query as it was sent, without the question mark.
    pub query: Option<String>,
    /// The headers. HTTP/2 requests also have `host`.
    pub headers: HeaderMap,
    /// The body, complete, not longer than the route allows.
    pub body: Bytes,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The interaction identifier that the response carries: the request's own when that is a UUID, otherwise a new one.
    pub interaction_id: String,
    /// The journey that the request belongs to.
    pub trace: Trace,
    /// What a party's own code notes about the request on its way.
    pub notes: http::Extensions,
}

impl Request {
    /// The parameters of the query in order, decoded, repeated ones included.
    #[must_use]
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        pairs(self.query.as_deref().unwrap_or_default().as_bytes())
    }

    /// The parameters of an `application/x-www-form-urlencoded` body in order, decoded, repeated ones included. None when
    /// the request does not say that its body is a form.
    #[must_use]
    pub fn form_pairs(&self) -> Option<Vec<(String, String)>> {
        self.content_type()
            .is_some_and(|found| found.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
            .then(|| pairs(&self.body))
    }

    /// The value of a cookie; the first one when several have the name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .find(|(found, _)| found.trim() == name)
            .map(|(_, value)| value.trim())
    }

    /// The media type of the body without its parameters, in the case in which it was sent.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type").map(|value| value.split(';').next().unwrap_or_default().trim())
    }

    /// The value of a header; none when it is missing or is not visible ASCII, the first one when it is repeated.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The same request without parameters, headers and body: what is left of it when its handler has consumed it.
    pub(crate) fn outline(&self) -> Self {
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            params: Params::default(),
            query: self.query.clone(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            caller: Arc::clone(&self.caller),
            interaction_id: self.interaction_id.clone(),
            trace: self.trace.clone(),
            notes: http::Extensions::new(),
        }
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

/// What stood in the places of a route's parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    pub(crate) names: Arc<[String]>,
    pub(crate) values: Vec<String>,
}

impl Params {
    /// The decoded value of a parameter, by the name in the route's template.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.names.iter().zip(&self.values).find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use simulation::Chance;

    use super::*;

    fn request(headers: &[(&'static str, &str)], body: &'static str) -> Request {
        Request {
            method: Method::POST,
            path: "/token".into(),
            params: Params::default(),
            query: Some("a=1&b=%20x+y&a=2".into()),
            headers: headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
                .collect(),
            body: Bytes::from_static(body.as_bytes()),
            caller: Arc::new(Caller {
                address: ([127, 0, 0, 1], 1).into(),
                certificate: None,
                anchored: true,
                tls: None,
            }),
            interaction_id: String::new(),
            trace: Trace::new(&Chance::from_seed(1)),
            notes: http::Extensions::new(),
        }
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn repeated_parameters_are_kept() {
        let request = request(&[("content-type", "application/X-www-form-urlencoded; charset=utf-8")], "c=3&c=4&d");
        assert_eq!(request.query_pairs(), owned(&[("a", "1"), ("b", " x y"), ("a", "2")]));
        assert_eq!(request.form_pairs(), Some(owned(&[("c", "3"), ("c", "4"), ("d", "")])));
    }

    #[test]
    fn a_body_is_a_form_only_when_it_says_so() {
        assert_eq!(request(&[("content-type", "application/json")], "c=3").form_pairs(), None);
        assert_eq!(request(&[], "c=3").form_pairs(), None);
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let request = request(&[("cookie", "session2=b; session=a=b; other=c"), ("cookie", "last=z")], "");
        assert_eq!(request.cookie("session"), Some("a=b"));
        assert_eq!(request.cookie("last"), Some("z"));
        assert_eq!(request.cookie("sess"), None);
    }
}
