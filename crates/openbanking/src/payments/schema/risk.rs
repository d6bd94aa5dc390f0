//! `OBRisk1`.

use super::purposes::{is_category_purpose, is_purpose};
use super::{ADDRESS, COUNTRY, V3_1, V4_0};
use crate::reading::{Form, Member};

/// The circumstances of a payment. v3.1 misspells `ContractPresentInidicator`, and means it. The contexts that v4.0
/// dropped are taken again since v4.0.1.
pub(crate) const RISK: Member = Member::required(
    "Risk",
    Form::Object(&[
        Member::optional(
            "PaymentContextCode",
            Form::OneOf(&[
                "BillingGoodsAndServicesInAdvance",
                "BillingGoodsAndServicesInArrears",
                "PispPayee",
                "EcommerceMerchantInitiatedPayment",
                "FaceToFacePointOfSale",
                "TransferToSelf",
                "TransferToThirdParty",
                "BillPayment",
                "EcommerceGoods",
                "EcommerceServices",
                "Other",
                "PartyToParty",
            ]),
        ),
        Member::optional("MerchantCategoryCode", Form::TextOf(3, 4)),
        Member::optional("MerchantCustomerIdentification", Form::Text(70)),
        Member::optional("ContractPresentInidicator", Form::Boolean).only(V3_1),
        Member::optional("ContractPresentIndicator", Form::Boolean).only(V4_0),
        Member::optional("BeneficiaryPrepopulatedIndicator", Form::Boolean),
        Member::optional(
            "PaymentPurposeCode",
            Form::ByVersion(&Form::TextOf(3, 4), &Form::Code(is_purpose, "a code of ExternalPurpose1Code")),
        ),
        CATEGORY_PURPOSE.only(V4_0),
        Member::optional(
            "BeneficiaryAccountType",
            Form::OneOf(&[
                "Business",
                "BusinessSavingsAccount",
                "Charity",
                "Collection",
                "Corporate",
                "Ewallet",
                "Government",
                "Investment",
                "ISA",
                "JointPersonal",
                "Pension",
                "Personal",
                "PersonalSavingsAccount",
                "Premier",
                "Wealth",
            ]),
        ),
        Member::optional("DeliveryAddress", Form::ByVersion(&Form::Open(DELIVERY_ADDRESS), &ADDRESS)),
    ]),
);

/// `ExternalCategoryPurpose1Code`.
pub(crate) const CATEGORY_PURPOSE: Member =
    Member::optional("CategoryPurposeCode", Form::Code(is_category_purpose, "a code of ExternalCategoryPurpose1Code"));

/// The delivery address of v3.1, which is no `OBPostalAddress6`.
const DELIVERY_ADDRESS: &[Member] = &[
    Member::optional("AddressLine", Form::ListUpTo(2, &Form::Text(70))),
    Member::optional("StreetName", Form::Text(70)),
    Member::optional("BuildingNumber", Form::Text(16)),
    Member::optional("PostCode", Form::Text(16)),
    Member::required("TownName", Form::Text(35)),
    Member::optional("CountrySubDivision", Form::Text(35)),
    Member::required("Country", COUNTRY),
];
