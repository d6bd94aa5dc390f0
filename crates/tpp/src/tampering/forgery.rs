//! Taking a finished JWT apart, changing it, and signing it again.

use std::sync::OnceLock;

use jose::{Algorithm, Header, Jws, SigningKey, base64url};
use serde_json::{Map, Value};

use super::{Made, Shelf, SignWith, TamperJwt, TamperSignature};
use crate::steps::Failure;

/// A `kid` that no key set has.
const UNKNOWN_KID: &str = "no-such-key";

/// Who forges: the TPP's keys, and what it sent before.
pub(crate) struct Forger<'a> {
    /// The TPP's own key.
    pub(crate) own: &'a SigningKey,
    /// The same key for RS256.
    pub(crate) own_rs256: &'a dyn Fn() -> Result<SigningKey, Failure>,
    /// What it sent before.
    pub(crate) shelf: &'a Shelf,
}

/// What is signed, and how it travels.
struct Parts {
    header: Header,
    payload: Vec<u8>,
    signature: String,
    detached: bool,
}

impl Forger<'_> {
    /// The JWT as it is sent: altered when the step asks for it, kept on the shelf in any case.
    pub(crate) fn jwt(&self, kind: Made, honest: String, tamper: Option<&TamperJwt>) -> Result<String, Failure> {
        let sent = match tamper {
            None => honest,
            Some(tamper) if tamper.replay => self.last(kind)?,
            Some(TamperJwt { value: Some(value), .. }) => value.clone(),
            Some(tamper) => self.altered(&honest, tamper)?,
        };
        self.shelf.keep(kind, &sent);
        Ok(sent)
    }

    /// The detached signature as it is sent; none when it is left out.
    pub(crate) fn signature(
        &self,
        header: &Header,
        body: &[u8],
        tamper: Option<&TamperSignature>,
    ) -> Result<Option<String>, Failure> {
        let kind = Made::MessageSignature;
        let honest = || self.own.sign_detached(header, body).map_err(Failure::from);
        let sent = match tamper {
            None => honest()?,
            Some(tamper) if tamper.leave_out => return Ok(None),
            Some(tamper) if tamper.replay => self.last(kind)?,
            Some(TamperSignature { value: Some(value), .. }) => value.clone(),
            Some(tamper) => {
                let payload = tamper.over.as_ref().map_or(body, String::as_bytes).to_vec();
                let mut header = header.clone();
                header.kid.get_or_insert_with(|| self.own.kid().to_owned());
                set_members(&mut header, &tamper.header)?;
                let signature = honest()?.rsplit('.').next().unwrap_or_default().to_owned();
                self.sign(Parts { header, payload, signature, detached: true }, tamper.sign_with)?
            }
        };
        self.shelf.keep(kind, &sent);
        Ok(Some(sent))
    }

    fn last(&self, kind: Made) -> Result<String, Failure> {
        let missing = || Failure::new(format!("there is no {} to replay yet", kind.name()));
        self.shelf.last(kind).ok_or_else(missing)
    }

    fn altered(&self, honest: &str, tamper: &TamperJwt) -> Result<String, Failure> {
        let jws = Jws::parse(honest)?;
        let mut claims: Value = jws.claims()?;
        for name in &tamper.remove {
            remove(&mut claims, name);
        }
        for (name, value) in &tamper.set {
            set(&mut claims, name, value)?;
        }
        let mut header = jws.header().clone();
        set_members(&mut header, &tamper.header)?;
        let payload = serde_json::to_vec(&claims).map_err(|error| Failure::new(error.to_string()))?;
        let signature = honest.rsplit('.').next().unwrap_or_default().to_owned();
        self.sign(Parts { header, payload, signature, detached: false }, tamper.sign_with)
    }

    fn sign(&self, parts: Parts, with: SignWith) -> Result<String, Failure> {
        let Parts { mut header, payload, signature, detached } = parts;
        let given = |header: &Header| !header.alg.is_empty() && header.alg != Algorithm::Ps256.as_str();
        let by = |key: &SigningKey, header: &Header| {
            if detached { key.sign_detached(header, &payload) } else { key.sign(header, &payload) }
        };
        match with {
            // A header that names another algorithm keeps its word: the key cannot be asked then.
            SignWith::Own if !given(&header) => Ok(by(self.own, &header)?),
            SignWith::Own | SignWith::Kept => assemble(&header, &payload, &signature, detached),
            SignWith::OtherKey => Ok(by(foreign_key()?, &header)?),
            SignWith::UnknownKey => {
                header.kid = Some(UNKNOWN_KID.to_owned());
                Ok(by(foreign_key()?, &header)?)
            }
            SignWith::Rs256 => Ok(by(&(self.own_rs256)()?, &header)?),
            SignWith::None => {
                header.alg = "none".to_owned();
                assemble(&header, &payload, "", detached)
            }
            SignWith::Hs256 => {
                let secret = serde_json::to_vec(self.own.public_jwk()).unwrap_or_default();
                let signed = jose::sign_with_secret(&header, &payload, &secret)?;
                if !detached {
                    return Ok(signed);
                }
                let [protected, _, signature] = split(&signed)?;
                Ok(format!("{protected}..{signature}"))
            }
        }
    }
}

fn split(compact: &str) -> Result<[&str; 3], Failure> {
    let parts: Vec<&str> = compact.split('.').collect();
    <[&str; 3]>::try_from(parts).map_err(|_| Failure::new("what was signed is not a compact JWS"))
}

fn assemble(header: &Header, payload: &[u8], signature: &str, detached: bool) -> Result<String, Failure> {
    let header = serde_json::to_vec(header).map_err(|error| Failure::new(error.to_string()))?;
    let payload = if detached { String::new() } else { base64url::encode(payload) };
    Ok(format!("{}.{payload}.{signature}", base64url::encode(&header)))
}

/// A key that nobody vouches for; one for the whole process, because making one takes a while.
fn foreign_key() -> Result<&'static SigningKey, Failure> {
    static KEY: OnceLock<Result<SigningKey, String>> = OnceLock::new();
    let made = KEY.get_or_init(|| {
        let key = pki::PrivateKey::generate_rsa().map_err(|error| error.to_string())?;
        SigningKey::from_pkcs8_der(UNKNOWN_KID, Algorithm::Ps256, key.pkcs8_der()).map_err(|error| error.to_string())
    });
    made.as_ref().map_err(|error| Failure::new(format!("no key could be made to forge with: {error}")))
}

fn set_members<'a>(
    header: &mut Header,
    members: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Result<(), Failure> {
    let failed = |error: serde_json::Error| Failure::new(format!("the header cannot be altered so: {error}"));
    let mut json = serde_json::to_value(&*header).map_err(failed)?;
    for (name, value) in members {
        let Some(object) = json.as_object_mut() else { continue };
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    *header = serde_json::from_value(json).map_err(failed)?;
    Ok(())
}

/// The parent and the last segment of a JSON pointer; a plain name is a member of the top.
fn place(name: &str) -> (String, String) {
    let pointer = if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("/{}", name.replace('~', "~0").replace('/', "~1"))
    };
    let (parent, last) = pointer.rsplit_once('/').unwrap_or(("", name));
    (parent.to_owned(), last.replace("~1", "/").replace("~0", "~"))
}

fn set(claims: &mut Value, name: &str, value: &Value) -> Result<(), Failure> {
    let (parent, last) = place(name);
    let nowhere = || Failure::new(format!("there is no place for the claim {name}"));
    match claims.pointer_mut(&parent).ok_or_else(nowhere)? {
        Value::Object(members) => {
            members.insert(last, value.clone());
            Ok(())
        }
        Value::Array(items) => {
            let item = last.parse::<usize>().ok().and_then(|index| items.get_mut(index)).ok_or_else(nowhere)?;
            *item = value.clone();
            Ok(())
        }
        _ => Err(nowhere()),
    }
}

fn remove(claims: &mut Value, name: &str) {
    let (parent, last) = place(name);
    if let Some(members) = claims.pointer_mut(&parent).and_then(Value::as_object_mut) {
        let _: Option<Value> = Map::remove(members, &last);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jose::{Jwks, KeySet};
    use serde_json::json;

    use super::*;

    static DER: LazyLock<Vec<u8>> = LazyLock::new(|| pki::PrivateKey::generate_rsa().unwrap().pkcs8_der().to_vec());

    fn key(algorithm: Algorithm) -> SigningKey {
        SigningKey::from_pkcs8_der("mine", algorithm, &DER).unwrap()
    }

    /// What is sent, and whether it verifies under the TPP's key.
    fn forged(tamper: Value) -> (Jws, bool) {
        let own = key(Algorithm::Ps256);
        let shelf = Shelf::default();
        let own_rs256 = || Ok(key(Algorithm::Rs256));
        let forger = Forger { own: &own, own_rs256: &own_rs256, shelf: &shelf };
        let honest = own.sign_claims(Some("JWT"), &json!({"aud": "bank", "nonce": "n", "claims": {"a": 1}})).unwrap();
        let tamper: TamperJwt = serde_json::from_value(tamper).unwrap();
        let sent = forger.jwt(Made::RequestObject, honest, Some(&tamper)).unwrap();
        let jws = Jws::parse(&sent).unwrap();
        let keys = KeySet::from_jwks(&Jwks { keys: vec![own.public_jwk().clone()] });
        let valid = jws.verify(&keys, &[Algorithm::Ps256]).is_ok();
        (jws, valid)
    }

    #[test]
    fn claims_are_set_and_taken_out_and_signed_again() {
        let (jws, valid) = forged(json!({"set": {"aud": "other", "/claims/a": 2}, "remove": ["nonce"]}));
        assert_eq!(jws.claims::<Value>().unwrap(), json!({"aud": "other", "claims": {"a": 2}}));
        assert!(valid);
    }

    #[test]
    fn every_way_to_sign_leaves_its_mark() {
        for (with, alg, valid) in [
            ("own", "PS256", true),
            ("other-key", "PS256", false),
            ("unknown-key", "PS256", false),
            ("none", "none", false),
            ("hs256", "HS256", false),
            ("rs256", "RS256", false),
            ("kept", "PS256", false),
        ] {
            let (jws, verified) = forged(json!({"set": {"aud": "other"}, "sign-with": with}));
            assert_eq!((jws.header().alg.as_str(), verified), (alg, valid), "{with}");
            let kid = if with == "unknown-key" { UNKNOWN_KID } else { "mine" };
            assert_eq!(jws.header().kid.as_deref(), Some(kid), "{with}");
        }
    }

    #[test]
    fn a_header_is_altered_and_a_value_is_sent_as_it_is() {
        let (jws, _) = forged(json!({"header": {"typ": "at+jwt", "kid": null}}));
        assert_eq!(jws.header().typ.as_deref(), Some("at+jwt"));
        let (jws, _) = forged(json!({"header": {"alg": "none"}}));
        assert_eq!(jws.header().alg, "none");
    }

    #[test]
    fn what_was_sent_is_sent_again() {
        let own = key(Algorithm::Ps256);
        let shelf = Shelf::default();
        let own_rs256 = || Ok(key(Algorithm::Rs256));
        let forger = Forger { own: &own, own_rs256: &own_rs256, shelf: &shelf };
        let replay = TamperJwt { replay: true, ..TamperJwt::default() };
        assert!(forger.jwt(Made::ClientAssertion, "a".to_owned(), Some(&replay)).is_err());
        forger.jwt(Made::ClientAssertion, "first".to_owned(), None).unwrap();
        assert_eq!(forger.jwt(Made::ClientAssertion, "second".to_owned(), Some(&replay)).unwrap(), "first");
    }

    #[test]
    fn detached_signatures_are_left_out_or_made_over_another_body() {
        let own = key(Algorithm::Ps256);
        let shelf = Shelf::default();
        let own_rs256 = || Ok(key(Algorithm::Rs256));
        let forger = Forger { own: &own, own_rs256: &own_rs256, shelf: &shelf };
        let keys = KeySet::from_jwks(&Jwks { keys: vec![own.public_jwk().clone()] });
        let valid = |signature: &str, body: &[u8]| {
            Jws::parse_detached(signature, body).is_ok_and(|jws| jws.verify(&keys, &[Algorithm::Ps256]).is_ok())
        };
        let header = Header::default();
        let honest = forger.signature(&header, b"body", None).unwrap().unwrap();
        assert!(valid(&honest, b"body"));
        let over = TamperSignature { over: Some("other".to_owned()), ..TamperSignature::default() };
        let other = forger.signature(&header, b"body", Some(&over)).unwrap().unwrap();
        assert!(!valid(&other, b"body") && valid(&other, b"other"));
        let out = TamperSignature { leave_out: true, ..TamperSignature::default() };
        assert_eq!(forger.signature(&header, b"body", Some(&out)).unwrap(), None);
    }
}
