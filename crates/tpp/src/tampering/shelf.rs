//! What was sent last of each kind, so that it can be sent again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// What a TPP signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Made {
    ClientAssertion,
    RequestObject,
    Registration,
    SoftwareStatement,
    MessageSignature,
}

impl Made {
    /// The name in the journal and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClientAssertion => "client assertion",
            Self::RequestObject => "request object",
            Self::Registration => "registration request",
            Self::SoftwareStatement => "software statement",
            Self::MessageSignature => "message signature",
        }
    }
}

/// The last one of each kind.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashMap<Made, String>>);

impl Shelf {
    pub(crate) fn last(&self, kind: Made) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).cloned()
    }

    pub(crate) fn keep(&self, kind: Made, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, text.to_owned());
    }
}
