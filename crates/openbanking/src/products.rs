//! Products: what an account costs and pays (`OBReadProduct2`). Both versions write them alike.
//!
//! Personal and business current accounts have schemas of their own (`PCA`, `BCA`), with words; everything else is an
//! `OtherProductType`, with four-letter codes for the same things.

use crate::payload::{list, payload};
use serde::{Deserialize, Serialize};

list! {
    /// `Data` of `GET /products` and `GET /accounts/{AccountId}/product`.
    pub struct ProductData { product: Product }
}

/// What sort of product it is, which says where its terms stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProductType {
    /// In `PCA`.
    PersonalCurrentAccount,
    /// In `BCA`.
    BusinessCurrentAccount,
    /// In `OtherProductType`.
    Other,
}

payload! {
    /// The product of an account.
    pub struct Product {
        /// What it is called; at most 350 characters.
        maybe product_name: String,
        /// The bank's name for it; at most 40 characters.
        maybe product_id: String,
        /// The account.
        one account_id: String,
        /// What sort it is.
        one product_type: ProductType,
        /// Terms of what is no current account.
        maybe other_product_type: OtherProduct,
        /// Terms of a business current account.
        #[serde(rename = "BCA")]
        maybe bca: BusinessTerms,
        /// Terms of a personal current account.
        #[serde(rename = "PCA")]
        maybe pca: PersonalTerms,
    }
}

payload! {
    /// Terms of a personal current account.
    pub struct PersonalTerms {
        /// Whom it is for, and what it may cost at most.
        maybe product_details: ProductDetails,
        /// What it pays.
        maybe credit_interest: CreditInterest,
        /// What borrowing costs.
        maybe overdraft: Overdraft,
        /// What else it costs.
        maybe other_fees_charges: Fees,
    }
}

payload! {
    /// Terms of a business current account.
    pub struct BusinessTerms {
        /// Whom it is for.
        maybe product_details: ProductDetails,
        /// What it pays.
        maybe credit_interest: CreditInterest,
        /// What borrowing costs.
        maybe overdraft: Overdraft,
        /// What else it costs.
        many other_fees_charges: Fees,
    }
}

payload! {
    /// A product that is no current account, and its terms.
    pub struct OtherProduct {
        /// What sort it is; at most 350 characters.
        one name: String,
        /// In words; at most 350 characters.
        one description: String,
        /// What it pays.
        maybe credit_interest: CreditInterest,
        /// What borrowing costs.
        maybe overdraft: Overdraft,
        /// What is charged on what is owed.
        maybe loan_interest: LoanInterest,
        /// What else it costs.
        many other_fees_charges: Fees,
    }
}

payload! {
    /// Whom a product is for.
    pub struct ProductDetails {
        /// Groups of customers.
        many segment: String,
        /// The most that unarranged borrowing costs in a month.
        maybe monthly_maximum_charge: String,
    }
}

payload! {
    /// Interest that is paid.
    pub struct CreditInterest {
        /// At least one.
        one tier_band_set: Vec<TierBandSet>,
    }
}

payload! {
    /// Rates that belong together.
    pub struct TierBandSet {
        /// Whether a rate counts for the whole balance.
        one tier_band_method: String,
        /// Where the interest goes.
        maybe destination: String,
        /// At least one.
        one tier_band: Vec<TierBand>,
    }
}

payload! {
    /// A rate from a balance on.
    pub struct TierBand {
        /// The balance.
        one tier_value_minimum: String,
        /// How often it is paid.
        one application_frequency: String,
        /// Whether it can change.
        one fixed_variable_interest_rate_type: String,
        /// Annual equivalent rate, percent.
        #[serde(rename = "AER")]
        one aer: String,
    }
}

payload! {
    /// Borrowing on a current account.
    pub struct Overdraft {
        /// At least one.
        one overdraft_tier_band_set: Vec<OverdraftTierBandSet>,
    }
}

payload! {
    /// Rates that belong together.
    pub struct OverdraftTierBandSet {
        /// Whether a rate counts for the whole amount.
        one tier_band_method: String,
        /// Whether it was agreed beforehand.
        maybe authorised_indicator: bool,
        /// At least one.
        one overdraft_tier_band: Vec<OverdraftTierBand>,
    }
}

payload! {
    /// A rate from an amount on.
    pub struct OverdraftTierBand {
        /// From this amount.
        one tier_value_min: String,
        /// Up to this amount.
        maybe tier_value_max: String,
        /// Equivalent annual rate, percent.
        #[serde(rename = "EAR")]
        maybe ear: String,
    }
}

payload! {
    /// Interest on what is owed.
    pub struct LoanInterest {
        /// At least one.
        one loan_interest_tier_band_set: Vec<LoanInterestTierBandSet>,
    }
}

payload! {
    /// Rates that belong together.
    pub struct LoanInterestTierBandSet {
        /// Whether a rate counts for the whole amount.
        one tier_band_method: String,
        /// Simple or compound.
        one calculation_method: String,
        /// At least one.
        one loan_interest_tier_band: Vec<LoanInterestTierBand>,
    }
}

payload! {
    /// A rate from an amount and a term on.
    pub struct LoanInterestTierBand {
        /// From this amount.
        one tier_value_minimum: String,
        /// From this term.
        one tier_value_min_term: u32,
        /// What the term counts.
        one min_term_period: String,
        /// Whether it can change.
        one fixed_variable_interest_rate_type: String,
        /// Representative annual percentage rate.
        #[serde(rename = "RepAPR")]
        one representative_apr: String,
    }
}

payload! {
    /// Fees.
    pub struct Fees {
        /// How they are paid; not for personal current accounts.
        maybe tariff_type: String,
        /// At least one.
        one fee_charge_detail: Vec<Fee>,
    }
}

payload! {
    /// A fee.
    pub struct Fee {
        /// What sort.
        one fee_category: String,
        /// What for.
        one fee_type: String,
        /// How much, in the account's currency.
        maybe fee_amount: String,
        /// How often.
        one application_frequency: String,
    }
}

/// What an account costs and pays, before it is put into the words of its sort. Rates are percent a year with two
/// decimals, amounts decimal numbers in the account's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What sort of product it is, for people.
    pub name: String,
    /// In words.
    pub description: String,
    /// Paid on what it holds.
    pub paid_percent: Option<String>,
    /// Charged on what is owed.
    pub charged_percent: Option<String>,
    /// How much can be borrowed.
    pub limit: Option<String>,
    /// Charged each month.
    pub monthly_fee: Option<String>,
    /// True where borrowing is what the account is for: cards and loans.
    pub borrowing: bool,
}

/// The words of a schema for the same things.
struct Words {
    whole: &'static str,
    credited: &'static str,
    monthly: &'static str,
    variable: &'static str,
    servicing: &'static str,
    monthly_fee: &'static str,
    fee_monthly: &'static str,
    tariff: Option<&'static str>,
}

const PERSONAL: Words = Words {
    whole: "Whole",
    credited: "SelfCredit",
    monthly: "Monthly",
    variable: "Variable",
    servicing: "Servicing",
    monthly_fee: "ServiceCAccountFeeMonthly",
    fee_monthly: "Monthly",
    tariff: None,
};
const BUSINESS: Words = Words { tariff: Some("Electronic"), ..PERSONAL };
const OTHER: Words = Words {
    whole: "INWH",
    credited: "INSC",
    monthly: "FQMY",
    variable: "INVA",
    servicing: "FCSV",
    monthly_fee: "FYAM",
    fee_monthly: "FEMO",
    tariff: Some("TTEL"),
};

impl Words {
    fn credit_interest(&self, terms: &Terms) -> Option<CreditInterest> {
        let aer = terms.paid_percent.clone()?;
        let band = TierBand {
            tier_value_minimum: "0.00".to_owned(),
            application_frequency: self.monthly.to_owned(),
            fixed_variable_interest_rate_type: self.variable.to_owned(),
            aer,
        };
        let set = TierBandSet {
            tier_band_method: self.whole.to_owned(),
            destination: Some(self.credited.to_owned()),
            tier_band: vec![band],
        };
        Some(CreditInterest { tier_band_set: vec![set] })
    }

    fn overdraft(&self, terms: &Terms) -> Option<Overdraft> {
        if terms.borrowing {
            return None;
        }
        let tier_value_max = Some(terms.limit.clone()?);
        let band =
            OverdraftTierBand { tier_value_min: "0.00".to_owned(), tier_value_max, ear: terms.charged_percent.clone() };
        let set = OverdraftTierBandSet {
            tier_band_method: self.whole.to_owned(),
            authorised_indicator: Some(true),
            overdraft_tier_band: vec![band],
        };
        Some(Overdraft { overdraft_tier_band_set: vec![set] })
    }

    fn loan_interest(&self, terms: &Terms) -> Option<LoanInterest> {
        let representative_apr = terms.charged_percent.clone().filter(|_| terms.borrowing)?;
        let band = LoanInterestTierBand {
            tier_value_minimum: "0.00".to_owned(),
            tier_value_min_term: 1,
            min_term_period: "PMTH".to_owned(),
            fixed_variable_interest_rate_type: self.variable.to_owned(),
            representative_apr,
        };
        let set = LoanInterestTierBandSet {
            tier_band_method: self.whole.to_owned(),
            calculation_method: "ITCO".to_owned(),
            loan_interest_tier_band: vec![band],
        };
        Some(LoanInterest { loan_interest_tier_band_set: vec![set] })
    }

    fn fees(&self, terms: &Terms) -> Option<Fees> {
        let fee = Fee {
            fee_category: self.servicing.to_owned(),
            fee_type: self.monthly_fee.to_owned(),
            fee_amount: Some(terms.monthly_fee.clone()?),
            application_frequency: self.fee_monthly.to_owned(),
        };
        Some(Fees { tariff_type: self.tariff.map(str::to_owned), fee_charge_detail: vec![fee] })
    }
}

impl Product {
    /// The product of an account with its terms where its sort has them.
    pub fn new(
        account_id: impl Into<String>,
        product_id: impl Into<String>,
        product_type: ProductType,
        terms: &Terms,
    ) -> Self {
        let segment =
            |name: &str| Some(ProductDetails { segment: vec![name.to_owned()], monthly_maximum_charge: None });
        let (mut pca, mut bca, mut other_product_type) = (None, None, None);
        match product_type {
            ProductType::PersonalCurrentAccount => {
                pca = Some(PersonalTerms {
                    product_details: segment("General"),
                    credit_interest: PERSONAL.credit_interest(terms),
                    overdraft: PERSONAL.overdraft(terms),
                    other_fees_charges: PERSONAL.fees(terms),
                });
            }
            ProductType::BusinessCurrentAccount => {
                bca = Some(BusinessTerms {
                    product_details: segment("Standard"),
                    credit_interest: BUSINESS.credit_interest(terms),
                    overdraft: BUSINESS.overdraft(terms),
                    other_fees_charges: BUSINESS.fees(terms).into_iter().collect(),
                });
            }
            ProductType::Other => {
                other_product_type = Some(OtherProduct {
                    name: terms.name.clone(),
                    description: terms.description.clone(),
                    credit_interest: OTHER.credit_interest(terms),
                    overdraft: OTHER.overdraft(terms),
                    loan_interest: OTHER.loan_interest(terms),
                    other_fees_charges: OTHER.fees(terms).into_iter().collect(),
                });
            }
        }
        Self {
            product_name: Some(terms.name.clone()),
            product_id: Some(product_id.into()),
            account_id: account_id.into(),
            product_type,
            other_product_type,
            bca,
            pca,
        }
    }
}
