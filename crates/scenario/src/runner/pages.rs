//! Steps in which a customer acts on the bank's pages.

use psu::{Arrival, Destination, Intention, PsuError};
use serde_json::{Map, Value, json};
use tpp::steps::{self, AuthorisationResult, Failure, Link, Part, Returned};
use url::Url;

use super::{Callback, Done, Run, RunError, steps::missing};
use crate::{
    expectation::{Happened, shortened},
    language::{
        Step,
        steps::{AuthoriseStep, Decision, DeliverResponseStep, VisitStep},
    },
};

impl AuthoriseStep {
    fn intention(&self) -> Intention {
        if let Some(text) = &self.cancel_on {
            return Intention::CancelOn(text.clone());
        }
        match self.psu {
            Decision::CancelAtLogin => Intention::CancelAtLogin,
            Decision::CancelAtAccounts => Intention::CancelAtAccounts,
            Decision::Approve => Intention::Mistype {
                passwords: self.wrong_passwords,
                one_time_passwords: self.wrong_one_time_passwords,
                accounts: self.accounts.clone(),
            },
        }
    }
}

impl Run<'_> {
    pub(super) async fn authorise(&mut self, step: &Step, asked: &AuthoriseStep) -> Result<Done, RunError> {
        let consent_id = match asked.without_consent {
            true => None,
            false => match self.consent(step, asked.consent.as_ref())? {
                Some(consent_id) => Some(consent_id),
                None => return Err(missing("consent", "lodge-consent")),
            },
        };
        let told = steps::Authorise {
            bank: self.bank(step)?,
            consent_id,
            answers: asked.answers(),
            api: asked.api,
            push: asked.push,
            tamper: self.tamper(&asked.tamper)?,
        };
        let link: Link = match self.tell(step, "authorise", &told).await? {
            Ok(link) => link,
            Err(done) => return Ok(*done),
        };
        let (Ok(url), Ok(uri)) = (Url::parse(&link.url), Url::parse(&link.redirect_uri)) else {
            return Ok(Done::impossible(format!("the TPP's link is no address: {}", link.url)));
        };
        let callback = Callback { uri, served: link.served };
        let state = self.state(step);
        state.state = Some(link.state.clone());
        state.callback = Some(callback.clone());
        if asked.without_consent {
            state.consent_id = Some(link.consent_id.clone());
        }
        let (intention, trace) = (asked.intention(), self.trace.clone());
        let catches = asked.deliver == Some(false);
        let destination = match (catches, callback.served) {
            (true, _) => Destination::Elsewhere,
            (false, true) => Destination::LastPage,
            (false, false) => Destination::Address(callback.uri.clone()),
        };
        let customer = self.customer(asked.persona.as_deref())?;
        let arrival = match customer.fetch_answer(&url, &intention, destination, &trace).await {
            Ok(arrival) => arrival,
            Err(error) => return Ok(lost(&error)),
        };
        let undone = arrival.undone.clone();
        let done = self.arrived(step, arrival, &link, catches).await?;
        // A customer who agreed where the step says that they cancel has done something else.
        Ok(match undone {
            Some(undone) if done.happened.refused.is_none() => {
                Done::impossible(format!("the customer could not do what the step says: there was {undone}"))
            }
            _ => done,
        })
    }

    /// What came of the customer's way.
    async fn arrived(&mut self, step: &Step, arrival: Arrival, link: &Link, catches: bool) -> Result<Done, RunError> {
        if let Some(error) = &arrival.error_page {
            return Ok(refused_on_page(error, arrival.text));
        }
        let pages = arrival.pages.len();
        if arrival.at_destination {
            let (part, answer) = answer_in(&arrival.url);
            if catches {
                return Ok(self.caught(step, &arrival.url, part, &answer));
            }
            return self.hand_over(step, &answer, part, pages).await;
        }
        // What a page has in its fragment may be a code.
        let mut last = arrival.url;
        last.set_fragment(None);
        if catches || !link.served {
            return Ok(Done::impossible(format!("the bank did not answer; {}", ended(&last, &arrival.text))));
        }
        let mut done = self.came_back(step, &link.state, &ended(&last, &arrival.text), pages).await?;
        done.happened.shown = Some(arrival.text);
        Ok(done)
    }

    /// The bank's answer, caught on its way.
    fn caught(&mut self, step: &Step, url: &Url, part: Part, text: &str) -> Done {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let mut answer: Map<String, Value> =
            pairs.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        let mut bare = url.clone();
        bare.set_fragment(None);
        bare.set_query(None);
        answer.insert("delivered-to".to_owned(), Value::String(bare.into()));
        answer.insert("delivered-in".to_owned(), json!(part));
        self.state(step).caught = Some((part, pairs));
        let error = answer.get("error").and_then(Value::as_str).map(str::to_owned);
        if let Some(error) = error {
            let mut done = Done::denied(format!("the bank answered {error}"), &error);
            done.happened.body = Some(Value::Object(answer));
            return done;
        }
        let names: Vec<&str> = answer.keys().map(String::as_str).collect();
        let outcome = format!("the bank's answer was caught: {}", names.join(", "));
        Done::with(outcome, Value::Object(answer))
    }

    pub(super) async fn deliver(&mut self, step: &Step, asked: &DeliverResponseStep) -> Result<Done, RunError> {
        let state = self.state(step);
        let (Some((part, caught)), Some(callback), Some(own)) =
            (state.caught.clone(), state.callback.clone(), state.state.clone())
        else {
            return Err(missing("answer that was caught", "authorise with deliver: false"));
        };
        let mut pairs = caught;
        pairs.retain(|(name, _)| !asked.remove.contains(name) && !asked.set.contains_key(name));
        for (name, value) in &asked.set {
            pairs.push((name.clone(), self.fill(value)?));
        }
        let answer = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        if !callback.served {
            return self.hand_over(step, &answer, part, 0).await;
        }
        let mut url = callback.uri;
        match part {
            Part::Fragment => url.set_fragment(Some(&answer)),
            Part::Query => url.set_query(Some(&answer)),
        }
        let trace = self.trace.clone();
        let intention = Intention::Approve { accounts: Vec::new() };
        let arrival = match self.customer(None)?.authorise(&url, &intention, &trace).await {
            Ok(arrival) => arrival,
            Err(error) => return Ok(lost(&error)),
        };
        let mut done = self.came_back(step, &own, &ended(&arrival.url, &arrival.text), arrival.pages.len()).await?;
        done.happened.shown = Some(arrival.text);
        Ok(done)
    }

    /// Hands an answer to a TPP that does not serve its redirect URI.
    async fn hand_over(&mut self, step: &Step, answer: &str, part: Part, pages: usize) -> Result<Done, RunError> {
        let told = steps::DeliverResponse { answer: answer.to_owned(), part };
        Ok(match self.tell(step, "deliver-response", &told).await? {
            Ok(returned) => made_of_it(step, returned, pages, "the answer was handed to the TPP"),
            Err(done) => *done,
        })
    }

    /// What the TPP made of the bank's answer.
    async fn came_back(&mut self, step: &Step, state: &str, last: &str, pages: usize) -> Result<Done, RunError> {
        let told = AuthorisationResult { state: state.to_owned() };
        let returned: Returned = match self.tell(step, "authorisation-result", &told).await? {
            Ok(returned) => returned,
            Err(done) => return Ok(*done),
        };
        Ok(made_of_it(step, returned, pages, last))
    }

    pub(super) async fn visit(&mut self, step: &Step, asked: &VisitStep) -> Result<Done, RunError> {
        let page = self.fill(&asked.page)?;
        let bank = self.bank(step)?;
        let base = match self.state(step).issuers.get(&bank) {
            Some(issuer) => issuer.clone(),
            None if page.starts_with("https://") => match Url::parse(&page) {
                Ok(url) => url,
                Err(error) => return Ok(Done::impossible(format!("{page}: {error}"))),
            },
            None => return Err(missing("bank to visit", "register")),
        };
        let url = match base.join(&page) {
            Ok(url) => url,
            Err(error) => return Ok(Done::impossible(format!("{page}: {error}"))),
        };
        let press = asked.press.iter().map(|label| self.fill(label)).collect::<Result<Vec<_>, _>>()?;
        let trace = self.trace.clone();
        let arrival = match self.customer(asked.persona.as_deref())?.visit(&url, &press, &trace).await {
            Ok(arrival) => arrival,
            Err(error) => return Ok(lost(&error)),
        };
        if let Some(error) = &arrival.error_page {
            return Ok(refused_on_page(error, arrival.text));
        }
        let happened = Happened { shown: Some(arrival.text), ..Happened::default() };
        Ok(Done {
            happened,
            ..Done::well(format!("{} pages; the last one is {}", arrival.pages.len(), arrival.url.path()))
        })
    }
}

/// What the TPP made of the bank's answer.
fn made_of_it(step: &Step, returned: Returned, pages: usize, last: &str) -> Done {
    match returned {
        Returned::Code { id_token, response } => {
            let answer = json!({ "id-token": id_token, "response": response });
            let mut done = Done::with(format!("{pages} pages; a code came back"), answer);
            done.happened.claims = Some(if id_token.is_null() { response } else { id_token });
            done
        }
        Returned::NotYet => {
            // A refusal where a rule of the TPP's spoke to another answer.
            Done::failed(
                step.tpp(),
                Failure::new(format!("the TPP got no answer that belongs to this authorisation; {last}")),
            )
        }
        Returned::Error { error, description } => {
            let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
            Done::denied(format!("the bank answered {error}{description}"), &error)
        }
        Returned::Distrusted(failure) => Done::failed(step.tpp(), failure),
    }
}

/// Where a customer ended.
fn ended(last: &Url, text: &str) -> String {
    format!("the last page, {last}, says: {}", shortened(text))
}

/// The bank's answer within an address, and where it is.
fn answer_in(url: &Url) -> (Part, String) {
    match url.fragment() {
        Some(fragment) => (Part::Fragment, fragment.to_owned()),
        None => (Part::Query, url.query().unwrap_or_default().to_owned()),
    }
}

/// The bank showed an error page, which says the code, then its description.
fn refused_on_page(error: &str, shown: String) -> Done {
    let code = error.split([':', ' ']).next().unwrap_or_default();
    let mut done = Done::denied(format!("the bank showed the customer an error page: {error}"), code);
    done.happened.shown = Some(shown);
    done
}

fn lost(error: &PsuError) -> Done {
    Done::impossible(format!("the customer could not go on: {error}"))
}
