//! Codes inside `Initiation`.

use crate::code::{Code, codes};
use serde::{Deserialize, Serialize};

codes! {
    /// The scheme that carries a payment (`OBInternalLocalInstrument1Code`).
    #[derive(Serialize, Deserialize)]
    pub enum LocalInstrument {
        /// Bacs, three days.
        Bacs = "UK.OBIE.BACS" / "UK.OBIE.BACS",
        /// From one card to another.
        BalanceTransfer = "UK.OBIE.BalanceTransfer" / "UK.OBIE.BalanceTransfer",
        /// CHAPS, the same day.
        Chaps = "UK.OBIE.CHAPS" / "UK.OBIE.CHAPS",
        /// Euro1.
        Euro1 = "UK.OBIE.Euro1" / "UK.OBIE.Euro1",
        /// Faster Payments.
        Fps = "UK.OBIE.FPS" / "UK.OBIE.FPS",
        /// Link.
        Link = "UK.OBIE.Link" / "UK.OBIE.Link",
        /// From a card to an account.
        MoneyTransfer = "UK.OBIE.MoneyTransfer" / "UK.OBIE.MoneyTransfer",
        /// Paym.
        Paym = "UK.OBIE.Paym" / "UK.OBIE.Paym",
        /// SEPA, one day.
        SepaCreditTransfer = "UK.OBIE.SEPACreditTransfer" / "UK.OBIE.SEPACreditTransfer",
        /// SEPA, seconds.
        SepaInstantCreditTransfer = "UK.OBIE.SEPAInstantCreditTransfer" / "UK.OBIE.SEPAInstantCreditTransfer",
        /// SWIFT.
        Swift = "UK.OBIE.SWIFT" / "UK.OBIE.SWIFT",
        /// Target2.
        Target2 = "UK.OBIE.Target2" / "UK.OBIE.Target2",
    }
}

impl LocalInstrument {
    /// The instrument of that name, whose namespace may be left out.
    pub fn lenient(name: &str) -> Option<Self> {
        Self::from_wire(name).or_else(|| Self::from_wire(&format!("UK.OBIE.{name}")))
    }
}

codes! {
    /// Who pays the charges (`OBInternalChargeBearerType1Code`).
    #[derive(Serialize, Deserialize)]
    pub enum ChargeBearer {
        /// The payee.
        BorneByCreditor = "BorneByCreditor" / "BorneByCreditor",
        /// The payer.
        BorneByDebtor = "BorneByDebtor" / "BorneByDebtor",
        /// As the scheme has it.
        FollowingServiceLevel = "FollowingServiceLevel" / "FollowingServiceLevel",
        /// Each their own.
        Shared = "Shared" / "Shared",
    }
}

codes! {
    /// How pressing a payment is.
    #[derive(Serialize, Deserialize)]
    pub enum InstructionPriority {
        /// As usual.
        Normal = "Normal" / "Normal",
        /// Before others.
        Urgent = "Urgent" / "Urgent",
    }
}

codes! {
    /// What sort of exchange rate is meant (`OBInternalExchangeRateType2Code`).
    #[derive(Serialize, Deserialize)]
    pub enum RateType {
        /// The bank quotes a rate and stands by it for a while.
        Actual = "Actual" / "Actual",
        /// Payer and bank agreed on it before.
        Agreed = "Agreed" / "Agreed",
        /// The bank names a rate that may change.
        Indicative = "Indicative" / "Indicative",
    }
}

codes! {
    /// What is inside a file of payments. Either version takes every one of them: v3.1's usage examples name
    /// `PaymentInitiation.4.0`.
    #[derive(Serialize, Deserialize)]
    pub enum FileType {
        /// ISO 20022 XML.
        Pain001 = "UK.OBIE.pain.001.001.08" / "UK.OBIE.pain.001.001.08",
        /// JSON with the domestic payments of v3.1.
        PaymentInitiation3 = "UK.OBIE.PaymentInitiation.3.1" / "UK.OBIE.PaymentInitiation.3.1",
        /// JSON with the domestic payments of v4.0.
        PaymentInitiation4 = "UK.OBIE.PaymentInitiation.4.0" / "UK.OBIE.PaymentInitiation.4.0",
    }
}

impl FileType {
    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_wire(name)
    }
}

/// Whether banks are identified by that scheme: `UK.OBIE.BICFI`, or the clearing system of a country
/// (`UK.OBIE.NCC.GB`). The namespace may be left out.
pub fn is_agent_scheme(name: &str) -> bool {
    let name = name.strip_prefix("UK.OBIE.").unwrap_or(name);
    let country = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    name == "BICFI" || name.strip_prefix("NCC.").is_some_and(country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_may_be_left_out() {
        assert_eq!(LocalInstrument::lenient("FPS"), Some(LocalInstrument::Fps));
        assert_eq!(LocalInstrument::lenient("UK.OBIE.SEPACreditTransfer"), Some(LocalInstrument::SepaCreditTransfer));
        assert_eq!(LocalInstrument::lenient("UK.OBIE.Pigeon"), None);
        for (name, known) in [
            ("UK.OBIE.BICFI", true),
            ("BICFI", true),
            ("UK.OBIE.NCC.GB", true),
            ("UK.OBIE.NCC.gb", false),
            ("UK.OBIE.NCC.", false),
            ("UK.OBIE.UK.OBIE.BICFI", false),
            ("", false),
        ] {
            assert_eq!(is_agent_scheme(name), known, "{name}");
        }
    }
}
