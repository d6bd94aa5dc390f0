//! `ob-sandbox psu`: a customer for whoever tests a TPP of their own.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueEnum};
use party::StartError;
use psu::{Arrival, Credentials, Destination, Intention};
use serde_json::json;
use simulation::{Chance, Clock, Trace};
use transport::{ClientSettings, HttpClient};
use url::Url;

use crate::{
    command::FAILED,
    hosting::{certificates, credentials_in},
};

/// Longest wait for a page.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Be a customer: open a TPP's link to the bank, log in, choose accounts, confirm or cancel.
///
/// Stops before the bank's answer is delivered and prints the address that the browser would have opened: the redirect
/// URI with the answer in its query or fragment. Exit codes: 0 the bank answered that way, 1 it showed a page instead,
/// 2 the pages could not be used.
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
    /// Cancel on the first page that says this, for example "Check the details"
    #[arg(long, value_name = "TEXT", conflicts_with = "cancel")]
    cancel_on: Option<String>,
    /// Visit a page of the bank instead of following a TPP's link: log in, then press buttons and links by their labels, one
    /// after the other, and print what the last page says; may be given more than once, and empty to look only
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["account", "cancel", "cancel_on", "redirect_uri"])]
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
        if !self.press.is_empty() {
            return self.visit(&customer).await;
        }
        let intention = match (self.cancel, &self.cancel_on) {
            (_, Some(text)) => Intention::CancelOn(text.clone()),
            (None, None) => Intention::Approve { accounts: self.account.clone() },
            (Some(Cancel::AtLogin), None) => Intention::CancelAtLogin,
            (Some(Cancel::AtAccounts), None) => Intention::CancelAtAccounts,
        };
        let destination = self.redirect_uri.clone().map_or(Destination::Elsewhere, Destination::Address);
        let trace = Trace::new(&Chance::from_system());
        let arrival = customer
            .fetch_answer(&self.link, &intention, destination, &trace)
            .await
            .map_err(|error| StartError::Other(error.to_string()))?;
        self.tell(&arrival);
        Ok(if arrival.at_destination { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    /// Visits a page of the bank; with `--press` such as "Stop the access" it does something there.
    async fn visit(&self, customer: &psu::Psu) -> Result<ExitCode, StartError> {
        let press: Vec<String> = self.press.iter().filter(|label| !label.is_empty()).cloned().collect();
        let trace = Trace::new(&Chance::from_system());
        let arrival =
            customer.visit(&self.link, &press, &trace).await.map_err(|error| StartError::Other(error.to_string()))?;
        if self.json {
            self.tell(&arrival);
        } else {
            println!("{}", arrival.text);
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

    fn tell(&self, arrival: &Arrival) {
        let Arrival { url, at_destination, text, error_page, pages } = arrival;
        if self.json {
            let told = json!({
                "answered": at_destination, "url": url, "pages": pages, "error": error_page, "text": text,
            });
            println!("{told:#}");
        } else if *at_destination {
            println!("{url}");
        } else {
            println!("No answer. The last page, {url}, says: {text}");
        }
    }
}
