//! Account numbers with check digits: UK sort code and account number, IBAN (ISO 13616), payment card (ISO/IEC 7812).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Why a text is no account number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdentificationError {
    /// Sort codes have 6 digits, account numbers 8.
    #[error("expected a sort code and an account number of 6 + 8 digits, found {0:?}")]
    UkAccount(String),
    /// Country, two check digits, at most 30 letters and digits.
    #[error("expected an IBAN such as GB82WEST12345698765432, found {0:?}")]
    Iban(String),
    /// ISO 7064 mod 97-10 does not give 1.
    #[error("the check digits of IBAN {0:?} are wrong")]
    IbanCheckDigits(String),
    /// 12 to 19 digits whose last one is a Luhn digit.
    #[error("expected a card number of 12 to 19 digits with a right Luhn digit")]
    Pan,
    /// Too long, too short or not digits.
    #[error("expected at most {expected} digits before the check digit, found {found:?}")]
    Digits {
        /// The most digits that fit.
        expected: usize,
        /// What was given.
        found: String,
    },
}

macro_rules! text_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdentificationError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}

/// A UK sort code with account number; its text form is the 14 digits that the scheme
/// UK.OBIE.SortCodeAccountNumber wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UkAccount {
    digits: String,
}

impl UkAccount {
    /// Joins a sort code (hyphens allowed) and an account number.
    pub fn new(sort_code: &str, account_number: &str) -> Result<Self, IdentificationError> {
        let sort_code: String = sort_code.chars().filter(|c| *c != '-').collect();
        if sort_code.len() != 6 || account_number.len() != 8 {
            return Err(IdentificationError::UkAccount(format!("{sort_code} {account_number}")));
        }
        format!("{sort_code}{account_number}").parse()
    }

    /// The six digits of the sort code.
    pub fn sort_code(&self) -> &str {
        &self.digits[..6]
    }

    /// The eight digits of the account number.
    pub fn account_number(&self) -> &str {
        &self.digits[6..]
    }
}

impl FromStr for UkAccount {
    type Err = IdentificationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self { digits: text.to_owned() })
        } else {
            Err(IdentificationError::UkAccount(text.to_owned()))
        }
    }
}

impl fmt::Display for UkAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits)
    }
}
text_form!(UkAccount);

/// An International Bank Account Number with right check digits, in its electronic form (no spaces).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Iban(String);

impl Iban {
    /// The IBAN of a UK account at the bank with this four-letter code.
    pub fn of_uk_account(bank_code: &str, account: &UkAccount) -> Result<Self, IdentificationError> {
        Self::with_check_digits("GB", &format!("{bank_code}{account}"))
    }

    /// The IBAN made of a country code and the country's own account number.
    pub fn with_check_digits(country: &str, number: &str) -> Result<Self, IdentificationError> {
        let wrong = || IdentificationError::Iban(format!("{country}..{number}"));
        let unchecked = format!("{country}00{number}");
        let remainder = remainder_97(&unchecked).ok_or_else(wrong)?;
        format!("{country}{:02}{number}", 98 - remainder).parse()
    }

    /// The text without spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Iban {
    type Err = IdentificationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let shaped = (15..=34).contains(&bytes.len())
            && bytes[..2].iter().all(u8::is_ascii_uppercase)
            && bytes[2..4].iter().all(u8::is_ascii_digit);
        if !shaped {
            return Err(IdentificationError::Iban(text.to_owned()));
        }
        match remainder_97(text) {
            None => Err(IdentificationError::Iban(text.to_owned())),
            Some(1) => Ok(Self(text.to_owned())),
            Some(_) => Err(IdentificationError::IbanCheckDigits(text.to_owned())),
        }
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
text_form!(Iban);

/// ISO 7064 mod 97-10 over the IBAN with its first four characters moved to the end.
fn remainder_97(iban: &str) -> Option<u32> {
    let (head, tail) = iban.split_at_checked(4)?;
    tail.bytes().chain(head.bytes()).try_fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => Some((rest * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    })
}

/// The number of a payment card. `Debug` shows it masked; the text form is the full number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pan(String);

impl Pan {
    /// A 16-digit number: `prefix`, then `fill` with leading zeros, then the Luhn digit.
    pub fn with_check_digit(prefix: &str, fill: u64) -> Result<Self, IdentificationError> {
        let wrong = || IdentificationError::Digits { expected: 15, found: format!("{prefix}{fill}") };
        let width = 15usize.checked_sub(prefix.len()).ok_or_else(wrong)?;
        let body = format!("{prefix}{fill:0width$}");
        if body.len() != 15 || !body.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let check = (10 - luhn_sum(body.bytes().rev(), true) % 10) % 10;
        Ok(Self(format!("{body}{check}")))
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four digits.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// The number with all but the last four digits hidden, as it is shown without the permission ReadPAN.
    pub fn masked(&self) -> String {
        format!("{}{}", "x".repeat(self.0.len() - 4), self.last_four())
    }
}

impl FromStr for Pan {
    type Err = IdentificationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = (12..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if digits && luhn_sum(text.bytes().rev(), false).is_multiple_of(10) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdentificationError::Pan)
        }
    }
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pan({})", self.masked())
    }
}
text_form!(Pan);

/// Sum of the Luhn algorithm over digits from the right; every second one is doubled, beginning with the first when
/// `double_first`.
fn luhn_sum(digits_from_right: impl Iterator<Item = u8>, double_first: bool) -> u32 {
    let weigh = |(position, digit): (usize, u8)| {
        let value = u32::from(digit - b'0');
        match (position % 2 == 0) == double_first {
            true => value * 2 / 10 + value * 2 % 10,
            false => value,
        }
    };
    digits_from_right.enumerate().map(weigh).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_numbers_are_accepted() {
        assert_eq!("GB82WEST12345698765432".parse::<Iban>().map(|i| i.to_string()).unwrap(), "GB82WEST12345698765432");
        let account = UkAccount::new("12-34-56", "98765432").unwrap();
        assert_eq!(Iban::of_uk_account("WEST", &account).unwrap().as_str(), "GB82WEST12345698765432");
        assert_eq!("4242424242424242".parse::<Pan>().unwrap().masked(), "xxxxxxxxxxxx4242");
        assert_eq!("DE89370400440532013000".parse::<Iban>().unwrap().as_str().len(), 22);
    }

    #[test]
    fn wrong_numbers_are_refused() {
        assert_eq!(
            "GB83WEST12345698765432".parse::<Iban>(),
            Err(IdentificationError::IbanCheckDigits("GB83WEST12345698765432".into()))
        );
        assert!(matches!("GB82West12345698765432".parse::<Iban>(), Err(IdentificationError::Iban(_))));
        assert!(matches!("".parse::<Iban>(), Err(IdentificationError::Iban(_))));
        assert!(matches!("GB82ÄÖÜ12345698765432".parse::<Iban>(), Err(IdentificationError::Iban(_))));
        assert_eq!("4242424242424241".parse::<Pan>(), Err(IdentificationError::Pan));
        assert!(UkAccount::new("12-34-5", "98765432").is_err());
        assert!(UkAccount::new("12-34-56", "9876543x").is_err());
        assert!(Pan::with_check_digit("4000000000000000", 1).is_err());
        assert!(Pan::with_check_digit("40000000000000", 10).is_err());
    }

    #[test]
    fn debug_hides_the_card_number() {
        assert_eq!(format!("{:?}", "4242424242424242".parse::<Pan>().unwrap()), "Pan(xxxxxxxxxxxx4242)");
    }

    proptest! {
        #[test]
        fn made_numbers_parse_and_single_digit_errors_show(fill in 0u64..1_000_000_000, at in 0usize..16, by in 1u8..10) {
            let pan = Pan::with_check_digit("400000", fill).unwrap();
            prop_assert_eq!(pan.as_str().parse::<Pan>().unwrap(), pan.clone());
            let mut digits = pan.as_str().as_bytes().to_vec();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert!(String::from_utf8(digits).unwrap().parse::<Pan>().is_err());
        }

        #[test]
        fn made_ibans_parse(number in "[0-9]{8}", bank in "[A-Z]{4}") {
            let account = UkAccount::new("00-00-26", &number).unwrap();
            let iban = Iban::of_uk_account(&bank, &account).unwrap();
            prop_assert_eq!(iban.as_str().parse::<Iban>().unwrap(), iban.clone());
            prop_assert_eq!(iban.as_str().len(), 22);
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<Iban>();
            let _ = text.parse::<Pan>();
            let _ = text.parse::<UkAccount>();
        }
    }
}
