//! Control parameters, typed, and whether a payment stays inside them.

use super::codes::{AuthenticationMethod, InteractionType, PeriodAlignment, PeriodType, VrpType};
use super::period::{Period, period_bounds};
use super::request::VrpOrderRequest;
use crate::code::Code;
use crate::error::ErrorCode;
use crate::money::{Money, MoneyError};
use crate::payments::view::View;
use crate::reading::ReadingError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use time::{Date, OffsetDateTime};

/// What payments a VRP consent allows (`OBDomesticVRPControlParameters`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlParameters {
    /// First day; its time is disregarded.
    pub valid_from: Option<OffsetDateTime>,
    /// Last day; its time is disregarded.
    pub valid_to: Option<OffsetDateTime>,
    /// Most for one payment.
    pub maximum_individual_amount: Money,
    /// Most for all payments of a period; at least one.
    pub periodic_limits: Vec<PeriodicLimit>,
    /// What the payments may be for; at least one.
    pub vrp_types: Vec<VrpType>,
    /// How the PSU may authenticate; at least one.
    pub authentication_methods: Vec<AuthenticationMethod>,
    /// Whether the PSU is there; off session when nothing was said.
    pub interaction_types: Vec<InteractionType>,
    /// Whether there is something that only the bank and the TPP understand; who does not must refuse it.
    pub has_supplementary_data: bool,
}

/// Most for all payments of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodicLimit {
    /// How long the period is.
    pub period_type: PeriodType,
    /// Where it begins.
    pub alignment: PeriodAlignment,
    /// How much.
    pub limit: Money,
}

/// Which parameter a payment breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Breach {
    /// Before the first day, or after the last one.
    #[error("expected a day of the consent ({from:?} to {to:?}), found {day}")]
    NotValid {
        /// The first day.
        from: Option<Date>,
        /// The last day.
        to: Option<Date>,
        /// Today.
        day: Date,
    },
    /// Another currency than the consent's.
    #[error("expected {expected}, found {found}")]
    Currency {
        /// The most for one payment.
        expected: Money,
        /// The payment.
        found: Money,
    },
    /// More than one payment may be.
    #[error("expected at most {most}, found {found}")]
    IndividualAmount {
        /// The most.
        most: Money,
        /// The payment.
        found: Money,
    },
    /// More than the payments of the period may be together.
    #[error("expected at most {most} from {} to {}, found {found}", period.first, period.last)]
    PeriodicLimit {
        /// Which limit, counted from 0.
        index: usize,
        /// The period that is running.
        period: Period,
        /// What counts of the limit in it.
        most: Money,
        /// What was paid in it with this payment.
        found: Money,
    },
    /// A limit whose sums are too large to compute with.
    #[error("expected amounts that can be added, found more")]
    TooLarge {
        /// Which limit, counted from 0.
        index: usize,
    },
    /// A type that was not consented to.
    #[error("expected one of {allowed:?}, found {found:?}")]
    VrpType {
        /// Those of the consent.
        allowed: Vec<VrpType>,
        /// The payment's.
        found: VrpType,
    },
    /// A method that was not consented to.
    #[error("expected one of {allowed:?}, found {found:?}")]
    AuthenticationMethod {
        /// Those of the consent.
        allowed: Vec<AuthenticationMethod>,
        /// The payment's.
        found: AuthenticationMethod,
    },
    /// An interaction that was not consented to.
    #[error("expected one of {allowed:?}, found {found:?}")]
    InteractionType {
        /// Those of the consent.
        allowed: Vec<InteractionType>,
        /// The payment's.
        found: InteractionType,
    },
}

impl Breach {
    /// The parameter, as `Path` names it.
    pub fn path(&self) -> &'static str {
        match self {
            Self::NotValid { from, day, .. } if from.is_some_and(|from| *day < from) => {
                "Data.ControlParameters.ValidFromDateTime"
            }
            Self::NotValid { .. } => "Data.ControlParameters.ValidToDateTime",
            Self::Currency { .. } => "Data.ControlParameters.MaximumIndividualAmount.Currency",
            Self::IndividualAmount { .. } => "Data.ControlParameters.MaximumIndividualAmount.Amount",
            Self::PeriodicLimit { .. } | Self::TooLarge { .. } => "Data.ControlParameters.PeriodicLimits.Amount",
            Self::VrpType { .. } => "Data.ControlParameters.VRPType",
            Self::AuthenticationMethod { .. } => "Data.ControlParameters.PSUAuthenticationMethods",
            Self::InteractionType { .. } => "Data.ControlParameters.PSUInteractionTypes",
        }
    }
}

impl From<Breach> for ReadingError {
    fn from(breach: Breach) -> Self {
        let words = breach.to_string();
        let (expected, found) = words.split_once(", found ").unwrap_or((&words, ""));
        let expected = expected.strip_prefix("expected ").unwrap_or(expected);
        Self::new(ErrorCode::RulesFailsControlParameters, breach.path(), expected, found)
    }
}

impl ControlParameters {
    /// The typed view of parameters that their schema has let through.
    ///
    /// # Errors
    /// A fortnight of the calendar, limits in another currency than the payments, an end before the beginning, or an
    /// amount with more decimals than its currency has.
    pub fn of(parameters: &Value) -> Result<Self, ReadingError> {
        let view = View::new(parameters, "Data.ControlParameters");
        let maximum_individual_amount = view.need("MaximumIndividualAmount")?.money()?;
        let mut periodic_limits = Vec::new();
        for item in view.need("PeriodicLimits")?.items() {
            periodic_limits.push(periodic_limit(&item, maximum_individual_amount)?);
        }
        let valid_from = view.maybe("ValidFromDateTime", View::date)?;
        let valid_to = view.maybe("ValidToDateTime", |view| {
            let to = view.date()?;
            match valid_from {
                Some(from) if to.date() < from.date() => {
                    Err(view.wrong(ErrorCode::FieldInvalidDate, "a date not before ValidFromDateTime"))
                }
                _ => Ok(to),
            }
        })?;
        let mut interaction_types = named(&view, "PSUInteractionTypes")?;
        if interaction_types.is_empty() {
            interaction_types.push(InteractionType::OffSession);
        }
        Ok(Self {
            valid_from,
            valid_to,
            maximum_individual_amount,
            periodic_limits,
            vrp_types: named(&view, "VRPType")?,
            authentication_methods: named(&view, "PSUAuthenticationMethods")?,
            interaction_types,
            has_supplementary_data: view.has("SupplementaryData"),
        })
    }

    /// Judges a payment: the day, the currency and the amount, the sum of each period, the type, and how the PSU
    /// takes part. `paid` tells what was paid under the consent in a period, without rejected payments.
    ///
    /// # Errors
    /// The first parameter that the payment breaks.
    pub fn admit(
        &self,
        order: &VrpOrderRequest,
        amount: Money,
        created: OffsetDateTime,
        now: OffsetDateTime,
        paid: &dyn Fn(Period) -> Money,
    ) -> Result<(), Breach> {
        self.admit_day(now)?;
        self.admit_amount(amount, created, now, paid)?;
        one_of(&self.vrp_types, order.vrp_type(), |allowed, found| Breach::VrpType { allowed, found })?;
        let method = order.authentication_method();
        one_of(&self.authentication_methods, method, |allowed, found| Breach::AuthenticationMethod { allowed, found })?;
        let interaction = order.interaction_type();
        one_of(&self.interaction_types, interaction, |allowed, found| Breach::InteractionType { allowed, found })
    }

    /// Judges the day.
    ///
    /// # Errors
    /// [`Breach::NotValid`].
    pub fn admit_day(&self, now: OffsetDateTime) -> Result<(), Breach> {
        let day = |bound: OffsetDateTime| now.to_offset(bound.offset()).date();
        let early = self.valid_from.is_some_and(|from| day(from) < from.date());
        let late = self.valid_to.is_some_and(|to| day(to) > to.date());
        if early || late {
            let (from, to) = (self.valid_from.map(OffsetDateTime::date), self.valid_to.map(OffsetDateTime::date));
            return Err(Breach::NotValid { from, to, day: now.date() });
        }
        Ok(())
    }

    /// Judges an amount by itself and with those of each period.
    ///
    /// # Errors
    /// [`Breach::Currency`], [`Breach::IndividualAmount`] or [`Breach::PeriodicLimit`].
    pub fn admit_amount(
        &self,
        amount: Money,
        created: OffsetDateTime,
        now: OffsetDateTime,
        paid: &dyn Fn(Period) -> Money,
    ) -> Result<(), Breach> {
        let most = self.maximum_individual_amount;
        match amount.compare(most) {
            Err(_) => return Err(Breach::Currency { expected: most, found: amount }),
            Ok(std::cmp::Ordering::Greater) => return Err(Breach::IndividualAmount { most, found: amount }),
            Ok(_) => {}
        }
        for (index, limit) in self.periodic_limits.iter().enumerate() {
            // Without a period no payment is due: the consent does not exist yet.
            let Some(period) = period_bounds(limit.period_type, limit.alignment, created, now) else { continue };
            let too_large = |_: MoneyError| Breach::TooLarge { index };
            let most = period.share_of(limit.limit).map_err(too_large)?;
            let found = paid(period).checked_add(amount).map_err(too_large)?;
            if found.compare(most).map_err(too_large)?.is_gt() {
                return Err(Breach::PeriodicLimit { index, period, most, found });
            }
        }
        Ok(())
    }
}

fn one_of<C: Code>(allowed: &[C], found: C, breach: impl FnOnce(Vec<C>, C) -> Breach) -> Result<(), Breach> {
    if allowed.contains(&found) { Ok(()) } else { Err(breach(allowed.to_vec(), found)) }
}

fn named<C: Code>(view: &View<'_>, name: &str) -> Result<Vec<C>, ReadingError> {
    let list = view.get(name);
    list.iter().flat_map(View::items).map(|item| item.named(C::from_wire, "a known name")).collect()
}

fn periodic_limit(view: &View<'_>, individual: Money) -> Result<PeriodicLimit, ReadingError> {
    let alignment = view.need("PeriodAlignment")?;
    let limit = PeriodicLimit {
        period_type: view.need("PeriodType")?.named(PeriodType::from_wire, "a period type")?,
        alignment: alignment.named(PeriodAlignment::from_wire, "Consent or Calendar")?,
        limit: view.money()?,
    };
    if limit.period_type == PeriodType::Fortnight && limit.alignment == PeriodAlignment::Calendar {
        return Err(alignment.invalid("Consent for fortnights, which no calendar has"));
    }
    if limit.limit.currency() != individual.currency() {
        let words = format!("{} like MaximumIndividualAmount", individual.currency());
        return Err(view.need("Currency")?.invalid(&words));
    }
    Ok(limit)
}
