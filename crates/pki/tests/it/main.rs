//! Certificates as they come out of the sandbox's authority, and requests as they come in.

#[cfg(test)]
mod authorities;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod requests;

#[cfg(test)]
use std::sync::LazyLock;

#[cfg(test)]
use openssl::{
    bn::BigNum,
    pkey::{PKey, Private},
    rsa::Rsa,
};
#[cfg(test)]
use pki::{Authority, Certificate, Participant, PkiError, PrivateKey, Profile, PspRole};
#[cfg(test)]
use time::{OffsetDateTime, macros::datetime};

#[cfg(test)]
const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// What all tests share; making keys takes most of the time.
#[cfg(test)]
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::create(NOW, "Sandbox").unwrap());

#[cfg(test)]
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate_rsa().unwrap());

/// Keys that no certificate is about, and why.
#[cfg(test)]
static WEAK: LazyLock<Vec<(PKey<Private>, PkiError)>> = LazyLock::new(|| {
    let rsa = |bits, exponent| {
        let exponent = BigNum::from_u32(exponent).unwrap();
        PKey::from_rsa(Rsa::generate_with_e(bits, &exponent).unwrap()).unwrap()
    };
    let curve = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
    vec![
        (rsa(1024, 65_537), PkiError::TooShort(1024)),
        (rsa(2047, 65_537), PkiError::TooShort(2047)),
        (rsa(2048, 3), PkiError::Exponent),
        (rsa(2048, 65_535), PkiError::Exponent),
        (PKey::from_ec_key(openssl::ec::EcKey::generate(&curve).unwrap()).unwrap(), PkiError::NotRsa),
        (PKey::generate_ed25519().unwrap(), PkiError::NotRsa),
    ]
});

#[cfg(test)]
fn participant() -> Participant {
    Participant {
        organisation_identifier: "PSDGB-FCA-730166".into(),
        organisation_id: "0015800001041REAAY".into(),
        legal_name: "Larkspur Money Ltd".into(),
        roles: vec![PspRole::AccountInformation, PspRole::PaymentInitiation],
    }
}

#[cfg(test)]
fn server(names: &[&str]) -> Profile {
    Profile::Server { names: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[cfg(test)]
fn issue(authority: &Authority, key: &PrivateKey, profile: &Profile) -> Certificate {
    authority.issue(key.public_key_der(), profile, [7; 16], NOW).unwrap()
}

#[cfg(test)]
fn openssl(certificate: &Certificate) -> openssl::x509::X509 {
    openssl::x509::X509::from_der(certificate.der()).unwrap()
}
