//! What a page asks for, read from its HTML by the purpose of its fields.

use scraper::{ElementRef, Html, Selector};

/// A page as the customer sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) forms: Vec<Form>,
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
    /// Name of the check boxes of accounts.
    pub(crate) account_field: Option<String>,
    /// Value and label of each account.
    pub(crate) accounts: Vec<(String, String)>,
    /// The hidden field that takes the fragment of the URL.
    pub(crate) fragment: Option<String>,
    /// Name and value of the button that goes on.
    pub(crate) proceed: Option<(String, String)>,
    /// Name and value of the button that cancels.
    pub(crate) cancel: Option<(String, String)>,
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

impl Page {
    pub(crate) fn parse(html: &str) -> Self {
        let document = Html::parse_document(html);
        let root = document.root_element();
        let first_text = |selector: &str| all(root, selector).first().map(|element| text_of(*element));
        Self {
            title: first_text("title").unwrap_or_default(),
            text: first_text("main").or_else(|| first_text("body")).unwrap_or_default(),
            forms: all(root, "form").into_iter().map(Form::read).collect(),
            refresh: all(root, "meta[http-equiv]").into_iter().find_map(refresh),
            oauth_error: first_text("#oauth-error"),
        }
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
    fn read(element: ElementRef<'_>) -> Self {
        let mut form = Self {
            action: attribute(element, "action").unwrap_or_default(),
            post: attribute(element, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
            ..Self::default()
        };
        for input in all(element, "input[name]") {
            form.read_input(element, input);
        }
        let buttons: Vec<_> = all(element, "button[name], input[type=submit][name]")
            .into_iter()
            .map(|button| {
                let pair =
                    (attribute(button, "name").unwrap_or_default(), attribute(button, "value").unwrap_or_default());
                let words = format!("{} {}", text_of(button), pair.1).to_lowercase();
                (pair, ["cancel", "deny", "reject"].iter().any(|word| words.contains(word)))
            })
            .collect();
        form.cancel = buttons.iter().find(|(_, cancels)| *cancels).map(|(pair, _)| pair.clone());
        form.proceed = buttons.iter().find(|(_, cancels)| !cancels).map(|(pair, _)| pair.clone());
        form
    }

    fn read_input(&mut self, form: ElementRef<'_>, input: ElementRef<'_>) {
        let name = attribute(input, "name").unwrap_or_default();
        let kind = attribute(input, "type").unwrap_or_else(|| "text".to_owned()).to_lowercase();
        let purpose = attribute(input, "autocomplete").unwrap_or_default();
        match kind.as_str() {
            "hidden" => {
                if name == "fragment" {
                    self.fragment = Some(name.clone());
                }
                self.hidden.push((name, attribute(input, "value").unwrap_or_default()));
            }
            "password" => self.password = Some(name),
            "checkbox" => {
                let label = attribute(input, "id")
                    .and_then(|id| {
                        all(form, "label").into_iter().find(|label| attribute(*label, "for").as_deref() == Some(&id))
                    })
                    .map(text_of)
                    .unwrap_or_default();
                self.accounts.push((attribute(input, "value").unwrap_or_default(), label));
                self.account_field = Some(name);
            }
            "submit" => {}
            _ if purpose == "one-time-code" || name.contains("one_time") || name == "otp" => {
                self.one_time_password = Some(name);
            }
            _ => self.username = Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_purpose() {
        let page = Page::parse(
            r#"<title>Log in</title><main><h1>Hello</h1><form method="post" action="/next">
            <input type=hidden name=csrf value=abc><input name=user><input name=pin type=password>
            <button name=go value=continue>Continue</button><button name=go value=cancel>Cancel</button></form></main>"#,
        );
        let form = &page.forms[0];
        assert_eq!((form.username.as_deref(), form.password.as_deref()), (Some("user"), Some("pin")));
        assert_eq!(form.hidden, [("csrf".to_owned(), "abc".to_owned())]);
        assert_eq!(form.proceed, Some(("go".to_owned(), "continue".to_owned())));
        assert_eq!(form.cancel, Some(("go".to_owned(), "cancel".to_owned())));
        assert!(form.post);
    }

    #[test]
    fn accounts_are_known_by_their_labels() {
        let page = Page::parse(
            r#"<form><label for=a><input type=checkbox id=a name=account value=1>Current <b>account</b></label>
            <label for=b><input type=checkbox id=b name=account value=2>Savings</label></form>"#,
        );
        let expected = [("1".to_owned(), "Current account".to_owned()), ("2".to_owned(), "Savings".to_owned())];
        assert_eq!(page.forms[0].accounts, expected);
    }

    #[test]
    fn a_refresh_is_followed_with_its_fragment() {
        let page =
            Page::parse(r#"<meta http-equiv="Refresh" content="2;url=https://tpp.example/cb?a=1&amp;b=2#code=x">"#);
        assert_eq!(page.refresh.as_deref(), Some("https://tpp.example/cb?a=1&b=2#code=x"));
        assert_eq!(Page::parse(r#"<meta charset="utf-8">"#).refresh, None);
    }
}
