//! What the customer types and presses on a page.

use crate::{
    Credentials, Intention, PsuError,
    browser::Browser,
    page::{Button, Form, Page},
};

/// A form and its fields as they are sent.
pub(crate) type Filled = (Form, Vec<(String, String)>);

/// What is no customer's password.
const WRONG_PASSWORD: &str = "not-the-password";
/// What no phone shows.
const WRONG_ONE_TIME_PASSWORD: &str = "000000";

/// The customer's hand: what it types, and how often it still mistypes.
pub(crate) struct Hand<'a> {
    credentials: &'a Credentials,
    intention: &'a Intention,
    wrong_passwords: u32,
    wrong_one_time_passwords: u32,
    /// Whether a page was cancelled.
    cancelled: bool,
    /// Whether accounts were chosen.
    chose: bool,
}

/// What pressing something leads to.
pub(crate) enum Pressed {
    Button(Box<Form>, Vec<(String, String)>),
    Link(String),
}

impl<'a> Hand<'a> {
    pub(crate) fn new(credentials: &'a Credentials, intention: &'a Intention) -> Self {
        let (wrong_passwords, wrong_one_time_passwords) = match intention {
            Intention::Mistype { passwords, one_time_passwords, .. } => (*passwords, *one_time_passwords),
            _ => (0, 0),
        };
        Self { credentials, intention, wrong_passwords, wrong_one_time_passwords, cancelled: false, chose: false }
    }

    /// The form to send and its fields; none when the page asks for nothing that a customer of a bank knows, and has no
    /// way on at the same site.
    pub(crate) fn fill(&mut self, page: &Page, browser: &Browser) -> Result<Option<Filled>, PsuError> {
        let Some(form) = page.main_form() else { return Ok(None) };
        let mut fields = form.hidden.clone();
        if let Some(name) = &form.fragment {
            // What the page's script does in a browser with scripts.
            fields.retain(|(key, _)| key != name);
            fields.push((name.clone(), browser.fragment().to_owned()));
            return Ok(Some((form.clone(), fields)));
        }
        if !form.asks() && !browser.stays(&form.action) {
            return Ok(None);
        }
        if self.cancels(page, form)
            && let Some(button) = form.cancel()
        {
            fields.extend(button.pair.clone());
            self.cancelled = true;
            return Ok(Some((form.clone(), fields)));
        }
        let button = form.way_on().and_then(|button| button.pair.clone());
        if !form.asks() && form.way_on().is_none() {
            return Ok(None);
        }
        fields.extend(self.typed(form)?);
        fields.extend(button);
        Ok(Some((form.clone(), fields)))
    }

    /// The form that asks who the customer is, filled; none when the page does not ask.
    pub(crate) fn identify(&mut self, page: &Page) -> Result<Option<Filled>, PsuError> {
        let asks = |form: &&Form| form.password.is_some() || form.one_time_password.is_some();
        let Some(form) = page.forms.iter().find(asks) else { return Ok(None) };
        let mut fields = form.hidden.clone();
        fields.extend(self.typed(form)?);
        fields.extend(form.way_on().and_then(|button| button.pair.clone()));
        Ok(Some((form.clone(), fields)))
    }

    /// What the customer meant to do and found no page for.
    pub(crate) fn undone(&self) -> Option<String> {
        match self.intention {
            _ if self.cancelled => None,
            Intention::CancelAtLogin => Some("no page to log in on, where it was to be cancelled".to_owned()),
            Intention::CancelAtAccounts => {
                Some("no page to choose accounts on, where it was to be cancelled".to_owned())
            }
            Intention::CancelOn(text) => Some(format!("no page that says {text:?} and can be cancelled")),
            Intention::Approve { accounts } | Intention::Mistype { accounts, .. }
                if !accounts.is_empty() && !self.chose =>
            {
                Some(format!("no page to choose {accounts:?} on"))
            }
            Intention::Approve { .. } | Intention::Mistype { .. } => None,
        }
    }

    fn cancels(&self, page: &Page, form: &Form) -> bool {
        match self.intention {
            Intention::CancelAtLogin => form.password.is_some(),
            Intention::CancelAtAccounts => form.account_field.is_some(),
            Intention::CancelOn(text) => page.title.contains(text) || page.text.contains(text),
            Intention::Approve { .. } | Intention::Mistype { .. } => false,
        }
    }

    fn typed(&mut self, form: &Form) -> Result<Vec<(String, String)>, PsuError> {
        let mut fields = Vec::new();
        if let Some(password) = &form.password {
            fields.extend(form.username.iter().map(|name| (name.clone(), self.credentials.username.clone())));
            let typed = once_more(&mut self.wrong_passwords, WRONG_PASSWORD, &self.credentials.password);
            fields.push((password.clone(), typed));
        }
        if let Some(name) = &form.one_time_password {
            let right = &self.credentials.one_time_password;
            let typed = once_more(&mut self.wrong_one_time_passwords, WRONG_ONE_TIME_PASSWORD, right);
            fields.push((name.clone(), typed));
        }
        if let Some(name) = &form.account_field {
            let chosen = self.choose(form)?;
            self.chose = true;
            fields.extend(chosen.into_iter().map(|value| (name.clone(), value)));
        }
        Ok(fields)
    }

    fn choose(&self, form: &Form) -> Result<Vec<String>, PsuError> {
        let wanted: &[String] = match self.intention {
            Intention::Approve { accounts } | Intention::Mistype { accounts, .. } => accounts,
            _ => &[],
        };
        let mut chosen: Vec<String> = form
            .accounts
            .iter()
            .filter(|(_, label)| wanted.is_empty() || wanted.iter().any(|text| label.contains(text)))
            .map(|(value, _)| value.clone())
            .collect();
        let unknown = wanted.iter().any(|text| !form.accounts.iter().any(|(_, label)| label.contains(text)));
        if chosen.is_empty() || unknown {
            let offered = form.accounts.iter().map(|(_, label)| label.clone()).collect();
            return Err(PsuError::NoSuchAccount { wanted: wanted.to_vec(), offered });
        }
        if form.one_account {
            chosen.truncate(1);
        }
        Ok(chosen)
    }
}

fn once_more(left: &mut u32, wrong: &str, right: &str) -> String {
    if *left == 0 {
        return right.to_owned();
    }
    *left -= 1;
    wrong.to_owned()
}

/// Finds the first button or link whose label contains this text.
pub(crate) fn press(page: &Page, wanted: &str, browser: &Browser) -> Result<Pressed, PsuError> {
    let fits = |label: &str| label.to_lowercase().contains(&wanted.to_lowercase());
    for form in &page.forms {
        if let Some(Button { pair, .. }) = form.buttons.iter().find(|button| fits(&button.label)) {
            let mut fields = form.hidden.clone();
            fields.extend(pair.clone());
            return Ok(Pressed::Button(Box::new(form.clone()), fields));
        }
    }
    if let Some((_, target)) = page.links.iter().find(|(label, _)| fits(label)) {
        return Ok(Pressed::Link(target.clone()));
    }
    let buttons = page.forms.iter().flat_map(|form| form.buttons.iter().map(|button| button.label.clone()));
    Err(PsuError::NothingToPress {
        url: browser.url().to_string(),
        wanted: wanted.to_owned(),
        offered: buttons.chain(page.links.iter().map(|(label, _)| label.clone())).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "<form method=post><input type=hidden name=csrf value=t><label>User <input name=u></label>
        <input type=password name=p autocomplete=current-password>
        <button name=action value=continue class=primary>Continue</button><button name=action value=cancel>Cancel</button></form>";
    const ACCOUNTS: &str = "<form method=post><label><input type=radio name=account value=1> Everyday 1,000</label>
        <label><input type=radio name=account value=2> Rainy days 20</label>
        <button name=action value=continue class=primary>Continue</button><button name=action value=cancel>Cancel</button></form>";
    const AGREEMENT: &str = "<title>Do you agree?</title><form method=post>
        <button name=action value=continue class=primary>I agree</button><button name=action value=cancel>Cancel</button></form>";

    fn credentials() -> Credentials {
        Credentials { username: "nora".into(), password: "lantern".into(), one_time_password: "246810".into() }
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn approve(accounts: &[&str]) -> Intention {
        Intention::Approve { accounts: accounts.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn the_login_is_filled_and_sent_by_the_way_on() {
        let (credentials, intention) = (credentials(), approve(&[]));
        let mut hand = Hand::new(&credentials, &intention);
        let (_, fields) = hand.identify(&Page::parse(LOGIN)).unwrap().unwrap();
        let typed = [pair("csrf", "t"), pair("u", "nora"), pair("p", "lantern"), pair("action", "continue")];
        assert_eq!(fields, typed);
        assert!(hand.identify(&Page::parse(ACCOUNTS)).unwrap().is_none(), "the list of accounts asks for no password");
    }

    #[test]
    fn mistakes_come_first_and_so_often() {
        let intention = Intention::Mistype { passwords: 2, one_time_passwords: 0, accounts: Vec::new() };
        let credentials = credentials();
        let mut hand = Hand::new(&credentials, &intention);
        let typed: Vec<String> =
            (0..3).map(|_| hand.identify(&Page::parse(LOGIN)).unwrap().unwrap().1[2].1.clone()).collect();
        assert_eq!(typed, [WRONG_PASSWORD, WRONG_PASSWORD, "lantern"]);
    }

    #[test]
    fn one_account_pays_the_one_that_was_meant() {
        let (credentials, page) = (credentials(), Page::parse(ACCOUNTS));
        let form = page.main_form().unwrap();
        let choice = |accounts: &[&str]| Hand::new(&credentials, &approve(accounts)).choose(form);
        assert_eq!(choice(&[]).unwrap(), ["1"]);
        assert_eq!(choice(&["Rainy"]).unwrap(), ["2"]);
        let Err(PsuError::NoSuchAccount { offered, .. }) = choice(&["Card"]) else { panic!("there is no card") };
        assert_eq!(offered, ["Everyday 1,000", "Rainy days 20"]);
    }

    #[test]
    fn what_no_page_asked_for_is_told() {
        let credentials = credentials();
        for (intention, undone) in [
            (Intention::CancelAtLogin, None),
            (Intention::CancelAtAccounts, Some("choose accounts")),
            (Intention::CancelOn("Never said".into()), Some("\"Never said\"")),
            (approve(&["Everyday"]), Some("choose [\"Everyday\"]")),
            (approve(&[]), None),
        ] {
            let mut hand = Hand::new(&credentials, &intention);
            let page = Page::parse(LOGIN);
            let form = page.main_form().unwrap();
            // What `fill` does on a page, but for the browser that it asks about the form's target.
            hand.cancelled = hand.cancels(&page, form);
            let told = hand.undone();
            assert_eq!(told.is_some(), undone.is_some(), "{intention:?}: {told:?}");
            assert!(undone.is_none_or(|part| told.unwrap().contains(part)), "{intention:?}");
        }
    }

    #[test]
    fn cancelling_happens_where_it_was_meant_to() {
        let (credentials, pages) = (credentials(), [LOGIN, ACCOUNTS, AGREEMENT].map(Page::parse));
        for (intention, wanted) in [
            (Intention::CancelAtLogin, [true, false, false]),
            (Intention::CancelAtAccounts, [false, true, false]),
            (Intention::CancelOn("Do you agree".into()), [false, false, true]),
            (approve(&[]), [false, false, false]),
        ] {
            let hand = Hand::new(&credentials, &intention);
            let cancels = pages.each_ref().map(|page| hand.cancels(page, page.main_form().unwrap()));
            assert_eq!(cancels, wanted, "{intention:?}");
        }
        assert_eq!(pages[2].main_form().unwrap().way_on().unwrap().label, "I agree");
    }
}
