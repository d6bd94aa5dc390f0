//! Accounts, agents, addresses and parties.

use super::{COUNTRY, V3_1, V4_0};
use crate::error::ErrorCode;
use crate::parties::AccountScheme;
use crate::payments::is_agent_scheme;
use crate::reading::{Form, Member};

const ACCOUNT_SCHEME: Form = Form::Matching(
    is_account_scheme,
    "an identification scheme such as UK.OBIE.SortCodeAccountNumber",
    ErrorCode::UnsupportedScheme,
);
const AGENT_SCHEME: Form =
    Form::Matching(is_agent_scheme, "an identification scheme such as UK.OBIE.BICFI", ErrorCode::UnsupportedScheme);
const LEI: Member =
    Member::optional("LEI", Form::Code(is_lei, "18 capital letters or digits, and two digits")).only(V4_0);

/// `OBProxy1`.
const PROXY: Form = Form::Open(&[
    Member::required("Identification", Form::Text(2048)),
    Member::required(
        "Code",
        Form::OneOf(&[
            "TELE", "EMAL", "DNAM", "CINC", "COTX", "COID", "CUST", "DRLC", "EIDN", "EWAL", "PVTX", "LEIC", "MBNO",
            "NIDN", "CCPT", "SHID", "SOSE", "TOKN", "UBIL", "VIPN", "BIID",
        ]),
    ),
    Member::optional("Type", Form::Text(35)),
]);

/// An account; the versions name its holder differently.
const fn account(v3: Member, v4: Member) -> [Member; 6] {
    [
        Member::required("SchemeName", ACCOUNT_SCHEME),
        Member::required("Identification", Form::Text(256)),
        v3.only(V3_1),
        v4.only(V4_0),
        Member::optional("SecondaryIdentification", Form::Text(34)),
        Member::optional("Proxy", PROXY).only(V4_0),
    ]
}

const HOLDER: Member = Member::required("Name", Form::Text(350));
/// `OBCashAccountDebtor4`, whose holder may be left out.
pub(crate) const DEBTOR: &[Member] = &account(HOLDER.or_none(), HOLDER.or_none());
/// `OBCashAccountCreditor3`.
pub(crate) const CREDITOR: &[Member] = &account(HOLDER, HOLDER);
/// The payer of a VRP: named in v3.1, perhaps named in v4.0.1.
pub(crate) const VRP_DEBTOR: &[Member] = &account(HOLDER, HOLDER.or_none());
/// The payee of a VRP, whose name is shorter in v4.0.
pub(crate) const VRP_CREDITOR: &[Member] = &account(HOLDER, Member::required("Name", Form::Text(70)));

/// `OBPostalAddress6` and `OBPostalAddress7`.
pub(crate) const ADDRESS: Form = Form::Object(&[
    Member::optional(
        "AddressType",
        Form::ByVersion(
            &Form::OneOf(&[
                "Business",
                "Correspondence",
                "DeliveryTo",
                "MailTo",
                "POBox",
                "Postal",
                "Residential",
                "Statement",
            ]),
            &Form::OneOf(&["BIZZ", "DLVY", "MLTO", "PBOX", "ADDR", "HOME", "CORR", "STAT"]),
        ),
    ),
    Member::optional("Department", Form::Text(70)),
    Member::optional("SubDepartment", Form::Text(70)),
    Member::optional("StreetName", Form::ByVersion(&Form::Text(70), &Form::Text(140))),
    Member::optional("BuildingNumber", Form::Text(16)),
    Member::optional("BuildingName", Form::Text(140)).only(V4_0),
    Member::optional("Floor", Form::Text(70)).only(V4_0),
    Member::optional("UnitNumber", Form::Text(16)).only(V4_0),
    Member::optional("Room", Form::Text(70)).only(V4_0),
    Member::optional("PostBox", Form::Text(16)).only(V4_0),
    Member::optional("TownLocationName", Form::Text(140)).only(V4_0),
    Member::optional("DistrictName", Form::Text(140)).only(V4_0),
    Member::optional("CareOf", Form::Text(140)).only(V4_0),
    Member::optional("PostCode", Form::Text(16)),
    Member::optional("TownName", Form::ByVersion(&Form::Text(35), &Form::Text(140))),
    Member::optional("CountrySubDivision", Form::Text(35)),
    Member::optional("Country", COUNTRY),
    Member::optional("AddressLine", Form::ListUpTo(7, &Form::Text(70))),
]);
/// Where the payee lives.
pub(crate) const CREDITOR_ADDRESS: Member = Member::optional("CreditorPostalAddress", ADDRESS);

/// `OBBranchAndFinancialInstitutionIdentification6`.
pub(crate) const CREDITOR_AGENT: Member = Member::optional(
    "CreditorAgent",
    Form::Object(&[
        Member::optional("SchemeName", AGENT_SCHEME),
        Member::optional("Identification", Form::Text(35)),
        Member::optional("Name", Form::Text(140)),
        LEI,
        Member::optional("PostalAddress", ADDRESS),
    ]),
);

const fn party(name: Form) -> [Member; 3] {
    [Member::optional("Name", name), LEI, Member::optional("PostalAddress", ADDRESS)]
}
/// The payee abroad.
pub(crate) const CREDITOR_PARTY: Member = Member::optional("Creditor", Form::Object(&party(Form::Text(140))));
/// The payee abroad of a standing order, whose name is longer in v3.1.
pub(crate) const STANDING_CREDITOR_PARTY: Member =
    Member::optional("Creditor", Form::Object(&party(Form::ByVersion(&Form::Text(350), &Form::Text(140)))));

/// `OBUltimateCreditor1` and `OBUltimateDebtor1`.
const ULTIMATE: Form = Form::Open(&[
    Member::optional("Name", Form::Text(140)),
    Member::optional("Identification", Form::Text(256)),
    LEI,
    Member::optional("SchemeName", Form::Text(40)),
    Member::optional("PostalAddress", ADDRESS),
]);
/// For whom the payee collects.
pub(crate) const ULTIMATE_CREDITOR: Member = Member::optional("UltimateCreditor", ULTIMATE).only(V4_0);
/// For whom the payer pays.
pub(crate) const ULTIMATE_DEBTOR: Member = Member::optional("UltimateDebtor", ULTIMATE).only(V4_0);

fn is_account_scheme(text: &str) -> bool {
    AccountScheme::lenient(text).is_some()
}

fn is_lei(text: &str) -> bool {
    let capital_or_digit = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() == 20 && text.bytes().all(capital_or_digit) && text.bytes().skip(18).all(|byte| byte.is_ascii_digit())
}
