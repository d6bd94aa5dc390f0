//! The pages that customers see: templates in `web/aspsp`, compiled in, rendered with HTML escaping.

use bytes::Bytes;
use handlebars::Handlebars;
use http::{HeaderValue, StatusCode, header};
use party::Lesson;
use serde::Serialize;
use transport::{Response, reply};
use url::Url;

use crate::bank::Bank;

const TEMPLATES: &[(&str, &str)] = &[
    ("layout", include_str!("../../../web/aspsp/layout.hbs")),
    ("tpp", include_str!("../../../web/aspsp/tpp.hbs")),
    ("problem", include_str!("../../../web/aspsp/problem.hbs")),
    ("login", include_str!("../../../web/aspsp/login.hbs")),
    ("one-time-password", include_str!("../../../web/aspsp/one-time-password.hbs")),
    ("accounts", include_str!("../../../web/aspsp/accounts.hbs")),
    ("confirm", include_str!("../../../web/aspsp/confirm.hbs")),
    ("terms", include_str!("../../../web/aspsp/terms.hbs")),
    ("clusters", include_str!("../../../web/aspsp/clusters.hbs")),
    ("bank-login", include_str!("../../../web/aspsp/bank-login.hbs")),
    ("bank-one-time-password", include_str!("../../../web/aspsp/bank-one-time-password.hbs")),
    ("connections", include_str!("../../../web/aspsp/connections.hbs")),
    ("connection", include_str!("../../../web/aspsp/connection.hbs")),
    ("outbound", include_str!("../../../web/aspsp/outbound.hbs")),
    ("outbound-form", include_str!("../../../web/aspsp/outbound-form.hbs")),
    ("error", include_str!("../../../web/aspsp/error.hbs")),
    ("passcode", include_str!("../../../web/aspsp/passcode.hbs")),
    ("bank-passcode", include_str!("../../../web/aspsp/bank-passcode.hbs")),
    ("app", include_str!("../../../web/aspsp/app.hbs")),
    ("home", include_str!("../../../web/aspsp/home.hbs")),
];

const STYLE: &str = include_str!("../../../web/aspsp/bank.css");

/// Submits the form of the last page by itself.
const SCRIPT: &str = include_str!("../../../web/aspsp/return.js");

/// No scripts, no frames, nothing from elsewhere; forms go back to the bank only. The redirect to the TPP is a new
/// navigation by link or refresh, which `form-action` does not concern.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The templates, parsed once.
pub struct Pages {
    templates: Handlebars<'static>,
    lesson: Lesson,
}

/// What every page shows.
#[derive(Debug, Serialize)]
pub struct Frame<'a, T> {
    title: &'a str,
    bank: BankView<'a>,
    /// Whether the bank's app shows it.
    app: bool,
    refresh: Option<Refresh<'a>>,
    /// Warns whoever looks at a bank whose rules can be switched off.
    lesson: Option<LessonView>,
    #[serde(flatten)]
    page: T,
}

#[derive(Debug, Serialize)]
struct BankView<'a> {
    name: &'a str,
    telephone: &'a str,
}

/// What the banner of a lesson says.
#[derive(Debug, Serialize)]
struct LessonView {
    off: Vec<String>,
}

/// Where a page goes by itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Refresh<'a> {
    /// After how long.
    pub seconds: u8,
    /// Where to.
    pub location: &'a str,
}

/// What the customer looks at the bank with: the addresses, forms and words are the same (OB Customer Experience
/// Guidelines, app-to-app redirection).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Skin {
    /// The bank's website.
    #[default]
    Website,
    /// The bank's app.
    App,
}

/// What a page is shown with.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// HTTP status.
    pub status: StatusCode,
    /// Name of the template.
    pub template: &'a str,
    /// Title, without the bank's name.
    pub title: &'a str,
    /// Website or app.
    pub skin: Skin,
    /// Where it goes by itself.
    pub refresh: Option<Refresh<'a>>,
}

impl<'a> Sheet<'a> {
    /// A page that went well and stays.
    #[must_use]
    pub fn new(template: &'a str, title: &'a str, skin: Skin) -> Self {
        Self { status: StatusCode::OK, template, title, skin, refresh: None }
    }
}

/// The TPP as pages name it.
#[derive(Debug, Serialize)]
pub struct TppView<'a> {
    /// `software_client_name` of the SSA.
    pub name: &'a str,
    /// Whom the agent acts for.
    pub on_behalf_of: Option<&'a str>,
}

impl Pages {
    /// Parses the templates. Every page of a bank in lesson mode has a banner.
    ///
    /// # Errors
    /// A template has a mistake.
    pub fn new(lesson: Lesson) -> Result<Self, Box<handlebars::TemplateError>> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        for (name, text) in TEMPLATES {
            templates.register_template_string(name, text).map_err(Box::new)?;
        }
        Ok(Self { templates, lesson })
    }

    /// Renders a page whose form goes to another party, and that is submitted by itself where scripts run.
    #[must_use]
    pub fn show_leaving<T: Serialize>(&self, bank: &Bank, sheet: &Sheet<'_>, address: &str, page: &T) -> Response {
        let mut response = self.show(bank, sheet, page);
        if let Some(policy) = leaving_for(address) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// Renders a page with the headers that every page carries.
    #[must_use]
    pub fn show<T: Serialize>(&self, bank: &Bank, sheet: &Sheet<'_>, page: &T) -> Response {
        let Sheet { status, template, title, skin, refresh } = *sheet;
        let bank = BankView { name: &bank.name, telephone: &bank.telephone };
        let lesson = self.lesson.is_on().then(|| LessonView { off: self.lesson.state().off });
        match self.templates.render(template, &Frame { title, bank, app: skin == Skin::App, refresh, lesson, page }) {
            Ok(html) => secured(reply::html(status, html)),
            Err(error) => {
                tracing::error!(template, %error, "a page could not be rendered");
                secured(reply::html(StatusCode::INTERNAL_SERVER_ERROR, "The bank could not show this page.".to_owned()))
            }
        }
    }
}

/// The policy of a page with a form that goes to this address, and one script of the bank's own that submits it.
fn leaving_for(address: &str) -> Option<HeaderValue> {
    let origin = Url::parse(address).ok()?.origin().ascii_serialization();
    let policy = POLICY.replace("form-action 'self'", &format!("script-src 'self'; form-action {origin}"));
    HeaderValue::from_str(&policy).ok()
}

/// The script of the page that leaves by a form.
#[must_use]
pub fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// The style sheet.
#[must_use]
pub fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let mut response = reply::bytes(StatusCode::OK, content_type, Bytes::from_static(text.as_bytes()));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}

/// Adds what keeps a page from being framed, cached, scripted or leaked.
#[must_use]
pub fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct View<'a> {
        tpp: TppView<'a>,
        heading: &'a str,
        status: &'a str,
        later: Option<String>,
    }

    fn last_page(tpp: TppView<'_>) -> String {
        let pages = Pages::new(Lesson::default()).unwrap();
        let bank = Bank::load(None).unwrap();
        let view = View { tpp, heading: "All done", status: "Done.", later: None };
        let refresh = Refresh { seconds: 2, location: "https://tpp.example/callback#code=x" };
        let response = pages.show(
            &bank,
            &Sheet { refresh: Some(refresh), ..Sheet::new("outbound", "All done", Skin::App) },
            &view,
        );
        assert_eq!(response.status(), StatusCode::OK);
        String::from_utf8(response.into_body().to_vec()).unwrap()
    }

    #[test]
    fn the_company_behind_an_agent_is_named() {
        let page = last_page(TppView { name: "Larkspur", on_behalf_of: Some("Osier & Daughters") });
        let named = "<strong>Osier &amp; Daughters</strong> acting for <strong class=\"tpp\">Larkspur</strong>";
        assert!(page.contains(named), "{page}");
        let page = last_page(TppView { name: "Larkspur", on_behalf_of: None });
        assert!(page.contains("back to <strong class=\"tpp\">Larkspur</strong>"), "{page}");
    }

    #[test]
    fn names_are_text_and_nothing_else() {
        let page = last_page(TppView { name: "<script>alert(1)</script>", on_behalf_of: None });
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;alert(1)"), "{page}");
    }
}
