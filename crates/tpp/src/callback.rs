//! The redirect URI: takes the bank's answer out of the fragment and shows the customer what came of it.

use std::sync::Arc;

use bytes::Bytes;
use handlebars::Handlebars;
use http::{HeaderValue, Method, StatusCode, header};
use party::authorization_server::seen;
use rules::{Outcome as RuleOutcome, Verdict};
use serde::Serialize;
use tokio::net::TcpListener;
use transport::{ClientCertificates, Identity, Problem, Request, Response, Router, ServerTls, reply, route};

use crate::{
    Tpp,
    journey::authorisation::Taken,
    steps::{Failure, Part, Returned},
};

const TEMPLATES: &[(&str, &str)] = &[
    ("callback", include_str!("../../../web/tpp/callback.hbs")),
    ("outcome", include_str!("../../../web/tpp/outcome.hbs")),
];
const STYLE: &[u8] = include_bytes!("../../../web/tpp/tpp.css");
const SCRIPT: &[u8] = include_bytes!("../../../web/tpp/callback.js");

/// One script of the TPP's own; nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Longest fragment that is taken.
const FRAGMENT_LIMIT: usize = 32 * 1024;

/// The templates, parsed once.
pub(crate) struct Pages(Handlebars<'static>);

#[derive(Serialize)]
struct CallbackView<'a> {
    name: &'a str,
    action: String,
}

#[derive(Serialize)]
struct OutcomeView<'a> {
    name: &'a str,
    heading: &'a str,
    text: String,
    rule: Option<String>,
}

impl Pages {
    /// Parses the templates.
    pub(crate) fn new() -> Result<Self, Box<handlebars::TemplateError>> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        for (name, text) in TEMPLATES {
            templates.register_template_string(name, text).map_err(Box::new)?;
        }
        Ok(Self(templates))
    }

    fn show<T: Serialize>(&self, status: StatusCode, template: &str, page: &T) -> Response {
        let response = match self.0.render(template, page) {
            Ok(html) => reply::html(status, html),
            Err(error) => {
                tracing::error!(template, %error, "a page could not be rendered");
                reply::text(StatusCode::INTERNAL_SERVER_ERROR, "This page could not be shown.")
            }
        };
        secured(response)
    }
}

fn secured(mut response: Response) -> Response {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Serves the callback with this certificate, which is there after onboarding.
pub(crate) fn serve(tpp: Arc<Tpp>, listener: TcpListener, server: &Identity) -> Result<(), String> {
    let tls = ServerTls::new(server, ClientCertificates::Unasked, &[]).map_err(|error| error.to_string())?;
    let path = tpp.profile.software.callback.clone();
    let (observer, stop) = (tpp.tools.observer(), tpp.tools.stop.clone());
    let routes = [
        route(Method::GET, path.clone(), arrive),
        route(Method::POST, fragment_path(&path), take).body_limit(FRAGMENT_LIMIT),
        route(Method::GET, "/assets/tpp.css", |_: Arc<Tpp>, _: Request| async {
            asset("text/css; charset=utf-8", STYLE)
        }),
        route(Method::GET, "/assets/callback.js", |_: Arc<Tpp>, _: Request| async {
            asset("text/javascript; charset=utf-8", SCRIPT)
        }),
    ];
    let router = Router::new(tpp, routes, problem).map_err(|error| error.to_string())?;
    // The listener ends by itself when the party stops.
    drop(transport::serve(listener, Some(Arc::new(tls)), Arc::new(router), observer, stop));
    Ok(())
}

fn fragment_path(callback: &str) -> String {
    format!("{}/fragment", callback.trim_end_matches('/'))
}

fn asset(content_type: &'static str, content: &'static [u8]) -> Response {
    secured(reply::bytes(StatusCode::OK, content_type, Bytes::from_static(content)))
}

/// The redirect URI itself: an answer in the query is taken, one in the fragment asked for.
async fn arrive(tpp: Arc<Tpp>, request: Request) -> Response {
    let answers = ["response", "code", "error"];
    if request.query_pairs().iter().any(|(name, _)| answers.contains(&name.as_str())) {
        let query = request.query.clone().unwrap_or_default();
        return taken(&tpp, Part::Query, &query, &request).await;
    }
    let action = fragment_path(&tpp.profile.software.callback);
    tpp.pages.show(StatusCode::OK, "callback", &CallbackView { name: &tpp.profile.software.client_name, action })
}

async fn take(tpp: Arc<Tpp>, request: Request) -> Response {
    let form = request.form_pairs().unwrap_or_default();
    let fragment = form.iter().find(|(name, _)| name == "fragment").map_or("", |(_, value)| value.as_str());
    taken(&tpp, Part::Fragment, fragment, &request).await
}

async fn taken(tpp: &Arc<Tpp>, part: Part, answer: &str, request: &Request) -> Response {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(answer.as_bytes()).into_owned().collect();
    let token = |name: &str, shown: &'static str| {
        seen(shown, pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()))
    };
    let tokens: Vec<_> =
        [token("id_token", "id_token"), token("response", "authorization response")].into_iter().flatten().collect();
    let mut response = match tpp.take_answer(part, answer, &request.trace).await {
        Ok(taken) => tpp.outcome(StatusCode::OK, &taken),
        Err(failure) => {
            let taken = Taken { returned: Returned::Distrusted(failure), kind: None };
            tpp.outcome(StatusCode::BAD_REQUEST, &taken)
        }
    };
    response.extensions_mut().insert(tokens);
    response
}

impl Tpp {
    fn outcome(&self, status: StatusCode, taken: &Taken) -> Response {
        let (heading, text, verdict) = match &taken.returned {
            Returned::Code { .. } => {
                let (heading, text) = agreed(taken.kind.as_deref().unwrap_or_default());
                (heading, format!("Your bank agreed. {text}"), None)
            }
            Returned::NotYet => ("Waiting", "Your bank has not answered yet.".to_owned(), None),
            Returned::Error { error, description } => {
                let text = description.as_deref().map_or_else(|| error.clone(), |text| format!("{error}: {text}"));
                ("Your bank did not agree", text, None)
            }
            Returned::Distrusted(Failure { what, verdict, .. }) => {
                ("We do not trust this answer", what.clone(), verdict.as_ref())
            }
        };
        let rule = verdict.and_then(|verdict| match &verdict.outcome {
            RuleOutcome::Refused(refused) => Some(refused.rule.clone()),
            RuleOutcome::Accepted => None,
        });
        let name = &self.profile.software.client_name;
        let mut response = self.pages.show(status, "outcome", &OutcomeView { name, heading, text, rule });
        if let Some(verdict) = verdict {
            response.extensions_mut().insert(Verdict::clone(verdict));
        }
        response
    }
}

/// What the customer is told once the bank agreed, by the kind of consent.
fn agreed(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "account-access-consents" => ("Connected", "We can now read your accounts."),
        "funds-confirmation-consents" => ("Connected", "We can now ask it whether there is enough money."),
        "domestic-vrp-consents" => ("Connected", "We can now make payments for you, inside the limits that you saw."),
        "file-payment-consents" => ("Confirmed", "We now order the payments of your file."),
        kind if kind.contains("standing-order") => ("Confirmed", "We now set up your standing order."),
        kind if kind.contains("payment") => ("Confirmed", "We now order your payment."),
        _ => ("Logged in", "We know who you are."),
    }
}

fn problem(_: &Tpp, _: &Request, problem: &Problem) -> Response {
    let status = match problem {
        Problem::UnknownPath => StatusCode::NOT_FOUND,
        Problem::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Problem::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Problem::BodyUnreadable => StatusCode::BAD_REQUEST,
        Problem::HandlerPanicked => StatusCode::INTERNAL_SERVER_ERROR,
    };
    secured(reply::text(status, problem.to_string()))
}
