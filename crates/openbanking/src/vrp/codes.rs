//! Codes of VRP, which both versions write alike.

use crate::code::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// What a consent's payments are for (`OBVRPConsentType`); UKPI owns the commercial ones.
    #[derive(Serialize, Deserialize)]
    pub enum VrpType {
        /// Between accounts of the same person.
        Sweeping = "UK.OBIE.VRPType.Sweeping" / "UK.OBIE.VRPType.Sweeping",
        /// Anything else.
        Other = "UK.OBIE.VRPType.Other" / "UK.OBIE.VRPType.Other",
        /// Commercial, first kind.
        Commercial1 = "UK.OBIE.VRPType.CVRP1" / "UK.OBIE.VRPType.CVRP1",
        /// Commercial, second kind.
        Commercial2 = "UK.OBIE.VRPType.CVRP2" / "UK.OBIE.VRPType.CVRP2",
        /// Commercial, third kind.
        Commercial3 = "UK.OBIE.VRPType.CVRP3" / "UK.OBIE.VRPType.CVRP3",
    }
}

codes! {
    /// How the PSU authenticates for each payment (`OBVRPAuthenticationMethods`).
    #[derive(Serialize, Deserialize)]
    pub enum AuthenticationMethod {
        /// With SCA.
        Sca = "UK.OBIE.SCA" / "UK.OBIE.SCA",
        /// Not at all.
        ScaNotRequired = "UK.OBIE.SCANotRequired" / "UK.OBIE.SCANotRequired",
    }
}

codes! {
    /// Whether the PSU is there (`OBVRPInteractionTypes`).
    #[derive(Serialize, Deserialize)]
    pub enum InteractionType {
        /// Yes.
        InSession = "InSession" / "InSession",
        /// No.
        OffSession = "OffSession" / "OffSession",
    }
}

codes! {
    /// How long the period of a limit is.
    #[derive(Serialize, Deserialize)]
    pub enum PeriodType {
        /// A day.
        Day = "Day" / "Day",
        /// Seven days.
        Week = "Week" / "Week",
        /// Fourteen days; with [`PeriodAlignment::Consent`] alone.
        Fortnight = "Fortnight" / "Fortnight",
        /// A month.
        Month = "Month" / "Month",
        /// Six months.
        HalfYear = "Half-year" / "Half-year",
        /// A year.
        Year = "Year" / "Year",
    }
}

codes! {
    /// Where the periods of a limit begin.
    #[derive(Serialize, Deserialize)]
    pub enum PeriodAlignment {
        /// On the day on which the consent was created.
        Consent = "Consent" / "Consent",
        /// With the calendar's own.
        Calendar = "Calendar" / "Calendar",
    }
}
