//! Files of payments: what is inside, and whether it adds up (File Payment Consents).

mod control_sum;
mod json;
mod pain;

pub use control_sum::ControlSum;

use super::codes::{FileType, LocalInstrument};
use super::initiation::{FileFacts, PaymentAccount, Remittance, StatedTotals};
use crate::error::ErrorCode;
use crate::money::Money;
use crate::reading::ReadingError;
use thiserror::Error;
use time::Date;

/// Most payments that a file may have.
pub const MOST_PAYMENTS: usize = 100_000;

/// A payment inside a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FilePayment {
    /// The TPP's own name of it.
    pub instruction_identification: Option<String>,
    /// Handed on to the payee.
    pub end_to_end_identification: String,
    /// How much.
    pub amount: Money,
    /// To where.
    pub creditor_account: PayeeAccount,
    /// To whom.
    pub creditor_name: Option<String>,
    /// BIC of the payee's bank.
    pub creditor_bic: Option<String>,
    /// What the payee is told.
    pub remittance: Remittance,
    /// The scheme that is to carry it.
    pub local_instrument: Option<LocalInstrument>,
    /// From where, when the file says it.
    pub debtor_account: Option<PayeeAccount>,
    /// When, when the file says it.
    pub requested_execution: Option<Date>,
}

/// An account as a file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayeeAccount {
    /// By one of the schemes.
    Known(PaymentAccount),
    /// By a number of no scheme that is known here (`Othr` of ISO 20022).
    Other(String),
}

/// The payments of a file and what they add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentFile {
    /// In the order of the file.
    pub payments: Vec<FilePayment>,
    /// Sum of the amounts, whatever their currencies.
    pub control_sum: ControlSum,
    /// What the file itself says that it adds up to.
    pub stated: StatedTotals,
}

/// Why a file cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileError {
    /// Not the form that its type promises.
    #[error("the file is not {expected}: {found}")]
    Malformed {
        /// The form.
        expected: &'static str,
        /// What was there.
        found: String,
    },
    /// A payment inside is wrong.
    #[error("{place}: expected {expected}, found {found}")]
    Payment {
        /// Where in the file.
        place: String,
        /// What would have been right.
        expected: String,
        /// What was there.
        found: String,
    },
    /// No payments, or too many.
    #[error("expected 1 to {MOST_PAYMENTS} payments, found {0}")]
    Count(usize),
    /// The bytes are not those whose hash was consented to.
    #[error("expected a file with the SHA-256 {stated}, found {found}")]
    Hash {
        /// In the consent.
        stated: String,
        /// Of the file.
        found: String,
    },
    /// Another number of payments than stated.
    #[error("expected {stated} payments, found {found}")]
    Number {
        /// In the consent, or in the head of the file.
        stated: u64,
        /// In the file.
        found: u64,
    },
    /// Another sum than stated.
    #[error("expected a control sum of {stated}, found {found}")]
    ControlSum {
        /// In the consent, or in the head of the file.
        stated: ControlSum,
        /// Of the payments.
        found: ControlSum,
    },
}

impl From<FileError> for ReadingError {
    /// For the wire: what the consent says is named as its member, the inside of the file is `Resource.InvalidFormat`
    /// or the member's own place.
    fn from(error: FileError) -> Self {
        let invalid = |path: &str, expected: String, found: String| {
            ReadingError::new(ErrorCode::FieldInvalid, path, expected, found)
        };
        match error {
            FileError::Malformed { expected, found } => {
                ReadingError::new(ErrorCode::ResourceInvalidFormat, "", expected, found)
            }
            FileError::Payment { place, expected, found } => invalid(&place, expected, found),
            FileError::Count(found) => {
                ReadingError::new(ErrorCode::ResourceInvalidFormat, "", "at least one payment", found.to_string())
            }
            FileError::Hash { stated, found } => invalid("Data.Initiation.FileHash", found, stated),
            FileError::Number { stated, found } => {
                invalid("Data.Initiation.NumberOfTransactions", found.to_string(), stated.to_string())
            }
            FileError::ControlSum { stated, found } => {
                invalid("Data.Initiation.ControlSum", found.to_string(), stated.to_string())
            }
        }
    }
}

impl PaymentFile {
    /// Reads the payments of a file of that type.
    ///
    /// # Errors
    /// The file is malformed, a payment in it is wrong, or its own totals do not add up.
    pub fn read(file_type: FileType, bytes: &[u8]) -> Result<Self, FileError> {
        let (payments, stated) = match file_type {
            FileType::Pain001 => pain::read(bytes)?,
            FileType::PaymentInitiation3 | FileType::PaymentInitiation4 => {
                (json::read(bytes)?, StatedTotals::default())
            }
        };
        if !(1..=MOST_PAYMENTS).contains(&payments.len()) {
            return Err(FileError::Count(payments.len()));
        }
        let control_sum = payments.iter().map(|payment| ControlSum::of(payment.amount)).sum();
        let file = Self { payments, control_sum, stated };
        file.adds_up_to(stated)?;
        Ok(file)
    }

    /// Number of payments.
    pub fn number(&self) -> u64 {
        self.payments.len() as u64
    }

    /// Judges the totals that somebody stated.
    ///
    /// # Errors
    /// They are others.
    pub fn adds_up_to(&self, stated: StatedTotals) -> Result<(), FileError> {
        if let Some(stated) = stated.number
            && stated != self.number()
        {
            return Err(FileError::Number { stated, found: self.number() });
        }
        match stated.control_sum {
            Some(stated) if stated != self.control_sum => {
                Err(FileError::ControlSum { stated, found: self.control_sum })
            }
            _ => Ok(()),
        }
    }
}

impl FileFacts {
    /// Judges whether the file with this hash is meant. `found` is the base64 of the SHA-256 of its bytes; the
    /// specification's own sample leaves the padding out.
    ///
    /// # Errors
    /// It is another file.
    pub fn is_of(&self, found: &str) -> Result<(), FileError> {
        let bare = |hash: &str| hash.trim_end_matches('=').to_owned();
        if bare(&self.hash) == bare(found) {
            return Ok(());
        }
        Err(FileError::Hash { stated: self.hash.clone(), found: found.to_owned() })
    }
}
