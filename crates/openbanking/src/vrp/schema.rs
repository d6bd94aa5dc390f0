//! The members of VRP requests as data.

use super::codes::{AuthenticationMethod, VrpType};
use crate::code::Code;
use crate::payments::schema::{
    AMOUNT, AMOUNT_TEXT, CONSENT_ID, CREDITOR_ADDRESS, CREDITOR_AGENT, CURRENCY, END_TO_END_IDENTIFICATION,
    INSTRUCTION_IDENTIFICATION, LOCAL_INSTRUMENT, OPEN_REMITTANCE, READ_REFUND_ACCOUNT, REGULATORY_REPORTING, RISK,
    SUPPLEMENTARY_DATA, ULTIMATE_CREDITOR, ULTIMATE_DEBTOR, VRP_CREDITOR, VRP_DEBTOR,
};
use crate::reading::{Form, Member};
use crate::version::ApiVersion::V4_0;

const VRP_TYPE: Form = Form::Code(is_vrp_type, "a type such as UK.OBIE.VRPType.Sweeping");
const METHOD: Form = Form::Code(is_method, "UK.OBIE.SCA or UK.OBIE.SCANotRequired");
const INTERACTION: Form = Form::OneOf(&["InSession", "OffSession"]);

/// `OBDomesticVRPControlParameters`.
const CONTROL_PARAMETERS: &[Member] = &[
    Member::optional("ValidFromDateTime", Form::DateTime),
    Member::optional("ValidToDateTime", Form::DateTime),
    Member::required("MaximumIndividualAmount", Form::Open(AMOUNT)),
    Member::required(
        "PeriodicLimits",
        Form::List(
            1,
            &Form::Open(&[
                Member::required(
                    "PeriodType",
                    Form::OneOf(&["Day", "Week", "Fortnight", "Month", "Half-year", "Year"]),
                ),
                Member::required("PeriodAlignment", Form::OneOf(&["Consent", "Calendar"])),
                Member::required("Amount", AMOUNT_TEXT),
                Member::required("Currency", CURRENCY),
            ]),
        ),
    ),
    Member::required("VRPType", Form::List(1, &VRP_TYPE)),
    Member::required("PSUAuthenticationMethods", Form::List(1, &METHOD)),
    Member::optional("PSUInteractionTypes", Form::List(0, &INTERACTION)),
    SUPPLEMENTARY_DATA,
];

const CREDITOR_ACCOUNT: Member = Member::required("CreditorAccount", Form::Open(VRP_CREDITOR));

/// `OBDomesticVRPInitiation`. The text of v4.0 has a `CreditorAgent` that the OpenAPI file does not show.
const INITIATION: &[Member] = &[
    Member::optional("DebtorAccount", Form::Open(VRP_DEBTOR)),
    ULTIMATE_DEBTOR,
    CREDITOR_AGENT.only(V4_0),
    CREDITOR_ACCOUNT.or_none(),
    CREDITOR_ADDRESS,
    ULTIMATE_CREDITOR,
    REGULATORY_REPORTING,
    OPEN_REMITTANCE,
];

/// `OBDomesticVRPInstruction`.
const INSTRUCTION: &[Member] = &[
    INSTRUCTION_IDENTIFICATION,
    END_TO_END_IDENTIFICATION,
    OPEN_REMITTANCE,
    LOCAL_INSTRUMENT,
    Member::required("InstructedAmount", Form::Open(AMOUNT)),
    CREDITOR_ADDRESS,
    CREDITOR_ACCOUNT,
    ULTIMATE_CREDITOR,
    SUPPLEMENTARY_DATA,
];

/// `OBDomesticVRPConsentRequest`.
pub(super) const CONSENT: Form = Form::Open(&[
    Member::required(
        "Data",
        Form::Open(&[
            READ_REFUND_ACCOUNT,
            Member::required("ControlParameters", Form::Open(CONTROL_PARAMETERS)),
            Member::required("Initiation", Form::Open(INITIATION)),
        ]),
    ),
    RISK,
]);

/// `OBDomesticVRPRequest`.
pub(super) const ORDER: Form = Form::Open(&[
    Member::required(
        "Data",
        Form::Open(&[
            CONSENT_ID,
            Member::required("PSUAuthenticationMethod", METHOD),
            Member::optional("PSUInteractionType", INTERACTION),
            Member::required("VRPType", VRP_TYPE),
            Member::required("Initiation", Form::Open(INITIATION)),
            Member::required("Instruction", Form::Open(INSTRUCTION)),
        ]),
    ),
    RISK,
]);

/// `OBVRPFundsConfirmationRequest`.
pub(super) const FUNDS: Form = Form::Open(&[Member::required(
    "Data",
    Form::Open(&[
        CONSENT_ID,
        Member::optional("Reference", Form::Text(35)),
        Member::required("InstructedAmount", Form::Open(AMOUNT)),
    ]),
)]);

fn is_vrp_type(name: &str) -> bool {
    VrpType::from_wire(name).is_some()
}

fn is_method(name: &str) -> bool {
    AuthenticationMethod::from_wire(name).is_some()
}
