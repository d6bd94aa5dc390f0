//! The redirect URI: takes the bank's answer out of the fragment and shows the customer what came of it.

use std::sync::Arc;

use bytes::Bytes;
use handlebars::Handlebars;
use http::{HeaderValue, Method, StatusCode, header};
use party::{authorization_server::seen, participant::Membership};
use rules::{Outcome as RuleOutcome, Verdict};
use serde::Serialize;
use tokio::net::TcpListener;
use transport::{ClientCertificates, Problem, Request, Response, Router, ServerTls, reply, route};

use crate::{
    Tpp,
    steps::{Failure, Returned},
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

/// Serves the callback with the certificate that onboarding brought.
pub(crate) fn serve(tpp: Arc<Tpp>, listener: TcpListener, membership: &Membership) -> Result<(), String> {
    let tls =
        ServerTls::new(&membership.server, ClientCertificates::Unasked, &[]).map_err(|error| error.to_string())?;
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

async fn arrive(tpp: Arc<Tpp>, _: Request) -> Response {
    let action = fragment_path(&tpp.profile.software.callback);
    tpp.pages.show(StatusCode::OK, "callback", &CallbackView { name: &tpp.profile.software.client_name, action })
}

async fn take(tpp: Arc<Tpp>, request: Request) -> Response {
    let form = request.form_pairs().unwrap_or_default();
    let fragment = form.iter().find(|(name, _)| name == "fragment").map_or("", |(_, value)| value.as_str());
    match tpp.take_answer(fragment, &request.trace).await {
        Ok(returned) => {
            let mut response = tpp.outcome(StatusCode::OK, &returned);
            let answer: Vec<(String, String)> = url::form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
            let id_token = answer.iter().find(|(name, _)| name == "id_token").map(|(_, value)| value.as_str());
            response.extensions_mut().insert(seen("id_token", id_token).into_iter().collect::<Vec<_>>());
            response
        }
        Err(failure) => tpp.outcome(StatusCode::BAD_REQUEST, &Returned::Distrusted(failure)),
    }
}

impl Tpp {
    fn outcome(&self, status: StatusCode, returned: &Returned) -> Response {
        let (heading, text, verdict) = match returned {
            Returned::Code { .. } => ("Connected", "Your bank agreed. We can now read your accounts.".to_owned(), None),
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
