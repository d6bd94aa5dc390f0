//! A browser without scripts for tests: it keeps cookies, follows redirects within the bank, and presses buttons of the
//! page that it shows. What every page must have is checked on each.

use http::Method;
use scraper::{ElementRef, Html, Selector};
use transport::{Answer, HttpClient};
use url::Url;

use crate::hand_made::World;

/// A page as it came.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) url: Url,
    pub(crate) title: String,
    /// The text of `main`, with single spaces.
    pub(crate) text: String,
    html: String,
}

/// A form that was seen, with all its hidden fields and the button that sends it.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) action: Url,
    pub(crate) fields: Vec<(String, String)>,
}

pub(crate) struct Browser {
    http: HttpClient,
    page: Option<Page>,
}

fn all(html: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector).map(text).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

impl Page {
    fn read(url: &Url, answer: &Answer) -> Self {
        let html = String::from_utf8(answer.body.to_vec()).unwrap();
        let document = Html::parse_document(&html);
        let first = |selector| all(&document, selector).into_iter().next().unwrap_or_default();
        let (title, text) = (first("title"), first("main"));
        let page = Self { status: answer.status.as_u16(), url: url.clone(), title, text, html };
        page.check(answer);
        page
    }

    /// What the selector finds, as text.
    pub(crate) fn all(&self, selector: &str) -> Vec<String> {
        all(&Html::parse_document(&self.html), selector)
    }

    /// An attribute of whatever the selector finds.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let (document, selector) = (Html::parse_document(&self.html), Selector::parse(selector).unwrap());
        document.select(&selector).map(|found| found.attr(name).unwrap_or_default().to_owned()).collect()
    }

    /// The value beside a label in the list of terms.
    pub(crate) fn term(&self, label: &str) -> Option<String> {
        let (labels, values) = (self.all(".terms dt"), self.all(".terms dd"));
        labels.iter().position(|found| found == label).map(|place| values[place].clone())
    }

    /// Where the page goes by itself, and after how many seconds.
    pub(crate) fn refresh(&self) -> Option<(u8, Url)> {
        let content = self.attributes("meta[http-equiv=refresh]", "content").pop()?;
        let (seconds, target) = content.split_once(";url=").unwrap();
        Some((seconds.parse().unwrap(), target.parse().unwrap()))
    }

    /// A member of the answer that the page carries to the TPP in the fragment.
    pub(crate) fn answer(&self, name: &str) -> Option<String> {
        let (_, url) = self.refresh()?;
        let pairs = url::form_urlencoded::parse(url.fragment().unwrap_or_default().as_bytes()).into_owned();
        pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The form with this button.
    pub(crate) fn form(&self, label: &str) -> Form {
        let document = Html::parse_document(&self.html);
        let (forms, buttons) = (Selector::parse("form").unwrap(), Selector::parse("button").unwrap());
        for form in document.select(&forms) {
            let Some(button) = form.select(&buttons).find(|button| text(*button) == label) else { continue };
            assert_eq!(form.attr("method"), Some("post"), "{}", self.url);
            let attribute = |element: ElementRef<'_>, name| element.attr(name).unwrap_or_default().to_owned();
            let hidden = Selector::parse("input[type=hidden]").unwrap();
            let mut fields: Vec<_> =
                form.select(&hidden).map(|field| (attribute(field, "name"), attribute(field, "value"))).collect();
            fields.push((attribute(button, "name"), attribute(button, "value")));
            return Form { action: self.url.join(&attribute(form, "action")).unwrap(), fields };
        }
        panic!("no button {label:?} on {}: {}", self.url, self.text);
    }

    /// What is true of every page: it cannot be framed, kept or scripted; its forms carry a token; each field has a label;
    /// nothing of what it is about stands in its address.
    fn check(&self, answer: &Answer) {
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{}", self.url);
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{}", self.url);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", self.url);
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{}", self.url);
        assert!(self.all("script").is_empty() && !self.html.contains(" onclick"), "{} has scripts", self.url);
        assert_eq!(self.attributes("html", "lang"), ["en-GB"]);
        assert_eq!(self.all("h1").len(), 1, "{} has one heading", self.url);
        let fields = "input:not([type=hidden])";
        for id in self.attributes(fields, "id") {
            assert_eq!(self.attributes("label", "for").iter().filter(|label| **label == id).count(), 1, "{id}");
        }
        // A search changes nothing, and needs no token.
        let forms = self.attributes("form:not([method=get])", "action").len();
        assert_eq!(
            self.attributes("form input[name=csrf]", "value").iter().filter(|csrf| csrf.len() > 40).count(),
            forms
        );
        let elsewhere = self.attributes("a:not(#return-link)", "href").into_iter().find(|href| !href.starts_with('/'));
        assert_eq!(elsewhere, None, "{} leads out", self.url);
    }
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self { http: world.browser(), page: None }
    }

    /// The page that it shows.
    pub(crate) fn page(&self) -> &Page {
        self.page.as_ref().unwrap()
    }

    pub(crate) async fn open(&mut self, url: &Url) -> &Page {
        let answer = self.http.request(Method::GET, url).send().await.unwrap();
        self.arrive(url, answer).await
    }

    /// Types into the fields and presses the button.
    pub(crate) async fn press(&mut self, label: &str, typed: &[(&str, &str)]) -> &Page {
        let form = self.page().form(label);
        self.send(&form, typed).await
    }

    /// Sends a form again, or one that was made by hand.
    pub(crate) async fn send(&mut self, form: &Form, typed: &[(&str, &str)]) -> &Page {
        let kept = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = kept.chain(typed.iter().copied()).collect();
        let answer = self.http.post(&form.action).form(&fields).send().await.unwrap();
        self.arrive(&form.action, answer).await
    }

    async fn arrive(&mut self, from: &Url, mut answer: Answer) -> &Page {
        let mut url = from.clone();
        while answer.status.is_redirection() {
            assert_eq!(answer.status, 303, "{url}");
            url = url.join(answer.header("location").unwrap()).unwrap();
            answer = self.http.request(Method::GET, &url).send().await.unwrap();
        }
        self.page.insert(Page::read(&url, &answer))
    }
}

/// A customer's user name, password and one-time password.
pub(crate) type Who = (&'static str, &'static str, &'static str);
pub(crate) const NORA: Who = ("nora", "lantern-moss-47", "246810");
pub(crate) const ROSALIND: Who = ("rosalind", "cobalt-thrush-82", "135791");
pub(crate) const TOBIAS: Who = ("tobias", "meadow-anvil-15", "975310");

impl Browser {
    pub(crate) async fn type_password(&mut self, (username, password, _): Who) -> &Page {
        self.press("Continue", &[("username", username), ("password", password)]).await
    }

    pub(crate) async fn type_one_time_password(&mut self, (.., one_time_password): Who) -> &Page {
        self.press("Continue", &[("one_time_password", one_time_password)]).await
    }

    /// Both factors, on the page that asks for them.
    pub(crate) async fn log_in(&mut self, who: Who) -> &Page {
        self.type_password(who).await;
        self.type_one_time_password(who).await
    }
}
