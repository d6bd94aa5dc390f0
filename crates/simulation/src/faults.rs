//! Faults that are asked for: which exchange they strike, and what they do to it. Data and matching; what is done to
//! connections and bodies is the server's.

mod pattern;
mod register;

use serde::{Deserialize, Serialize};

pub use register::{Active, Call, Faults, Struck};

use pattern::Pattern;

/// Longest delay, in milliseconds.
pub const LONGEST_DELAY: u64 = 60_000;

/// Most faults at one party at the same time.
pub const MOST_FAULTS: usize = 100;

/// `POST /faults`: a fault that is wanted. Every condition that is given must hold; without any, each call is struck.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path: a segment in braces stands for any one, a `*` at the end for whatever follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Client id that the request names: as `client_id`, or in its client assertion. Calls with an access token name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Organisation id of the caller's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Only the n-th call that fits, the first one being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How likely each call that fits is struck, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Makes the draws repeat. Without it they come from the party's own chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// At most so many calls are struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// On the way in or on the way out.
    pub when: When,
    /// Milliseconds of true time to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<u64>,
    /// What else is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// On which side of the party's work a fault is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the work: it is not done, or is done on what the fault made of the request.
    #[default]
    Before,
    /// After the work, which is done: its answer is lost or changed.
    After,
}

/// What a fault does. What changes a body changes the request's before the work and the answer's after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Another answer.
    Answer(Substitute),
    /// The connection is closed without an answer.
    Drop,
    /// Only so many bytes of the body are left.
    Truncate(usize),
    /// One bit of this byte of the body is turned, the first byte being 0; the last one when the body is shorter.
    Alter(usize),
    /// The signature of every JWT in the body, and of `x-jws-signature` and `location`, becomes another one.
    BreakSignature,
}

/// The answer instead of the party's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Substitute {
    /// HTTP status.
    pub status: u16,
    /// Body; none is an empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Media type of the body [default: application/json].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// A fault cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It does nothing.
    #[error("a fault needs a delay or an effect (answer, drop, truncate, alter, break-signature)")]
    Nothing,
    /// The path cannot fit.
    #[error("{0:?} is no path: /accounts/{{AccountId}}, /open-banking/* or /token would be")]
    Path(String),
    /// The wait is too long.
    #[error("a delay is at most {LONGEST_DELAY} ms, not {0}")]
    Delay(u64),
    /// No probability.
    #[error("a probability is between 0 and 1, not {0}")]
    Probability(String),
    /// There is no zeroth call.
    #[error("{0} counts from 1")]
    Zero(&'static str),
    /// A seed decides nothing here.
    #[error("a seed goes with a probability")]
    Seed,
    /// No final HTTP status.
    #[error("a status is between 200 and 599, not {0}")]
    Status(u16),
    /// No header value.
    #[error("{0:?} is no media type")]
    ContentType(String),
    /// Too many.
    #[error("there are {MOST_FAULTS} faults already; delete one")]
    TooMany,
}

impl Fault {
    /// Whether it can be had.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), FaultError> {
        if self.delay.is_none() && self.effect.is_none() {
            return Err(FaultError::Nothing);
        }
        if let Some(path) = &self.path {
            Pattern::parse(path).ok_or_else(|| FaultError::Path(path.clone()))?;
        }
        if let Some(delay) = self.delay.filter(|delay| *delay > LONGEST_DELAY) {
            return Err(FaultError::Delay(delay));
        }
        if let Some(probability) = self.probability.filter(|probability| !(0.0..=1.0).contains(probability)) {
            return Err(FaultError::Probability(probability.to_string()));
        }
        for (name, value) in [("nth", self.nth), ("times", self.times)] {
            if value == Some(0) {
                return Err(FaultError::Zero(name));
            }
        }
        if self.seed.is_some() && self.probability.is_none() {
            return Err(FaultError::Seed);
        }
        match &self.effect {
            Some(Effect::Answer(answer)) => answer.check(),
            _ => Ok(()),
        }
    }

    /// What it does, in a few words, for the journal.
    #[must_use]
    pub fn what(&self) -> String {
        let delay = self.delay.map(|delay| format!("delay of {delay} ms"));
        let effect = self.effect.as_ref().map(|effect| match effect {
            Effect::Answer(answer) => format!("answer {}", answer.status),
            Effect::Drop => "dropped connection".to_owned(),
            Effect::Truncate(left) => format!("body truncated to {left} bytes"),
            Effect::Alter(place) => format!("byte {place} of the body altered"),
            Effect::BreakSignature => "broken signature".to_owned(),
        });
        delay.into_iter().chain(effect).collect::<Vec<_>>().join(", ")
    }
}

impl Substitute {
    fn check(&self) -> Result<(), FaultError> {
        if !(200..=599).contains(&self.status) {
            return Err(FaultError::Status(self.status));
        }
        match &self.content_type {
            Some(found) if found.is_empty() || !found.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                Err(FaultError::ContentType(found.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// What the journal says about an exchange that a fault touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FaultMark {
    /// The fault's id at the control port.
    pub id: String,
    /// On which side of the work it was.
    pub when: When,
    /// What it did.
    pub what: String,
    /// Status of the answer that was lost or replaced, where the work was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_wire_form_is_short() {
        let fault = read(r#"{"path":"/token","when":"after","effect":"drop","times":1}"#);
        assert_eq!((fault.when, &fault.effect, fault.times), (When::After, &Some(Effect::Drop), Some(1)));
        let fault = read(r#"{"delay":20,"effect":{"answer":{"status":503,"body":"{}"}}}"#);
        assert_eq!(fault.what(), "delay of 20 ms, answer 503");
        assert_eq!(read(r#"{"effect":{"truncate":4}}"#).effect, Some(Effect::Truncate(4)));
        assert_eq!(read(r#"{"effect":"break-signature"}"#).what(), "broken signature");
        assert!(serde_json::from_str::<Fault>(r#"{"effect":"explode"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"paht":"/token"}"#).is_err());
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (json, told) in [
            ("{}", "needs a delay or an effect"),
            (r#"{"path":"token","effect":"drop"}"#, "is no path"),
            (r#"{"path":"/a/{","effect":"drop"}"#, "is no path"),
            (r#"{"delay":60001}"#, "at most 60000 ms"),
            (r#"{"delay":1,"probability":1.5}"#, "between 0 and 1"),
            (r#"{"delay":1,"nth":0}"#, "nth counts from 1"),
            (r#"{"delay":1,"times":0}"#, "times counts from 1"),
            (r#"{"delay":1,"seed":4}"#, "goes with a probability"),
            (r#"{"effect":{"answer":{"status":99}}}"#, "between 200 and 599"),
            (r#"{"effect":{"answer":{"status":200,"content-type":"a\nb"}}}"#, "is no media type"),
        ] {
            let error = read(json).check().unwrap_err().to_string();
            assert!(error.contains(told), "{json}: {error}");
        }
        assert_eq!(read(r#"{"delay":60000,"probability":1,"seed":4,"nth":1}"#).check(), Ok(()));
    }
}
