//! The simulated customer: opens the bank's pages as a browser would, logs in, enters the one-time password, picks
//! accounts, and confirms or cancels.
//!
//! It knows nothing of our bank but what a page shows: it follows redirects and refreshes, keeps cookies, fills the forms
//! that it meets by what their fields are for, and presses the button that goes on.

mod browser;
mod hand;
mod page;

use serde::{Deserialize, Serialize};
use simulation::Trace;
use transport::{CallError, HttpClient};
use url::Url;

pub use browser::Destination;

use browser::Browser;
use hand::Hand;

/// Pages after which the customer gives up.
const PATIENCE: usize = 40;

/// Who the customer is at the bank.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// What the customer reads on the phone, and types as passcode of the bank's app.
    pub one_time_password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What the customer does on the bank's pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intention {
    /// Confirm, with these accounts: those whose label contains one of the texts. Without a text all of them where any
    /// number can be picked, and the first where one is picked.
    Approve {
        /// Texts that labels of accounts contain.
        accounts: Vec<String>,
    },
    /// Mistype so often first, then do as with `Approve`.
    Mistype {
        /// Wrong passwords.
        passwords: u32,
        /// Wrong one-time passwords.
        one_time_passwords: u32,
        /// Texts that labels of accounts contain.
        accounts: Vec<String>,
    },
    /// Cancel on the first page.
    CancelAtLogin,
    /// Log in, then cancel where accounts are chosen.
    CancelAtAccounts,
    /// Go on until a page's title or text contains this text, then cancel there.
    CancelOn(String),
}

/// Where the customer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The last page's URL.
    pub url: Url,
    /// Whether that is the destination, which was not opened.
    pub at_destination: bool,
    /// Its heading and text.
    pub text: String,
    /// The OAuth error that the bank showed on a page, if it did.
    pub error_page: Option<String>,
    /// Titles of the pages on the way.
    pub pages: Vec<String>,
    /// What the customer meant to do and no page asked for, if there is something.
    pub undone: Option<String>,
}

/// The customer could not go on.
#[derive(Debug, thiserror::Error)]
pub enum PsuError {
    /// A page could not be had.
    #[error("{url} could not be opened: {error}")]
    Unreachable {
        /// The page.
        url: String,
        /// Why.
        error: CallError,
    },
    /// A page that a customer cannot use.
    #[error("{url} shows nothing that a customer could use (status {status}, content type {content_type})")]
    Unusable {
        /// The page.
        url: String,
        /// HTTP status.
        status: u16,
        /// Content type.
        content_type: String,
    },
    /// A link or form that leads nowhere.
    #[error("{from} leads to {target}, which is not a web address")]
    DeadEnd {
        /// The page.
        from: String,
        /// The address.
        target: String,
    },
    /// Page after page without an end.
    #[error("still no end after {PATIENCE} pages; the last was {0}")]
    Lost(String),
    /// No account on the page fits.
    #[error("no account on the page fits {wanted:?}; there are {offered:?}")]
    NoSuchAccount {
        /// What was looked for.
        wanted: Vec<String>,
        /// Labels on the page.
        offered: Vec<String>,
    },
    /// Nothing on the page has this label.
    #[error("{url} has no button or link {wanted:?}; it has {offered:?}")]
    NothingToPress {
        /// The page.
        url: String,
        /// What was looked for.
        wanted: String,
        /// Labels on the page.
        offered: Vec<String>,
    },
}

/// A customer with a browser. The client should keep cookies and is the customer's alone.
pub struct Psu {
    client: HttpClient,
    credentials: Credentials,
}

impl Psu {
    /// A customer who uses this client as a browser.
    #[must_use]
    pub fn new(client: HttpClient, credentials: Credentials) -> Self {
        Self { client, credentials }
    }

    /// Opens the TPP's link to the bank and acts on the pages until nothing is left to do.
    ///
    /// # Errors
    /// A page could not be opened or used.
    pub async fn authorise(&self, link: &Url, intention: &Intention, trace: &Trace) -> Result<Arrival, PsuError> {
        let mut arrival = self.fetch_answer(link, intention, Destination::LastPage, trace).await?;
        arrival.url.set_fragment(None);
        Ok(arrival)
    }

    /// Opens the TPP's link to the bank, acts on the pages, and stops before the bank's answer is delivered: the
    /// arrival's URL is the redirect URI with the answer in its query or fragment. When the bank did not answer that
    /// way, it is the last page.
    ///
    /// # Errors
    /// A page could not be opened or used.
    pub async fn fetch_answer(
        &self,
        link: &Url,
        intention: &Intention,
        destination: Destination,
        trace: &Trace,
    ) -> Result<Arrival, PsuError> {
        let mut browser = Browser::new(self.client.clone(), trace.clone(), link, destination);
        let mut hand = Hand::new(&self.credentials, intention);
        let mut next = browser.open(link).await?;
        let mut pages = Vec::new();
        for _ in 0..PATIENCE {
            let Some(page) = next else {
                let url = browser.url().clone();
                let (text, error_page, undone) = (String::new(), None, hand.undone());
                return Ok(Arrival { url, text, error_page, pages, undone, at_destination: true });
            };
            pages.push(page.title.clone());
            if let Some(target) = page.refresh.clone() {
                next = browser.follow(&target).await?;
                continue;
            }
            match hand.fill(&page, &browser)? {
                Some((form, fields)) => next = browser.submit(&form, &fields).await?,
                None => {
                    let (url, text, error_page) = (browser.url().clone(), page.text, page.oauth_error);
                    let undone = hand.undone();
                    return Ok(Arrival { url, text, error_page, pages, undone, at_destination: false });
                }
            }
        }
        Err(PsuError::Lost(browser.url().to_string()))
    }

    /// Opens a page of the bank, logs in when it asks for that, and presses buttons and links by their labels, one after
    /// the other.
    ///
    /// # Errors
    /// A page could not be opened or used, or nothing on it has the label.
    pub async fn visit(&self, link: &Url, presses: &[String], trace: &Trace) -> Result<Arrival, PsuError> {
        let mut browser = Browser::new(self.client.clone(), trace.clone(), link, Destination::LastPage);
        let intention = Intention::Approve { accounts: Vec::new() };
        let mut hand = Hand::new(&self.credentials, &intention);
        let mut next = browser.open(link).await?;
        let mut presses = presses.iter();
        let mut pressed = false;
        let mut pages = Vec::new();
        for _ in 0..PATIENCE {
            let Some(page) = next else { break };
            pages.push(page.title.clone());
            if let Some(target) = page.refresh.clone() {
                next = browser.follow(&target).await?;
                continue;
            }
            // Who has done what they came for and is asked to log in has logged out.
            if pressed && presses.len() == 0 && page.logs_in() {
                let (url, text, error_page) = (browser.url().clone(), page.text, page.oauth_error);
                return Ok(Arrival { url, text, error_page, pages, undone: None, at_destination: false });
            }
            // Logging in comes before whatever the visit is for.
            if let Some((form, fields)) = hand.identify(&page)? {
                next = browser.submit(&form, &fields).await?;
                continue;
            }
            let Some(wanted) = presses.next() else {
                let (url, text, error_page) = (browser.url().clone(), page.text, page.oauth_error);
                return Ok(Arrival { url, text, error_page, pages, undone: None, at_destination: false });
            };
            pressed = true;
            next = match hand::press(&page, wanted, &browser)? {
                hand::Pressed::Button(form, fields) => browser.submit(&form, &fields).await?,
                hand::Pressed::Link(target) => browser.follow(&target).await?,
            };
        }
        Err(PsuError::Lost(browser.url().to_string()))
    }
}
