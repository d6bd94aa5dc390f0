//! What a page asks for, read from its HTML by the purpose of its fields.

use scraper::{ElementRef, Html, Selector};

/// A page as the customer sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) forms: Vec<Form>,
    /// Text and target of links.
    pub(crate) links: Vec<(String, String)>,
    /// Where the page goes by itself.
    pub(crate) refresh: Option<String>,
    /// Text of the element that carries an OAuth error.
    pub(crate) oauth_error: Option<String>,
}

/// A form and what its fields are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) post: bool,
    pub(crate) hidden: Vec<(String, String)>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) one_time_password: Option<String>,
    /// Name of the check boxes, radio buttons or list of accounts.
    pub(crate) account_field: Option<String>,
    /// Whether one account is picked, instead of any number.
    pub(crate) one_account: bool,
    /// Value and label of each account that can be picked.
    pub(crate) accounts: Vec<(String, String)>,
    /// The hidden field that takes the fragment of the URL.
    pub(crate) fragment: Option<String>,
    /// Its buttons.
    pub(crate) buttons: Vec<Button>,
}

/// A button that sends a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Button {
    /// Name and value, when it sends them.
    pub(crate) pair: Option<(String, String)>,
    pub(crate) label: String,
    /// Whether the page makes it stand out as the way on.
    pub(crate) primary: bool,
    pub(crate) cancels: bool,
}

fn all<'a>(root: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(selector).map(|selector| root.select(&selector).collect()).unwrap_or_default()
}

fn text_of(element: ElementRef<'_>) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn attribute(element: ElementRef<'_>, name: &str) -> Option<String> {
    element.value().attr(name).map(str::to_owned)
}

/// The text of the label that is for this field, or around it.
fn label_of(form: ElementRef<'_>, field: ElementRef<'_>) -> String {
    let labels = all(form, "label");
    let named = attribute(field, "id")
        .and_then(|id| labels.iter().find(|label| attribute(**label, "for").as_deref() == Some(&id)).copied());
    let around = || labels.iter().find(|label| label.descendants().any(|node| node.id() == field.id())).copied();
    named.or_else(around).map(text_of).unwrap_or_default()
}

impl Page {
    pub(crate) fn parse(html: &str) -> Self {
        let document = Html::parse_document(html);
        let root = document.root_element();
        let first_text = |selector: &str| all(root, selector).first().map(|element| text_of(*element));
        Self {
            title: first_text("title").unwrap_or_default(),
            text: first_text("main").or_else(|| first_text("body")).unwrap_or_default(),
            forms: all(root, "form").into_iter().map(Form::read).collect(),
            links: all(root, "a[href]")
                .into_iter()
                .map(|link| (text_of(link), attribute(link, "href").unwrap_or_default()))
                .collect(),
            refresh: all(root, "meta[http-equiv]").into_iter().find_map(refresh),
            oauth_error: first_text("#oauth-error"),
        }
    }

    /// Whether it asks who the customer is.
    pub(crate) fn logs_in(&self) -> bool {
        self.forms.iter().any(|form| form.password.is_some() && form.username.is_some())
    }

    /// The form that the page is about: one that asks for something a customer knows, otherwise one with a way on.
    pub(crate) fn main_form(&self) -> Option<&Form> {
        let knows = self.forms.iter().find(|form| form.asks());
        knows.or_else(|| self.forms.iter().find(|form| form.fragment.is_some() || form.way_on().is_some()))
    }
}

/// The target of a `<meta http-equiv="refresh">`.
fn refresh(element: ElementRef<'_>) -> Option<String> {
    let kind = element.value().attr("http-equiv")?;
    if !kind.eq_ignore_ascii_case("refresh") {
        return None;
    }
    let content = element.value().attr("content")?;
    let (_, target) = content.split_once(';')?;
    let (name, url) = target.trim().split_once('=')?;
    name.trim().eq_ignore_ascii_case("url").then(|| url.trim().trim_matches(['\'', '"']).to_owned())
}

impl Form {
    /// Whether it asks for something that a customer of a bank knows.
    pub(crate) fn asks(&self) -> bool {
        self.password.is_some() || self.one_time_password.is_some() || self.account_field.is_some()
    }

    /// The button that goes on: the one that stands out, otherwise the first that does not cancel.
    pub(crate) fn way_on(&self) -> Option<&Button> {
        let goes_on = || self.buttons.iter().filter(|button| !button.cancels);
        goes_on().find(|button| button.primary).or_else(|| goes_on().next())
    }

    /// The button that cancels.
    pub(crate) fn cancel(&self) -> Option<&Button> {
        self.buttons.iter().find(|button| button.cancels)
    }

    fn read(element: ElementRef<'_>) -> Self {
        let mut form = Self {
            action: attribute(element, "action").unwrap_or_default(),
            post: attribute(element, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
            ..Self::default()
        };
        for input in all(element, "input[name]") {
            form.read_input(element, input);
        }
        for select in all(element, "select[name]") {
            form.account_field = attribute(select, "name");
            form.one_account = true;
            form.accounts = all(select, "option[value]:not([disabled])")
                .into_iter()
                .map(|option| (attribute(option, "value").unwrap_or_default(), text_of(option)))
                .filter(|(value, _)| !value.is_empty())
                .collect();
        }
        form.buttons = all(element, "button, input[type=submit]").into_iter().filter_map(Button::read).collect();
        form
    }

    fn read_input(&mut self, form: ElementRef<'_>, input: ElementRef<'_>) {
        let name = attribute(input, "name").unwrap_or_default();
        let kind = attribute(input, "type").unwrap_or_else(|| "text".to_owned()).to_lowercase();
        let purpose = attribute(input, "autocomplete").unwrap_or_default();
        // An app asks for digits that only its owner knows, where a website asks for a password.
        let digits = attribute(input, "inputmode").is_some_and(|mode| mode == "numeric");
        match kind.as_str() {
            "hidden" => {
                if name == "fragment" {
                    self.fragment = Some(name.clone());
                }
                self.hidden.push((name, attribute(input, "value").unwrap_or_default()));
            }
            "password" if purpose != "one-time-code" && !digits => self.password = Some(name),
            "checkbox" | "radio" => {
                self.one_account = kind == "radio";
                if input.value().attr("disabled").is_none() {
                    self.accounts.push((attribute(input, "value").unwrap_or_default(), label_of(form, input)));
                }
                self.account_field = Some(name);
            }
            "submit" => {}
            _ if digits || purpose == "one-time-code" || name.contains("one_time") || name == "otp" => {
                self.one_time_password = Some(name);
            }
            _ => self.username = Some(name),
        }
    }
}

impl Button {
    /// A button that sends the form; others do not count for a browser without scripts.
    fn read(element: ElementRef<'_>) -> Option<Self> {
        let kind = attribute(element, "type").unwrap_or_else(|| "submit".to_owned()).to_lowercase();
        if kind != "submit" || element.value().attr("disabled").is_some() {
            return None;
        }
        let value = attribute(element, "value").unwrap_or_default();
        let label = if element.value().name() == "input" { value.clone() } else { text_of(element) };
        let words = format!("{label} {value}").to_lowercase();
        Some(Self {
            pair: attribute(element, "name").map(|name| (name, value)),
            cancels: ["cancel", "deny", "reject"].iter().any(|word| words.contains(word)),
            primary: element.value().classes().any(|class| class == "primary"),
            label,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_are_found_by_their_purpose() {
        let page = Page::parse(
            r#"<title>Log in</title><main><h1>Hello</h1><form method="post" action="/next">
            <input type=hidden name=csrf value=abc><input name=user><input name=pin type=password>
            <button name=go value=continue>Continue</button><button name=go value=cancel>Cancel</button></form></main>"#,
        );
        let form = &page.forms[0];
        assert_eq!((form.username.as_deref(), form.password.as_deref()), (Some("user"), Some("pin")));
        assert_eq!(form.hidden, [pair("csrf", "abc")]);
        assert_eq!(form.way_on().unwrap().pair, Some(pair("go", "continue")));
        assert_eq!(form.cancel().unwrap().pair, Some(pair("go", "cancel")));
        assert!(form.post);
    }

    #[test]
    fn a_passcode_of_digits_is_no_password() {
        let form_of = |html: &str| Page::parse(html).forms[0].clone();
        let app = form_of("<form><input name=code type=password inputmode=numeric></form>");
        assert_eq!((app.password, app.one_time_password.as_deref()), (None, Some("code")));
        let website = form_of("<form><input name=code type=password></form>");
        assert_eq!((website.password.as_deref(), website.one_time_password), (Some("code"), None));
    }

    #[test]
    fn accounts_are_known_by_their_labels() {
        let page = Page::parse(
            r#"<form><label for=a><input type=checkbox id=a name=account value=1>Current <b>account</b></label>
            <label><input type=checkbox name=account value=2>Savings</label>
            <label><input type=checkbox name=account value=3 disabled>Closed</label></form>"#,
        );
        assert_eq!(page.forms[0].accounts, [pair("1", "Current account"), pair("2", "Savings")]);
        assert!(!page.forms[0].one_account);
    }

    #[test]
    fn one_account_is_picked_from_radio_buttons_or_a_list() {
        for html in [
            "<form><label><input type=radio name=from value=1>Current</label>
             <label><input type=radio name=from value=2>Savings</label></form>",
            "<form><select name=from><option value=''>Choose</option><option value=1>Current</option>
             <option value=2>Savings</option></select></form>",
        ] {
            let form = &Page::parse(html).forms[0];
            assert!(form.one_account, "{html}");
            assert_eq!(form.accounts, [pair("1", "Current"), pair("2", "Savings")], "{html}");
        }
    }

    #[test]
    fn the_way_on_is_the_button_that_stands_out() {
        let page = Page::parse(
            "<form><button name=a value=back>Back</button><button name=a value=yes class=primary>Confirm</button>
             <button type=button>Help</button></form>",
        );
        let form = page.main_form().unwrap();
        assert_eq!(form.way_on().unwrap().label, "Confirm");
        assert_eq!(form.buttons.len(), 2);
        assert!(!form.asks());
    }

    #[test]
    fn the_form_that_asks_comes_before_others() {
        let page = Page::parse(
            "<header><form action=/out><button>Log out</button></form></header>
             <main><form action=/in><input name=otp></form></main>",
        );
        assert_eq!(page.main_form().unwrap().action, "/in");
    }

    #[test]
    fn a_refresh_is_followed_with_its_fragment() {
        let page =
            Page::parse(r#"<meta http-equiv="Refresh" content="2;url=https://tpp.example/cb?a=1&amp;b=2#code=x">"#);
        assert_eq!(page.refresh.as_deref(), Some("https://tpp.example/cb?a=1&b=2#code=x"));
        assert_eq!(Page::parse(r#"<meta charset="utf-8">"#).refresh, None);
    }
}
