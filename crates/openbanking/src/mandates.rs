//! What standing orders and direct debits have in common: their status and, in v4.0, their mandate.

use crate::code::codes;
use crate::payload::payload;
use serde::{Deserialize, Serialize};

codes! {
    /// Whether payments go on (`OBExternalDirectDebitStatus1Code`, `OBExternalMandateStatus1Code`). v3.1 knows active
    /// and inactive only.
    pub enum MandateStatus {
        /// Payments go on.
        Active = "Active" / "ACTV",
        /// Taken back.
        Cancelled = "Inactive" / "CANC",
        /// Its last payment was made.
        Expired = "Inactive" / "EXPI",
        /// Paused.
        Suspended = "Inactive" / "SUSP",
    }
}

codes! {
    /// How often a mandate is used: the names of direct debits in v3.1, `OBFrequency6Code` in v4.0.
    pub enum MandateFrequency {
        /// Once a year.
        Annual = "UK.OBIE.Annual" / "YEAR",
        /// Twice a year.
        HalfYearly = "UK.OBIE.HalfYearly" / "MIAN",
        /// Four times a year.
        Quarterly = "UK.OBIE.Quarterly" / "QURT",
        /// Every month.
        Monthly = "UK.OBIE.Monthly" / "MNTH",
        /// Every two weeks.
        Fortnightly = "UK.OBIE.Fortnightly" / "FRTN",
        /// Every week.
        Weekly = "UK.OBIE.Weekly" / "WEEK",
        /// Every day.
        Daily = "UK.OBIE.Daily" / "DAIL",
        /// When it is needed.
        NotKnown = "UK.OBIE.NotKnown" / "ADHO",
    }
}

/// Whether the amount stays the same (`ExternalMandateClassification1Code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MandateClassification {
    /// The same each time.
    #[serde(rename = "FIXE")]
    Fixed,
    /// As much as was used.
    #[serde(rename = "USGB")]
    UsageBased,
    /// Another one each time.
    #[serde(rename = "VARI")]
    Variable,
}

payload! {
    /// A mandate (`OBMandateRelatedInformation1`); v4.0 only.
    pub struct MandateRelatedInformation {
        /// The originator's reference of it; at most 35 characters.
        maybe mandate_identification: String,
        /// Whether the amount stays the same.
        maybe classification: MandateClassification,
        /// `ExternalCategoryPurpose1Code`.
        maybe category_purpose_code: String,
        /// The first payment.
        maybe_moment first_payment_date_time,
        /// The payment after the first, from which the amount repeats.
        maybe_moment recurring_payment_date_time,
        /// The last payment.
        maybe_moment final_payment_date_time,
        /// How often.
        one frequency: MandateTiming,
        /// Why it was set up or ended; at most 256 characters.
        maybe reason: String,
    }
}

payload! {
    /// How often a mandate is used (`OBFrequency6`). `CountPerPeriod` and `PointInTime` exclude each other.
    pub struct MandateTiming {
        /// `OBFrequency6Code`.
        one r#type: String,
        /// So many times in each period.
        maybe count_per_period: u32,
        /// Day of the period, two digits.
        maybe point_in_time: String,
    }
}
