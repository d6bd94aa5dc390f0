//! Claims that a bank's signed answers share, and how each is judged.

use jose::{
    Algorithm, JoseError,
    claims::{Audience, NumericDate},
};
use openbanking::dates;
use rules::{Evidence, holds};
use time::{Duration, OffsetDateTime};

/// How far clocks may differ.
pub(crate) const LEEWAY: Duration = Duration::seconds(30);

/// Algorithms that FAPI allows (FAPI 1.0 Part 2, 8.6-1), the first one being what this TPP asks for.
pub(crate) const ALGORITHMS: [Algorithm; 2] = [Algorithm::Ps256, Algorithm::Es256];

/// A value that the client knows.
pub(crate) fn same(expected: &str, found: Option<&str>) -> Result<(), Evidence> {
    holds(found == Some(expected), expected, found.unwrap_or("nothing"))
}

/// The audience is this client, and nobody else.
pub(crate) fn for_client(client_id: &str, aud: Option<&Audience>) -> Result<(), Evidence> {
    let Some(aud) = aud else { return Err(Evidence::missing(client_id)) };
    holds(aud.contains(client_id) && aud.iter().all(|audience| audience == client_id), client_id, aud)
}

/// The time of expiry is not over. What ends with the calendar has no moment after it to count from: the leeway is taken
/// off the present.
pub(crate) fn unexpired(exp: Option<NumericDate>, now: OffsetDateTime) -> Result<(), Evidence> {
    let Some(exp) = exp.map(OffsetDateTime::from) else { return Err(Evidence::missing("exp")) };
    holds(exp > now - LEEWAY, format_args!("exp after {}", dates::format(now)), dates::format(exp))
}

/// The outcome of a verification as a rule has it.
pub(crate) fn verified(signature: &Result<(), JoseError>) -> Result<(), Evidence> {
    signature.as_ref().copied().map_err(|error| Evidence::new(error.expected(), error.found()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use jose::{Jwks, KeySet, SigningKey};
    use serde_json::Value;
    use time::macros::datetime;

    use super::*;

    pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    /// The bank's key, and one of somebody else under the same name.
    pub(crate) static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
        ["bank", "bank"].map(|kid| {
            let key = pki::PrivateKey::generate_rsa().unwrap();
            SigningKey::from_pkcs8_der(kid, Algorithm::Ps256, key.pkcs8_der()).unwrap()
        })
    });

    /// The last second that a claim can tell: 9999-12-31T23:59:59Z.
    pub(crate) const LAST_SECOND: i64 = 253_402_300_799;

    /// What the bank publishes.
    pub(crate) fn published() -> KeySet {
        KeySet::from_jwks(&Jwks { keys: vec![KEYS[0].public_jwk().clone()] })
    }

    /// Signed by the bank.
    pub(crate) fn signed(claims: &Value) -> String {
        KEYS[0].sign_claims(Some("JWT"), claims).unwrap()
    }

    /// Signed by somebody else.
    pub(crate) fn forged(claims: &Value) -> String {
        KEYS[1].sign_claims(Some("JWT"), claims).unwrap()
    }

    /// The same claims without a signature.
    pub(crate) fn unsigned(signed: &str) -> String {
        let payload = signed.split('.').nth(1).unwrap();
        format!("{}.{payload}.", jose::base64url::encode(br#"{"alg":"none"}"#))
    }

    #[test]
    fn an_expiry_is_held_against_the_clock_with_leeway_to_both_ends_of_the_calendar() {
        let verdict = |exp: i64| {
            let exp: NumericDate = serde_json::from_value(exp.into()).unwrap();
            unexpired(Some(exp), NOW).is_ok()
        };
        let now = NOW.unix_timestamp();
        assert!(verdict(now + 1) && verdict(now - 29) && verdict(LAST_SECOND));
        assert!(!verdict(now - 30) && !verdict(0) && !verdict(-62_135_596_800));
        let evidence = unexpired(Some(serde_json::from_value(0.into()).unwrap()), NOW).unwrap_err();
        assert_eq!(
            (evidence.expected.as_str(), evidence.found.as_str()),
            ("exp after 2026-11-23T12:00:00+00:00", "1970-01-01T00:00:00+00:00")
        );
    }
}
