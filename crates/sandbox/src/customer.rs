//! `ob-sandbox psu`: a customer for whoever tests a TPP of their own.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use party::StartError;
use psu::{Arrival, Credentials, Destination, Intention, PsuError};
use serde_json::json;
use simulation::{Chance, Clock, Trace};
use transport::{ClientSettings, HttpClient};
use url::Url;

use crate::{
    command::FAILED,
    hosting::{certificates, credentials_in},
    output::{plain, plain_lines, say},
};

/// Longest wait for a page.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Be a customer: open a TPP's link to the bank, log in, choose accounts, confirm or cancel.
///
/// Stops before the bank's answer is delivered and prints the address that the browser would have opened: the redirect
/// URI with the answer in its query or fragment. With --deliver it goes there, as a browser does, and prints what the TPP's
/// page says. A link that is no authorization request (no client_id) is a page of the bank, such as its dashboard: the
/// customer logs in, and the page's text is printed.
///
/// Exit codes: 0 the bank answered that way, 1 it showed a page instead, or no page asked for what was to be done (--cancel,
/// --cancel-on, --account), 2 the pages could not be used.
#[derive(Debug, Args)]
pub struct Customer {
    /// The link that the TPP made: the bank's authorization endpoint with its query
    link: Url,
    /// User name of the customer
    #[arg(long, value_name = "USER", default_value = "nora")]
    persona: String,
    /// Customers and their credentials [default: the built-in fixtures/personas.yaml]
    #[arg(long, env = "OB_SANDBOX_PERSONAS", value_name = "FILE")]
    personas: Option<PathBuf>,
    /// Choose only accounts whose label contains this text; may be given more than once [default: all]
    #[arg(long, value_name = "TEXT")]
    account: Vec<String>,
    /// Cancel instead of confirming
    #[arg(long, value_enum, value_name = "WHERE")]
    cancel: Option<Cancel>,
    /// Cancel on the first page that says this, for example "Choose your accounts"
    #[arg(long, value_name = "TEXT", conflicts_with = "cancel")]
    cancel_on: Option<String>,
    /// Also open the address that the bank answers with, so that the TPP gets the answer, and print what its page says
    #[arg(long, conflicts_with = "redirect_uri")]
    deliver: bool,
    /// Visit a page of the bank instead of following a TPP's link: log in, then press buttons and links by their labels, one
    /// after the other, and print what the last page says; may be given more than once, and empty to look only
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["account", "cancel", "cancel_on", "redirect_uri", "deliver"])]
    press: Vec<String>,
    /// Where the way ends [default: the first address on another host or port than the link's]
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<Url>,
    /// PEM file with the certificate that the ecosystem trusts
    #[arg(
        long,
        env = "OB_SANDBOX_TRUST_ANCHOR",
        value_name = "FILE",
        default_value = ".ob-sandbox/directory/public/trust-anchor.pem"
    )]
    trust_anchor: PathBuf,
    /// Print address, pages and error as JSON
    #[arg(long)]
    json: bool,
}

/// Where a customer cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cancel {
    /// On the first page
    AtLogin,
    /// Where accounts are chosen
    AtAccounts,
}

impl Customer {
    /// Walks the pages.
    ///
    /// # Errors
    /// There is no such customer, or a page could not be opened or used.
    pub(crate) async fn obey(self) -> Result<ExitCode, StartError> {
        let client = HttpClient::new(ClientSettings {
            party: "psu",
            anchors: certificates(&self.trust_anchor)?,
            identity: None,
            journal: None,
            clock: Clock::real(),
            chance: Chance::from_system(),
            cookies: true,
            timeout: TIMEOUT,
        })?;
        let customer = psu::Psu::new(client, self.credentials()?);
        if !self.press.is_empty() || !is_request(&self.link) {
            if !self.account.is_empty() || self.cancel.is_some() || self.cancel_on.is_some() || self.deliver {
                return Err(StartError::Configuration(format!(
                    "{} is no authorization request (no client_id): there is nothing to choose, to cancel or to deliver",
                    self.link
                )));
            }
            return self.visit(&customer).await;
        }
        let intention = match (self.cancel, &self.cancel_on) {
            (_, Some(text)) => Intention::CancelOn(text.clone()),
            (None, None) => Intention::Approve { accounts: self.account.clone() },
            (Some(Cancel::AtLogin), None) => Intention::CancelAtLogin,
            (Some(Cancel::AtAccounts), None) => Intention::CancelAtAccounts,
        };
        let destination = match &self.redirect_uri {
            _ if self.deliver => Destination::LastPage,
            Some(address) => Destination::Address(address.clone()),
            None => Destination::Elsewhere,
        };
        let trace = Trace::new(&Chance::from_system());
        let arrival = customer.fetch_answer(&self.link, &intention, destination, &trace).await;
        let arrival = match arrival {
            Ok(arrival) => arrival,
            // No page asked for what was to be done.
            Err(error @ PsuError::NoSuchAccount { .. }) => {
                self.not_as_asked(&error);
                return Ok(ExitCode::from(FAILED));
            }
            Err(error) => return Err(StartError::Other(error.to_string())),
        };
        let delivered = self.deliver && arrival.url.origin() != self.link.origin();
        let answered = arrival.at_destination || delivered;
        self.tell(&arrival, answered);
        Ok(if answered && arrival.undone.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    /// Visits a page of the bank; with `--press` such as "Stop the access" it does something there.
    async fn visit(&self, customer: &psu::Psu) -> Result<ExitCode, StartError> {
        let press: Vec<String> = self.press.iter().filter(|label| !label.is_empty()).cloned().collect();
        let trace = Trace::new(&Chance::from_system());
        let arrival =
            customer.visit(&self.link, &press, &trace).await.map_err(|error| StartError::Other(error.to_string()))?;
        if self.json {
            self.tell(&arrival, false);
        } else {
            say!("{}", plain_lines(&arrival.text));
        }
        Ok(if arrival.error_page.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    fn credentials(&self) -> Result<Credentials, StartError> {
        let known = credentials_in(self.personas.as_deref())?;
        known.get(&self.persona).cloned().ok_or_else(|| {
            let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            StartError::Configuration(format!("--persona {}: the customers are {names}", self.persona))
        })
    }

    fn not_as_asked(&self, error: &PsuError) {
        if self.json {
            say!("{:#}", json!({ "answered": false, "undone": error.to_string() }));
        } else {
            say!("Not as asked for: {}. The bank did not answer.", plain(&error.to_string()));
        }
    }

    fn tell(&self, arrival: &Arrival, answered: bool) {
        let Arrival { url, text, error_page, pages, undone, .. } = arrival;
        if self.json {
            let mut shown = url.clone();
            let answer = if arrival.at_destination { answer_in(url) } else { BTreeMap::new() };
            if self.deliver {
                // The TPP has it; codes are nobody else's.
                shown.set_fragment(None);
            }
            // A page shows the code, then its description; an answer has the code alone.
            let shown_error = error_page.as_deref().map(|error| error.split_once(':').unwrap_or((error, "")));
            let described = shown_error.map(|(_, description)| description.trim()).filter(|text| !text.is_empty());
            let described = described.map(str::to_owned).or_else(|| answer.get("error_description").cloned());
            let error = shown_error.map(|(code, _)| code.trim().to_owned()).or_else(|| answer.get("error").cloned());
            let told = json!({
                "answered": answered, "url": shown, "answer": answer, "pages": pages, "error": error,
                "error-description": described, "text": text,
                "undone": undone,
            });
            say!("{told:#}");
        } else if let Some(undone) = undone {
            let outcome = if answered { "the bank answered all the same" } else { "the bank did not answer" };
            let pages = pages.join(", ");
            say!("Not as asked for: there was {undone}. The pages were: {pages}; {outcome}.");
        } else if !answered {
            say!("No answer. The last page, {url}, says: {}", plain(text));
        } else if self.deliver {
            say!("{}", plain_lines(text));
        } else {
            say!("{url}");
        }
    }
}

/// Whether a link asks for an authorisation. Pushed and signed ones name the client, too (RFC 9101, 5).
fn is_request(link: &Url) -> bool {
    link.query_pairs().any(|(name, _)| name == "client_id")
}

/// The parameters of the bank's answer.
fn answer_in(url: &Url) -> BTreeMap<String, String> {
    let text = url.fragment().or_else(|| url.query()).unwrap_or_default();
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}
