//! `Initiation` of each kind of payment, and what stands beside it in a consent.

use super::*;
use crate::payments::{FileType, Frequency};

/// Data that the bank is to hand on with the payment: `OBRemittanceInformation1` and `2`.
pub(crate) const REMITTANCE_V3: &[Member] =
    &[Member::optional("Unstructured", Form::Text(140)), Member::optional("Reference", Form::Text(35))];
const REMITTANCE_V4: &[Member] = &[
    Member::optional("Structured", Form::List(0, &Form::Open(STRUCTURED))),
    Member::optional("Unstructured", Form::List(0, &Form::Text(140))),
];
const STRUCTURED: &[Member] = &[
    Member::optional(
        "ReferredDocumentInformation",
        Form::List(
            0,
            &Form::Open(&[
                Member::optional(
                    "Code",
                    Form::OneOf(&[
                        "CINV", "CNFA", "CONT", "CREN", "DEBN", "DISP", "DNFA", "HIRI", "INVS", "MSIN", "PROF", "PUOR",
                        "QUOT", "SBIN", "SPRR", "TISH", "USAR", "AROI", "BOLD", "CMCN", "SOAC", "TSUT", "VCHR",
                    ]),
                ),
                Member::optional("Issuer", Form::Text(35)),
                Member::optional("Number", Form::Text(35)),
                Member::optional("RelatedDate", Form::DateTime),
                Member::optional("LineDetails", Form::List(0, &Form::Text(2048))),
            ]),
        ),
    ),
    // A whole number in v4.0, an amount in v4.0.1.
    Member::optional("ReferredDocumentAmount", Form::Either(&Form::Integer, &AMOUNT_TEXT)),
    Member::optional(
        "CreditorReferenceInformation",
        Form::Open(&[
            Member::optional("Code", Form::OneOf(&["DISP", "FXDR", "PUOR", "RPIN", "RADM", "SCOR"])),
            Member::optional("Issuer", Form::Text(35)),
            Member::optional("Reference", Form::Text(35)),
        ]),
    ),
    Member::optional("Invoicer", Form::Text(256)),
    Member::optional("Invoicee", Form::Text(256)),
    Member::optional("TaxRemittance", Form::Text(140)),
    Member::optional("AdditionalRemittanceInformation", Form::ListUpTo(3, &Form::Text(140))),
];
const REMITTANCE: Member = Member::optional(
    "RemittanceInformation",
    Form::ByVersion(&Form::Object(REMITTANCE_V3), &Form::Open(REMITTANCE_V4)),
);
/// The same where nothing is closed.
pub(crate) const OPEN_REMITTANCE: Member =
    Member::optional("RemittanceInformation", Form::ByVersion(&Form::Open(REMITTANCE_V3), &Form::Open(REMITTANCE_V4)));

/// `OBRegulatoryReporting1`. Its amount is closed, also in VRP.
pub(crate) const REGULATORY_REPORTING: Member = Member::optional(
    "RegulatoryReporting",
    Form::ListUpTo(
        10,
        &Form::Open(&[
            Member::optional("DebitCreditReportingIndicator", Form::OneOf(&["CRED", "DEBT", "BOTH"])),
            Member::optional(
                "Authority",
                Form::Open(&[Member::optional("Name", Form::Text(140)), Member::optional("CountryCode", COUNTRY)]),
            ),
            Member::optional(
                "Details",
                Form::List(
                    0,
                    &Form::Open(&[
                        Member::optional("Type", Form::Text(35)),
                        Member::optional("Date", Form::DateTime),
                        Member::optional("Country", COUNTRY),
                        Member::optional("Amount", Form::Object(AMOUNT)),
                        Member::optional("Information", Form::List(0, &Form::Text(35))),
                    ]),
                ),
            ),
        ]),
    ),
)
.only(V4_0);

const INSTRUCTED_AMOUNT: Member = Member::required("InstructedAmount", Form::Object(AMOUNT));
const REQUESTED_EXECUTION: Member = Member::required("RequestedExecutionDateTime", Form::DateTime);
const DEBTOR_ACCOUNT: Member = Member::optional("DebtorAccount", Form::Object(DEBTOR));
const CREDITOR_ACCOUNT: Member = Member::required("CreditorAccount", Form::Object(CREDITOR));

/// Of an immediate domestic payment.
pub(crate) const DOMESTIC: &[Member] = &[
    INSTRUCTION_IDENTIFICATION,
    END_TO_END_IDENTIFICATION,
    LOCAL_INSTRUMENT,
    INSTRUCTED_AMOUNT,
    DEBTOR_ACCOUNT,
    CREDITOR_AGENT.only(V4_0),
    CREDITOR_ACCOUNT,
    CREDITOR_ADDRESS,
    ULTIMATE_CREDITOR,
    ULTIMATE_DEBTOR,
    REGULATORY_REPORTING,
    REMITTANCE,
    SUPPLEMENTARY_DATA,
];

/// Of a scheduled domestic payment.
pub(crate) const DOMESTIC_SCHEDULED: &[Member] = &[
    INSTRUCTION_IDENTIFICATION,
    END_TO_END_IDENTIFICATION.or_none(),
    LOCAL_INSTRUMENT,
    REQUESTED_EXECUTION,
    INSTRUCTED_AMOUNT,
    DEBTOR_ACCOUNT,
    CREDITOR_ACCOUNT,
    CREDITOR_ADDRESS,
    ULTIMATE_CREDITOR,
    ULTIMATE_DEBTOR,
    REGULATORY_REPORTING,
    REMITTANCE,
    SUPPLEMENTARY_DATA,
];

/// When and how often, in v3.1.
const FREQUENCY_TEXT: Member = Member::required(
    "Frequency",
    Form::Matching(is_frequency_v3, "a frequency such as IntrvlMnthDay:01:15", ErrorCode::UnsupportedFrequency),
)
.only(V3_1);
const REFERENCE: Member = Member::optional("Reference", Form::Text(35)).only(V3_1);
const NUMBER_OF_PAYMENTS: Member = Member::optional("NumberOfPayments", Form::Text(35));
const FIRST_PAYMENT: Member = Member::required("FirstPaymentDateTime", Form::DateTime);
const RECURRING_PAYMENT: Member = Member::optional("RecurringPaymentDateTime", Form::DateTime);
const FINAL_PAYMENT: Member = Member::optional("FinalPaymentDateTime", Form::DateTime);
/// When and how often, in v4.0: `OBMandateRelatedInformation1`.
const MANDATE: Member = Member::required(
    "MandateRelatedInformation",
    Form::Open(&[
        Member::optional("MandateIdentification", Form::Text(35)),
        Member::optional("Classification", Form::OneOf(&["FIXE", "USGB", "VARI"])),
        CATEGORY_PURPOSE,
        FIRST_PAYMENT.or_none(),
        RECURRING_PAYMENT,
        FINAL_PAYMENT,
        Member::required(
            "Frequency",
            Form::Open(&[
                Member::required(
                    "Type",
                    Form::Matching(
                        is_frequency_v4,
                        "a code of OBFrequency6Code, such as MNTH",
                        ErrorCode::UnsupportedFrequency,
                    ),
                ),
                Member::optional("CountPerPeriod", Form::Integer),
                Member::optional("PointInTime", Form::TextOf(0, 2)),
            ]),
        ),
        Member::optional("Reason", Form::Text(256)),
    ]),
)
.only(V4_0);

/// Of a domestic standing order.
pub(crate) const DOMESTIC_STANDING_ORDER: &[Member] = &[
    FREQUENCY_TEXT,
    MANDATE,
    REFERENCE,
    REMITTANCE.only(V4_0),
    NUMBER_OF_PAYMENTS,
    FIRST_PAYMENT.only(V3_1),
    RECURRING_PAYMENT.only(V3_1),
    FINAL_PAYMENT.only(V3_1),
    Member::required("FirstPaymentAmount", Form::Object(AMOUNT)),
    Member::optional("RecurringPaymentAmount", Form::Object(AMOUNT)),
    Member::optional("FinalPaymentAmount", Form::Object(AMOUNT)),
    DEBTOR_ACCOUNT,
    CREDITOR_ACCOUNT,
    ULTIMATE_CREDITOR,
    ULTIMATE_DEBTOR,
    REGULATORY_REPORTING,
    SUPPLEMENTARY_DATA,
];

const INSTRUCTION_PRIORITY: Member = Member::optional("InstructionPriority", Form::OneOf(&["Normal", "Urgent"]));
const PURPOSE: Member = Member::optional("Purpose", Form::Text(4)).only(V3_1);
const EXTENDED_PURPOSE: Member = Member::optional("ExtendedPurpose", Form::Text(140));
const CHARGE_BEARER: Member = Member::optional(
    "ChargeBearer",
    Form::OneOf(&["BorneByCreditor", "BorneByDebtor", "FollowingServiceLevel", "Shared"]),
);
const CURRENCY_OF_TRANSFER: Member = Member::required("CurrencyOfTransfer", CURRENCY);
const DESTINATION_COUNTRY: Member = Member::optional("DestinationCountryCode", COUNTRY);
const EXCHANGE_RATE: Member = Member::optional(
    "ExchangeRateInformation",
    Form::Object(&[
        Member::required("UnitCurrency", CURRENCY),
        Member::optional("ExchangeRate", Form::Number),
        Member::required("RateType", Form::OneOf(&["Actual", "Agreed", "Indicative"])),
        Member::optional("ContractIdentification", Form::Text(256)),
    ]),
);

/// Of an immediate international payment.
pub(crate) const INTERNATIONAL: &[Member] = &[
    INSTRUCTION_IDENTIFICATION,
    END_TO_END_IDENTIFICATION,
    LOCAL_INSTRUMENT,
    INSTRUCTION_PRIORITY,
    PURPOSE,
    EXTENDED_PURPOSE,
    CHARGE_BEARER,
    CURRENCY_OF_TRANSFER,
    DESTINATION_COUNTRY,
    INSTRUCTED_AMOUNT,
    EXCHANGE_RATE,
    DEBTOR_ACCOUNT,
    CREDITOR_PARTY,
    CREDITOR_AGENT,
    CREDITOR_ACCOUNT,
    ULTIMATE_CREDITOR,
    ULTIMATE_DEBTOR,
    REGULATORY_REPORTING,
    REMITTANCE,
    SUPPLEMENTARY_DATA,
];

/// Of a scheduled international payment.
pub(crate) const INTERNATIONAL_SCHEDULED: &[Member] = &[
    INSTRUCTION_IDENTIFICATION,
    END_TO_END_IDENTIFICATION.or_none(),
    LOCAL_INSTRUMENT,
    INSTRUCTION_PRIORITY,
    PURPOSE,
    EXTENDED_PURPOSE,
    CHARGE_BEARER,
    REQUESTED_EXECUTION,
    CURRENCY_OF_TRANSFER,
    DESTINATION_COUNTRY,
    INSTRUCTED_AMOUNT,
    EXCHANGE_RATE,
    DEBTOR_ACCOUNT,
    CREDITOR_PARTY,
    CREDITOR_AGENT,
    CREDITOR_ACCOUNT,
    ULTIMATE_CREDITOR,
    ULTIMATE_DEBTOR,
    REGULATORY_REPORTING,
    REMITTANCE,
    SUPPLEMENTARY_DATA,
];

/// Of an international standing order.
pub(crate) const INTERNATIONAL_STANDING_ORDER: &[Member] = &[
    FREQUENCY_TEXT,
    MANDATE,
    REFERENCE,
    REMITTANCE.only(V4_0),
    NUMBER_OF_PAYMENTS,
    FIRST_PAYMENT.only(V3_1),
    FINAL_PAYMENT.only(V3_1),
    PURPOSE,
    EXTENDED_PURPOSE,
    CHARGE_BEARER,
    CURRENCY_OF_TRANSFER,
    DESTINATION_COUNTRY,
    INSTRUCTED_AMOUNT,
    DEBTOR_ACCOUNT,
    STANDING_CREDITOR_PARTY,
    CREDITOR_AGENT,
    CREDITOR_ACCOUNT,
    ULTIMATE_CREDITOR,
    ULTIMATE_DEBTOR,
    REGULATORY_REPORTING,
    SUPPLEMENTARY_DATA,
];

/// Of a file of payments.
pub(crate) const FILE: &[Member] = &[
    Member::required("FileType", Form::Code(is_file_type, "a file type such as UK.OBIE.pain.001.001.08")),
    Member::required("FileHash", Form::Text(44)),
    Member::optional("FileReference", Form::Text(40)),
    Member::optional("NumberOfTransactions", Form::Code(is_count, "1 to 15 digits")),
    Member::optional("ControlSum", Form::Number),
    REQUESTED_EXECUTION.or_none(),
    LOCAL_INSTRUMENT,
    DEBTOR_ACCOUNT,
    CREDITOR_AGENT.only(V4_0),
    ULTIMATE_DEBTOR,
    REMITTANCE,
    SUPPLEMENTARY_DATA,
];

const fn authorisation(types: Form) -> [Member; 2] {
    [Member::required("AuthorisationType", types), Member::optional("CompletionDateTime", Form::DateTime)]
}
const ANY_OR_SINGLE: Form = Form::OneOf(&["Any", "Single"]);
/// How many people must say yes.
pub(crate) const AUTHORISATION: Member = Member::optional("Authorisation", Form::Object(&authorisation(ANY_OR_SINGLE)));
/// The same for domestic payments, of which v4.0.1 knows those with several.
pub(crate) const DOMESTIC_AUTHORISATION: Member = Member::optional(
    "Authorisation",
    Form::Object(&authorisation(Form::ByVersion(&ANY_OR_SINGLE, &Form::OneOf(&["Any", "Single", "Multiple"])))),
);
/// Reasons for an exemption from SCA.
pub(crate) const SCA_SUPPORT_DATA: Member = Member::optional(
    "SCASupportData",
    Form::Open(&[
        Member::optional(
            "RequestedSCAExemptionType",
            Form::OneOf(&[
                "BillPayment",
                "ContactlessTravel",
                "EcommerceGoods",
                "EcommerceServices",
                "Kiosk",
                "Parking",
                "PartyToParty",
            ]),
        ),
        Member::optional("AppliedAuthenticationApproach", Form::OneOf(&["CA", "SCA"])),
        Member::optional("ReferencePaymentOrderId", Form::Text(40)),
    ]),
);
/// What a scheduled payment or standing order asks for.
pub(crate) const PERMISSION: Member = Member::required("Permission", Form::OneOf(&["Create"]));

fn is_frequency_v3(text: &str) -> bool {
    Frequency::of_pattern(text).is_some()
}

fn is_frequency_v4(text: &str) -> bool {
    Frequency::of_code(text).is_some() || is_frequency_v3(text)
}

fn is_file_type(text: &str) -> bool {
    FileType::from_name(text).is_some()
}

fn is_count(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
