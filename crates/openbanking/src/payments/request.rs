//! Bodies that lodge consents and order payments.

use super::initiation::Initiation;
use super::kind::PaymentKind;
use super::view::View;
use crate::code::{Code, codes};
use crate::dates;
use crate::error::ErrorCode;
use crate::parties::AccountScheme;
use crate::payments::LocalInstrument;
use crate::reading::{ReadingError, read_form};
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// Body of `POST` to a kind's consents: what the PSU is asked to agree to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentRequest {
    kind: PaymentKind,
    version: ApiVersion,
    body: Value,
}

/// Body of `POST` to a kind's orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRequest {
    kind: PaymentKind,
    version: ApiVersion,
    body: Value,
}

codes! {
    /// How many people are to authorise a payment; `Multiple` is new in v4.0.1.
    #[derive(Serialize, Deserialize)]
    pub enum AuthorisationType {
        /// As many as the account needs.
        Any = "Any" / "Any",
        /// One alone.
        Single = "Single" / "Single",
        /// More than one.
        Multiple = "Multiple" / "Multiple",
    }
}

/// What a consent says about its authorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedAuthorisation {
    /// How many people; [`AuthorisationType::Any`] without it.
    pub r#type: AuthorisationType,
    /// Until when all of them must have answered.
    pub completion: Option<OffsetDateTime>,
}

macro_rules! request {
    ($name:ident, $form:ident) => {
        impl $name {
            /// Reads the body as the closed schema of the version wants it. Schemes and local instruments that came
            /// without their namespace get it here, because answers must have it.
            ///
            /// # Errors
            /// The first thing that is wrong, with its error code and path.
            pub fn read(kind: PaymentKind, version: ApiVersion, body: &[u8]) -> Result<Self, ReadingError> {
                let mut body: Value = read_form(body, &kind.$form(), version)?;
                normalise(&mut body);
                Ok(Self { kind, version, body })
            }

            /// Its kind.
            pub fn kind(&self) -> PaymentKind {
                self.kind
            }

            /// The version that it was written in.
            pub fn version(&self) -> ApiVersion {
                self.version
            }

            /// The whole `Data`.
            pub fn data(&self) -> &Value {
                &self.body["Data"]
            }

            /// `Data.Initiation`.
            pub fn initiation(&self) -> &Value {
                &self.body["Data"]["Initiation"]
            }

            /// `Risk`; files have none.
            pub fn risk(&self) -> Option<&Value> {
                self.body.get("Risk")
            }

            /// The typed view of what is to be paid, judged by the rules between its members.
            ///
            /// # Errors
            /// As [`Initiation::of`].
            pub fn typed(&self) -> Result<Initiation, ReadingError> {
                Initiation::of(self.kind, self.version, self.initiation())
            }
        }
    };
}

request!(ConsentRequest, consent_form);
request!(OrderRequest, order_form);

impl ConsentRequest {
    /// Whether the order's answer is to name the payer's account.
    pub fn read_refund_account(&self) -> bool {
        self.data()["ReadRefundAccount"] == "Yes"
    }

    /// What is asked of the authorisation.
    pub fn authorisation(&self) -> RequestedAuthorisation {
        let view = View::new(&self.data()["Authorisation"], "Data.Authorisation");
        let name = view.get("AuthorisationType").and_then(|view| view.value().as_str());
        RequestedAuthorisation {
            r#type: name.and_then(AuthorisationType::from_wire).unwrap_or(AuthorisationType::Any),
            completion: view.get("CompletionDateTime").and_then(|view| view.date().ok()),
        }
    }
}

impl ConsentRequest {
    /// Judges whether there is time left for further people to authorise it.
    ///
    /// # Errors
    /// `Field.InvalidDate` for a `CompletionDateTime` that has passed.
    pub fn completes_after(&self, now: OffsetDateTime) -> Result<(), ReadingError> {
        let view = View::new(&self.data()["Authorisation"], "Data.Authorisation");
        match view.maybe("CompletionDateTime", View::date)? {
            Some(at) if at <= now => Err(ReadingError::new(
                ErrorCode::FieldInvalidDate,
                view.path_of("CompletionDateTime"),
                "a moment that lies ahead",
                dates::format(at),
            )),
            _ => Ok(()),
        }
    }
}

impl OrderRequest {
    /// The consent that it is for.
    pub fn consent_id(&self) -> &str {
        self.data()["ConsentId"].as_str().unwrap_or_default()
    }

    /// Judges whether exactly that is ordered which was consented to: `Initiation` and `Risk`, member by member.
    /// The order of members does not matter, and texts must be the same, also those of amounts.
    ///
    /// # Errors
    /// `Resource.ConsentMismatch` with the path of the first member that differs.
    pub fn matches(&self, consent: &ConsentRequest) -> Result<(), ReadingError> {
        let nothing = Value::Null;
        let risks = (consent.risk().unwrap_or(&nothing), self.risk().unwrap_or(&nothing));
        first_difference(consent.initiation(), self.initiation(), "Data.Initiation")
            .or_else(|| first_difference(risks.0, risks.1, "Risk"))
            .map_or(Ok(()), Err)
    }
}

/// Where two values first differ, as `Resource.ConsentMismatch`.
pub fn first_difference(consented: &Value, ordered: &Value, path: &str) -> Option<ReadingError> {
    let differs = |path: &str, expected: Option<&Value>, found: Option<&Value>| {
        let shown = |value: Option<&Value>| {
            value.map_or("no such member".to_owned(), |value| value.to_string().chars().take(80).collect())
        };
        Some(ReadingError::new(ErrorCode::ResourceConsentMismatch, path, shown(expected), shown(found)))
    };
    match (consented, ordered) {
        (Value::Object(consented), Value::Object(ordered)) => {
            let added = ordered.iter().filter(|(name, _)| !consented.contains_key(*name));
            let both = consented.iter().find_map(|(name, value)| {
                let path = format!("{path}.{name}");
                match ordered.get(name) {
                    Some(other) => first_difference(value, other, &path),
                    None => differs(&path, Some(value), None),
                }
            });
            both.or_else(|| {
                added.take(1).find_map(|(name, value)| differs(&format!("{path}.{name}"), None, Some(value)))
            })
        }
        (Value::Array(consented), Value::Array(ordered)) if consented.len() == ordered.len() => consented
            .iter()
            .zip(ordered)
            .enumerate()
            .find_map(|(index, (one, other))| first_difference(one, other, &format!("{path}[{index}]"))),
        (consented, ordered) if consented == ordered => None,
        (consented, ordered) => differs(path, Some(consented), Some(ordered)),
    }
}

/// Writes what may come in several forms in the one that answers have: schemes and local instruments with their namespace,
/// date-times as RFC 3339, amounts of documents as text. What is in `SupplementaryData` is nobody's business.
pub(crate) fn normalise(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter_mut().filter(|(name, _)| *name != "SupplementaryData") {
                match value {
                    Value::String(text) => {
                        if let Some(other) = in_the_form_of_answers(name, text) {
                            *text = other;
                        }
                    }
                    // A whole number in v4.0, an amount in v4.0.1.
                    Value::Number(number) if name == "ReferredDocumentAmount" => *value = number.to_string().into(),
                    other => normalise(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(normalise),
        _ => {}
    }
}

/// The text of that member in the form of answers; none when it has it already, or is something else.
fn in_the_form_of_answers(name: &str, text: &str) -> Option<String> {
    let lacks_namespace = match name {
        "SchemeName" => AccountScheme::lenient(text).is_some() || super::is_agent_scheme(text),
        "LocalInstrument" => LocalInstrument::lenient(text).is_some(),
        _ => false,
    } && !text.starts_with("UK.OBIE.");
    if lacks_namespace {
        return Some(format!("UK.OBIE.{text}"));
    }
    let is_date = (name.ends_with("DateTime") || name == "RelatedDate") && !dates::is_rfc3339(text);
    dates::parse_request(text).ok().filter(|_| is_date).map(dates::format)
}
