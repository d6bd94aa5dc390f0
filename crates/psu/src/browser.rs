//! A browser without scripts: redirects, cookies (kept by the client), forms, fragments.

use http::{Method, header};
use simulation::Trace;
use transport::{Answer, HttpClient};
use url::Url;

use crate::{
    PsuError,
    page::{Form, Page},
};

/// Redirects in a row after which a browser gives up.
const MOST_REDIRECTS: usize = 20;

pub(crate) struct Browser {
    client: HttpClient,
    trace: Trace,
    url: Url,
    /// Where the customer's way ends.
    destination: Destination,
}

/// Where a customer's way ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// On a page that asks for nothing more.
    LastPage,
    /// Anywhere outside the origin (scheme, host and port) where it began; that page is not opened.
    Elsewhere,
    /// At this address, whatever its query and fragment; the page is not opened.
    Address(Url),
}

impl Destination {
    /// Whether the way ends where the browser is about to go.
    fn is(&self, url: &Url, from: &Url) -> bool {
        match self {
            Self::LastPage => false,
            Self::Elsewhere => url.origin() != from.origin(),
            Self::Address(address) => url.origin() == address.origin() && url.path() == address.path(),
        }
    }
}

/// What a form or link leads to.
struct Step {
    method: Method,
    url: Url,
    form: Vec<(String, String)>,
}

impl Browser {
    /// A browser whose address bar shows the link that is about to be opened.
    pub(crate) fn new(client: HttpClient, trace: Trace, link: &Url, destination: Destination) -> Self {
        Self { client, trace, url: link.clone(), destination }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether what leads there stays at the site of the page.
    pub(crate) fn stays(&self, target: &str) -> bool {
        self.resolve(target).is_ok_and(|url| url.origin() == self.url.origin())
    }

    pub(crate) fn fragment(&self) -> &str {
        self.url.fragment().unwrap_or_default()
    }

    /// Opens a page; none when the way ends there.
    pub(crate) async fn open(&mut self, url: &Url) -> Result<Option<Page>, PsuError> {
        self.go(Step { method: Method::GET, url: url.clone(), form: Vec::new() }).await
    }

    pub(crate) async fn follow(&mut self, target: &str) -> Result<Option<Page>, PsuError> {
        let url = self.resolve(target)?;
        self.open(&url).await
    }

    pub(crate) async fn submit(&mut self, form: &Form, fields: &[(String, String)]) -> Result<Option<Page>, PsuError> {
        let mut url = self.resolve(&form.action)?;
        if form.post {
            return self.go(Step { method: Method::POST, url, form: fields.to_vec() }).await;
        }
        url.query_pairs_mut().clear().extend_pairs(fields);
        self.open(&url).await
    }

    fn resolve(&self, target: &str) -> Result<Url, PsuError> {
        let dead_end = || PsuError::DeadEnd { from: self.url.to_string(), target: target.to_owned() };
        let mut base = self.url.clone();
        base.set_fragment(None);
        let url = base.join(target).map_err(|_| dead_end())?;
        if matches!(url.scheme(), "https" | "http") { Ok(url) } else { Err(dead_end()) }
    }

    async fn go(&mut self, mut step: Step) -> Result<Option<Page>, PsuError> {
        for _ in 0..MOST_REDIRECTS {
            let from = std::mem::replace(&mut self.url, step.url.clone());
            if self.destination.is(&self.url, &from) {
                return Ok(None);
            }
            let answer = self.send(&step).await?;
            if !answer.status.is_redirection() {
                return self.read(&answer).map(Some);
            }
            let target = answer.header("location").unwrap_or_default().to_owned();
            let mut url = self.resolve(&target)?;
            // RFC 9110, 10.2.2: a target without a fragment inherits the one of the page.
            if url.fragment().is_none() && step.method == Method::GET {
                url.set_fragment(step.url.fragment());
            }
            let keeps_method = matches!(answer.status.as_u16(), 307 | 308);
            step =
                if keeps_method { Step { url, ..step } } else { Step { method: Method::GET, url, form: Vec::new() } };
        }
        Err(PsuError::Lost(self.url.to_string()))
    }

    async fn send(&self, step: &Step) -> Result<Answer, PsuError> {
        let mut request = self.client.request(step.method.clone(), &step.url).trace(&self.trace);
        request = request.header(header::ACCEPT.as_str(), "text/html");
        if step.method == Method::POST {
            let fields: Vec<(&str, &str)> =
                step.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            request = request.form(&fields);
        }
        request.send().await.map_err(|error| PsuError::Unreachable { url: step.url.to_string(), error })
    }

    fn read(&self, answer: &Answer) -> Result<Page, PsuError> {
        let content_type = answer.header("content-type").unwrap_or_default();
        if !content_type.starts_with("text/html") {
            return Err(PsuError::Unusable {
                url: self.url.to_string(),
                status: answer.status.as_u16(),
                content_type: content_type.to_owned(),
            });
        }
        Ok(Page::parse(&String::from_utf8_lossy(&answer.body)))
    }
}
