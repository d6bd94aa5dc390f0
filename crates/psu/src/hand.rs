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
        Self { credentials, intention, wrong_passwords, wrong_one_time_passwords }
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
